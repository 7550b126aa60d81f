"""Elementwise functions: arguments mix types and broadcast as the Python array API standard says."""

from __future__ import annotations

import math

from amigrad.functions.convert import as_tensor, broadcast, cast, constant, together
from amigrad.graph import Tensor, TensorLike, apply, bool_, float32, float64
from amigrad.graph.dtypes import as_dtype, is_floating
from amigrad.operators import elementwise as op


def _real(x: TensorLike) -> Tensor:
    t = as_tensor(x)
    return t if is_floating(t.dtype) else cast(t, float32)


def add(x: TensorLike, y: TensorLike) -> Tensor:
    """x + y, element by element."""
    return apply(op.Add(), *together(x, y))


def subtract(x: TensorLike, y: TensorLike) -> Tensor:
    """x - y, element by element."""
    return apply(op.Subtract(), *together(x, y))


def multiply(x: TensorLike, y: TensorLike) -> Tensor:
    """x * y, element by element."""
    return apply(op.Multiply(), *together(x, y))


def divide(x: TensorLike, y: TensorLike) -> Tensor:
    """x / y, element by element, as real numbers."""
    return apply(op.Divide(), *together(x, y, floating=True))


def floor_divide(x: TensorLike, y: TensorLike) -> Tensor:
    """The largest integer not above x / y."""
    return apply(op.FloorDivide(), *together(x, y))


def remainder(x: TensorLike, y: TensorLike) -> Tensor:
    """What is left of x after floor_divide by y, with the sign of y."""
    return apply(op.Remainder(), *together(x, y))


def pow(x: TensorLike, y: TensorLike) -> Tensor:
    """x to the power y. An integer power of a tensor up to 4 is products, a half is the square root.

    Integers to integer powers are exact up to 2^53; a negative power of an integer is rounded.
    """
    if isinstance(x, Tensor) and isinstance(y, int | float) and (is_floating(x.dtype) or type(y) is int):
        if y == 0.5:
            return sqrt(x)
        if y == 1:
            return x
        if y in (2, 3, 4):
            square_ = apply(op.Multiply(), x, x)
            return square_ if y == 2 else apply(op.Multiply(), square_, x if y == 3 else square_)
    base, exponent = together(x, y)
    if not is_floating(base.dtype):
        dtype = base.dtype
        return cast(round(apply(op.Power(), cast(base, float64), cast(exponent, float64))), dtype)
    return apply(op.Power(), base, exponent)


def maximum(x: TensorLike, y: TensorLike) -> Tensor:
    """The larger of x and y; NaN if one is."""
    return apply(op.Maximum(), *together(x, y))


def minimum(x: TensorLike, y: TensorLike) -> Tensor:
    """The smaller of x and y; NaN if one is."""
    return apply(op.Minimum(), *together(x, y))


