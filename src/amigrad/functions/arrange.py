"""Rearrangements made of movements: repeated, rolled and cut tensors, triangles, grids."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad.functions.convert import as_tensor, broadcast_to, constant, normalize_axes, normalize_axis
from amigrad.functions.create import arange
from amigrad.functions.elementwise import where
from amigrad.functions.manipulation import concat, expand_dims, reshape
from amigrad.graph import Tensor, TensorLike


def _part(x: Tensor, axis: int, part: slice | int) -> Tensor:
    return x[(*[slice(None)] * axis, part)]


def roll(x: TensorLike, shift: int, axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on by `shift` places along axes (None: in C order), those past the end to the front.

    The shift is taken modulo the size of the axis, which makes that a constant of a compiled function.
    """
    t = as_tensor(x)
    if axis is None:
        return reshape(roll(reshape(t, -1), shift, 0), t.shape)
    for a in normalize_axes(axis, t.ndim, "roll"):
        size = int(t.shape[a])
        places = shift % size if size else 0
        if places:
            t = concat([_part(t, a, slice(-places, None)), _part(t, a, slice(-places))], a)
    return t


def repeat(x: TensorLike, repeats: int, axis: int | None = None) -> Tensor:
    """Each element (None: in C order) or each entry of an axis `repeats` times after itself."""
    t = as_tensor(x)
    if repeats < 0:
        raise ValueError(f"repeat: {repeats} times")
    if axis is None:
        t, axis = reshape(t, -1), 0
    axis = normalize_axis(axis, t.ndim, "repeat")
    wide = broadcast_to(expand_dims(t, axis + 1), (*t.shape[: axis + 1], repeats, *t.shape[axis + 1 :]))
    return reshape(wide, (*t.shape[:axis], t.shape[axis] * repeats, *t.shape[axis + 1 :]))


def tile(x: TensorLike, repetitions: Sequence[int]) -> Tensor:
    """x repeated as a whole along each axis (of x and of `repetitions`, aligned at the last)."""
    t = as_tensor(x)
    ndim = max(t.ndim, len(repetitions))
    times = (1,) * (ndim - len(repetitions)) + tuple(repetitions)
    shape = (1,) * (ndim - t.ndim) + t.shape
    pairs = reshape(t, [d for dim in shape for d in (1, dim)])
    wide = broadcast_to(pairs, tuple(d for pair in zip(times, shape, strict=True) for d in pair))
    return reshape(wide, [n * dim if isinstance(dim, int) else dim * n for n, dim in zip(times, shape, strict=True)])


def unstack(x: TensorLike, axis: int = 0) -> tuple[Tensor, ...]:
    """The entries along an axis. Its size becomes a constant of a compiled function."""
    t = as_tensor(x)
    axis = normalize_axis(axis, t.ndim, "unstack")
    return tuple(_part(t, axis, i) for i in range(int(t.shape[axis])))


def diff(x: TensorLike, axis: int = -1) -> Tensor:
    """Each element less the one before it along an axis, which becomes shorter by one."""
    t = as_tensor(x)
    axis = normalize_axis(axis, t.ndim, "diff")
    return _part(t, axis, slice(1, None)) - _part(t, axis, slice(-1))


def meshgrid(*values: TensorLike) -> list[Tensor]:
    """Vectors of n, m, ... elements as tensors of shape (n, m, ...), each varying along its own axis."""
    tensors = [as_tensor(v) for v in values]
    shape = tuple(t.shape[0] for t in tensors)
    places = [tuple(d if a == i else 1 for a, d in enumerate(shape)) for i in range(len(shape))]
    return [broadcast_to(reshape(t, place), shape) for t, place in zip(tensors, places, strict=True)]


def tril(x: TensorLike, k: int = 0) -> Tensor:
    """x (..., m, n) with zeros above its k-th diagonal."""
    return _triangle(x, k, lower=True)


def triu(x: TensorLike, k: int = 0) -> Tensor:
    """x (..., m, n) with zeros below its k-th diagonal."""
    return _triangle(x, k, lower=False)


def _triangle(x: TensorLike, k: int, *, lower: bool) -> Tensor:
    t = as_tensor(x)
    if t.ndim < 2:
        raise ValueError(f"a triangle is of a matrix, not of {t.spec}")
    row, column = expand_dims(arange(t.shape[-2]), 1), arange(t.shape[-1])
    return where(column - row <= k if lower else column - row >= k, t, constant(0, t.dtype))
