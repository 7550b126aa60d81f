"""The best legal tags: IOBES tags of chunks can follow one another in some ways only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.nn import Legal
from amigrad.tasks.tagging.features import Indices

Positions = NDArray[np.intp]
Scores = NDArray[np.floating[Any]]


class Decoder:
    """Makes the tags of each sentence legal IOBES, where the best of each token alone are not.

    Of all legal sequences a sentence gets the one with the greatest sum of scores (or of log-probabilities: they differ
    from scores by the same number for all tags of a token). Where the best tags are legal, they are that sequence.

    Before and behind each tag a chunk of some label is open, or none is: a state. A tag may follow another if the state
    before it is the state behind the other. None is open where a sentence begins and ends.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        """Take all tags by index: `O`, or `B`, `I`, `E`, `S` with a label."""
        labels = sorted({tag[2:] for tag in tags if tag[0] in "BIE"})
        state = {label: number for number, label in enumerate(labels, _CLOSED + 1)}
        self._before = np.array([state[tag[2:]] if tag[0] in "IE" else _CLOSED for tag in tags], np.int32)
        self._behind = np.array([state[tag[2:]] if tag[0] in "BI" else _CLOSED for tag in tags], np.int32)
        self._states = len(state) + 1
        # Tags by the state behind them, the states that there are, and where the tags of each begin.
        self._order = np.argsort(self._behind, kind="stable")
        self._reached, self._groups = np.unique(self._behind[self._order], return_index=True)

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
        illegal = illegal[np.argsort(-sizes[illegal], kind="stable")]  # the longest first
        while len(illegal):
            together = max(1, _ENTRIES // int(sizes[illegal[0]] * len(self._behind)))
            part, illegal = illegal[:together], illegal[together:]
            self._decode(tags, scores, starts[part], sizes[part])

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

    def _decode(self, tags: Indices, scores: Scores, starts: Positions, sizes: Positions) -> None:
        """The best legal sequences of sentences, the longest first: Viterbi's algorithm for all at once."""
        longest = int(sizes[0])
        active = np.searchsorted(-sizes, -np.arange(longest), side="left")  # sentences that have a token there
        # The greatest sum of scores up to each token with each state behind it.
        best = np.full((longest + 1, len(sizes), self._states), -np.inf)
        best[0, :, _CLOSED] = 0.0
        for token in range(longest):
            count = active[token]
            sums = best[token, :count][:, self._before] + scores[starts[:count] + token]
            best[token + 1, :count, self._reached] = np.maximum.reduceat(sums[:, self._order], self._groups, axis=1).T
        possible = best[sizes, np.arange(len(sizes)), _CLOSED] > -np.inf
        state = np.full(len(sizes), _CLOSED, np.int32)
        for token in reversed(range(longest)):
            count = active[token]
            sums = best[token, :count][:, self._before] + scores[starts[:count] + token]
            sums[self._behind != state[:count, None]] = -np.inf
            chosen = sums.argmax(axis=1)
            state[:count] = self._before[chosen]
            right = possible[:count]
            tags[starts[:count][right] + token] = chosen[right]


_CLOSED = 0
_ENTRIES = 1 << 20