def clip(x: TensorLike, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """x within [min, max]; no gradient where it is at or outside the limits."""
    result = as_tensor(x)
    if min is not None:
        result = maximum(min, result)
    if max is not None:
        result = minimum(max, result)
    return result


def negative(x: TensorLike) -> Tensor:
    """-x."""
    return apply(op.Negative(), as_tensor(x))


def positive(x: TensorLike) -> Tensor:
    """x."""
    return as_tensor(x)


def abs(x: TensorLike) -> Tensor:
    """The absolute value."""
    return apply(op.Abs(), as_tensor(x))


def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1."""
    return apply(op.Sign(), as_tensor(x))


def square(x: TensorLike) -> Tensor:
    """x * x."""
    return multiply(t := as_tensor(x), t)


def floor(x: TensorLike) -> Tensor:
    """The largest integer not above x."""
    t = as_tensor(x)
    return apply(op.Floor(), t) if is_floating(t.dtype) else t


def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below x."""
    t = as_tensor(x)
    return -apply(op.Floor(), -t) if is_floating(t.dtype) else t


def trunc(x: TensorLike) -> Tensor:
    """The integer next to x towards 0."""
    t = as_tensor(x)
    return where(t < 0, ceil(t), floor(t)) if is_floating(t.dtype) else t


def round(x: TensorLike) -> Tensor:
    """The nearest integer, the even one of two."""
    t = as_tensor(x)
    return apply(op.Round(), t) if is_floating(t.dtype) else t


def exp(x: TensorLike) -> Tensor:
    """e to the power x."""
    return apply(op.Exp(), _real(x))


def expm1(x: TensorLike) -> Tensor:
    """e to the power x, less 1, exact for small x."""
    return apply(op.Expm1(), _real(x))


def log(x: TensorLike) -> Tensor:
    """The natural logarithm."""
    return apply(op.Log(), _real(x))


def log1p(x: TensorLike) -> Tensor:
    """The natural logarithm of 1 + x, exact for small x."""
    return apply(op.Log1p(), _real(x))


def log2(x: TensorLike) -> Tensor:
    """The logarithm to base 2."""
    return log(x) * (1 / math.log(2))


def log10(x: TensorLike) -> Tensor:
    """The logarithm to base 10."""
    return log(x) * (1 / math.log(10))


def logaddexp(x: TensorLike, y: TensorLike) -> Tensor:
    """log(exp(x) + exp(y)) without overflow."""
    a, b = together(x, y, floating=True)
    first = a > b
    larger = where(first, a, b)
    distance = where(isfinite(larger), where(first, b - a, a - b), where(isnan(a), a, 0.0))
    return larger + log1p(exp(distance))


def sqrt(x: TensorLike) -> Tensor:
    """The square root."""
    return apply(op.Sqrt(), _real(x))


def reciprocal(x: TensorLike) -> Tensor:
    """1 / x."""
    return 1.0 / _real(x)


def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent."""
    return apply(op.Tanh(), _real(x))


def sigmoid(x: TensorLike) -> Tensor:
    """The logistic function 1 / (1 + e^-x)."""
    return apply(op.Sigmoid(), _real(x))


def erf(x: TensorLike) -> Tensor:
    """The error function."""
    return apply(op.Erf(), _real(x))


def sin(x: TensorLike) -> Tensor:
    """The sine of x radians."""
    return apply(op.Sin(), _real(x))


def cos(x: TensorLike) -> Tensor:
    """The cosine of x radians."""
    return apply(op.Cos(), _real(x))


def tan(x: TensorLike) -> Tensor:
    """The tangent of x radians."""
    return sin(x) / cos(x)


def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine."""
    t = _real(x)
    return (expm1(t) - expm1(-t)) * 0.5


def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine."""
    t = _real(x)
    return (exp(t) + exp(-t)) * 0.5


def equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether x == y."""
    return apply(op.Equal(), *together(x, y))


def not_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether x != y."""
    return apply(op.NotEqual(), *together(x, y))


def less(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether x < y."""
    return apply(op.Less(), *together(x, y))


def less_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether x <= y."""
    return apply(op.LessEqual(), *together(x, y))


def greater(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether x > y."""
    return less(y, x)


def greater_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether x >= y."""
    return less_equal(y, x)


def _truth(*values: TensorLike) -> list[Tensor]:
    return broadcast(*[constant(v, bool_) if isinstance(v, bool) else as_tensor(v) for v in values])


def logical_and(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether both hold."""
    return apply(op.LogicalAnd(), *_truth(x, y))


def logical_or(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether at least one holds."""
    return apply(op.LogicalOr(), *_truth(x, y))


def logical_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether exactly one holds."""
    return apply(op.LogicalXor(), *_truth(x, y))


def logical_not(x: TensorLike) -> Tensor:
    """Whether x does not hold."""
    return apply(op.LogicalNot(), as_tensor(x))


def isnan(x: TensorLike) -> Tensor:
    """Whether an element is not a number."""
    return not_equal(t := as_tensor(x), t)


def isfinite(x: TensorLike) -> Tensor:
    """Whether an element is neither infinite nor NaN."""
    t = as_tensor(x)
    return less(abs(t), math.inf) if is_floating(t.dtype) else equal(t, t)


def isinf(x: TensorLike) -> Tensor:
    """Whether an element is infinite."""
    t = as_tensor(x)
    return equal(abs(t), math.inf) if is_floating(t.dtype) else not_equal(t, t)


def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
    """x where the condition (bool) holds, y elsewhere."""
    first, second = together(x, y)
    return apply(op.Where(), *broadcast(as_tensor(condition), first, second))


def astype(x: TensorLike, dtype: object) -> Tensor:
    """x as another element type."""
    return cast(as_tensor(x), as_dtype(dtype))


def stop_gradient(x: TensorLike) -> Tensor:
    """x as a constant: no gradient passes through it."""
    return apply(op.StopGradient(), as_tensor(x))
