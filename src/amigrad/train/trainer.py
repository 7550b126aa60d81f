"""The training loop: epochs, evaluation, early stopping, the best model, and runs that can be stopped at any moment."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy.typing as npt

from amigrad.data.batching import Batches
from amigrad.graph import State, Tensor
from amigrad.nn import Module, arrays_of, load_arrays
from amigrad.optim import Optimizer
from amigrad.train.averaging import Average
from amigrad.train.checkpoint import Checkpoint
from amigrad.train.errors import CheckpointError, Interrupted, OtherSettingsError, TrainingError
from amigrad.train.folder import Folder
from amigrad.train.interrupts import Interrupts
from amigrad.train.progress import Reporter

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


@dataclass
class Standing:
    """How far a training is, besides its data's cursor; `total` and `seen` are of the epoch at hand."""

    steps: int = 0
    total: float = 0.0
    seen: int = 0
    cost: float = math.inf
    best_score: float | None = None
    best_epoch: int | None = None
    waited: int = 0
    seconds: float = 0.0


class Trainer:
    """Trains a model: epochs of shuffled batches, an evaluation after each, early stopping, the best model kept.

    step: `step(*batch)` updates the model and gives the batch's mean cost, a number or tensor of shape ();
    compiled or not. The model is in training mode during steps, and only then.
    data: examples, of which `data.batch(indices)` makes the arguments of a step.
    evaluate: called after each epoch; gives a score (higher is better), or figures with "score" among them.
    patience: stop after so many epochs in a row without a better score.
    folder: where checkpoints, the best model and the log are kept. With the same folder and settings a run that
    was stopped in any way, `kill -9` too, goes on where it was and ends with the same bits as one never stopped.
    settings: what else the outcome depends on (JSON values): to go on with others is an error. Batch size, seed,
    number of examples and the optimizer's settings are among them; epochs and patience may change.
    average: a running mean of the parameters, which is then what is evaluated, kept, and in the model at the end.
    states: further states that a step changes, besides the model's and the optimizer's.
    checkpoint_seconds, checkpoint_steps: how often to save; the second also after so many steps of the run.
    unit: what speed is told in, and how many of these an example has: ("words", 1000.0), say.
    resume: False removes what an earlier run left in the folder and starts anew.
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
        average: Average | None = None,
        checkpoint_seconds: float = 60.0,
        checkpoint_steps: int | None = None,
        log_steps: int | None = None,
        resume: bool = True,
        progress: bool = True,
        unit: tuple[str, float] = ("examples", 1.0),
    ) -> None:
        """Nothing is read or written before `run`."""
        for name, value in {"epochs": epochs, "patience": patience, "checkpoint_steps": checkpoint_steps}.items():
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if len(data) == 0:
            raise ValueError("there are no examples to train on")
        self.step, self.data, self.model, self.optimizer = step, data, model, optimizer
        self.epochs, self.evaluate, self.patience = epochs, evaluate, patience
        self.checkpoint_seconds, self.checkpoint_steps, self.log_steps = checkpoint_seconds, checkpoint_steps, log_steps
        self.resume, self.progress = resume, progress
        self.unit, self.average = unit, average
        self.batches = Batches(len(data), batch_size, seed)
        self.states = {f"model.{n}": s for n, s in model.states().items()}
        self.states |= {f"optimizer.{n}": s for n, s in optimizer.states().items()}
        self.states |= {f"states.{n}": s for n, s in (states or {}).items()}
        if average is not None:
            self.states |= {f"average.{n}": s for n, s in average.states().items()}
        fixed = {"batch_size": batch_size, "seed": seed, "examples": len(data)}
        self.settings: dict[str, Any] = json.loads(
            json.dumps({**fixed, "optimizer": optimizer.settings(), **(settings or {})})
        )
        self._folder = Folder(folder) if folder is not None else None

    def run(self) -> Result:
        """Train to the end; the model then has its best parameters (those of the last epoch if not evaluated).

        Ctrl-C and SIGTERM end it after the step at hand with a checkpoint and `Interrupted`. TrainingError if the
        cost is not finite, CheckpointError if the folder cannot be written or belongs to another training.
        """
        self._standing = Standing()
        self._best: dict[str, npt.NDArray[Any]] | None = None
        self._best_file: str | None = None
        self._interrupts = Interrupts()
        self._saved = time.monotonic()
        with ExitStack() as stack:
            if self._folder is not None:
                stack.enter_context(self._folder.opened())
            self._reporter = stack.enter_context(
                Reporter(len(self.data), self.epochs, shown=self.progress, unit=self.unit)
            )
            stack.enter_context(self._interrupts.caught())
            self._begin()
            try:
                while not self._finished():
                    self._train_epoch()
                    with self._averaged():
                        self._evaluate_epoch()
                    self._stop_if_asked()
            except KeyboardInterrupt:
                raise self._interrupted(saved=False) from None
            finally:
                self.model.evaluate()
            self._save()
            self._restore_best()
        standing = self._standing
        return Result(self.batches.epoch, standing.best_score, standing.best_epoch, standing.cost)

    def _begin(self) -> None:
        self.batches.load({**self.batches.state(), "epoch": 0, "position": 0})
        if self._folder is None:
            return
        if not self.resume:
            self._folder.clear()
        found = self._folder.resume()
        if found is not None:
            self._load(found)
            where = f"epoch {self.batches.epoch + 1}, step {self._standing.steps}"
            self._reporter.line(f"going on from {where} in {self._folder.path}")
        else:
            self._folder.log({"event": "start", "settings": self.settings})
            self._save()

    def _finished(self) -> bool:
        stopped = self.patience is not None and self._standing.waited >= self.patience
        within = self.batches.position > 0
        return not within and (self.batches.epoch >= self.epochs or stopped)

    def _train_epoch(self) -> None:
        standing, batches, reporter = self._standing, self.batches, self._reporter
        epoch = batches.epoch
        reporter.begin(epoch, batches.position)
        self.model.train()
        clock = time.monotonic()
        for indices in batches:
            cost = float(self.step(*self.data.batch(indices)))
            if self.average is not None:
                self.average.advance()
            standing.steps += 1
            standing.total += cost * len(indices)
            standing.seen += len(indices)
            if not math.isfinite(cost):
                raise TrainingError(
                    f"the cost is {cost} at step {standing.steps} (epoch {epoch + 1}): a smaller learning rate or "
                    "clip_norm may help"
                )
            now = time.monotonic()
            standing.seconds += now - clock
            clock = now
            reporter.advance(epoch, batches.position, standing.total / standing.seen)
            if self.log_steps and standing.steps % self.log_steps == 0:
                self._log({"step": standing.steps, "epoch": epoch + 1, "cost": cost})
            self._stop_if_asked()
            by_steps = self.checkpoint_steps is not None and standing.steps % self.checkpoint_steps == 0
            if by_steps or now - self._saved >= self.checkpoint_seconds:
                self._save()
        self.model.evaluate()

    def _evaluate_epoch(self) -> None:
        standing, epoch = self._standing, self.batches.epoch
        standing.cost = standing.total / standing.seen
        record: dict[str, Any] = {"epoch": epoch, "step": standing.steps, "cost": standing.cost}
        record["learning_rate"] = float(self.optimizer.learning_rate)
        line = f"epoch {epoch}/{self.epochs}  cost {standing.cost:.4f}"
        if self.evaluate is not None:
            figures = _figures(self.evaluate())
            score = figures["score"]
            better = not math.isnan(score) and (standing.best_score is None or score > standing.best_score)
            if better:
                standing.best_score, standing.best_epoch, standing.waited = score, epoch, 0
                self._keep_best()
            else:
                standing.waited += 1
            record |= {**figures, "best": better}
            line += "".join(f"  {name} {value:.4f}" for name, value in figures.items())
            line += "  (best)" if better else ""
        record["seconds"] = round(standing.seconds, 3)
        standing.total, standing.seen = 0.0, 0
        self._log(record)
        unit, size = self.unit
        speed = len(self.data) * epoch * size / max(standing.seconds, 1e-9)
        self._reporter.line(f"{line}  {speed:,.0f} {unit}/s")

    def _stop_if_asked(self) -> None:
        if self._interrupts.signal is not None:
            self._save()
            raise self._interrupted(saved=True)

    def _interrupted(self, *, saved: bool) -> Interrupted:
        if self._folder is None:
            message = "stopped; nothing was saved, because no folder was given"
        elif saved:
            message = f"stopped and saved in {self._folder.path}; the same command goes on from here"
        else:
            message = f"stopped at once; the same command goes on from the last checkpoint in {self._folder.path}"
        self._reporter.line(message)
        return Interrupted(self._interrupts.exit_code, message)

    def _log(self, record: Mapping[str, Any]) -> None:
        if self._folder is not None:
            self._folder.log(record)

    def _save(self) -> None:
        if self._folder is None:
            return
        document = {"settings": self.settings, "cursor": self.batches.state(), "standing": asdict(self._standing)}
        arrays = {name: state.value for name, state in self.states.items()}
        self._folder.save(self._standing.steps, arrays, document, self._best_file)
        self._saved = time.monotonic()

    def _load(self, found: Checkpoint) -> None:
        assert self._folder is not None
        changes = differences(found.document["settings"], self.settings)
        if changes:
            raise OtherSettingsError(self._folder.path, changes)
        try:
            load_arrays(self.states, found.arrays)
            self.batches.load(found.document["cursor"])
        except ValueError as error:
            raise CheckpointError(f"the training in {self._folder.path} is of another model: {error}") from error
        self._standing = Standing(**found.document["standing"])
        self._best_file = found.document["best"]

    def _keep_best(self) -> None:
        if self._folder is not None:
            states = self.model.states()
            arrays = {name: state.value for name, state in states.items()}
            self._best_file = self._folder.save_best(self.batches.epoch, arrays)
        else:
            self._best = arrays_of(self.model.states())

    def _averaged(self) -> AbstractContextManager[None]:
        return nullcontext() if self.average is None else self.average.in_place()

    def _restore_best(self) -> None:
        if self._folder is not None and self._best_file is not None:
            self.model.load(dict(self._folder.load_best(self._best_file)))
        elif self._best is not None:
            self.model.load(self._best)
        elif self.average is not None:
            with self.average.in_place():
                arrays = arrays_of(self.model.states())
            self.model.load(arrays)


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs between two settings, in words."""
    found = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{name}.")
        elif _is_digest(old) and _is_digest(new) and old != new:
            found.append(f"{prefix}{name} is other data")
        elif name not in before or name not in now or old != new:
            found.append(f"{prefix}{name} was {json.dumps(old)}, is {json.dumps(new)}")
    return found


def _is_digest(value: object) -> bool:
    """Whether a setting is a SHA-256 of something large."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _figures(result: float | Mapping[str, float]) -> dict[str, float]:
    if not isinstance(result, Mapping):
        return {"score": float(result)}
    if "score" not in result:
        raise ValueError(f'evaluate gave {", ".join(result) or "nothing"}, but no "score" among them')
    return {name: float(value) for name, value in result.items()}
