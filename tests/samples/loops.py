"""Samples of loops over time, and of the order in which these take rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from amigrad import functions as xp
from amigrad.graph import DType, Spec, Tensor, recording
from amigrad.graph.trace import BodyTrace
from amigrad.operators import OPERATORS
from amigrad.operators.recurrence import Recurrence, columns
from amigrad.operators.stacking import Value
from samples.arrays import FLOATS, INTEGERS, NUMBERS, Array, Use, numbers

LENGTHS = [(3, 1, 4), (1,), (2, 2), (5, 4, 1, 1, 3), (1, 1, 1), (), tuple(range(1, 20))]


def packing_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["packing"]
    for lengths in LENGTHS:
        for integer in INTEGERS:
            yield kind(sum(lengths)), (np.array(lengths, dtype=integer),)


def reorder_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["reorder"]
    for dtype in NUMBERS:
        for shape in [(4, 3), (1,), (0, 2), (5, 2, 2), (200, 60)]:
            index = np.random.default_rng(shape[0]).permutation(shape[0])
            for integer in INTEGERS:
                yield kind(), (numbers(shape, dtype), index.astype(integer), np.argsort(index).astype(integer))


def elman(state: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """tanh(x + h W)"""
    x, weight = inputs
    return [xp.tanh(x + state @ weight)]


def gated(state: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A state of two parts, each needed for the other."""
    x, weight = inputs
    half = state.shape[0] // 2
    left, right = columns(state, 0, half), columns(state, half, half)
    z = xp.sigmoid(x + state @ weight)
    return [left * columns(z, 0, half) + right, xp.tanh(right) * columns(z, half, half)]


def scan_uses() -> Iterator[Use]:
    kind: Any = OPERATORS["scan"]
    for dtype in FLOATS:
        for width, step in [(2, elman), (4, gated), (20, gated), (1, elman)]:
            for lengths in LENGTHS if width < 10 else LENGTHS[-1:]:
                for reverse in (False, True):
                    rows = sum(lengths)
                    body = _body(step, width, rows, dtype)
                    inputs = (
                        numbers((len(lengths), width), dtype, -1.0, 1.0),
                        numbers((rows, width), dtype, -1.0, 1.0, seed=2),
                        numbers((width, width), dtype, -1.0, 1.0, seed=3),
                    )
                    yield kind(body, rows, True, reverse), (np.array(lengths, dtype=np.int64), *inputs)
                    yield kind(body, rows, False, reverse), (numbers((1, width), dtype, -1.0, 1.0), *inputs[1:])


def _body(step: Any, width: int, rows: int, dtype: DType) -> Any:
    def value(*shape: int) -> Tensor:
        array: Array = numbers(shape, dtype)
        return Tensor(Spec(shape, dtype), array)

    with recording.tracing(BodyTrace(None)) as trace:
        state, x = (trace.placeholder(Spec((width,), dtype)) for _ in range(2))
        weight = trace.placeholder(Spec((width, width), dtype))
        known = {id(x): Value(value(rows, width), True), id(weight): Value(value(width, width), False)}
        recurrence = Recurrence(state, step(state, (x, weight)), known, rows, keep_gathered=True)
    assert recurrence.body.sequences == (x,)
    assert recurrence.body.constants == (weight,)
    return recurrence.body
