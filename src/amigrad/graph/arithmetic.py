"""Python's operators on tensors: each calls the function of the array namespace that has its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amigrad.graph import recording

if TYPE_CHECKING:
    from amigrad.graph.tensor import Tensor, TensorLike


def _call(name: str, *arguments: object) -> Tensor:
    result: Tensor = getattr(recording.namespace(), name)(*arguments)
    return result


class Arithmetic:
    """`x + y`, `x @ y`, `x < y`, `x[i]` and their like."""

    __slots__ = ()

    def __add__(self, other: TensorLike) -> Tensor:
        return _call("add", self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return _call("add", other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return _call("subtract", self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return _call("subtract", other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return _call("multiply", self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return _call("multiply", other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return _call("divide", self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return _call("divide", other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return _call("floor_divide", self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return _call("floor_divide", other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return _call("remainder", self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return _call("remainder", other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return _call("pow", self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return _call("pow", other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return _call("matmul", self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return _call("matmul", other, self)

    def __neg__(self) -> Tensor:
        return _call("negative", self)

    def __pos__(self) -> Tensor:
        return _call("positive", self)

    def __abs__(self) -> Tensor:
        return _call("abs", self)

    def __invert__(self) -> Tensor:
        return _call("logical_not", self)

    def __and__(self, other: TensorLike) -> Tensor:
        return _call("logical_and", self, other)

    def __rand__(self, other: TensorLike) -> Tensor:
        return _call("logical_and", other, self)

    def __or__(self, other: TensorLike) -> Tensor:
        return _call("logical_or", self, other)

    def __ror__(self, other: TensorLike) -> Tensor:
        return _call("logical_or", other, self)

    def __xor__(self, other: TensorLike) -> Tensor:
        return _call("logical_xor", self, other)

    def __rxor__(self, other: TensorLike) -> Tensor:
        return _call("logical_xor", other, self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return _call("equal", self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return _call("not_equal", self, other)

    def __lt__(self, other: TensorLike) -> Tensor:  # type: ignore[misc]
        return _call("less", self, other)

    def __le__(self, other: TensorLike) -> Tensor:  # type: ignore[misc]
        return _call("less_equal", self, other)

    def __gt__(self, other: TensorLike) -> Tensor:  # type: ignore[misc]
        return _call("greater", self, other)

    def __ge__(self, other: TensorLike) -> Tensor:  # type: ignore[misc]
        return _call("greater_equal", self, other)

    def __getitem__(self, key: Any) -> Tensor:
        return _call("getitem", self, key)

    __hash__ = object.__hash__
