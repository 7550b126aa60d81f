"""Samples of reductions and matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from amigrad.operators import OPERATORS
from samples.arrays import DTYPES_OF_KINDS, FLOATS, INFINITE, NAN, NUMBERS, Use, Wild, extremes, numbers

_REDUCED: list[tuple[tuple[int, ...], list[tuple[int, ...]]]] = [
    ((5,), [(0,)]),
    ((1,), [(0,)]),
    ((1, 1), [(0,), (0, 1)]),
    ((2, 3), [(0,), (1,), (0, 1)]),
    ((2, 3, 4), [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)]),
    ((0, 3), [(1,)]),
    ((67, 129), [(0,), (1,), (0, 1)]),
    ((3, 1000), [(0,), (1,)]),
    ((5, 6, 70, 3), [(1, 3), (2,), (0, 3)]),
]
_REDUCED_EMPTY: list[tuple[tuple[int, ...], list[tuple[int, ...]]]] = [
    ((0,), [(0,)]),
    ((0, 3), [(0,), (0, 1)]),
    ((3, 0), [(1,)]),
]


def reduction_uses(name: str) -> Iterator[Use | Wild]:
    kind: Any = OPERATORS[name]
    cases = _REDUCED if kind.needs_elements else _REDUCED + _REDUCED_EMPTY
    low, high = (0.5, 1.5) if name == "prod" else (-1.0, 3.0)
    for dtype in DTYPES_OF_KINDS[kind.kinds]:
        for shape, choices in cases:
            for axes in choices:
                yield kind(axes), (numbers(shape, dtype, low, high),)
        yield kind((1,)), (numbers((6, 4), dtype, low, high).T[:, ::2],)
        yield Wild((kind((0, 1)), (np.broadcast_to(numbers((1, 4), dtype, low, high), (3, 4))[:, ::-1],)))
        if dtype.kind == "f":
            x = np.stack([np.roll(extremes(dtype), i) for i in range(3)])
            for axes in [(0,), (1,)]:
                yield Wild((kind(axes), (x[:, :17],)))
            yield Wild((kind((1,)), (np.array([[2, 0, 3], [0, 0, 5], [1, 1, 1]], dtype=dtype),)))


def argmax_uses() -> Iterator[Use | Wild]:
    kind: Any = OPERATORS["argmax"]
    for dtype in NUMBERS:
        for shape, axis in [
            ((5,), 0),
            ((1,), 0),
            ((2, 3), 0),
            ((2, 3), 1),
            ((2, 3, 4), 1),
            ((0, 3), 1),
            ((67, 129), 1),
        ]:
            yield kind(axis), (numbers(shape, dtype),)
        yield kind(0), (numbers((6, 4), dtype).T[:, ::2],)
        yield Wild((kind(1), (np.array([[1, 3, 3], [0, 0, 0]], dtype=dtype),)))
    for dtype in FLOATS:
        yield Wild((kind(1), (np.array([[1, NAN, 9, NAN], [-0.0, 0.0, -1, 0.0], [-INFINITE] * 4], dtype=dtype),)))


def matmul_uses() -> Iterator[Use | Wild]:
    operator: Any = OPERATORS["matmul"]()
    shapes = [
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((1, 5), (5, 1)),
        ((5, 1), (1, 4)),
        ((0, 3), (3, 4)),
        ((2, 0), (0, 4)),
        ((2, 3), (3, 0)),
        ((3, 2, 3), (3, 3, 2)),
        ((2, 2, 1, 3), (2, 2, 3, 2)),
        ((0, 2, 3), (0, 3, 4)),
        ((17, 31), (31, 53)),
        ((33, 275), (275, 64)),
        ((128, 70), (70, 300)),
        ((7, 20, 33), (7, 33, 18)),
    ]
    for dtype in NUMBERS:
        for first, second in shapes:
            yield operator, (numbers(first, dtype), numbers(second, dtype, seed=1))
        yield operator, (numbers((3, 2), dtype).T, numbers((4, 3), dtype, seed=1).T)
        yield operator, (numbers((8, 6), dtype)[::4, ::2], numbers((3, 8), dtype, seed=1)[:, ::-2])
        yield operator, (numbers((4, 2, 3), dtype), np.broadcast_to(numbers((1, 3, 2), dtype, seed=1), (4, 3, 2)))
        yield operator, (numbers((70, 40), dtype).T, numbers((50, 70), dtype, seed=1).T)
    for dtype in FLOATS:
        x = np.array([[1.0, NAN], [INFINITE, 2.0], [0.0, 3.0]], dtype=dtype)
        yield Wild((operator, (x, np.array([[1.0, 0.0], [2.0, 1.0]], dtype=dtype))))
