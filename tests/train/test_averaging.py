"""The mean of a model along its training, and a trainer that evaluates and keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amigrad as ag
from amigrad.train import Average, Interrupted, Trainer

STEPS, EPOCHS = 7, 3


class Point(ag.nn.Module):
    """A model of one number."""

    def __init__(self) -> None:
        self.w = ag.parameter(np.zeros(1, np.float32), name="w")


class Numbers:
    """Examples that a step adds up."""

    def __len__(self) -> int:
        return STEPS

    def batch(self, indices: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any]]:
        return (indices,)


def run(folder: Path | None, every: int, count: int, stop: int | None = None) -> tuple[list[float], float]:
    """Train by adding 1 a step; what is evaluated after each epoch, and what is left in the end."""
    model = Point()
    seen: list[float] = []
    taken = 0

    def step(_: Any) -> float:
        nonlocal taken
        taken += 1
        if taken == stop:
            raise KeyboardInterrupt
        model.w.assign(model.w + 1.0)
        return 0.0

    def score() -> float:
        seen.append(float(model.w.value[0]))
        return seen[-1]

    Trainer(
        step,
        Numbers(),
        model=model,
        optimizer=ag.optim.SGD(model.named_parameters(), 0.1),
        batch_size=1,
        epochs=EPOCHS,
        seed=1,
        evaluate=score,
        folder=folder,
        average=Average(model, every=every, count=count),
        checkpoint_steps=1,
        progress=False,
    ).run()
    return seen, float(model.w.value[0])


def test_an_average_is_the_mean_of_its_samples() -> None:
    seen, last = run(None, every=2, count=100)
    # Samples are taken after 2, 4, 6, ... steps; an epoch has 7.
    assert seen == pytest.approx([np.mean(range(2, 7 * epoch + 1, 2)) for epoch in (1, 2, 3)])
    assert last == pytest.approx(seen[-1])


def test_older_samples_fade() -> None:
    mean = 0.0
    for taken, value in enumerate(range(1, STEPS * EPOCHS + 1), 1):
        mean += (value - mean) / min(taken, 4)
    assert run(None, every=1, count=4)[1] == pytest.approx(mean)


def test_before_the_first_sample_it_is_the_model() -> None:
    assert run(None, every=100, count=4)[0] == [7, 14, 21]


def test_a_stopped_training_goes_on_with_its_average(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(tmp_path, every=2, count=5, stop=11)
    assert run(tmp_path, every=2, count=5)[1] == run(None, every=2, count=5)[1]


def test_an_average_has_samples() -> None:
    with pytest.raises(ValueError, match="both must be at least 1"):
        Average(Point(), every=0, count=3)
