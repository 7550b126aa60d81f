"""Elementwise operators: inputs of one shape (functions broadcast before), the result has it too.

Two classes carry the shape and dtype rules, `Unary` and `Binary`; a primitive is then its NumPy forward and its
gradient, three lines. Native code for each is in `backends/native/scalar.py`.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from amigrad.graph import DType, Operator, Spec, Tensor, apply, bool_
from amigrad.graph.sizes import format_shape, same
from amigrad.graph.tensor import Array
from amigrad.operators.create import Full
from amigrad.operators.movement import BroadcastTo

_FLOAT = "f"
_NUMBER = "fi"
_ANY = "fib"


def require_kind(name: str, spec: Spec, kinds: str) -> None:
    """TypeError if an operator is not for this element type."""
    if spec.dtype.kind not in kinds:
        wanted = {"f": "real numbers", "fi": "numbers", "b": "truth values", "i": "integers"}[kinds]
        raise TypeError(f"{name} is for {wanted}, not {spec.dtype.name}")


def require_same_shape(name: str, *specs: Spec) -> None:
    """ValueError unless all shapes are equal."""
    first = specs[0]
    for other in specs[1:]:
        if len(first.shape) != len(other.shape) or not all(map(same, first.shape, other.shape)):
            shapes = " and ".join(format_shape(s.shape) for s in specs)
            raise ValueError(f"{name} needs inputs of one shape, not {shapes}")


def zeros_like(x: Tensor) -> Tensor:
    """Zeros of the shape and dtype of x."""
    return apply(BroadcastTo(x.shape), apply(Full(0, x.dtype)))


class Elementwise(Operator):
    """An operator each element of whose result depends on the same element of each input."""


class Unary(Elementwise):
    """z = f(x), of x's shape and dtype."""

    kinds: ClassVar[str] = _FLOAT

    def infer(self, x: Spec) -> Spec:
        require_kind(self.name, x, self.kinds)
        return x


class Binary(Elementwise):
    """z = f(x, y): x, y and z have one shape and dtype."""

    kinds: ClassVar[str] = _NUMBER

    def infer(self, x: Spec, y: Spec) -> Spec:
        require_kind(self.name, x, self.kinds)
        if x.dtype != y.dtype:
            raise TypeError(f"{self.name} needs inputs of one type, not {x.dtype.name} and {y.dtype.name}")
        require_same_shape(self.name, x, y)
        return x


class Comparison(Binary):
    """z = whether x and y compare so: bool."""

    kinds = _NUMBER
    differentiable = False

    def infer(self, x: Spec, y: Spec) -> Spec:
        return Spec(super().infer(x, y).shape, bool_)


