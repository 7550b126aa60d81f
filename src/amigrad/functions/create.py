"""Creation functions."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np

from amigrad.functions.convert import as_tensor, broadcast_to, cast, constant, reshape
from amigrad.functions.elementwise import where
from amigrad.graph import Dim, Shape, Size, Tensor, TensorLike, apply, bool_, float32, float64, int64
from amigrad.graph.dtypes import as_dtype
from amigrad.graph.sizes import format_shape
from amigrad.operators.create import Arange


def as_shape(shape: Dim | Sequence[Dim]) -> Shape:
    """A shape from an integer or a sequence."""
    dims = tuple(shape) if isinstance(shape, Sequence | np.ndarray) else (shape,)
    sizes = tuple(d if isinstance(d, Size) else operator.index(d) for d in dims)
    if any(isinstance(d, int) and d < 0 for d in sizes):
        raise ValueError(f"a shape has no negative sizes: {format_shape(sizes)}")
    return sizes


def full(shape: Dim | Sequence[Dim], fill_value: float | int | bool | Size, dtype: object = None) -> Tensor:
    """A tensor filled with one number."""
    if dtype is not None:
        chosen = as_dtype(dtype)
    elif isinstance(fill_value, bool):
        chosen = bool_
    else:
        chosen = float32 if isinstance(fill_value, float) else int64
    return broadcast_to(constant(fill_value, chosen), as_shape(shape))


def zeros(shape: Dim | Sequence[Dim], dtype: object = float32) -> Tensor:
    """Zeros."""
    return full(shape, 0, dtype)


def ones(shape: Dim | Sequence[Dim], dtype: object = float32) -> Tensor:
    """Ones."""
    return full(shape, 1, dtype)


def full_like(x: TensorLike, fill_value: float | int | bool, dtype: object = None) -> Tensor:
    """A tensor of x's shape (and dtype) filled with one number."""
    t = as_tensor(x)
    return full(t.shape, fill_value, dtype if dtype is not None else t.dtype)


def zeros_like(x: TensorLike, dtype: object = None) -> Tensor:
    """Zeros of x's shape and dtype."""
    return full_like(x, 0, dtype)


def ones_like(x: TensorLike, dtype: object = None) -> Tensor:
    """Ones of x's shape and dtype."""
    return full_like(x, 1, dtype)


def arange(start: Dim | float, stop: Dim | float | None = None, step: Dim | float = 1, dtype: object = None) -> Tensor:
    """The numbers start, start + step, ... before stop; from 0 if only one number is given."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange: the step cannot be 0")
    real = any(isinstance(v, float | np.floating) for v in (start, stop, step))
    chosen = as_dtype(dtype) if dtype is not None else (float32 if real else int64)
    if real:
        size: Dim = max(0, math.ceil((float(stop) - float(start)) / float(step)))
    else:
        size = -((start - stop) // step)  # type: ignore[operator, assignment]
        size = max(0, size) if isinstance(size, int) else size
    numbers = apply(Arange(size, float64 if real else int64))
    if step != 1:
        numbers = numbers * step
    if isinstance(start, Size) or start != 0:
        numbers = numbers + start
    return cast(numbers, chosen)


def linspace(start: float, stop: float, num: int, dtype: object = float32) -> Tensor:
    """`num` numbers evenly from start to stop."""
    place = apply(Arange(num, float64))
    numbers = place * ((stop - start) / max(num - 1, 1)) + start
    return cast(where(place == max(num - 1, 1), stop, numbers), as_dtype(dtype))


def eye(rows: int, columns: int | None = None, dtype: object = float32) -> Tensor:
    """Ones on the diagonal. -> (rows, columns)"""
    columns = rows if columns is None else columns
    across, down = arange(columns), arange(rows)
    return cast(reshape(down, (rows, 1)) == across, as_dtype(dtype))
