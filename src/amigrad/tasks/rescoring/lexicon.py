"""Which words translate which: a lexical table from word alignments, and links by it where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.rescoring.contexts import Links, Pairs, Sentences

_LEAST = 0.02
"""Translations less probable than this are not kept."""

_DIAGONAL = 0.5
"""What a link loses, as a logarithm, whose positions are as far from the diagonal as can be."""

Table = NDArray[np.float32]


class Lexicon:
    """p(source word | target word), as the share of the target word's links; of frequent translations only."""

    def __init__(self, keys: NDArray[np.int64], shares: Table, sources: int) -> None:
        """keys: sorted, target · sources + source; shares: the probability of each."""
        self.keys, self.shares, self.sources = keys, shares, sources

    @classmethod
    def build(cls, pairs: Pairs, sources: int) -> Lexicon:
        """Count the links of some pairs. `sources` is the number of entries of the source vocabulary."""
        source, target = linked_words(pairs)
        keys, counts = np.unique(target.astype(np.int64) * sources + source, return_counts=True)
        totals = np.bincount(target)
        shares = counts / totals[keys // sources]
        kept = shares >= _LEAST
        return cls(keys[kept], shares[kept].astype(np.float32), sources)

    def probabilities(self, source: NDArray[Any], target: NDArray[Any]) -> Table:
        """p(source word | target word) of pairs of indices, 0 where it is not kept. (N,)"""
        if not len(self.keys):
            return np.zeros(len(source), np.float32)
        keys = target.astype(np.int64) * self.sources + source
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.shares[places], np.float32(0.0))

    def links(self, source: Sentences, target: Sentences, mates: NDArray[np.int64]) -> Links:
        """The best link of each target word, if it has any: (n, 3), as `Pairs` has them.

        The source word of its sentence that the table says most of; of equal ones that nearest to the diagonal.
        """
        found = []
        starts = np.cumsum(source.lengths) - source.lengths
        ends = np.cumsum(target.lengths)
        for first in range(0, len(target), _PART):
            last = min(first + _PART, len(target))
            lengths = target.lengths[first:last]
            words = target.words[ends[first] - target.lengths[first] : ends[last - 1]]
            sentence = np.repeat(np.arange(first, last), lengths)
            inside = np.arange(len(words)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            found.append(self._best(source, starts, mates[sentence], sentence, inside, words, target.lengths[sentence]))
        return np.concatenate(found) if found else np.empty((0, 3), np.int64)

    def _best(
        self,
        source: Sentences,
        starts: NDArray[np.int64],
        mates: NDArray[np.int64],
        sentence: NDArray[np.int64],
        inside: NDArray[np.int64],
        words: NDArray[np.int32],
        lengths: NDArray[np.int64],
    ) -> Links:
        """The best link of each of these target words, with a row for each source word that it could have."""
        choices = source.lengths[mates]
        row = np.repeat(np.arange(len(words)), choices)
        place = np.arange(len(row)) - np.repeat(np.cumsum(choices) - choices, choices)
        share = self.probabilities(source.words[starts[mates[row]] + place], words[row])
        apart = np.abs((inside[row] + 0.5) / lengths[row] - (place + 0.5) / choices[row])
        kept = np.flatnonzero(share > 0)
        row, place, score = row[kept], place[kept], np.log(share[kept]) - _DIAGONAL * apart[kept]
        order = np.lexsort((place, -score, row))
        best = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
        return np.column_stack([sentence[row[best]], place[best], inside[row[best]]])


_PART = 256


def linked_words(pairs: Pairs) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The source word and the target word of each link. (n,) and (n,)"""
    source_starts = np.cumsum(pairs.source.lengths) - pairs.source.lengths
    target_starts = np.cumsum(pairs.target.lengths) - pairs.target.lengths
    number = pairs.links[:, 0]
    source = pairs.source.words[source_starts[pairs.mates[number]] + pairs.links[:, 1]]
    return source, pairs.target.words[target_starts[number] + pairs.links[:, 2]]
