"""Indexing: what `x[key]` means."""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np

from amigrad.functions import convert
from amigrad.functions.convert import as_tensor
from amigrad.functions.manipulation import take
from amigrad.graph import Dim, Size, Tensor, apply
from amigrad.operators import movement


def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]`: integers, slices with steps, `...`, None, and one integer tensor: a lookup along its axis."""
    keys = list(key) if isinstance(key, tuple) else [key]
    count = builtins.sum(k is not None and k is not Ellipsis for k in keys)
    if count > x.ndim:
        raise IndexError(f"{count} indices for a tensor of {x.ndim} axes")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    place = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[place : place + 1] = [slice(None)] * (x.ndim - count)
    lookups = [i for i, k in enumerate(keys) if isinstance(k, Tensor | np.ndarray | list)]
    if not lookups:
        return _cut(x, keys)
    if len(lookups) > 1 or any(_is_integer(k) for k in keys):
        raise TypeError("a tensor as an index goes with slices, `...` and None only: index in two steps")
    index = as_tensor(keys[lookups[0]])
    if index.dtype.kind == "b":
        raise TypeError("x[mask] has a size that depends on values; use where(mask, x, 0)")
    keys[lookups[0]] = slice(None)
    return take(_cut(x, keys), index, lookups[0])


def _is_integer(key: Any) -> bool:
    return key is not None and not isinstance(key, slice | Tensor | np.ndarray | list)


def _cut(x: Tensor, keys: list[Any]) -> Tensor:
    starts: list[Dim] = []
    steps: list[int] = []
    sizes: list[Dim] = []
    shape: list[Dim] = []
    flips: list[int] = []
    axis = 0
    for key in keys:
        if key is None:
            shape.append(1)
            continue
        dim = x.shape[axis]
        if isinstance(key, slice):
            start, step, size = _slice(key, dim)
            if step < 0:
                flips.append(axis)
                start, step = start + (size - 1) * step, -step
            shape.append(size)
        else:
            start, step, size = _integer(key, dim, axis), 1, 1
        starts.append(start)
        steps.append(step)
        sizes.append(size)
        axis += 1
    whole = all(isinstance(s, int) and s == 0 for s in starts) and all(s == 1 for s in steps)
    if not (whole and all(a is b or a == b for a, b in zip(sizes, x.shape, strict=True))):
        x = apply(movement.Slice(tuple(starts), tuple(steps), tuple(sizes)), x)
    if flips:
        x = apply(movement.Flip(tuple(flips)), x)
    return convert.reshape(x, tuple(shape))


def _integer(key: Any, dim: Dim, axis: int) -> Dim:
    if isinstance(key, bool) or not hasattr(key, "__index__"):
        raise TypeError(f"an index is an integer, a slice, `...`, None or an integer tensor, not {key!r}")
    index = key if isinstance(key, Size) else operator.index(key)
    start = index + dim if index < 0 else index
    if start < 0 or start >= dim:
        raise IndexError(f"index {index} is outside axis {axis} of size {dim}")
    return start


def _slice(key: slice, dim: Dim) -> tuple[Dim, int, Dim]:
    """Start, step and size of a slice of an axis, as Python has them; the start of an empty one is 0."""
    step = 1 if key.step is None else int(key.step)
    if step == 0:
        raise ValueError("a slice's step cannot be 0")
    if isinstance(dim, int) and not isinstance(key.start, Size) and not isinstance(key.stop, Size):
        start, stop, _ = key.indices(dim)
        size = len(range(start, stop, step))
        return (start if size else 0), step, size
    low, high = (0, dim) if step > 0 else (-1, dim - 1)
    begin = _limit(key.start, dim, low, high, low if step > 0 else high)
    end = _limit(key.stop, dim, low, high, high if step > 0 else low)
    distance = end - begin if step > 0 else begin - end
    if distance < 0:
        return 0, step, 0
    return begin, step, (distance + (builtins.abs(step) - 1)) // builtins.abs(step)


def _limit(value: Any, dim: Dim, low: Dim, high: Dim, default: Dim) -> Dim:
    if value is None:
        return default
    place = value if isinstance(value, Size) else int(value.__index__())
    if place < 0:
        place = place + dim
    if place < low:
        return low
    return high if place > high else place
