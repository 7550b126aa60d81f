"""Manipulation: shapes, orders of axes, joining, cutting, padding, indexing."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad.functions import convert
from amigrad.functions.convert import as_tensor, cast, normalize_axes, normalize_axis
from amigrad.functions.create import as_shape
from amigrad.graph import Dim, Size, Tensor, TensorLike, apply
from amigrad.graph.dtypes import promote
from amigrad.graph.sizes import divide, format_shape, product
from amigrad.operators import lookup, movement


def reshape(x: TensorLike, shape: Dim | Sequence[Dim]) -> Tensor:
    """The elements in C order in another shape; one size may be -1: what is left."""
    t = as_tensor(x)
    wanted = list(shape) if isinstance(shape, Sequence) else [shape]
    open_axes = [i for i, d in enumerate(wanted) if not isinstance(d, Size) and d == -1]
    if len(open_axes) > 1:
        raise ValueError("reshape: only one size can be -1")
    if open_axes:
        wanted[open_axes[0]] = 1
        wanted = list(as_shape(wanted))
        known = product(d for i, d in enumerate(wanted) if i != open_axes[0])
        total = product(t.shape)
        left = divide(total, known)
        if left is None and not (isinstance(total, int) and isinstance(known, int)):
            left = total // known
        if left is None or (isinstance(known, int) and known == 0):
            raise ValueError(f"reshape: {format_shape(t.shape)} does not divide into {shape}")
        wanted[open_axes[0]] = left
    return convert.reshape(t, as_shape(wanted))


def permute_dims(x: TensorLike, axes: Sequence[int]) -> Tensor:
    """The axes in another order: axis i of the result is axis `axes[i]` of x."""
    t = as_tensor(x)
    order = tuple(normalize_axis(a, t.ndim, "permute_dims") for a in axes)
    if len(order) != t.ndim:
        raise ValueError(f"permute_dims: {order} is no order of the axes of shape {format_shape(t.shape)}")
    return t if order == tuple(range(t.ndim)) else apply(movement.PermuteDims(order), t)


def matrix_transpose(x: TensorLike) -> Tensor:
    """The last two axes exchanged. x: (..., m, n) -> (..., n, m)"""
    t = as_tensor(x)
    if t.ndim < 2:
        raise ValueError(f"matrix_transpose needs two axes, not shape {format_shape(t.shape)}")
    return permute_dims(t, (*range(t.ndim - 2), t.ndim - 1, t.ndim - 2))


def moveaxis(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Axes moved to other places; the rest keep their order."""
    t = as_tensor(x)
    sources = [source] if isinstance(source, int) else list(source)
    places = [destination] if isinstance(destination, int) else list(destination)
    pairs = {
        normalize_axis(place, t.ndim, "moveaxis"): normalize_axis(axis, t.ndim, "moveaxis")
        for axis, place in zip(sources, places, strict=True)
    }
    if not len(sources) == len(pairs) == len(set(pairs.values())):
        raise ValueError(f"moveaxis: {source} to {destination} names one axis twice")
    rest = iter([a for a in range(t.ndim) if a not in pairs.values()])
    return permute_dims(t, [pairs[i] if i in pairs else next(rest) for i in range(t.ndim)])


def broadcast_to(x: TensorLike, shape: Dim | Sequence[Dim]) -> Tensor:
    """x repeated along new leading axes and along axes of size 1."""
    return convert.broadcast_to(as_tensor(x), as_shape(shape))


def broadcast_arrays(*values: TensorLike) -> list[Tensor]:
    """The arguments broadcast to one shape."""
    return convert.broadcast(*map(as_tensor, values))


def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """x with new axes of size 1 at these places."""
    t = as_tensor(x)
    axes = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    places = normalize_axes(axes, t.ndim + len(axes), "expand_dims")
    shape = list(t.shape)
    for place in places:
        shape.insert(place, 1)
    return convert.reshape(t, tuple(shape))


def squeeze(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """x without these axes, whose size must be 1."""
    t = as_tensor(x)
    axes = normalize_axes(axis, t.ndim, "squeeze")
    for a in axes:
        if t.shape[a] != 1:
            raise ValueError(f"squeeze: axis {a} of shape {format_shape(t.shape)} is not 1")
    return convert.reshape(t, tuple(d for a, d in enumerate(t.shape) if a not in axes))


def concat(values: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Tensors joined along an axis (None: flattened first)."""
    tensors = [as_tensor(v) for v in values]
    if not tensors:
        raise ValueError("concat needs at least one tensor")
    dtype = promote(*[t.dtype for t in tensors])
    tensors = [cast(t, dtype) for t in tensors]
    if axis is None:
        tensors, axis = [reshape(t, -1) for t in tensors], 0
    axis = normalize_axis(axis, tensors[0].ndim, "concat")
    return tensors[0] if len(tensors) == 1 else apply(movement.Concat(axis), *tensors)


def stack(values: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""
    tensors = [as_tensor(v) for v in values]
    if not tensors:
        raise ValueError("stack needs at least one tensor")
    if any(len(t.shape) != len(tensors[0].shape) or t.shape != tensors[0].shape for t in tensors):
        shapes = ", ".join(format_shape(t.shape) for t in tensors)
        raise ValueError(f"stack needs tensors of one shape, not {shapes}")
    axis = normalize_axis(axis, tensors[0].ndim + 1, "stack")
    return concat([expand_dims(t, axis) for t in tensors], axis)


def pad(x: TensorLike, widths: Sequence[tuple[int, int]]) -> Tensor:
    """x with zeros before and after along each axis."""
    t = as_tensor(x)
    if len(widths) != t.ndim or any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"pad needs (before, after), not negative, for each of {t.ndim} axes, not {widths}")
    shape = tuple(d + before + after for d, (before, after) in zip(t.shape, widths, strict=True))
    return apply(movement.Pad(tuple(before for before, _ in widths), (1,) * t.ndim, shape), t)


def flip(x: TensorLike, axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements in reverse order along axes."""
    t = as_tensor(x)
    axes = normalize_axes(axis, t.ndim, "flip")
    return apply(movement.Flip(axes), t) if axes else t


def take(x: TensorLike, indices: TensorLike, axis: int = 0) -> Tensor:
    """Lookup: the entries of an axis at these indices. IndexError if one is outside; none counts from the end."""
    t, index = as_tensor(x), as_tensor(indices)
    axis = normalize_axis(axis, t.ndim, "take")
    if axis == 0:
        return apply(lookup.Take(), t, index)
    taken = apply(lookup.Take(), moveaxis(t, axis, 0), index)
    k = index.ndim
    order = (*range(k, k + axis), *range(k), *range(k + axis, taken.ndim))
    return permute_dims(taken, order)


def one_hot(index: TensorLike, size: Dim) -> Tensor:
    """Whether each class is the one indexed. index: (...) int -> (..., size) bool"""
    return apply(lookup.OneHot(size), as_tensor(index))
