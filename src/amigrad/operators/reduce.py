"""Reductions: operators that take away axes. (Kept axes of size 1 are a reshape of the result.)"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from amigrad.graph import DType, Operator, Shape, Spec, Tensor, apply, bool_, int64
from amigrad.graph.sizes import format_shape
from amigrad.graph.tensor import Array
from amigrad.operators.elementwise import Cast, Where, require_kind, zeros_like
from amigrad.operators.movement import BroadcastTo, Reshape


class Reduction(Operator):
    """An operator that takes away `axes` (sorted, not negative)."""

    axes: tuple[int, ...]
    kinds: ClassVar[str] = "fib"
    needs_elements: ClassVar[bool] = False

    def infer(self, x: Spec) -> Spec:
        require_kind(self.name, x, self.kinds)
        if self.needs_elements and not all(x.shape[a] > 0 for a in self.axes):
            raise ValueError(f"{self.name} of no elements: shape {format_shape(x.shape)}, axes {self.axes}")
        return Spec(tuple(d for a, d in enumerate(x.shape) if a not in self.axes), self.result_dtype(x.dtype))

    def result_dtype(self, dtype: DType) -> DType:
        """The type of the result."""
        return dtype


def restore(reduced: Tensor, axes: tuple[int, ...], shape: Shape) -> Tensor:
    """A reduction's result repeated along the axes that it took away: (...) -> shape."""
    kept = tuple(1 if a in axes else d for a, d in enumerate(shape))
    return apply(BroadcastTo(shape), apply(Reshape(kept), reduced))


class Sum(Reduction):
    """The sum over axes; of integers and truth values as int64."""

    name = "sum"

    def result_dtype(self, dtype: DType) -> DType:
        return dtype if dtype.kind == "f" else int64

    def forward(self, x: Array) -> Array:
        result: Array = np.sum(x, axis=self.axes, dtype=self.result_dtype(x.dtype))
        return result

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (restore(dz, self.axes, x.shape),)


class Prod(Reduction):
    """The product over axes; of integers as int64.

    Its gradient is right wherever elements are 0; that gradient's own gradient only where none is.
    """

    name = "prod"

    def result_dtype(self, dtype: DType) -> DType:
        return dtype if dtype.kind == "f" else int64

    def forward(self, x: Array) -> Array:
        result: Array = np.prod(x, axis=self.axes, dtype=self.result_dtype(x.dtype))
        return result

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        zero = x == 0
        nonzero = apply(Where(), zero, zeros_like(x) + 1, x)
        others = restore(apply(Prod(self.axes), nonzero), self.axes, x.shape) / nonzero
        zeros = restore(apply(Sum(self.axes), apply(Cast(x.dtype), zero)), self.axes, x.shape)
        alone = (zeros - apply(Cast(x.dtype), zero)) == 0
        return (apply(Where(), alone, others * restore(dz, self.axes, x.shape), zeros_like(x)),)


class Extremum(Reduction):
    """Max or min; the gradient is shared by equal elements."""

    kinds = "fi"
    needs_elements = True

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        chosen = apply(Cast(x.dtype), x == restore(z, self.axes, x.shape))
        share = dz / apply(Sum(self.axes), chosen)
        return (chosen * restore(share, self.axes, x.shape),)


class Max(Extremum):
    """The largest element over axes; NaN if one is."""

    name = "max"

    def forward(self, x: Array) -> Array:
        result: Array = np.max(x, axis=self.axes)
        return result


class Min(Extremum):
    """The smallest element over axes; NaN if one is."""

    name = "min"

    def forward(self, x: Array) -> Array:
        result: Array = np.min(x, axis=self.axes)
        return result


class Any(Reduction):
    """Whether any element over axes is true (not 0)."""

    name = "any"
    differentiable = False

    def result_dtype(self, dtype: DType) -> DType:
        return bool_

    def forward(self, x: Array) -> Array:
        result: Array = np.any(x, axis=self.axes)
        return result


class All(Reduction):
    """Whether all elements over axes are true (not 0)."""

    name = "all"
    differentiable = False

    def result_dtype(self, dtype: DType) -> DType:
        return bool_

    def forward(self, x: Array) -> Array:
        result: Array = np.all(x, axis=self.axes)
        return result


class ArgMax(Operator):
    """The index of the first largest element along an axis (a NaN counts as largest), int64."""

    axis: int
    name = "argmax"
    differentiable = False

    def infer(self, x: Spec) -> Spec:
        require_kind(self.name, x, "fi")
        if not x.shape[self.axis] > 0:
            raise ValueError(f"argmax of no elements: shape {format_shape(x.shape)}, axis {self.axis}")
        return Spec((*x.shape[: self.axis], *x.shape[self.axis + 1 :]), int64)

    def forward(self, x: Array) -> Array:
        result: Array = np.argmax(x, axis=self.axis)
        return result
