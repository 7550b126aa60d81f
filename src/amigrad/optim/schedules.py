"""Learning-rate schedules: functions from the number of steps done to the learning rate.

A schedule takes an int64 tensor of shape () and gives a float64 one, by the graph's own operations: so it is
compiled into the step. Any function of this kind is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from amigrad import functions as xp
from amigrad.graph import Tensor, float64

Schedule: TypeAlias = Callable[[Tensor], Tensor]


def constant(rate: float) -> Schedule:
    """Always the same."""
    return lambda steps: xp.full((), rate, dtype=float64)


def exponential(rate: float, factor: float, every: float = 1.0) -> Schedule:
    """rate · factor^(steps / every)."""
    return lambda steps: rate * xp.pow(factor, xp.astype(steps, float64) / every)


def inverse_time(rate: float, decay: float) -> Schedule:
    """rate / (1 + decay · steps) (Robbins and Monro 1951)."""
    return lambda steps: rate / (1.0 + decay * xp.astype(steps, float64))


def linear(start: float, end: float, steps: int) -> Schedule:
    """From `start` to `end` in so many steps, then `end`."""
    total = _positive(steps)
    return lambda done: start + (end - start) * _share(done, total)


def cosine(rate: float, steps: int, end: float = 0.0) -> Schedule:
    """From `rate` down half a cosine to `end` in so many steps (Loshchilov and Hutter 2017, equation 5)."""
    total = _positive(steps)
    return lambda done: end + (rate - end) * 0.5 * (1.0 + xp.cos(math.pi * _share(done, total)))


def warm_up(steps: int, then: Schedule) -> Schedule:
    """Evenly up to the first rate of `then` in so many steps, and on with `then` from its beginning."""
    total = _positive(steps)

    def rate(done: Tensor) -> Tensor:
        rising = xp.minimum(1.0, (xp.astype(done, float64) + 1.0) / total)
        return rising * then(xp.maximum(done - steps, 0))

    return rate


def piecewise(boundaries: Sequence[int], rates: Sequence[float]) -> Schedule:
    """rates[0] before boundaries[0] steps are done, rates[1] before boundaries[1], ...; one rate more than limits."""
    if len(rates) != len(boundaries) + 1 or sorted(set(boundaries)) != list(boundaries):
        raise ValueError(f"{len(boundaries)} rising boundaries need one rate more, not {len(rates)}")

    def rate(steps: Tensor) -> Tensor:
        result = xp.full((), rates[-1], dtype=float64)
        for boundary, before in zip(reversed(boundaries), reversed(rates[:-1]), strict=True):
            result = xp.where(steps < boundary, before, result)
        return result

    return rate


def _share(done: Tensor, total: float) -> Tensor:
    return xp.minimum(1.0, xp.astype(done, float64) / total)


def _positive(steps: int) -> float:
    if steps < 1:
        raise ValueError(f"a schedule needs at least 1 step, not {steps}")
    return float(steps)
