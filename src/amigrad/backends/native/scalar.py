"""What each elementwise operator is in LLVM IR: on one element, or on all lanes of a vector at once.

Results are NumPy's, including those for NaN, infinities, division by zero and integers that wrap around; a few
functions differ in the last places. Nothing branches. Truth values are i1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from amigrad.backends.native import approximations
from amigrad.backends.native.approximations import Reals
from amigrad.backends.native.ir import Function, literal_value, register, suffix
from amigrad.backends.native.kernels import Copy
from amigrad.backends.native.simplify import ReciprocalSqrt
from amigrad.graph import DType, Operator, bool_, float32
from amigrad.operators import elementwise as e

# (function, lanes, dtype of the first numeric input, arguments, operator, dtype of the result) -> value
Lowering = Callable[[Function, int, DType, list[str], Operator, DType], str]


def _whole(f: Function, lanes: int, dtype: DType, value: int) -> str:
    return f.splat(str(value), dtype, lanes)


def _select(f: Function, lanes: int, dtype: DType, condition: str, a: str, b: str) -> str:
    mask, type_ = register(bool_, lanes), register(dtype, lanes)
    return f.emit(f"select {mask} {condition}, {type_} {a}, {type_} {b}")


def _binary(real: str, integer: str) -> Lowering:
    """An instruction for reals and one for integers."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        instruction = real if dtype.kind == "f" else integer
        return f.emit(f"{instruction} {register(dtype, lanes)} {values[0]}, {values[1]}")

    return lower


def _logical(instruction: str) -> Lowering:
    """An instruction for truth values."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        return f.emit(f"{instruction} {register(bool_, lanes)} {values[0]}, {values[1]}")

    return lower


def _logical_not(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    return f.emit(f"xor {register(bool_, lanes)} {values[0]}, {f.splat('true', bool_, lanes)}")


def _intrinsic(name: str) -> Lowering:
    """A function of one real number that LLVM knows."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        return Reals(f, lanes, dtype).intrinsic(name, values[0])

    return lower


def _approximation(function: Callable[[Function, int, DType, str], str]) -> Lowering:
    """A function of one real number made of polynomials."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        return function(f, lanes, dtype, values[0])

    return lower


def _library(name: str) -> Lowering:
    """A function of the C library, called for each lane."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        scalar, vector = register(dtype), register(dtype, lanes)
        symbol = name + "f" if dtype == float32 else name
        if lanes == 1:
            return f.call(symbol, scalar, *((scalar, value) for value in values))
        result = "poison"
        for lane in range(lanes):
            elements = [f.emit(f"extractelement {vector} {value}, i32 {lane}") for value in values]
            one = f.call(symbol, scalar, *((scalar, element) for element in elements))
            result = f.emit(f"insertelement {vector} {result}, {scalar} {one}, i32 {lane}")
        return result

    return lower


def _extreme(comparison: str, integer: str) -> Lowering:
    """The larger or the smaller of two numbers; NaN if one is."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        x, y = values
        if dtype.kind != "f":
            type_ = register(dtype, lanes)
            return f.call(f"llvm.{integer}.{suffix(dtype, lanes)}", type_, (type_, x), (type_, y))
        r = Reals(f, lanes, dtype)
        chosen = r.select(r.compare(comparison, x, y), x, y)
        if (number := literal_value(x)) is not None and not math.isnan(number):
            return chosen  # which is y if y is NaN
        if (number := literal_value(y)) and not math.isnan(number):  # not 0, of which there are two
            return r.select(r.compare(comparison, y, x), y, x)
        return r.select(r.compare("uno", x, y), r.add(x, y), chosen)

    return lower


def _divisor(f: Function, lanes: int, dtype: DType, y: str) -> tuple[str, str, str]:
    """An integer divisor that is safe to divide by; whether it was 0, or -1 (by which the least integer overflows)."""
    type_ = register(dtype, lanes)
    none = f.emit(f"icmp eq {type_} {y}, {_whole(f, lanes, dtype, 0)}")
    minus = f.emit(f"icmp eq {type_} {y}, {_whole(f, lanes, dtype, -1)}")
    unsafe = f.emit(f"or {register(bool_, lanes)} {none}, {minus}")
    return _select(f, lanes, dtype, unsafe, _whole(f, lanes, dtype, 1), y), none, minus


def _rounds_down(f: Function, lanes: int, dtype: DType, rest: str, y: str) -> str:
    """Whether a division that rounded towards 0 left a rest whose sign is not the divisor's."""
    type_, mask, zero = register(dtype, lanes), register(bool_, lanes), _whole(f, lanes, dtype, 0)
    inexact = f.emit(f"icmp ne {type_} {rest}, {zero}")
    opposite = f.emit(f"icmp slt {type_} {f.emit(f'xor {type_} {rest}, {y}')}, {zero}")
    return f.emit(f"and {mask} {inexact}, {opposite}")


