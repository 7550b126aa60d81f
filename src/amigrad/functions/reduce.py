"""Reductions: sum, max, mean, logsumexp and their like, over one axis, several or all."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad.functions.convert import as_tensor, cast, constant, normalize_axes, normalize_axis, reshape
from amigrad.functions.elementwise import exp, isfinite, log, sqrt, stop_gradient, where
from amigrad.graph import Tensor, TensorLike, apply, float32
from amigrad.graph.dtypes import is_floating
from amigrad.graph.sizes import Dim, product
from amigrad.operators import reduce as op

Axis = int | Sequence[int] | None


def _reduce(kind: type[op.Reduction], x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    t = as_tensor(x)
    axes = normalize_axes(axis, t.ndim, kind.name)
    result = apply(kind(axes), t) if axes else cast(t, kind(axes).infer(t.spec).dtype)
    return _keep(result, t, axes) if keepdims else result


def _keep(result: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return reshape(result, tuple(1 if a in axes else d for a, d in enumerate(x.shape)))


def sum(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The sum over axes; of integers and truth values as int64."""
    return _reduce(op.Sum, x, axis, keepdims)


def prod(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The product over axes."""
    return _reduce(op.Prod, x, axis, keepdims)


def count_nonzero(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """How many elements over axes are not 0, int64."""
    return sum(as_tensor(x) != 0, axis, keepdims=keepdims)


def max(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over axes."""
    return _reduce(op.Max, x, axis, keepdims)


def min(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over axes."""
    return _reduce(op.Min, x, axis, keepdims)


def any(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Whether any element over axes is true (not 0)."""
    return _reduce(op.Any, x, axis, keepdims)


def all(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Whether all elements over axes are true (not 0)."""
    return _reduce(op.All, x, axis, keepdims)


def argmax(x: TensorLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the first largest element along an axis, or of the flattened tensor."""
    t = as_tensor(x)
    if axis is None:
        found = apply(op.ArgMax(0), reshape(t, (product(t.shape),)))
        return _keep(found, t, tuple(range(t.ndim))) if keepdims else found
    axis = normalize_axis(axis, t.ndim, "argmax")
    found = apply(op.ArgMax(axis), t)
    return _keep(found, t, (axis,)) if keepdims else found


def argmin(x: TensorLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The index of the first smallest element along an axis, or of the flattened tensor."""
    t = as_tensor(x)
    return argmax(-t if is_floating(t.dtype) else -1 - t, axis, keepdims=keepdims)


def mean(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The mean over axes."""
    t = as_tensor(x)
    t = t if is_floating(t.dtype) else cast(t, float32)
    axes = normalize_axes(axis, t.ndim, "mean")
    return sum(t, axes, keepdims=keepdims) / _count(t, axes)


def _count(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    size: Dim = product(x.shape[a] for a in axes)
    return constant(size, x.dtype)


def var(x: TensorLike, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance over axes, divided by their size less `correction`."""
    t = as_tensor(x)
    t = t if is_floating(t.dtype) else cast(t, float32)
    axes = normalize_axes(axis, t.ndim, "var")
    deviation = t - mean(t, axes, keepdims=True)
    return sum(deviation * deviation, axes, keepdims=keepdims) / (_count(t, axes) - correction)


def std(x: TensorLike, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The standard deviation over axes; its gradient is 0 where it is 0."""
    return _length(var(x, axis, correction=correction, keepdims=keepdims))


def logsumexp(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over axes without overflow."""
    t = as_tensor(x)
    axes = normalize_axes(axis, t.ndim, "logsumexp")
    largest = stop_gradient(max(t, axes, keepdims=True))
    shift = where(isfinite(largest), largest, 0.0)
    total = sum(exp(t - shift), axes, keepdims=True)
    result = log(total) + shift
    return result if keepdims else squeeze_axes(result, axes)


def squeeze_axes(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """x without these axes of size 1."""
    return reshape(x, tuple(d for a, d in enumerate(x.shape) if a not in axes))


def vector_norm(x: TensorLike, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The Euclidean length over axes; its gradient is 0 where it is 0."""
    t = as_tensor(x)
    t = t if is_floating(t.dtype) else cast(t, float32)
    return _length(sum(t * t, axis, keepdims=keepdims))


def _length(squares: Tensor) -> Tensor:
    """The square root of a sum of squares, without the infinite slope at 0."""
    positive = squares > 0
    return where(positive, sqrt(where(positive, squares, 1.0)), squares)
