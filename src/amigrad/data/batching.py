"""Shuffled batches of examples with a cursor that can be saved."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray


class Batches:
    """Epochs of shuffled batches of the indices 0 to `size` - 1.

    Each loop over it is one epoch, in an order that depends on `seed` and the number of the epoch only.
    The cursor moves on before a batch is handed out, so a state that is saved while a batch is worked on
    goes on behind it. A loop that was left early, here or before the state was saved, is gone on with by
    the next one; it may have no batches left. After the last batch, the epoch is over once the loop ends.
    """

    def __init__(self, size: int, batch_size: int, seed: int, *, drop_last: bool = False) -> None:
        """Take `batch_size` examples at a time; `drop_last` leaves out a smaller batch at the end."""
        if size < 1 or batch_size < 1:
            raise ValueError(f"batches of {batch_size} out of {size} examples: both must be at least 1")
        if seed < 0:
            raise ValueError(f"seed {seed} must not be negative")
        if drop_last and size < batch_size:
            raise ValueError(f"{size} examples do not fill a batch of {batch_size}, and drop_last leaves none")
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.drop_last = drop_last
        self._epoch = 0
        self._position = 0

    @property
    def epoch(self) -> int:
        """Number of the epoch the cursor is in, counted from 0."""
        return self._epoch

    @property
    def position(self) -> int:
        """How many examples of the epoch have been handed out."""
        return self._position

    def __len__(self) -> int:
        """Batches in a whole epoch."""
        return -(-self._end // self.batch_size)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        epoch = self._epoch
        order = permutation(self.size, self.seed, epoch)
        while self._position < self._end:
            start = self._position
            self._position = min(start + self.batch_size, self._end)
            yield order[start : self._position]
            if self._epoch != epoch:
                raise RuntimeError("the cursor was moved to another epoch inside a loop over its batches")
        self._epoch, self._position = epoch + 1, 0

    def state(self) -> dict[str, int]:
        """The cursor, and what it depends on."""
        return {**self._settings, "epoch": self._epoch, "position": self._position}

    def load(self, state: Mapping[str, int]) -> None:
        """Move the cursor to a saved state. Raises ValueError if it was saved by batches of another kind."""
        for name, value in self._settings.items():
            if state.get(name) != value:
                raise ValueError(f"the saved cursor has {name} {state.get(name)}, but these batches have {value}")
        epoch, position = state.get("epoch", -1), state.get("position", -1)
        reachable = position == self._end or (0 <= position < self._end and position % self.batch_size == 0)
        if epoch < 0 or not reachable:
            raise ValueError(f"the saved cursor is at no batch: epoch {epoch}, position {position}")
        self._epoch, self._position = epoch, position

    @property
    def _end(self) -> int:
        return self.size - self.size % self.batch_size if self.drop_last else self.size

    @property
    def _settings(self) -> dict[str, int]:
        return {
            "size": self.size,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "drop_last": int(self.drop_last),
        }


def permutation(size: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The indices 0 to `size` - 1 in the order of an epoch.

    They are sorted by random 64-bit keys of a counter-based generator, whose bits NumPy promises to keep,
    which it does not for its shuffling.
    """
    keys = np.random.Philox(np.random.SeedSequence([seed, epoch])).random_raw(size)
    return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
