"""What tuning needs of n-best lists: features and BLEU statistics of all hypotheses, without their words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.data.lines import Source, source_name
from amigrad.tasks.rescoring.alignment import read_sentences
from amigrad.tasks.rescoring.bleu import Words, bleu_statistics, corpus_bleu
from amigrad.tasks.rescoring.nbest import NBestList

Array = NDArray[Any]
Step = Callable[[], None]


@dataclass(frozen=True)
class TuningSet:
    """The M hypotheses of S sentences, list behind list.

    features: (M, F) float32; statistics: (M, 9) int16, as `bleu_statistics` gives them; scores: (M,) float64 of the
    decoder, or None; counts: (S,) hypotheses of each sentence.
    """

    names: tuple[str, ...]
    features: NDArray[np.float32]
    statistics: NDArray[np.int16]
    scores: NDArray[np.float64] | None
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, lists: Iterable[tuple[NBestList, Sequence[Words]]], step: Step = lambda: None) -> TuningSet:
        """Features and statistics of lists, each with the references of its sentence; `step` is called after each."""
        features, statistics, scores = [], [], []
        names: tuple[str, ...] = ()
        for found, references in lists:
            names = found.names
            features.append(found.features.astype(np.float32))
            statistics.append(bleu_statistics(found.hypotheses, references).astype(np.int16))
            scores.append(found.scores)
            step()
        return cls(
            names,
            np.concatenate(features),
            np.concatenate(statistics),
            None if scores[0] is None else np.concatenate([score for score in scores if score is not None]),
            np.array([len(block) for block in features]),
        )

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The row at which each list begins, (S,)."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def sentences(self) -> NDArray[np.int64]:
        """The sentence of each row, (M,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def scale(self) -> NDArray[np.float32]:
        """The standard deviation of each feature within the lists, (F,); 1 for a feature that never differs."""
        total = np.zeros(self.features.shape[1])
        for block in self.blocks():
            centred = block.centre(block.features.astype(np.float64))
            total += np.einsum("mf,mf->f", centred, centred)
        deviation = np.sqrt(total / len(self.features))
        return np.where(deviation > 0, deviation, 1).astype(np.float32)

    def blocks(self, rows: int = 1 << 15) -> Iterator[TuningSet]:
        """The set in parts of whole lists, about so many rows each, which share its memory."""
        first = 0
        while first < len(self.counts):
            begin = int(self.starts[first])
            last = max(int(np.searchsorted(self.starts, begin + rows)), first + 1)
            end = int(self.starts[last]) if last < len(self.counts) else len(self.features)
            part = slice(begin, end)
            scores = None if self.scores is None else self.scores[part]
            yield TuningSet(self.names, self.features[part], self.statistics[part], scores, self.counts[first:last])
            first = last

    def centre(self, values: Array) -> Array:
        """Values (M, ...) less their mean over each list."""
        means = np.add.reduceat(values, self.starts, axis=0) / self.counts.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(values - means[self.sentences].astype(values.dtype))

    def best(self, scores: Array) -> NDArray[np.int64]:
        """Rows of the highest score (M,) of each list, the first of equal ones; (S,)."""
        highest = np.maximum.reduceat(scores, self.starts)
        rows = np.flatnonzero(scores == highest[self.sentences])
        return rows[np.unique(self.sentences[rows], return_index=True)[1]]

    def bleu(self, rows: NDArray[np.int64]) -> float:
        """BLEU of the hypotheses in these rows, one a sentence."""
        return float(corpus_bleu(self.statistics[rows].sum(axis=0, dtype=np.int64)))

    def spread(self, weights: NDArray[np.float64]) -> float:
        """The standard deviation of the scores by these weights (F,) within the lists; 1 if they never differ."""
        return float(self.centre(self.features @ weights.astype(np.float32)).std()) or 1.0

    def without(self, names: Sequence[str], path: str) -> TuningSet:
        """The set less some features. Raises DataError, about the file `path`, if it does not have them."""
        for name in names:
            if name not in self.names:
                problem = f"there is no feature '{name}' to leave out"
                raise DataError(path, None, problem, f"There are {', '.join(self.names)}")
        kept = [place for place, name in enumerate(self.names) if name not in names]
        if not kept:
            raise DataError(path, None, "no feature is left to tune", "Leave fewer features out")
        return replace(self, names=tuple(self.names[place] for place in kept), features=self.features[:, kept])

    def part(self, sentences: NDArray[np.int64]) -> TuningSet:
        """The lists of some sentences, in this order."""
        rows = np.concatenate([np.arange(self.starts[i], self.starts[i] + self.counts[i]) for i in sentences])
        scores = None if self.scores is None else self.scores[rows]
        return TuningSet(self.names, self.features[rows], self.statistics[rows], scores, self.counts[sentences])


def with_references(
    lists: Iterable[NBestList], references: Sequence[Source]
) -> Iterator[tuple[NBestList, Sequence[Words]]]:
    """Each list with the references of its sentence, line by line from one file or several.

    Raises DataError if a file of references has another number of sentences than there are lists.
    """
    columns = [read_sentences(file) for file in references]
    count = 0
    for found in lists:
        count += 1
        for file, column in zip(references, columns, strict=True):
            if found.number >= len(column):
                problem = f"sentence {found.number} has no reference: {source_name(file)} has {len(column):,} lines"
                raise DataError(found.path, found.line, problem, "Give a reference for each sentence, a line each")
        yield found, [column[found.number] for column in columns]
    for file, column in zip(references, columns, strict=True):
        if len(column) > count:
            problem = f"reference {count + 1:,} of {len(column):,}, but the lists end with sentence {count:,}"
            raise DataError(source_name(file), count + 1, problem, "Give a reference for each sentence, a line each")
