"""Schedules give the learning rates that their formulas say, eagerly and compiled into a step."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import amigrad as ag
from amigrad import optim
from amigrad.optim import Schedule, schedules

CASES: dict[str, tuple[Schedule, Callable[[int], float]]] = {
    "constant": (schedules.constant(0.3), lambda t: 0.3),
    "exponential": (schedules.exponential(0.1, 0.5, every=4), lambda t: 0.1 * 0.5 ** (t / 4)),
    "inverse time": (schedules.inverse_time(0.1, 0.01), lambda t: 0.1 / (1 + 0.01 * t)),
    "linear": (schedules.linear(1.0, 0.1, 6), lambda t: 1.0 - 0.9 * min(t, 6) / 6),
    "cosine": (
        schedules.cosine(0.5, 6, end=0.1),
        lambda t: 0.1 + 0.4 * (1 + math.cos(math.pi * min(t, 6) / 6)) / 2,
    ),
    "piecewise": (schedules.piecewise([2, 5], [1.0, 0.5, 0.1]), lambda t: 1.0 if t < 2 else 0.5 if t < 5 else 0.1),
    "warm-up": (
        schedules.warm_up(3, schedules.linear(1.0, 0.0, 5)),
        lambda t: (t + 1) / 3 if t < 3 else 1 - min(t - 3, 5) / 5,
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("compiled", [False, True])
def test_each_step_has_the_rate_of_its_count(name: str, compiled: bool) -> None:
    schedule, expected = CASES[name]
    weight = ag.parameter(np.array(0.0))
    optimizer = optim.SGD([weight], schedule)

    def step(x: ag.Tensor) -> ag.Tensor:
        cost = weight * x
        optimizer.minimize(cost)
        return cost

    run = ag.compile(step, backend="reference") if compiled else step
    place = 0.0
    for t in range(10):
        run(ag.tensor(np.array(1.0)))
        place -= expected(t)
        assert float(optimizer.learning_rate) == pytest.approx(expected(t), abs=1e-15)
        assert weight.item() == pytest.approx(place, abs=1e-14)


def test_rate_that_follows_a_schedule_cannot_be_set() -> None:
    optimizer = optim.SGD([ag.parameter(0.0)], schedules.constant(0.1))
    with pytest.raises(ValueError, match="follows a schedule"):
        optimizer.learning_rate = 0.2


def test_impossible_schedules_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        schedules.cosine(0.1, 0)
    with pytest.raises(ValueError, match="one rate more"):
        schedules.piecewise([5, 2], [1.0, 0.5, 0.1])
