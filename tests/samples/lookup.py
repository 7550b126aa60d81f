"""Samples of lookups and updates of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from amigrad.graph import DType, int64
from amigrad.operators import OPERATORS
from samples.arrays import ALL, INTEGERS, NUMBERS, Array, Use, numbers

_LOOKUPS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    # table, index
    ((5,), (3,)),
    ((5, 2), ()),
    ((5, 2), (4,)),
    ((4, 3), (2, 3)),
    ((1, 3), (4,)),
    ((5, 2), (0,)),
    ((0, 2), (0,)),
    ((3, 0), (2,)),
    ((4, 2, 3), (3,)),
    ((1000, 50), (32, 5)),
]


def _indices(size: int, shape: tuple[int, ...], dtype: DType, seed: int = 0) -> Array:
    generator = np.random.default_rng([seed, size, *shape])
    return np.asarray(generator.integers(0, max(size, 1), shape)).astype(dtype)


def take_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["take"]
    for dtype in ALL:
        for table, index in _LOOKUPS:
            for integer in INTEGERS:
                yield kind(), (numbers(table, dtype), _indices(table[0], index, integer))
        yield kind(), (numbers((3, 8), dtype).T[::2], _indices(4, (6,), int64)[::-2])


def _rows_of(table: tuple[int, ...], index: Array, dtype: DType) -> Array:
    return numbers((*index.shape, *table[1:]), dtype, seed=2)


def scatter_rows_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["scatter_rows"]
    for dtype in NUMBERS:
        for table, shape in _LOOKUPS:
            for integer in INTEGERS:
                index = _indices(table[0], shape, integer)
                yield kind(table[0]), (index, _rows_of(table, index, dtype))
        yield kind(4), (_indices(4, (6,), int64)[::2], numbers((2, 3), dtype).T)


def sum_same_rows_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["sum_same_rows"]
    for _, inputs in scatter_rows_uses():
        index, rows = inputs
        yield kind(int(index.max(initial=-1)) + 1), (index, rows)


def add_rows_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["add_rows"]
    for dtype in NUMBERS:
        for table, shape in _LOOKUPS:
            for integer in INTEGERS:
                index = _indices(table[0], shape, integer)
                yield kind(), (numbers(table, dtype), index, _rows_of(table, index, dtype))
        yield kind(), (numbers((3, 8), dtype).T[::2], _indices(4, (3,), int64), numbers((3, 3), dtype).T)


def set_rows_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["set_rows"]
    for dtype in ALL:
        for table, shape in _LOOKUPS:
            for integer in INTEGERS:
                index = _indices(table[0], shape, integer)
                yield kind(), (numbers(table, dtype), index, numbers(table, dtype, seed=2)[index])


def one_hot_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["one_hot"]
    for size, shape in [(5, ()), (5, (4,)), (1, (3,)), (3, (2, 3)), (4, (0,)), (0, (0,)), (45, (130,))]:
        for integer in INTEGERS:
            yield kind(size), (_indices(size, shape, integer),)
    yield kind(5), (_indices(5, (4, 6), int64).T[::2],)
