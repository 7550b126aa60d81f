"""Metrics of taggers: token accuracy, and precision, recall and F1 of chunks as conlleval counts them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data.encoding import tolerant_spans

Labels = Sequence[str] | Sequence[int] | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many of some tokens are tagged right."""

    correct: int = 0
    total: int = 0

    @property
    def value(self) -> float:
        """Share of the tokens that are right, between 0 and 1; 0 if there are none."""
        return _ratio(self.correct, self.total)


class TokenAccuracy:
    """Token accuracy over many sentences; for known and unknown words apart where that is told."""

    def __init__(self) -> None:
        self._counts = {True: Accuracy(), False: Accuracy(), None: Accuracy()}

    def update(self, gold: Labels, predicted: Labels, known: Sequence[bool] | NDArray[np.bool_] | None = None) -> None:
        """Count some tokens: tags or their indices, and whether training has seen each word."""
        _check_lengths(gold, predicted)
        if isinstance(gold, np.ndarray) or isinstance(predicted, np.ndarray):
            right = np.asarray(np.asarray(gold) == np.asarray(predicted))
        else:
            right = np.fromiter(map(eq, gold, predicted), bool, len(gold))
        if known is None:
            self._add(None, right)
            return
        _check_lengths(gold, known)
        mask = np.asarray(known, dtype=bool)
        self._add(True, right[mask])
        self._add(False, right[~mask])

    @property
    def overall(self) -> Accuracy:
        """Accuracy on all tokens."""
        parts = self._counts.values()
        return Accuracy(sum(part.correct for part in parts), sum(part.total for part in parts))

    @property
    def known(self) -> Accuracy:
        """Accuracy on words that training has seen."""
        return self._counts[True]

    @property
    def unknown(self) -> Accuracy:
        """Accuracy on words that training has not seen."""
        return self._counts[False]

    def _add(self, part: bool | None, right: NDArray[np.bool_]) -> None:
        before = self._counts[part]
        self._counts[part] = Accuracy(before.correct + int(right.sum()), before.total + right.size)


@dataclass(frozen=True, slots=True)
class ChunkScore:
    """Precision, recall and F1 of the chunks of one label, or of all; shares between 0 and 1."""

    label: str
    gold: int
    predicted: int
    correct: int

    @property
    def precision(self) -> float:
        """Share of the predicted chunks that are right; 0 if there are none."""
        return _ratio(self.correct, self.predicted)

    @property
    def recall(self) -> float:
        """Share of the gold chunks that were found; 0 if there are none."""
        return _ratio(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if no chunk is right."""
        return _ratio(2 * self.correct, self.gold + self.predicted)


class ChunkScores:
    """Precision, recall and F1 of chunks over many sentences, as conlleval counts them.

    A predicted chunk is right if a gold one has the same label and the same words. Tags may be of any
    scheme (IOB1, IOB2, IOBES), the predicted ones ill-formed too.
    """

    def __init__(self) -> None:
        self.tokens = TokenAccuracy()
        self._gold: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._correct: Counter[str] = Counter()

    def update(self, gold: Sequence[str], predicted: Sequence[str]) -> None:
        """Count the tags of one sentence; no chunk goes from one sentence into the next."""
        self.tokens.update(gold, predicted)
        gold_spans, predicted_spans = tolerant_spans(gold), tolerant_spans(predicted)
        self._gold.update(span.label for span in gold_spans)
        self._predicted.update(span.label for span in predicted_spans)
        self._correct.update(span.label for span in set(gold_spans).intersection(predicted_spans))

    @property
    def accuracy(self) -> float:
        """Share of the tokens that have exactly the gold tag."""
        return self.tokens.overall.value

    @property
    def overall(self) -> ChunkScore:
        """Score of the chunks of all labels together (micro average)."""
        return ChunkScore("overall", self._gold.total(), self._predicted.total(), self._correct.total())

    @property
    def labels(self) -> dict[str, ChunkScore]:
        """Score of each label that is in the gold or the predicted chunks, by name."""
        return {
            label: ChunkScore(label, self._gold[label], self._predicted[label], self._correct[label])
            for label in sorted(self._gold.keys() | self._predicted.keys())
        }

    def table(self) -> list[ChunkScore]:
        """Rows of a report: all chunks first, then label by label."""
        return [self.overall, *self.labels.values()]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _check_lengths(gold: Sequence[Any] | NDArray[Any], other: Sequence[Any] | NDArray[Any]) -> None:
    if len(gold) != len(other):
        raise ValueError(f"{len(gold)} gold tags cannot be compared with {len(other)} values")
