"""What a backend makes of a program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from amigrad.backends.program import Program
from amigrad.graph.tensor import Array

PROCESS, BUSY = 0, 1
"""Words of the memory of a compiled function: where it says where native code finds what it knows of the process, and
whether a thread runs the function that may let others run meanwhile.
"""
_process = np.zeros(1, dtype=np.int64)


def new_words() -> Array:
    """The memory of a compiled function; `native/fastcall.py` says what stands in it."""
    words = np.zeros(5, dtype=np.int64)
    words[PROCESS] = _process.ctypes.data
    return words


def tell_native(address: int) -> None:
    """Where what native code knows of the process is from now on."""
    _process[0] = address


class Direct(NamedTuple):
    """How native code runs a plan by itself; all but the last are addresses."""

    step: int
    """A function that takes the frame and gives 0 if all went well."""
    frame: int
    tokens: int
    """Where the frame has the tokens of inputs and outputs."""
    arena: int
    """Where the frame says which arena it uses, which has to be what is found at ..."""
    present_arena: int
    is_long: bool
    """Whether other threads should run meanwhile."""


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

    def direct(self, plan: Any) -> Direct | None:
        """How native code runs a plan, if all of it is native."""
        return None

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
