"""Square root, exponential, logarithm, tanh, sigmoid and the error function in LLVM IR, in all lanes of a vector.

Each argument is reduced to a short interval, where a polynomial (fitted at Chebyshev points) gives the function;
cases are told apart by selects, never by branches. Infinities, NaN, both zeros and subnormal numbers are as in IEEE
arithmetic. Rounding is to a few units in the last place, for which the order of the operations matters: none of them
may be reassociated, and products and sums are fused only where `fma` says so.
"""

from __future__ import annotations

import math
import struct

from amigrad.backends.native.ir import Function, literal, register, suffix
from amigrad.graph import DType, bool_, float32, int32, int64

# Coefficients, the constant term first.

# exp(r) = 1 + r + r^2 P(r) for |r| <= ln 2 / 2
_EXP32 = (
    0.5,
    0.16666575985420823,
    0.041666553362644264,
    0.00836334581098711,
    0.0013926391896140632,
)
_EXP64 = (
    0.5,
    0.1666666666666667,
    0.04166666666666667,
    0.008333333333325973,
    0.0013888888888883633,
    0.0001984126987538548,
    2.480158732595111e-05,
    2.7557254685728803e-06,
    2.755727313289604e-07,
    2.5105513541847086e-08,
    2.0914898727175524e-09,
)

# log(1 + f) = 2 s + s^3 L(s^2) for s = f / (2 + f) and 1 + f between sqrt(1/2) and sqrt(2)
_LOG32 = (
    0.666666665519636,
    0.40000123906130036,
    0.2855058703764105,
    0.23336811005171268,
)
_LOG64 = (
    0.6666666666666666,
    0.4000000000000091,
    0.2857142857078221,
    0.22222222396552982,
    0.18181795124476754,
    0.15386267672882226,
    0.1326802614042874,
    0.13094416666525344,
)

# erf(x) = x E(x^2) for |x| < 1
_ERF32 = (
    1.128379165840062,
    -0.3761262659768305,
    0.11283593800597223,
    -0.026854168335587104,
    0.005188994224217016,
    -0.0008015956189706265,
    7.872582762234845e-05,
)
_ERF64 = (
    1.1283791670955126,
    -0.3761263890318375,
    0.11283791670954876,
    -0.02686617064507627,
    0.005223977624812638,
    -0.0008548326980509413,
    0.00012055331099279798,
    -1.4925594957596026e-05,
    1.6460995338195411e-06,
    -1.6350256278696497e-07,
    1.4659383821340068e-08,
    -1.1371291831047954e-09,
    5.954471583153482e-11,
)

# 1 - erf(x) = exp(-x^2) R((x - 2) / (x + 2)) for 1 <= x <= 6.1
_ERFC32 = (
    0.2553956764186583,
    -0.42718587222057025,
    0.2416581546590962,
    -0.07897704550866903,
    0.003733912352818745,
    0.0069721605227380835,
    -0.0008484886719246448,
    -0.0008412878885055805,
)
_ERFC64 = (
    0.25539567631050575,
    -0.4271858474139585,
    0.24165819424246557,
    -0.07897858101570346,
    0.0037328924044316013,
    0.006997461736761178,
    -0.0008471432545332227,
    -0.0009819769333189398,
    4.355561894335470e-05,
    0.00017435932007419793,
    2.7526862741748316e-05,
    -2.7560537582574055e-05,
    -1.3997209376491825e-05,
    1.2964913056821805e-06,
    4.014443617736775e-06,
    1.2936598253161888e-06,
    -1.1545881141187549e-06,
)


_LEAST = {True: -104.0, False: -746.0}
"""What is less than this has the exponential 0 (True: in float32)."""
_AVX512_LANES = 16
_ROOTS_OF_THEIR_OWN = 1 << 8 | 1 << 20
"""How AVX-512 names 0 and -0 (class 2) and infinity (class 5), to be taken as they are (1)."""
_RECIPROCAL_ROOTS_OF_THEIR_OWN = 6 << 8 | 8 << 20
"""The same, to be infinity with their sign (6), and 0 (8)."""