def _floor_divide(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    x, y = values
    if dtype.kind == "f":
        return _real_divmod(f, lanes, dtype, x, y)[0]
    type_ = register(dtype, lanes)
    zero, one = _whole(f, lanes, dtype, 0), _whole(f, lanes, dtype, 1)
    safe, none, minus = _divisor(f, lanes, dtype, y)
    quotient = f.emit(f"sdiv {type_} {x}, {safe}")
    rest = f.emit(f"sub {type_} {x}, {f.emit(f'mul {type_} {quotient}, {safe}')}")
    down = _rounds_down(f, lanes, dtype, rest, safe)
    quotient = _select(f, lanes, dtype, down, f.emit(f"sub {type_} {quotient}, {one}"), quotient)
    quotient = _select(f, lanes, dtype, minus, f.emit(f"sub {type_} {zero}, {x}"), quotient)
    return _select(f, lanes, dtype, none, zero, quotient)


def _remainder(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    x, y = values
    if dtype.kind == "f":
        return _real_divmod(f, lanes, dtype, x, y)[1]
    type_ = register(dtype, lanes)
    safe = _divisor(f, lanes, dtype, y)[0]  # of the unsafe divisors the remainder is 0, as it is of 1
    rest = f.emit(f"srem {type_} {x}, {safe}")
    down = _rounds_down(f, lanes, dtype, rest, safe)
    return _select(f, lanes, dtype, down, f.emit(f"add {type_} {rest}, {safe}"), rest)


def _real_divmod(f: Function, lanes: int, dtype: DType, x: str, y: str) -> tuple[str, str]:
    """The quotient rounded down and the remainder, with NumPy's care for rounding, zeros and infinities."""
    r = Reals(f, lanes, dtype)
    zero, one = r.constant(0.0), r.constant(1.0)
    rest = f.emit(f"frem {r.type} {x}, {y}")
    ratio = r.div(x, y)
    by_zero = r.compare("oeq", y, zero)
    quotient = r.div(r.sub(x, rest), y)
    inexact = r.compare("une", rest, zero)
    signs = r.compare("olt", y, zero), r.compare("olt", rest, zero)
    opposite = f.emit(f"xor {r.mask_type} {signs[0]}, {signs[1]}")
    down = f.emit(f"and {r.mask_type} {inexact}, {opposite}")
    remainder = r.select(down, r.add(rest, y), rest)
    remainder = r.select(inexact, remainder, r.copysign(zero, y))
    quotient = r.select(down, r.sub(quotient, one), quotient)
    floor = r.intrinsic("floor", quotient)
    above = r.compare("ogt", r.sub(quotient, floor), r.constant(0.5))
    floor = r.select(above, r.add(floor, one), floor)
    floor = r.select(r.compare("une", quotient, zero), floor, r.copysign(zero, ratio))
    return r.select(by_zero, ratio, floor), r.select(by_zero, rest, remainder)


def _negative(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    type_ = register(dtype, lanes)
    if dtype.kind == "f":
        return f.emit(f"fneg {type_} {values[0]}")
    return f.emit(f"sub {type_} {_whole(f, lanes, dtype, 0)}, {values[0]}")


def _abs(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    if dtype.kind == "f":
        return Reals(f, lanes, dtype).abs(values[0])
    type_ = register(dtype, lanes)
    below = f.emit(f"icmp slt {type_} {values[0]}, {_whole(f, lanes, dtype, 0)}")
    opposite = f.emit(f"sub {type_} {_whole(f, lanes, dtype, 0)}, {values[0]}")
    return _select(f, lanes, dtype, below, opposite, values[0])


def _sign(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    x = values[0]
    if dtype.kind == "f":
        r = Reals(f, lanes, dtype)
        zero = r.constant(0.0)
        sign = r.select(r.compare("oeq", x, zero), zero, x)
        sign = r.select(r.compare("olt", x, zero), r.constant(-1.0), sign)
        return r.select(r.compare("ogt", x, zero), r.constant(1.0), sign)
    type_, zero = register(dtype, lanes), _whole(f, lanes, dtype, 0)
    below, above = f.emit(f"icmp slt {type_} {x}, {zero}"), f.emit(f"icmp sgt {type_} {x}, {zero}")
    sign = _select(f, lanes, dtype, below, _whole(f, lanes, dtype, -1), zero)
    return _select(f, lanes, dtype, above, _whole(f, lanes, dtype, 1), sign)


def _comparison(real: str, integer: str) -> Lowering:
    """A comparison of reals, and one of integers or truth values."""

    def lower(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
        instruction = f"fcmp {real}" if dtype.kind == "f" else f"icmp {integer}"
        return f.emit(f"{instruction} {register(dtype, lanes)} {values[0]}, {values[1]}")

    return lower


def _where(f: Function, lanes: int, _: DType, values: list[str], __: Operator, result: DType) -> str:
    return _select(f, lanes, result, *values)


def _cast(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, result: DType) -> str:
    x = values[0]
    if dtype == result:
        return x
    source, target = register(dtype, lanes), register(result, lanes)
    if result == bool_:
        if dtype.kind == "f":
            return f.emit(f"fcmp une {source} {x}, {Reals(f, lanes, dtype).constant(0.0)}")
        return f.emit(f"icmp ne {source} {x}, {_whole(f, lanes, dtype, 0)}")
    if dtype.kind == "f" and result.kind == "i":
        return _truncate(f, lanes, dtype, x, result)
    if dtype == bool_:
        instruction = "uitofp" if result.kind == "f" else "zext"
    elif dtype.kind == "i" and result.kind == "f":
        instruction = "sitofp"
    else:
        wider = result.itemsize > dtype.itemsize
        instruction = {"f": ("fptrunc", "fpext"), "i": ("trunc", "sext")}[result.kind][wider]
    return f.emit(f"{instruction} {source} {x} to {target}")


def _truncate(f: Function, lanes: int, dtype: DType, x: str, result: DType) -> str:
    """A real as an integer, rounded towards 0; the least integer for NaN and for what is out of range."""
    r = Reals(f, lanes, dtype)
    least = int(np.iinfo(result).min)
    above = r.compare("oge", x, r.constant(float(least)))
    below = r.compare("olt", x, r.constant(-float(least)))
    inside = f.emit(f"and {r.mask_type} {above}, {below}")
    safe = r.select(inside, x, r.constant(0.0))
    whole = f.emit(f"fptosi {r.type} {safe} to {register(result, lanes)}")
    return _select(f, lanes, result, inside, whole, _whole(f, lanes, result, least))


def _same(f: Function, lanes: int, dtype: DType, values: list[str], _: Operator, __: DType) -> str:
    return values[0]


LOWERINGS: dict[type[Operator], Lowering] = {
    e.Add: _binary("fadd contract", "add"),
    e.Subtract: _binary("fsub contract", "sub"),
    e.Multiply: _binary("fmul contract", "mul"),
    e.Divide: _binary("fdiv", "sdiv"),
    e.FloorDivide: _floor_divide,
    e.Remainder: _remainder,
    e.Power: _library("pow"),
    e.Maximum: _extreme("ogt", "smax"),
    e.Minimum: _extreme("olt", "smin"),
    e.Negative: _negative,
    e.Abs: _abs,
    e.Sign: _sign,
    e.Floor: _intrinsic("floor"),
    e.Round: _intrinsic("rint"),
    e.Exp: _approximation(approximations.exp),
    e.Expm1: _library("expm1"),
    e.Log: _approximation(approximations.log),
    e.Log1p: _library("log1p"),
    e.Sqrt: _approximation(approximations.sqrt),
    ReciprocalSqrt: _approximation(approximations.reciprocal_sqrt),
    e.Tanh: _approximation(approximations.tanh),
    e.Sigmoid: _approximation(approximations.sigmoid),
    e.Erf: _approximation(approximations.erf),
    e.Sin: _library("sin"),
    e.Cos: _library("cos"),
    e.Equal: _comparison("oeq", "eq"),
    e.NotEqual: _comparison("une", "ne"),
    e.Less: _comparison("olt", "slt"),
    e.LessEqual: _comparison("ole", "sle"),
    e.LogicalAnd: _logical("and"),
    e.LogicalOr: _logical("or"),
    e.LogicalXor: _logical("xor"),
    e.LogicalNot: _logical_not,
    e.Where: _where,
    e.Cast: _cast,
    e.StopGradient: _same,
    Copy: _same,
}
