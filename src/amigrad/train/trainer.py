"""The training loop: epochs, evaluation, early stopping, the best model, and runs that can be stopped at any moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from amigrad.graph import State, Tensor
from amigrad.nn import Module
from amigrad.optim import Optimizer

Evaluate = Callable[[], "float | Mapping[str, float]"]


class Examples(Protocol):
    """Data that a trainer takes batches from."""

    def __len__(self) -> int:
        """How many examples there are."""

    def batch(self, indices: npt.NDArray[Any]) -> tuple[Any, ...]:
        """The arguments of a step for these examples."""


@dataclass(frozen=True)
class Result:
    """How a training ended: epochs done, the best score and its epoch (from 1), the last epoch's mean cost."""

    epochs: int
    best_score: float | None
    best_epoch: int | None
    cost: float


class Trainer:
    """Trains a model: epochs of shuffled batches, an evaluation after each, early stopping, the best model kept.

    step: `step(*batch)` updates the model and gives the batch's mean cost, a number or tensor of shape ();
    compiled or not.
    data: examples, of which `data.batch(indices)` makes the arguments of a step.
    evaluate: called after each epoch; gives a score (higher is better), or figures with "score" among them.
    patience: stop after so many epochs without a better score.
    folder: where checkpoints, the best model and the log are kept. With the same folder and settings a run that
    was stopped in any way goes on where it was, and ends with the same bits as one never stopped.
    settings: what else the outcome depends on (JSON values): to go on with others is an error.
    states: further states that a step changes, besides the model's and the optimizer's.
    """

    def __init__(
        self,
        step: Callable[..., Tensor | float],
        data: Examples,
        *,
        model: Module,
        optimizer: Optimizer,
        batch_size: int,
        epochs: int,
        seed: int,
        evaluate: Evaluate | None = None,
        patience: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        settings: Mapping[str, Any] | None = None,
        states: Mapping[str, State] | None = None,
        checkpoint_seconds: float = 60.0,
        checkpoint_steps: int | None = None,
        resume: bool = True,
        progress: bool = True,
    ) -> None:
        """Nothing is read or written before `run`."""

    def run(self) -> Result:
        """Train to the end; the model then has its best parameters (those of the last epoch if not evaluated).

        Ctrl-C ends it after the step at hand with a checkpoint and `Interrupted` (exit code 130).
        """
        raise NotImplementedError
