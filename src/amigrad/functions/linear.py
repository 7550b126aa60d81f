"""Linear algebra."""

from __future__ import annotations

from amigrad.functions.convert import as_tensor, broadcast_to, cast, reshape
from amigrad.functions.manipulation import expand_dims
from amigrad.graph import Tensor, TensorLike, apply
from amigrad.graph.dtypes import promote
from amigrad.graph.sizes import broadcast_shapes, format_shape, hint, product, same
from amigrad.operators.linear import MatMul


def matmul(x: TensorLike, y: TensorLike) -> Tensor:
    """Matrix product: matrices, stacks of them (leading axes broadcast), and vectors.

    x: (..., m, k) or (k,); y: (..., k, n) or (k,) -> (..., m, n) without the axes of vectors.
    """
    a, b = as_tensor(x), as_tensor(y)
    if not a.ndim or not b.ndim:
        raise ValueError("matmul is not for numbers (shape ()): use *")
    if not same(a.shape[-1], b.shape[-1 if b.ndim == 1 else -2]):
        raise ValueError(
            f"matmul of {format_shape(a.shape)} and {format_shape(b.shape)}: the last size of the first is"
            f" {hint(a.shape[-1])}, that of the second to sum with it is {hint(b.shape[-1 if b.ndim == 1 else -2])}"
        )
    dtype = promote(a.dtype, b.dtype)
    a, b = cast(a, dtype), cast(b, dtype)
    row, column = a.ndim == 1, b.ndim == 1
    a = expand_dims(a, 0) if row else a
    b = expand_dims(b, 1) if column else b
    result = _stacked(a, b)
    shape = result.shape
    if column:
        shape = shape[:-1]
    if row:
        shape = (*shape[:-2], *shape[-1:]) if not column else shape[:-1]
    return reshape(result, shape)


def _stacked(a: Tensor, b: Tensor) -> Tensor:
    if b.ndim == 2 and a.ndim > 2:
        # One matrix for the whole stack: a single product over all its rows.
        rows = product(a.shape[:-1])
        flat = apply(MatMul(), reshape(a, (rows, a.shape[-1])), b)
        return reshape(flat, (*a.shape[:-1], b.shape[-1]))
    lead = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return apply(MatMul(), broadcast_to(a, (*lead, *a.shape[-2:])), broadcast_to(b, (*lead, *b.shape[-2:])))


def vecdot(x: TensorLike, y: TensorLike, axis: int = -1) -> Tensor:
    """The sum of products along an axis."""
    from amigrad.functions.reduce import sum

    return sum(as_tensor(x) * as_tensor(y), axis)


def outer(x: TensorLike, y: TensorLike) -> Tensor:
    """Each element of a vector times each of another. x: (m,), y: (n,) -> (m, n)"""
    return expand_dims(as_tensor(x), 1) * as_tensor(y)


def tensordot(x: TensorLike, y: TensorLike, axes: int = 2) -> Tensor:
    """The sum of products over the last `axes` axes of x and the first of y."""
    a, b = as_tensor(x), as_tensor(y)
    if not 0 <= axes <= min(a.ndim, b.ndim) or not all(map(same, a.shape[a.ndim - axes :], b.shape[:axes])):
        raise ValueError(f"tensordot over {axes} axes of {format_shape(a.shape)} and {format_shape(b.shape)}")
    left, inner = a.shape[: a.ndim - axes], a.shape[a.ndim - axes :]
    right = b.shape[axes:]
    flat = matmul(reshape(a, (product(left), product(inner))), reshape(b, (product(b.shape[:axes]), product(right))))
    return reshape(flat, (*left, *right))
