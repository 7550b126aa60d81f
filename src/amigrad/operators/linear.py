"""Matrix products."""

from __future__ import annotations

import numpy as np

from amigrad.graph import Operator, Spec, Tensor, apply
from amigrad.graph.sizes import format_shape, same
from amigrad.graph.tensor import Array
from amigrad.operators.elementwise import require_kind
from amigrad.operators.movement import PermuteDims


class MatMul(Operator):
    """Matrix product, one for each leading index. x: (..., m, k), y: (..., k, n) -> (..., m, n)"""

    name = "matmul"

    def infer(self, x: Spec, y: Spec) -> Spec:
        require_kind(self.name, x, "fi")
        if x.dtype != y.dtype:
            raise TypeError(f"matmul needs one type, not {x.dtype.name} and {y.dtype.name}")
        fits = (
            len(x.shape) == len(y.shape) >= 2
            and all(map(same, x.shape[:-2], y.shape[:-2]))
            and same(x.shape[-1], y.shape[-2])
        )
        if not fits:
            raise ValueError(
                f"matmul of {format_shape(x.shape)} and {format_shape(y.shape)}: the last size of the first"
                " must be the last but one of the second, and the leading sizes equal"
            )
        return Spec((*x.shape[:-1], y.shape[-1]), x.dtype)

    def forward(self, x: Array, y: Array) -> Array:
        result: Array = np.matmul(x, y)
        return result

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        return apply(MatMul(), dz, transpose(y)), apply(MatMul(), transpose(x), dz)


def transpose(x: Tensor) -> Tensor:
    """The transpose of the last two axes. x: (..., m, n) -> (..., n, m)"""
    axes = tuple(range(x.ndim))
    return apply(PermuteDims((*axes[:-2], axes[-1], axes[-2])), x)
