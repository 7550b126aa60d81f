"""Elementwise operators in native code: NumPy's results in every lane, and functions close to the exact ones."""

import ctypes
import functools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from amigrad.backends.native.ir import Function, SizeTable
from amigrad.backends.native.load import Library
from amigrad.backends.native.scalar import LOWERINGS
from amigrad.backends.native.simplify import ReciprocalSqrt
from amigrad.backends.native.target import Target, host
from amigrad.graph import DType, Operator, bool_, float32, float64, int32, int64
from amigrad.operators import elementwise as e
from amigrad.operators.elementwise import Elementwise

pytestmark = pytest.mark.filterwarnings("ignore:.* encountered in:RuntimeWarning")

FLOATS = (float32, float64)
INTEGERS = (int32, int64)
NUMBERS = FLOATS + INTEGERS
EVERY = (*NUMBERS, bool_)
LANES = (1, 4, 8, 16)

Compiled = Callable[..., np.ndarray]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMIGRAD_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def build(cases: list[tuple[Operator, tuple[DType, ...], DType, int]], target: Target) -> list[Compiled]:
    """Each operator as a function of arrays, all in one library."""
    texts, declarations = [], set()
    for number, (operator, dtypes, result, lanes) in enumerate(cases):
        arguments = ", ".join(["i64 %n", "ptr %out", *(f"ptr %a{i}" for i in range(len(dtypes)))])
        f = Function(f"run{number}", SizeTable(), arguments)
        f.estimates = f.scales = target.vector_bytes == 64
        with f.looping("0", "%n", lanes) as index:
            values = [f.load(f.at(f"%a{i}", d, index), d, lanes) for i, d in enumerate(dtypes)]
            value = LOWERINGS[type(operator)](f, lanes, dtypes[-1], values, operator, result)
            f.store(value, f.at("%out", result, index), result, lanes)
        f.do("ret i32 0")
        texts.append(f.text())
        declarations |= f.intrinsics
    text = "\n".join([*sorted(declarations), *texts, "attributes #0 = { nounwind }", "!0 = !{}"])
    library = Library.compile(text, target)

    def compiled(number: int, *inputs: np.ndarray) -> np.ndarray:
        _, dtypes, result, lanes = cases[number]
        assert [x.dtype for x in inputs] == list(dtypes)
        size = inputs[0].size
        padded = -(-size // lanes) * lanes
        arrays = [np.zeros(padded, result), *(np.resize(x, padded) for x in inputs)]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, *[ctypes.c_void_p] * len(arrays))
        prototype(library.address(f"run{number}"))(padded, *(a.ctypes.data for a in arrays))
        return arrays[0][:size]

    return [functools.partial(compiled, number) for number in range(len(cases))]


def special(dtype: DType) -> np.ndarray:
    """Values at the edges of a type, and plain ones."""
    if dtype == bool_:
        return np.array([False, True])
    if dtype.kind == "i":
        limits = np.iinfo(dtype)
        edges = [limits.min, limits.min + 1, limits.max, limits.max - 1, 2**31 - 1, -(2**31) + 1, 1 << 30]
        return np.array([0, 1, -1, 2, -2, 3, -3, 7, -7, 100, -100, *edges], dtype=dtype)
    limits = np.finfo(dtype)
    half = [0.0, 0.25, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0, 10.0, 100.3, 1e-3, 1e10, 3e18, 2.0**31, 2.0**63]
    half += [2.0**31 - 1, 2.0**31 - 0.5, 2.0**31 + 0.5, float(limits.max), float(limits.tiny)]
    half += [float(limits.smallest_subnormal), math.inf, math.nan]
    return np.array([*half, *(-x for x in half)], dtype=dtype)


def inputs_of(operator: Operator, dtypes: tuple[DType, ...]) -> list[np.ndarray]:
    """All combinations of special values."""
    grids = np.meshgrid(*(special(d) for d in dtypes), indexing="ij")
    return [np.ascontiguousarray(g.ravel()) for g in grids]


