"""Samples of the elementwise operators."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from amigrad.graph import bool_, float32
from amigrad.operators import OPERATORS
from samples.arrays import (
    ALL,
    DTYPES_OF_KINDS,
    FLOATS,
    INTEGERS,
    ROUND,
    Use,
    Wild,
    extremes,
    integer_extremes,
    layouts,
    pairs,
    views,
)

_DOMAINS: dict[str, tuple[float, float]] = {
    "log": (0.1, 5.0),
    "sqrt": (0.1, 5.0),
    "log1p": (-0.9, 3.0),
}
_POSITIVE_FIRST = {"pow"}
_DIVIDES = {"divide", "floor_divide", "remainder"}


def unary_uses(name: str) -> Iterator[Use | Wild]:
    kind: Any = OPERATORS[name]
    operator = kind()
    for dtype in DTYPES_OF_KINDS[kind.kinds]:
        for x in layouts(dtype, *_DOMAINS.get(name, (-3.0, 3.0))):
            yield operator, (x,)
        if dtype.kind == "f":
            yield Wild((operator, (extremes(dtype, 1e4 if name in ("sin", "cos") else None),)))
        elif dtype.kind == "i":
            yield Wild((operator, (integer_extremes(dtype),)))


def binary_uses(name: str) -> Iterator[Use | Wild]:
    kind: Any = OPERATORS[name]
    operator = kind()
    for dtype in DTYPES_OF_KINDS[kind.kinds]:
        low = 0.2 if name in _POSITIVE_FIRST else -3.0
        divisor = 0.5 if name in _DIVIDES and dtype.kind == "f" else -3.0
        for x, y in zip(layouts(dtype, low), views(dtype, divisor), strict=True):
            yield operator, (x, y)
        if dtype.kind == "f":
            yield Wild((operator, pairs(np.array(ROUND, dtype=dtype))))
        elif dtype.kind == "i":
            yield Wild((operator, pairs(integer_extremes(dtype))))


def where_uses() -> Iterator[Use | Wild]:
    operator: Any = OPERATORS["where"]()
    for dtype in ALL:
        for condition, x, y in zip(layouts(bool_), layouts(dtype), views(dtype), strict=True):
            yield operator, (condition, x, y)
    x = extremes(float32)
    yield Wild((operator, (x > 0, x, x[::-1])))


def cast_uses() -> Iterator[Use | Wild]:
    kind: Any = OPERATORS["cast"]
    for before, after in itertools.product(ALL, ALL):
        for x in layouts(before):
            yield kind(after), (x,)
    for before, after in itertools.product(FLOATS, (*FLOATS, bool_)):
        yield Wild((kind(after), (extremes(before),)))
    for dtype in INTEGERS:
        for after in ALL:
            yield Wild((kind(after), (integer_extremes(dtype),)))


def stop_gradient_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["stop_gradient"]
    for dtype in ALL:
        for x in layouts(dtype):
            yield kind(), (x,)
