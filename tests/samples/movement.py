"""Samples of the operators that move elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from amigrad.operators import OPERATORS
from samples.arrays import ALL, Use, numbers


def reshape_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["reshape"]
    for dtype in ALL:
        for before, after in [
            ((), (1, 1)),
            ((1,), ()),
            ((6,), (2, 3)),
            ((2, 3), (3, 2)),
            ((2, 3, 4), (6, 4)),
            ((0, 3), (3, 0, 2)),
            ((2, 3), (2, 1, 3, 1)),
            ((60, 40), (2400,)),
        ]:
            yield kind(after), (numbers(before, dtype),)
        yield kind((6,)), (numbers((3, 2), dtype).T,)
        yield kind((4, 3)), (numbers((4, 6), dtype)[:, ::2],)
        yield kind((6, 2)), (np.broadcast_to(numbers((1, 4), dtype), (3, 4)),)


def permute_dims_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["permute_dims"]
    for dtype in ALL:
        for shape, axes in [
            ((), ()),
            ((3,), (0,)),
            ((2, 3), (1, 0)),
            ((2, 3, 4), (2, 0, 1)),
            ((2, 3, 4), (0, 2, 1)),
            ((1, 0, 4), (1, 2, 0)),
            ((2, 1, 3, 2), (3, 1, 0, 2)),
            ((67, 129), (1, 0)),
        ]:
            yield kind(axes), (numbers(shape, dtype),)
        yield kind((1, 0)), (numbers((4, 6), dtype)[::-1, ::2],)


def broadcast_to_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["broadcast_to"]
    for dtype in ALL:
        for before, after in [
            ((), ()),
            ((), (2, 3)),
            ((3,), (2, 3)),
            ((2, 1), (2, 3)),
            ((1, 3), (2, 3)),
            ((1, 1), (1, 1)),
            ((1,), (0,)),
            ((0, 1), (0, 4)),
            ((1, 3, 1), (2, 4, 3, 2)),
            ((300,), (32, 300)),
            ((67, 1), (67, 129)),
        ]:
            yield kind(after), (numbers(before, dtype),)
        yield kind((2, 3, 4)), (numbers((6, 2), dtype)[::2, :1],)


_JOINED: list[tuple[int, list[tuple[int, ...]]]] = [
    (0, [(2,), (3,)]),
    (0, [(2,), (0,), (1,)]),
    (0, [(0,), (0,)]),
    (0, [(2, 3), (1, 3), (4, 3)]),
    (1, [(2, 3), (2, 1)]),
    (1, [(2, 3, 2), (2, 1, 2), (2, 2, 2)]),
    (2, [(1, 2, 3), (1, 2, 4)]),
    (1, [(0, 3), (0, 2)]),
    (0, [(3, 2)]),
    (1, [(67, 50), (67, 79)]),
]


def concat_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["concat"]
    for dtype in ALL:
        for axis, shapes in _JOINED:
            yield kind(axis), tuple(numbers(shape, dtype, seed=i) for i, shape in enumerate(shapes))
        yield kind(1), (numbers((3, 2), dtype).T, np.broadcast_to(numbers((2, 1), dtype), (2, 4)))
        x = numbers((2, 3), dtype)
        yield kind(0), (x, x)


_PARTS: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = [
    # whole, starts, steps, sizes of the part
    ((), (), (), ()),
    ((5,), (0,), (1,), (5,)),
    ((5,), (1,), (1,), (3,)),
    ((5,), (0,), (2,), (3,)),
    ((5,), (4,), (3,), (1,)),
    ((5,), (2,), (1,), (0,)),
    ((0,), (0,), (1,), (0,)),
    ((4, 5), (1, 0), (2, 3), (2, 2)),
    ((2, 3, 4), (0, 1, 1), (1, 1, 2), (2, 2, 2)),
    ((1, 6), (0, 5), (1, 1), (1, 1)),
    ((67, 129), (3, 1), (2, 4), (30, 32)),
]


def slice_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["slice"]
    for dtype in ALL:
        for whole, starts, steps, sizes in _PARTS:
            yield kind(starts, steps, sizes), (numbers(whole, dtype),)
        yield kind((1, 0), (1, 2), (2, 2)), (numbers((8, 3), dtype)[::2].T,)


def pad_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["pad"]
    for dtype in ALL:
        for whole, starts, steps, sizes in _PARTS:
            yield kind(starts, steps, whole), (numbers(sizes, dtype),)
        yield kind((1, 0), (1, 2), (4, 5)), (numbers((4, 2), dtype)[::2].T,)


def flip_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["flip"]
    for dtype in ALL:
        for shape, axes in [
            ((5,), (0,)),
            ((0,), (0,)),
            ((2, 3), (0,)),
            ((2, 3), (1,)),
            ((2, 3, 4), (0, 2)),
            ((67, 9), (0, 1)),
        ]:
            yield kind(axes), (numbers(shape, dtype),)
        yield kind((1,)), (numbers((6, 4), dtype)[::-2].T,)