APPROXIMATE = {e.Sqrt, ReciprocalSqrt, e.Exp, e.Log, e.Tanh, e.Sigmoid, e.Erf}
LIBRARY = {e.Power, e.Expm1, e.Log1p, e.Sin, e.Cos}

UNARY: dict[type[Elementwise], tuple[DType, ...]] = {
    **dict.fromkeys((e.Negative, e.Abs, e.Sign), NUMBERS),
    **dict.fromkeys((e.Floor, e.Round, e.Sqrt, e.Exp, e.Expm1, e.Log, e.Log1p), FLOATS),
    **dict.fromkeys((e.Tanh, e.Sigmoid, e.Erf, e.Sin, e.Cos, ReciprocalSqrt), FLOATS),
    e.LogicalNot: (bool_,),
    e.StopGradient: EVERY,
}
BINARY: dict[type[Elementwise], tuple[DType, ...]] = {
    **dict.fromkeys((e.Add, e.Subtract, e.Multiply, e.FloorDivide, e.Remainder, e.Maximum, e.Minimum), NUMBERS),
    **dict.fromkeys((e.Divide, e.Power), FLOATS),
    **dict.fromkeys((e.Equal, e.NotEqual), EVERY),
    **dict.fromkeys((e.Less, e.LessEqual), NUMBERS),
    **dict.fromkeys((e.LogicalAnd, e.LogicalOr, e.LogicalXor), (bool_,)),
}
COMPARISONS = (e.Equal, e.NotEqual, e.Less, e.LessEqual)


def every_case() -> list[tuple[Operator, tuple[DType, ...], DType]]:
    """Every operator with every type it is for."""
    cases: list[tuple[Operator, tuple[DType, ...], DType]] = []
    cases += [(kind(), (d,), d) for kind, dtypes in UNARY.items() for d in dtypes]
    cases += [(k(), (d, d), bool_ if k in COMPARISONS else d) for k, dtypes in BINARY.items() for d in dtypes]
    cases += [(e.Where(), (bool_, d, d), d) for d in EVERY]
    return cases + [(e.Cast(to), (d,), to) for d in EVERY for to in EVERY]


def levels() -> list[Target]:
    """This machine, and what it would be with fewer features."""
    with pytest.MonkeyPatch.context() as patch:
        found = {}
        for level in ("", "avx2", "generic"):
            patch.setenv("AMIGRAD_CPU", level)
            host.cache_clear()
            found[host().features] = replace(host())
    host.cache_clear()
    return list(found.values())


def test_every_operator_has_code() -> None:
    concrete = {c for c in vars(e).values() if isinstance(c, type) and issubclass(c, Elementwise) and "name" in vars(c)}
    assert concrete <= set(LOWERINGS)
    assert concrete | {ReciprocalSqrt} == {type(operator) for operator, _, _ in every_case()}


# Every width on this machine; on lesser ones that of a vector of float32.
WIDTHS = [(n, target) for target in levels() for n in LANES if n == target.lanes(float32) or target == host()]


