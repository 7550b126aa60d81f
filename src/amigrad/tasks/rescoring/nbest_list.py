"""The n-best list of one sentence, whatever format it came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.tasks.rescoring.alignment import Points, flat_points, split_points

Floats = NDArray[np.float64]

ONLY_SCORE = "score"
"""Name of the one feature of a list that has a score and no features."""


@dataclass(frozen=True, slots=True)
class NBestList:
    """The N hypotheses of one sentence, best first.

    `number` is the sentence's id, `line` the line of the first hypothesis (the others follow it line by line).
    scores: (N,) float64, None if the file has none. `alignments` are Pharaoh points as they were read. `records` are
    the lines themselves (Moses) or their JSON objects. `read_features` makes numbers of the features.
    """

    number: int
    path: str
    line: int
    hypotheses: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    read_features: Callable[[], Floats] = field(repr=False)
    scores: Floats | None
    alignments: tuple[str, ...] | None
    records: Sequence[str | Mapping[str, Any]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.hypotheses)

    @property
    def features(self) -> Floats:
        """The values of the features, (N, F). They are read when they are asked for; DataError for one too large."""
        return self.read_features()

    def points(self, source_length: int) -> list[Points]:
        """Alignment points of each hypothesis, (P, 2) int32. Raises DataError for those outside a sentence."""
        return split_points(*self.flat_points(source_length))

    def flat_points(self, source_length: int) -> tuple[Points, NDArray[np.int64]]:
        """The alignment points of all hypotheses one after another, and how many each has: (P, 2), (N,)."""
        if self.alignments is None:
            problem = "the list has no alignments"
            raise DataError(self.path, self.line, problem, "Let the decoder write them, or align with --align")
        lengths = [len(words) for words in self.hypotheses]
        return flat_points(self.alignments, [source_length] * len(lengths), lengths, self.path, self.line)


def block_names(block: str, count: int) -> list[str]:
    """Names of a block's values: the block's own if it is one, else with `.0`, `.1` behind it."""
    return [block] if count == 1 else [f"{block}.{place}" for place in range(count)]
