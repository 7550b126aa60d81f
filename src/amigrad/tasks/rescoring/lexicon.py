"""Which words translate which: a lexical table from word alignments, and links by it where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.rescoring.contexts import Links, Pairs, Sentences

Table = NDArray[np.float32]
Places = NDArray[np.int64]

_LEAST = 1e-4
"""Pairs that are linked less often than this are not kept."""

_DIAGONAL = (4.0, 2.0)
"""What a link loses that is as far from the diagonal as can be: at first, and once neighbours are linked."""

_FARTHEST = 4.0
"""Places from a neighbour's link, from which on farther is no worse."""

_ROUNDS = 2


class Lexicon:
    """How often a source and a target word are linked: the product of the shares of their occurrences that are."""

    def __init__(self, keys: NDArray[np.int64], shares: Table, sources: int) -> None:
        """keys: sorted, target · sources + source; shares: in (0, 1], of each."""
        self.keys, self.shares, self.sources = keys, shares, sources

    @classmethod
    def build(cls, pairs: Pairs, sources: int) -> Lexicon:
        """Count the links of some pairs. `sources` is the number of entries of the source vocabulary."""
        source, target = linked_words(pairs)
        keys, counts = np.unique(target.astype(np.int64) * sources + source, return_counts=True)
        of_source = np.bincount(pairs.source.words, minlength=sources)[keys % sources]
        of_target = np.bincount(pairs.target.words)[keys // sources]
        # A word with several links occurs once.
        shares = np.minimum(counts / of_source, 1.0) * np.minimum(counts / of_target, 1.0)
        kept = shares >= _LEAST
        return cls(keys[kept], shares[kept].astype(np.float32), sources)

    def share(self, source: NDArray[Any], target: NDArray[Any]) -> Table:
        """The share of pairs of words, by their indices; 0 where it is not kept. (N,)"""
        if not len(self.keys):
            return np.zeros(len(source), np.float32)
        keys = target.astype(np.int64) * self.sources + source
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.shares[places], np.float32(0.0))

    def links(self, source: Sentences, target: Sentences, mates: Places) -> Links:
        """The best link of each target word, if it has any: (n, 3), as `Pairs` has them.

        The source word of its sentence that the table says most of, less what it is away from the diagonal; then again,
        less what it is away from where the links of the words beside it let expect it.
        """
        found = []
        ends = np.cumsum(target.lengths)
        for first in range(0, len(target), _PART):
            last = min(first + _PART, len(target))
            lengths = target.lengths[first:last]
            words = target.words[ends[first] - target.lengths[first] : ends[last - 1]]
            part = _best(self, source, Sentences(words, lengths), mates[first:last])
            part[:, 0] += first
            found.append(part)
        return np.concatenate(found) if found else np.empty((0, 3), np.int64)


_PART = 256


def _best(lexicon: Lexicon, source: Sentences, target: Sentences, mates: Places) -> Links:
    """The best links of some target sentences. There is a row for each source word that a target word could have."""
    starts = np.cumsum(source.lengths) - source.lengths
    sentence = np.repeat(np.arange(len(target)), target.lengths)
    inside = np.arange(len(sentence)) - np.repeat(np.cumsum(target.lengths) - target.lengths, target.lengths)
    sizes = source.lengths[mates][sentence]
    row = np.repeat(np.arange(len(sentence)), sizes)
    place = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    share = lexicon.share(source.words[starts[mates[sentence[row]]] + place], target.words[row])
    kept = np.flatnonzero(share > 0)
    row, place, share = row[kept], place[kept], np.log(share[kept])
    apart = np.abs((inside[row] + 0.5) / target.lengths[sentence[row]] - (place + 0.5) / sizes[row])
    best = _largest(row, share - _DIAGONAL[0] * apart)
    for _ in range(_ROUNDS):
        linked = np.full(len(sentence) + 2, np.nan)
        linked[row[best] + 1] = place[best]
        before = np.where(inside > 0, linked[:-2], -1.0)
        after = np.where(inside < target.lengths[sentence] - 1, linked[2:], sizes)
        gaps = np.abs([place - before[row] - 1, after[row] - 1 - place])
        near, far = np.sort(np.minimum(np.nan_to_num(gaps, nan=_FARTHEST), _FARTHEST), axis=0)
        best = _largest(row, share - _DIAGONAL[1] * apart - near - 0.5 * far)
    return np.column_stack([sentence[row[best]], place[best], inside[row[best]]])


def _largest(row: Places, score: NDArray[np.floating[Any]]) -> Places:
    """Where each row, of those that are there, has its largest score; of equal ones the first. row: never falling."""
    order = np.lexsort((-score, row))
    return order[np.flatnonzero(np.diff(row[order], prepend=-1))]


def linked_words(pairs: Pairs) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The source word and the target word of each link. (n,) and (n,)"""
    source_starts = np.cumsum(pairs.source.lengths) - pairs.source.lengths
    target_starts = np.cumsum(pairs.target.lengths) - pairs.target.lengths
    number = pairs.links[:, 0]
    source = pairs.source.words[source_starts[pairs.mates[number]] + pairs.links[:, 1]]
    return source, pairs.target.words[target_starts[number] + pairs.links[:, 2]]
