"""What a backend makes of a program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amigrad.backends.program import Program
from amigrad.graph.tensor import Array


class Executor(ABC):
    """A program made ready to run by a backend."""

    program: Program

    @abstractmethod
    def plan(self, sizes: Mapping[str, int]) -> Any:
        """What depends on the sizes of the data only, computed once for each combination."""

    @abstractmethod
    def run(self, plan: Any, arrays: list[Array]) -> list[Array]:
        """The outputs for these inputs, after the assignments to states were made."""

    def dump(self, folder: str | Path) -> Path:
        """Write what the backend made of the program into a new folder in this one; gives the new folder."""
        raise NotImplementedError("this backend has no stages to write down")

    def run_batches(self, plan: Any, arrays: list[Array], outputs: list[Array], first: int, stop: int) -> None:
        """Run on the batches from first to stop, which lie along the first axes of inputs and outputs."""
        for batch in range(first, stop):
            try:
                results = self.run(plan, [array[batch, ...] for array in arrays])
            except IndexError as error:
                name_batch(error, batch)
                raise
            for output, result in zip(outputs, results, strict=True):
                output[batch] = result


def name_batch(error: Exception, batch: int) -> None:
    """Let an error say in which batch it was."""
    error.args = (f"batch {batch}: {error}",)
