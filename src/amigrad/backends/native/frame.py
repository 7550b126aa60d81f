"""The frame: all that native code is told for a run, as words of 64 bits behind one pointer.

Words from 0: those named below; a token (`address.py`) for each input and output; the addresses of the other
buffers (states, constant arrays, the arena's slots); how many bytes the batches of each input and output are apart;
the sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct

import numpy as np

from amigrad.backends.native.address import PLACE, token
from amigrad.graph.tensor import Array

FIRST, STOP = 0, 1
"""Which batches the steps are for: `for batch in range(first, stop)`. A call is a step on batch 0."""
TOKEN_PLACE = 2
"""`address.PLACE`."""
ERROR, BATCH = 3, 4
"""What a check that failed leaves here: the index that is outside its table, and the batch."""
THREADS, POOL, SHARE = 5, 6, 7
"""How many threads may work on a kernel, and the memory of their pool and the function that shares work (`pool.py`)."""
ARENA = 8
"""Which of the executor's arenas the slots are in."""
COUNT, TOGETHER, ALONE = 9, 10, 11
"""How many steps were done, and what the last trials of steps with threads and without took (`trial.py`)."""
WORTH = 3
"""Threads help if a step without them takes longer by this power of a half: a smaller gain is not worth a processor."""
HEAD = 12
"""The first word after these."""


class Frame:
    """The memory of a frame. arrays: how many inputs and outputs there are; buffers: how many with all others."""

    def __init__(self, arrays: int, buffers: int, sizes: Sequence[int]) -> None:
        self._words = np.zeros(HEAD + buffers + arrays + len(sizes), dtype=np.int64)
        self._words[STOP] = self._words[THREADS] = 1
        self._words[TOKEN_PLACE] = PLACE
        self._words[HEAD + buffers + arrays :] = sizes
        self._steps = self._words[HEAD + buffers : HEAD + buffers + arrays]
        self.address: int = self._words.ctypes.data
        self.tokens: int = self._words[HEAD:].ctypes.data
        self.arena: int = self._words[ARENA:].ctypes.data
        self.arena_version = -1
        self.give: Callable[..., None] = partial(
            Struct(f"{arrays}Q").pack_into, self._words.data.cast("B"), HEAD * self._words.itemsize
        )
        """Tell the tokens of the inputs and outputs, which must live as long as they are used."""

    def give_batches(self, arrays: Sequence[Array], first: int, stop: int) -> None:
        """Tell where the batches of inputs and outputs are, along their first axes, and which ones to take."""
        self.give(*map(token, arrays))
        self._steps[:] = [array.strides[0] for array in arrays]
        self._words[FIRST], self._words[STOP] = first, stop

    def give_one(self) -> None:
        """Back to a step on one batch, without an axis of batches."""
        self._words[FIRST], self._words[STOP] = 0, 1

    def use(self, threads: int, pool: int, share: int) -> None:
        """Let large kernels be shared among threads."""
        self._words[THREADS], self._words[POOL], self._words[SHARE] = threads, pool, share

    @property
    def threads_help(self) -> bool | None:
        """Whether threads made steps quicker at the last trial; None before the first."""
        together, alone = self._words[[TOGETHER, ALONE]]
        return bool(together + (together >> WORTH) <= alone) if alone else None

    def use_arena(self, number: int) -> None:
        """Tell which arena the slots are in."""
        self._words[ARENA] = self.arena_version = number

    def place(self, buffer: int, address: int) -> None:
        """Tell where a buffer is that is neither input nor output."""
        self._words[HEAD + buffer] = address

    def buffer(self, buffer: int) -> int:
        """Where a buffer is."""
        return int(self._words[HEAD + buffer])

    @property
    def error(self) -> tuple[int, int]:
        """After a check that failed: the index that is outside its table, and the batch it is in."""
        return int(self._words[ERROR]), int(self._words[BATCH])
