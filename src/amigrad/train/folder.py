"""The folder of a training: its lock, checkpoints, best models and log."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from amigrad.train.checkpoint import Checkpoint, Checkpoints, load_checkpoint, save_checkpoint
from amigrad.train.errors import TrainingError, unwritable
from amigrad.train.log import Log

Arrays = Mapping[str, npt.NDArray[Any]]


class Folder:
    """Everything that a training keeps on disk: `checkpoint-*.safetensors`, `best-*.safetensors`, `log.jsonl`.

    A checkpoint names the best model that belongs to it and the length of its log, so that all three are of
    one moment when it is read again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.checkpoints = Checkpoints(self.path)
        self._log: Log | None = None
        self._best_of: dict[int, str | None] = {}

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Within this context the folder is there and no other run can use it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = open(self.path / ".lock", "ab")  # noqa: SIM115
        except OSError as error:
            raise unwritable(self.path, error.errno, str(error)) from error
        with lock:
            if os.name == "posix":
                fcntl = importlib.import_module("fcntl")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise TrainingError(f"another run is training in {self.path}: use another folder") from None
            # What a killed run was just writing: ours, and the file under which safetensors begins.
            for left in [*self.path.glob("*.partial"), *self.path.glob(".tmp*")]:
                left.unlink(missing_ok=True)
            try:
                yield
            finally:
                if self._log is not None:
                    self._log.close()

    def resume(self) -> Checkpoint | None:
        """The newest whole checkpoint, if there is any; the log is cut back to it."""
        found = self.checkpoints.newest()
        if found is not None:
            self._best_of[self.checkpoints.numbers()[-1]] = found.document["best"]
        self._log = Log(self.path / "log.jsonl", found.document["log"] if found else 0)
        return found

    def clear(self) -> None:
        """Remove what an earlier training left."""
        self.checkpoints.clear()
        for path in self.path.glob("best-*.safetensors"):
            path.unlink(missing_ok=True)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append a record to the log."""
        assert self._log is not None
        self._log.write(record)

    def save(self, number: int, arrays: Arrays, document: Mapping[str, Any], best: str | None) -> None:
        """Write a checkpoint; best models that no kept one names are removed."""
        assert self._log is not None
        self.checkpoints.save(number, arrays, {**document, "log": self._log.sync(), "best": best})
        self._best_of[number] = best
        kept = self.checkpoints.numbers()
        if all(n in self._best_of for n in kept):
            named = {self._best_of[n] for n in kept}
            for path in self.path.glob("best-*.safetensors"):
                if path.name not in named:
                    path.unlink(missing_ok=True)

    def save_best(self, epoch: int, arrays: Arrays) -> str:
        """Write the best model so far, of this epoch; gives its file's name."""
        name = f"best-{epoch:06}.safetensors"
        save_checkpoint(self.path / name, arrays, {"epoch": epoch})
        return name

    def load_best(self, name: str) -> Arrays:
        """The best model of this file."""
        return load_checkpoint(self.path / name).arrays
