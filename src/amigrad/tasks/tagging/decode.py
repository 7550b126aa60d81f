"""The best legal tags: IOBES tags of chunks can follow one another in some ways only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.backends import compile
from amigrad.graph import float64
from amigrad.nn import CRF, Legal
from amigrad.tasks.tagging.features import Indices

Positions = NDArray[np.intp]
Scores = NDArray[np.floating[Any]]


class Decoder:
    """Makes the tags of each sentence legal IOBES, where the best of each token alone are not.

    Of all legal sequences a sentence gets the one with the greatest sum of scores (or of log-probabilities: they differ
    from scores by the same number for all tags of a token). Where the best tags are legal, they are that sequence.

    Before and behind each tag a chunk of some label is open, or none is. A tag may follow another if what is open
    before it is what is open behind the other. Nothing is open where a sentence begins and ends.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        """Take all tags by index: `O`, or `B`, `I`, `E`, `S` with a label."""
        labels = sorted({tag[2:] for tag in tags if tag[0] in "BIE"})
        state = {label: number for number, label in enumerate(labels, _CLOSED + 1)}
        self._before = np.array([state[tag[2:]] if tag[0] in "IE" else _CLOSED for tag in tags], np.int32)
        self._behind = np.array([state[tag[2:]] if tag[0] in "BI" else _CLOSED for tag in tags], np.int32)
        # Sequences without scores of transitions, in numbers that add up over a sentence of any length.
        crf, legal = CRF(len(tags), dtype=float64), self.legal
        self._decode = compile(lambda scores, lengths: crf.decode(scores, lengths, legal))

    @property
    def legal(self) -> Legal:
        """Which tags may come first, which after which, and which last."""
        following = self._behind[:, None] == self._before
        return Legal(self._before == _CLOSED, following, self._behind == _CLOSED)

    def correct(self, tags: Indices, scores: Scores, lengths: Sequence[int]) -> None:
        """Write legal tags in place of others. tags: (N,); scores: (N, tags); lengths: how many each sentence has.

        A sentence for which no sequence is legal stays as it is.
        """
        sizes = np.array(lengths, np.intp)
        starts = np.cumsum(sizes) - sizes
        illegal = self._illegal(tags, starts, sizes)
        if not len(illegal):
            return
        own = np.concatenate([np.arange(starts[one], starts[one] + sizes[one]) for one in illegal])
        sizes = sizes[illegal]
        found = self._decode(scores[own], sizes.astype(np.int32)).value.astype(np.int32)
        impossible = np.isin(np.arange(len(sizes)), self._illegal(found, np.cumsum(sizes) - sizes, sizes))
        right = ~np.repeat(impossible, sizes)
        tags[own[right]] = found[right]

    def _illegal(self, tags: Indices, starts: Positions, sizes: Positions) -> Positions:
        """The sentences whose tags are not legal."""
        if not len(sizes):
            return np.empty(0, np.intp)
        # Each sentence with a place before and one behind it, where nothing is open.
        numbers = np.arange(len(sizes))
        places = np.arange(len(tags)) + np.repeat(numbers, sizes) + 1
        before, behind = np.full((2, len(tags) + len(sizes) + 1), _CLOSED, np.int32)
        before[places], behind[places] = self._before[tags], self._behind[tags]
        return np.flatnonzero(np.logical_or.reduceat(before[1:] != behind[:-1], starts + numbers))


_CLOSED = 0