@pytest.mark.parametrize(("lanes", "target"), WIDTHS, ids=[f"{n} lanes, {t.vector_bytes} bytes" for n, t in WIDTHS])
def test_special_values_as_numpy(lanes: int, target: Target) -> None:
    cases = every_case()
    functions = build([(*case, lanes) for case in cases], target)
    for (operator, dtypes, result), function in zip(cases, functions, strict=True):
        inputs = inputs_of(operator, dtypes)
        got, wanted = function(*inputs), operator.forward(*inputs)
        assert wanted.dtype == result
        where = f"{type(operator).__name__} of {[d.name for d in dtypes]} to {result.name}"
        if type(operator) in APPROXIMATE | LIBRARY:
            tolerance = 4 * float(np.finfo(result).eps)
            limits = np.finfo(result).smallest_subnormal
            np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=limits, err_msg=where)
        else:
            np.testing.assert_array_equal(got, wanted, err_msg=where)
        # Which of 0 and -0 is the larger is nowhere said; elsewhere the sign is NumPy's.
        if result.kind == "f" and type(operator) not in (e.Maximum, e.Minimum):
            numbers = ~np.isnan(wanted)
            np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(wanted)[numbers], err_msg=where)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function in the type of x."""
    power = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + power), power / (1 + power))


def erf(x: np.ndarray) -> np.ndarray:
    """The error function to the places of float64."""
    return np.array([math.erf(v) for v in x.astype(float64).tolist()], dtype=x.dtype)


EXACT: dict[type[Elementwise], Callable[[np.ndarray], np.ndarray]] = {
    e.Sqrt: np.sqrt,
    ReciprocalSqrt: lambda x: 1 / np.sqrt(x),
    e.Exp: np.exp,
    e.Log: np.log,
    e.Tanh: np.tanh,
    e.Sigmoid: sigmoid,
    e.Erf: erf,
}


def units_off(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """How far results are from the exact ones, in units of the last place; infinite where only one is a number."""
    rounded = exact.astype(got.dtype)
    with np.errstate(all="ignore"):
        off = np.abs(got.astype(exact.dtype) - exact) / np.spacing(np.abs(rounded)).astype(exact.dtype)
    off = np.where(np.isfinite(rounded) & np.isfinite(got), off, math.inf)
    return np.where((got == rounded) & ~np.isfinite(got) | np.isnan(got) & np.isnan(rounded), 0.0, off)


def points(dtype: DType, stride: int) -> np.ndarray:
    """Numbers of every size and sign, NaN and infinities among them: every so many of all bit patterns."""
    if dtype == float32:
        return np.arange(0, 2**32, stride, dtype=np.uint64).astype(np.uint32).view(float32)
    everywhere = np.arange(0, 2**64 - 2**50, stride * 2**32, dtype=np.uint64).view(float64)
    near = np.linspace(-750, 750, 2**32 // stride // 4)
    return np.concatenate([everywhere, near, near / 50, near / 700])


def worst(kind: type[Elementwise], dtype: DType, lanes: int, stride: int, target: Target) -> tuple[float, float]:
    """The largest error in units of the last place, and where."""
    (function,) = build([(kind(), (dtype,), dtype, lanes)], target)
    x = points(dtype, stride)
    with np.errstate(all="ignore"):
        off = units_off(function(x), EXACT[kind](x.astype(float64 if dtype == float32 else np.longdouble)))
    place = int(np.argmax(off))
    return float(off[place]), float(x[place])


@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_functions_are_close(dtype: DType, kind: type[Elementwise], lanes: int) -> None:
    error, where = worst(kind, dtype, lanes, 99991, host())
    assert error <= 4, f"{error} units at {where!r}"


@pytest.mark.parametrize("lanes", [1, 16])
def test_roots_of_squares_are_exact(lanes: int) -> None:
    (function,) = build([(e.Sqrt(), (float32,), float32, lanes)], host())
    roots = np.arange(4096, dtype=float32)
    for scale in (2.0**-70, 2.0**-13, 1.0, 2.0**50):
        np.testing.assert_array_equal(function((roots * np.float32(scale)) ** 2), roots * np.float32(scale))


@pytest.mark.parametrize("lanes", [1, 16])
def test_roots_are_less_than_a_unit_of_the_last_place_off(lanes: int) -> None:
    (function,) = build([(e.Sqrt(), (float32,), float32, lanes)], host())
    x = np.exp(np.random.default_rng(2).uniform(-80, 80, 100_000)).astype(float32)
    exact = np.sqrt(x.astype(np.float64))
    assert np.max(np.abs(function(x) - exact) / np.spacing(exact.astype(np.float32))) < 1.0