class Add(Binary):
    """x + y."""

    name = "add"

    def forward(self, x: Array, y: Array) -> Array:
        return np.add(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        return dz, dz


class Subtract(Binary):
    """x - y."""

    name = "subtract"

    def forward(self, x: Array, y: Array) -> Array:
        return np.subtract(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        return dz, -dz


class Multiply(Binary):
    """x * y."""

    name = "multiply"

    def forward(self, x: Array, y: Array) -> Array:
        return np.multiply(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        return dz * y, dz * x


class Divide(Binary):
    """x / y."""

    name = "divide"
    kinds = _FLOAT

    def forward(self, x: Array, y: Array) -> Array:
        return np.divide(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        dx = dz / y
        return dx, -dx * z


class FloorDivide(Binary):
    """The largest integer not above x / y; an integer divided by 0 is 0."""

    name = "floor_divide"
    differentiable = False

    def forward(self, x: Array, y: Array) -> Array:
        return np.floor_divide(x, y)


class Remainder(Binary):
    """x - y * floor(x / y), with the sign of y; an integer's remainder by 0 is 0."""

    name = "remainder"

    def forward(self, x: Array, y: Array) -> Array:
        return np.remainder(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        return dz, -dz * apply(FloorDivide(), x, y)


class Power(Binary):
    """x to the power y."""

    name = "pow"
    kinds = _FLOAT

    def forward(self, x: Array, y: Array) -> Array:
        return np.power(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        one_everywhere = apply(LogicalAnd(), x == 0, y == 0)
        dx = dz * y * apply(Power(), apply(Where(), one_everywhere, x + 1, x), y - 1)
        logarithm = apply(Log(), apply(Where(), x == 0, x + 1, x))
        return dx, dz * z * logarithm


class Maximum(Binary):
    """The larger of x and y; NaN if one is. Where they are equal the gradient goes to x."""

    name = "maximum"

    def forward(self, x: Array, y: Array) -> Array:
        return np.maximum(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        first, zero = x >= y, zeros_like(dz)
        return apply(Where(), first, dz, zero), apply(Where(), first, zero, dz)


class Minimum(Binary):
    """The smaller of x and y; NaN if one is. Where they are equal the gradient goes to x."""

    name = "minimum"

    def forward(self, x: Array, y: Array) -> Array:
        return np.minimum(x, y)

    def backward(self, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        first, zero = x <= y, zeros_like(dz)
        return apply(Where(), first, dz, zero), apply(Where(), first, zero, dz)


class Negative(Unary):
    """-x."""

    name = "negative"
    kinds = _NUMBER

    def forward(self, x: Array) -> Array:
        return np.negative(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (-dz,)


class Abs(Unary):
    """|x|; its gradient at 0 is 0."""

    name = "abs"
    kinds = _NUMBER

    def forward(self, x: Array) -> Array:
        return np.abs(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * apply(Sign(), x),)


class Sign(Unary):
    """-1, 0 or 1; NaN stays NaN."""

    name = "sign"
    kinds = _NUMBER
    differentiable = False

    def forward(self, x: Array) -> Array:
        return np.sign(x)


class Floor(Unary):
    """The largest integer not above x."""

    name = "floor"
    differentiable = False

    def forward(self, x: Array) -> Array:
        return np.floor(x)


class Round(Unary):
    """The nearest integer, the even one of two."""

    name = "round"
    differentiable = False

    def forward(self, x: Array) -> Array:
        return np.rint(x)


class Exp(Unary):
    """e to the power x."""

    name = "exp"

    def forward(self, x: Array) -> Array:
        return np.exp(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * z,)


class Expm1(Unary):
    """e to the power x, less 1, exact for small x."""

    name = "expm1"

    def forward(self, x: Array) -> Array:
        return np.expm1(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * (z + 1),)


class Log(Unary):
    """The natural logarithm."""

    name = "log"

    def forward(self, x: Array) -> Array:
        return np.log(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz / x,)


class Log1p(Unary):
    """The natural logarithm of 1 + x, exact for small x."""

    name = "log1p"

    def forward(self, x: Array) -> Array:
        return np.log1p(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz / (x + 1),)


class Sqrt(Unary):
    """The square root."""

    name = "sqrt"

    def forward(self, x: Array) -> Array:
        return np.sqrt(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * 0.5 / z,)


class Tanh(Unary):
    """The hyperbolic tangent."""

    name = "tanh"

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * (1 - z * z),)


class Sigmoid(Unary):
    """The logistic function 1 / (1 + e^-x), the lecture's smooth switch; it does not overflow."""

    name = "sigmoid"

    def forward(self, x: Array) -> Array:
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype, copy=False)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * z * (1 - z),)


class Erf(Unary):
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    name = "erf"

    def forward(self, x: Array) -> Array:
        return np.array([math.erf(v) for v in x.ravel().tolist()], dtype=x.dtype).reshape(x.shape)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * (2 / math.sqrt(math.pi)) * apply(Exp(), -x * x),)


class Sin(Unary):
    """The sine of x radians."""

    name = "sin"

    def forward(self, x: Array) -> Array:
        return np.sin(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (dz * apply(Cos(), x),)


class Cos(Unary):
    """The cosine of x radians."""

    name = "cos"

    def forward(self, x: Array) -> Array:
        return np.cos(x)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (-dz * apply(Sin(), x),)


class Equal(Comparison):
    """x == y."""

    name = "equal"
    kinds = _ANY

    def forward(self, x: Array, y: Array) -> Array:
        return np.equal(x, y)


class NotEqual(Comparison):
    """x != y."""

    name = "not_equal"
    kinds = _ANY

    def forward(self, x: Array, y: Array) -> Array:
        return np.not_equal(x, y)


class Less(Comparison):
    """x < y."""

    name = "less"

    def forward(self, x: Array, y: Array) -> Array:
        return np.less(x, y)


class LessEqual(Comparison):
    """x <= y."""

    name = "less_equal"

    def forward(self, x: Array, y: Array) -> Array:
        return np.less_equal(x, y)


class Logical(Binary):
    """An operator on truth values."""

    kinds = "b"
    differentiable = False


class LogicalAnd(Logical):
    """Both."""

    name = "logical_and"

    def forward(self, x: Array, y: Array) -> Array:
        return np.logical_and(x, y)


class LogicalOr(Logical):
    """At least one."""

    name = "logical_or"

    def forward(self, x: Array, y: Array) -> Array:
        return np.logical_or(x, y)


class LogicalXor(Logical):
    """Exactly one."""

    name = "logical_xor"

    def forward(self, x: Array, y: Array) -> Array:
        return np.logical_xor(x, y)


class LogicalNot(Unary):
    """Not."""

    name = "logical_not"
    kinds = "b"
    differentiable = False

    def forward(self, x: Array) -> Array:
        return np.logical_not(x)


class Where(Elementwise):
    """x where the condition holds, y elsewhere. condition: bool; x, y: one dtype."""

    name = "where"

    def infer(self, condition: Spec, x: Spec, y: Spec) -> Spec:
        require_kind("the condition of where", condition, "b")
        if x.dtype != y.dtype:
            raise TypeError(f"where needs branches of one type, not {x.dtype.name} and {y.dtype.name}")
        require_same_shape("where", condition, x, y)
        return x

    def forward(self, condition: Array, x: Array, y: Array) -> Array:
        return np.where(condition, x, y)

    def backward(self, condition: Tensor, x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[None, Tensor, Tensor]:
        zero = zeros_like(dz)
        return None, apply(Where(), condition, dz, zero), apply(Where(), condition, zero, dz)


class Cast(Elementwise):
    """x as another element type; integers are rounded towards 0, the least one for NaN and what is out of range."""

    dtype: DType
    name = "cast"

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, self.dtype)

    def forward(self, x: Array) -> Array:
        if x.dtype.kind == "f" and self.dtype.kind == "i":  # NumPy gives what the processor gives.
            least = float(np.iinfo(self.dtype).min)
            x = np.where((x >= least) & (x < -least), x, x.dtype.type(least))
        return x.astype(self.dtype)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor | None]:
        if x.dtype.kind != "f" or self.dtype.kind != "f":
            return (None,)
        return (apply(Cast(x.dtype), dz),)


class StopGradient(Elementwise):
    """x, as a constant: no gradient passes."""

    name = "stop_gradient"
    differentiable = False

    def infer(self, x: Spec) -> Spec:
        return x

    def forward(self, x: Array) -> Array:
        return x
