"""How arguments become tensors that fit together: conversion, promotion, broadcasting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amigrad.graph import DType, Size, Tensor, apply, bool_, float32, int64, tensor
from amigrad.graph.dtypes import is_floating, promote
from amigrad.graph.sizes import Dim, Shape, broadcast_shapes
from amigrad.graph.tensor import TensorLike
from amigrad.operators.create import Full
from amigrad.operators.elementwise import Cast
from amigrad.operators.movement import BroadcastTo, Reshape


def constant(value: float | int | bool | Size, dtype: DType) -> Tensor:
    """A number as a tensor of shape ()."""
    if isinstance(value, Size):
        return apply(Full(value, dtype))
    return tensor(value, dtype=dtype)


def as_tensor(value: TensorLike, dtype: DType | None = None) -> Tensor:
    """Anything that stands for a tensor as one."""
    if isinstance(value, Tensor):
        return value if dtype is None else cast(value, dtype)
    if isinstance(value, Size):
        return constant(value, dtype or int64)
    return tensor(value, dtype=dtype)


def cast(x: Tensor, dtype: DType) -> Tensor:
    """x as this element type; itself if it is already."""
    return x if x.dtype == dtype else apply(Cast(dtype), x)


def broadcast_to(x: Tensor, shape: Shape) -> Tensor:
    """x broadcast to this shape; itself if it has it."""
    if len(x.shape) == len(shape) and all(_identical(a, b) for a, b in zip(x.shape, shape, strict=True)):
        return x
    return apply(BroadcastTo(shape), x)


def _identical(a: Dim, b: Dim) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return a.key == b.key if isinstance(a, Size) and isinstance(b, Size) else False


def together(*values: TensorLike, floating: bool = False) -> list[Tensor]:
    """Tensors of one dtype and shape from arguments that mix and broadcast.

    A Python number takes the type of the tensors beside it (a float beside integers makes float32).
    """
    numbers = [isinstance(v, bool | int | float | Size) for v in values]
    tensors = [None if n else as_tensor(v) for v, n in zip(values, numbers, strict=True)]
    dtypes = [t.dtype for t in tensors if t is not None]
    dtype = promote(*dtypes) if dtypes else None
    for value, number in zip(values, numbers, strict=True):
        if number:
            dtype = _with_number(dtype, value)
    assert dtype is not None
    if floating and not is_floating(dtype):
        dtype = float32
    cast_all = [
        constant(v, dtype) if t is None else cast(t, dtype)  # type: ignore[arg-type]
        for v, t in zip(values, tensors, strict=True)
    ]
    return broadcast(*cast_all)


def _with_number(dtype: DType | None, value: object) -> DType:
    if isinstance(value, bool):
        return dtype or bool_
    if isinstance(value, int | Size):
        return int64 if dtype is None or dtype == bool_ else dtype
    return dtype if dtype is not None and is_floating(dtype) else float32


def broadcast(*tensors: Tensor) -> list[Tensor]:
    """Tensors broadcast to one shape."""
    shape = tensors[0].shape
    if all(t.shape is shape for t in tensors):
        return list(tensors)
    shape = broadcast_shapes(*[t.shape for t in tensors])
    return [broadcast_to(t, shape) for t in tensors]


def reshape(x: Tensor, shape: Shape) -> Tensor:
    """x in this shape; itself if it has it."""
    if len(x.shape) == len(shape) and all(_identical(a, b) for a, b in zip(x.shape, shape, strict=True)):
        return x
    return apply(Reshape(shape), x)


def normalize_axis(axis: int, ndim: int, name: str) -> int:
    """An axis counted from the front. ValueError if there is none such."""
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}: there is no axis {axis} in {ndim} axes")
    return axis % ndim


def normalize_axes(axis: int | Sequence[int] | None, ndim: int, name: str) -> tuple[int, ...]:
    """Axes counted from the front, sorted; all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    found = sorted(normalize_axis(int(a), ndim, name) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"{name}: axis {axis} names one axis twice")
    return tuple(found)
