"""Samples of the operators that make numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from amigrad.graph import float32
from amigrad.operators import OPERATORS
from samples.arrays import ALL, FLOATS, NUMBERS, Use


def full_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["full"]
    for dtype in ALL:
        for value in (0, 1, 7, True):
            yield kind(value, dtype), ()
    for dtype in FLOATS:
        for real in (0.1, -2.5, float("inf")):
            yield kind(real, dtype), ()


def arange_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["arange"]
    for dtype in NUMBERS:
        for size in (0, 1, 5, 1000):
            yield kind(size, dtype), ()


def uniform_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["uniform"]
    shapes: list[tuple[int, ...]] = [(), (1,), (0,), (5,), (2, 3), (3, 0), (67, 129)]
    states = [(0, 0), (1, 2), (2**63 - 1, 3), (12345678901234, 2**32 + 5)]
    for dtype, shape, state in itertools.product(FLOATS, shapes, states):
        yield kind(shape, dtype), (np.array(state, dtype=np.int64),)
    yield kind((4,), float32), (np.array([7, 0, 3, 0], dtype=np.int64)[::2],)
