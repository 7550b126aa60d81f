"""Arrays to try operators on: of every layout and element type, with every number that matters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from amigrad.graph import DType, Operator, bool_, float32, float64, int32, int64

Array = npt.NDArray[Any]
Use = tuple[Operator, tuple[Array, ...]]

FLOATS = (float32, float64)
INTEGERS = (int32, int64)
NUMBERS = FLOATS + INTEGERS
ALL = (*NUMBERS, bool_)
DTYPES_OF_KINDS = {"f": FLOATS, "fi": NUMBERS, "b": (bool_,), "fib": ALL}


class Wild(NamedTuple):
    """A use with zeros, infinities, NaN, ties or poles: for values, not for finite differences."""

    use: Use


def numbers(shape: tuple[int, ...], dtype: DType, low: float = -3.0, high: float = 3.0, seed: int = 0) -> Array:
    """Numbers between low and high (integers: low and high included; truth values: both)."""
    generator = np.random.default_rng([seed, *shape, dtype.num])
    if dtype == bool_:
        return np.asarray(generator.random(shape) < 0.5)
    if dtype.kind == "i":
        return np.asarray(generator.integers(int(low), int(high) + 1, shape)).astype(dtype)
    return np.asarray(generator.uniform(low, high, shape)).astype(dtype)


def layouts(dtype: DType, low: float = -3.0, high: float = 3.0, seed: int = 0) -> Iterator[Array]:
    """Arrays of every layout, always of the same shapes in the same order."""

    def draw(*shape: int) -> Array:
        return numbers(shape, dtype, low, high, seed)

    for shape in [(), (1,), (0,), (5,), (2, 3), (1, 7), (3, 0), (1, 1, 1), (2, 1, 3), (67, 129), (1000,)]:
        yield draw(*shape)
    yield draw(3, 8)[:, ::2]
    yield draw(5, 3).T
    yield draw(9)[::-2]
    yield draw(4, 6)[1:3, 2:5]
    yield draw(30, 2, 40).transpose(2, 0, 1)[:, 3:, :]


def views(dtype: DType, low: float = -3.0, high: float = 3.0, seed: int = 1) -> Iterator[Array]:
    """Arrays of the shapes of `layouts`, laid out in other ways: broadcast, reversed, in Fortran's order."""
    for i, x in enumerate(layouts(dtype, low, high, seed)):
        if i % 3 == 0 and x.ndim:
            yield np.broadcast_to(x[:1], x.shape)
        elif i % 3 == 1:
            yield np.asfortranarray(x)
        else:
            yield x


INFINITE = float("inf")
NAN = float("nan")
ROUND = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 1e-3, -1e-3, 20.0, -20.0, INFINITE, -INFINITE, NAN]


def extremes(dtype: DType, largest: float | None = None) -> Array:
    """Zeros, infinities, NaN, the least and greatest numbers, and those about which exp and its like turn over."""
    limits = np.finfo(dtype)
    wide = [87.0, 88.5, 89.0, 104.0, 709.0, 710.0, 746.0, 3000.0, 1e4, 1e30]
    least = [float(limits.tiny), float(limits.smallest_subnormal), float(limits.eps), float(limits.max)]
    found = [*ROUND, *wide, *[-x for x in wide], *least, *[-x for x in least]]
    kept = [x for x in found if largest is None or not np.isfinite(x) or abs(x) <= largest]
    return np.array(kept, dtype=dtype)


def integer_extremes(dtype: DType) -> Array:
    """The least and greatest integers, and those about 0."""
    limits = np.iinfo(dtype)
    return np.array([limits.min, limits.min + 1, -2, -1, 0, 1, 2, limits.max - 1, limits.max], dtype=dtype)


def pairs(values: Array) -> tuple[Array, Array]:
    first, second = np.meshgrid(values, values)
    return first.ravel(), second.ravel()