class Reals:
    """Arithmetic on values of one real type, in one number of lanes, each operation rounded once."""

    def __init__(self, f: Function, lanes: int, dtype: DType) -> None:
        self.f = f
        self.lanes = lanes
        self.dtype = dtype
        self.single = dtype == float32
        self.integer = int32 if self.single else int64
        self.fraction = 23 if self.single else 52
        self.bias = 127 if self.single else 1023
        self.type = register(dtype, lanes)
        self.bits_type = register(self.integer, lanes)
        self.mask_type = register(bool_, lanes)

    def constant(self, value: float) -> str:
        """A number in each lane."""
        return self.f.splat(literal(value, self.dtype), self.dtype, self.lanes)

    def whole(self, value: int) -> str:
        """An integer of as many bits in each lane."""
        return self.f.splat(str(value), self.integer, self.lanes)

    def add(self, a: str, b: str) -> str:
        """a + b."""
        return self.f.emit(f"fadd {self.type} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        """a - b."""
        return self.f.emit(f"fsub {self.type} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        """a * b."""
        return self.f.emit(f"fmul {self.type} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        """a / b."""
        return self.f.emit(f"fdiv {self.type} {a}, {b}")

    def neg(self, a: str) -> str:
        """-a."""
        return self.f.emit(f"fneg {self.type} {a}")

    def intrinsic(self, name: str, *arguments: str) -> str:
        """A function that LLVM knows, of reals to a real."""
        return self.f.call(
            f"llvm.{name}.{suffix(self.dtype, self.lanes)}", self.type, *((self.type, a) for a in arguments)
        )

    def fma(self, a: str, b: str, c: str) -> str:
        """a * b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def abs(self, a: str) -> str:
        """|a|."""
        return self.intrinsic("fabs", a)

    def copysign(self, a: str, sign: str) -> str:
        """|a| with the sign of another number."""
        return self.intrinsic("copysign", a, sign)

    @property
    def estimates(self) -> bool:
        """Whether reciprocal roots are estimated."""
        return self.f.estimates and self.single and self.lanes == _AVX512_LANES

    def estimate(self, a: str) -> str:
        """1 / √a to 14 bits."""
        zeros, every = (self.type, "zeroinitializer"), ("i16", "-1")
        return self.f.call("llvm.x86.avx512.rsqrt14.ps.512", self.type, (self.type, a), zeros, every)

    def fixed(self, value: str, a: str, table: int) -> str:
        """The value of a function, but for the kinds of arguments a that a table names."""
        arguments = ((self.type, value), (self.type, a), (self.bits_type, self.whole(table)))
        unrounded = (("i32", "0"), ("i16", "-1"), ("i32", "4"))
        return self.f.call("llvm.x86.avx512.mask.fixupimm.ps.512", self.type, *arguments, *unrounded)

    def compare(self, how: str, a: str, b: str) -> str:
        """One of LLVM's comparisons of reals: oeq, olt, une, ..."""
        return self.f.emit(f"fcmp {how} {self.type} {a}, {b}")

    def select(self, condition: str, a: str, b: str) -> str:
        """A where the condition holds, b elsewhere."""
        return self.f.emit(f"select {self.mask_type} {condition}, {self.type} {a}, {self.type} {b}")

    def at_most(self, a: str, bound: float) -> str:
        """The lesser of a and a number; NaN for NaN."""
        most = self.constant(bound)
        return self.select(self.compare("ogt", a, most), most, a)

    def at_least(self, a: str, bound: float) -> str:
        """The greater of a and a number; NaN for NaN."""
        least = self.constant(bound)
        return self.select(self.compare("olt", a, least), least, a)

    def integers(self, operation: str, a: str, b: str) -> str:
        """An operation of LLVM on integers of as many bits."""
        return self.f.emit(f"{operation} {self.bits_type} {a}, {b}")

    def bits(self, a: str) -> str:
        """A real's bits as an integer."""
        return self.f.emit(f"bitcast {self.type} {a} to {self.bits_type}")

    def from_bits(self, a: str) -> str:
        """The real of these bits."""
        return self.f.emit(f"bitcast {self.bits_type} {a} to {self.type}")

    def bits_of(self, value: float) -> int:
        """The bits of a constant."""
        form, code = ("<f", "<i") if self.single else ("<d", "<q")
        return int(struct.unpack(code, struct.pack(form, value))[0])

    def polynomial(self, x: str, coefficients: tuple[float, ...]) -> str:
        """The sum of coefficients[i] x^i, by Horner's rule."""
        value = self.constant(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            value = self.fma(value, x, self.constant(coefficient))
        return value

    def power_of_two(self, n: str) -> str:
        """2^n for an integer n of a normal number's range."""
        biased = self.integers("add", n, self.whole(self.bias))
        return self.from_bits(self.integers("shl", biased, self.whole(self.fraction)))


def sqrt(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """Square root. With AVX-512, where the function takes estimates, one of 1 / √x and a step of Newton's method: the
    processor's own root takes as long as ten multiplications, in the unit that divisions need.
    """
    r = Reals(f, lanes, dtype)
    if not r.estimates:
        return r.intrinsic("sqrt", x)
    estimate = r.estimate(x)
    root, half = r.mul(x, estimate), r.mul(estimate, r.constant(0.5))
    root = r.fma(root, r.fma(r.neg(root), half, r.constant(0.5)), root)
    return r.fixed(root, x, _ROOTS_OF_THEIR_OWN)


def reciprocal_sqrt(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """1 / √x. With AVX-512, where the function takes estimates, one of them and a step of Newton's method."""
    r = Reals(f, lanes, dtype)
    if not r.estimates:
        return r.div(r.constant(1.0), r.intrinsic("sqrt", x))
    estimate = r.estimate(x)
    half = r.mul(estimate, r.constant(0.5))
    root = r.fma(half, r.fma(r.neg(r.mul(x, estimate)), estimate, r.constant(1.0)), estimate)
    return r.fixed(root, x, _RECIPROCAL_ROOTS_OF_THEIR_OWN)


def exp(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """e to the power x = 2^n e^r, where n is the integer nearest to x / ln 2."""
    r = Reals(f, lanes, dtype)
    # Beyond these bounds the result is 0 or infinite, and n keeps within what two powers of two can express.
    return _exp(r, r.at_most(r.at_least(x, _LEAST[r.single]), 89.5 if r.single else 710.5))


def _exp(r: Reals, x: str) -> str:
    """The exponential within these bounds."""
    shifted, n, small = _reduced(r, x)
    value = r.add(small, r.constant(1.0))
    if r.f.scales and r.lanes * (2 - r.single) == _AVX512_LANES:
        kind, mask = ("ps", "i16") if r.single else ("pd", "i8")
        arguments = ((r.type, value), (r.type, n), (r.type, "zeroinitializer"), (mask, "-1"), ("i32", "4"))
        return r.f.call(f"llvm.x86.avx512.mask.scalef.{kind}.512", r.type, *arguments)
    # 2^n in two factors: neither overflows, and only the last product is rounded if the result is subnormal.
    exponent = r.integers("sub", shifted, r.whole(r.bits_of(1.5 * 2.0**r.fraction)))
    half = r.integers("ashr", exponent, r.whole(1))
    value = r.mul(value, r.power_of_two(half))
    return r.mul(value, r.power_of_two(r.integers("sub", exponent, half)))


def _reduced(r: Reals, x: str, is_small: bool = False) -> tuple[str, str, str]:
    """For x = n ln 2 + r, where n is the integer nearest to x / ln 2: bits that end with those of n, n, and e^r - 1.
    If |x| is small, ln 2 need not be known to more than its own rounding.
    """
    # Adding 1.5 * 2^23 (or 2^52) rounds to an integer, which then is in the last bits of the sum.
    shift = r.constant(1.5 * 2.0**r.fraction)
    shifted = r.fma(x, r.constant(1 / math.log(2)), shift)
    n = r.sub(shifted, shift)
    upper, lower = (
        (0.693147182464599609375, -1.9046542999577680e-09)
        if r.single
        else (0.693147180559945286226764, 2.319046813846299558e-17)
    )
    rest = r.fma(n, r.constant(-upper), x)
    if not is_small:
        rest = r.fma(n, r.constant(-lower), rest)
    square = r.mul(rest, rest)
    return r.bits(shifted), n, r.fma(square, r.polynomial(rest, _EXP32 if r.single else _EXP64), rest)


def log(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """The natural logarithm of x = 2^n m: n ln 2 + log m, where m is between sqrt(1/2) and sqrt(2)."""
    r = Reals(f, lanes, dtype)
    smallest = 2.0 ** (1 - r.bias)
    subnormal = r.compare("olt", x, r.constant(smallest))
    scaled = r.select(subnormal, r.mul(x, r.constant(2.0**r.fraction)), x)
    bits = r.bits(scaled)
    exponent = r.integers("sub", bits, r.whole(r.bits_of(math.sqrt(0.5))))
    exponent = r.integers("ashr", exponent, r.whole(r.fraction))
    mantissa = r.from_bits(r.integers("sub", bits, r.integers("shl", exponent, r.whole(r.fraction))))
    n = f.emit(f"sitofp {r.bits_type} {exponent} to {r.type}")
    n = r.select(subnormal, r.sub(n, r.constant(float(r.fraction))), n)
    # log(1 + part) = part - part^2 / 2 + s (part^2 / 2 + s^2 L(s^2)): the large terms are exact.
    part = r.sub(mantissa, r.constant(1.0))
    s = r.div(part, r.add(part, r.constant(2.0)))
    z = r.mul(s, s)
    half_square = r.mul(r.mul(part, part), r.constant(0.5))
    bracket = r.fma(z, r.polynomial(z, _LOG32 if r.single else _LOG64), half_square)
    # ln 2 in two parts; the product of n and the upper one is exact.
    upper, lower = (
        (0.693138122558593750, 9.058001351559417e-06)
        if r.single
        else (0.69314718036912381649, 1.90821492927058770002e-10)
    )
    small = r.fma(s, bracket, r.mul(n, r.constant(lower)))
    value = r.add(r.sub(small, half_square), part)
    value = r.fma(n, r.constant(upper), value)
    zero, infinity = r.constant(0.0), r.constant(math.inf)
    value = r.select(r.compare("olt", x, infinity), value, x)
    value = r.select(r.compare("oeq", x, zero), r.constant(-math.inf), value)
    return r.select(r.compare("olt", x, zero), r.constant(math.nan), value)


def tanh(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """The hyperbolic tangent, E / (E + 2) with the sign of x, where E = exp(2 |x|) - 1 = 2^n (e^r - 1) + (2^n - 1)."""
    r = Reals(f, lanes, dtype)
    size = r.abs(x)
    # Beyond this the result is 1 to the last place.
    shifted, _, small = _reduced(r, r.at_most(r.add(size, size), 20.0 if r.single else 44.0), is_small=True)
    power = r.from_bits(r.integers("add", r.integers("shl", shifted, r.whole(r.fraction)), r.whole(r.bits_of(1.0))))
    value = r.fma(power, small, r.sub(power, r.constant(1.0)))
    return r.copysign(r.div(value, r.add(value, r.constant(2.0))), x)


def sigmoid(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """1 / (1 + e^-x), or e^x / (1 + e^x) for negative x, so that nothing overflows."""
    r = Reals(f, lanes, dtype)
    one = r.constant(1.0)
    power = _exp(r, r.at_least(r.neg(r.abs(x)), _LEAST[r.single]))
    above = r.select(r.compare("oge", x, r.constant(0.0)), one, power)
    return r.div(above, r.add(power, one))


def erf(f: Function, lanes: int, dtype: DType, x: str) -> str:
    """The error function: a polynomial for |x| < 1, elsewhere 1 less the complementary one, with the sign of x."""
    r = Reals(f, lanes, dtype)
    size = r.abs(x)
    square = r.mul(x, x)
    # x E(x^2) = x + x (E(x^2) - 1): the smaller the product, the less its rounding matters.
    first, *others = _ERF32 if r.single else _ERF64
    near = r.fma(size, r.polynomial(square, (first - 1.0, *others)), size)
    # At 6.1 the result is 1 to the last place.
    bounded = r.at_most(size, 6.1)
    two = r.constant(2.0)
    t = r.div(r.sub(bounded, two), r.add(bounded, two))
    power = _exp(r, r.neg(r.mul(bounded, bounded)))
    rest = r.polynomial(t, _ERFC32 if r.single else _ERFC64)
    far = r.fma(r.neg(power), rest, r.constant(1.0))
    value = r.select(r.compare("olt", size, r.constant(1.0)), near, far)
    return r.copysign(value, x)
