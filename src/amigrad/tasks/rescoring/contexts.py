"""The words that a joint model sees of pairs of sentences: cut for a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.rescoring.affiliation import affiliate
from amigrad.tasks.rescoring.words import BEGINNING, END, PADDING

Indices = NDArray[np.int32]
Links = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences of one language: the indices of all words one after another, and how many each sentence has."""

    words: Indices
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    def repeated(self, which: NDArray[np.integer[Any]]) -> Sentences:
        """Some of the sentences, in this order, each as often as it is named."""
        lengths = self.lengths[which]
        starts = np.cumsum(self.lengths) - self.lengths
        places = np.repeat(starts[which] - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
        return Sentences(self.words[places], lengths)

    def reversed(self) -> Sentences:
        """The same sentences, each from its last word to its first."""
        ends = np.cumsum(self.lengths)
        places = np.repeat(2 * ends - self.lengths - 1, self.lengths) - np.arange(len(self.words))
        return Sentences(self.words[places], self.lengths)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Source sentences, target sentences, and the links between them.

    mates: (target sentences,), the source sentence of each. links: (n, 3), number of the target sentence, source
    position, target position.
    """

    source: Sentences
    target: Sentences
    mates: NDArray[np.int64]
    links: Links


class Contexts:
    """What each word of some sentences is predicted from: the words before it, and a window of the other language.

    For each sentence its words and then its end are predicted. The window's middle is the word that the predicted one
    is affiliated with; for the end, what stands beyond the last word that way. Beyond the ends of a sentence there are
    its marks, and then padding.
    """

    def __init__(self, pairs: Pairs, *, window: int, history: int, to_source: bool, from_right: bool) -> None:
        """`to_source`: source words are predicted, from windows of the target. `from_right`: the last word first."""
        if to_source:
            predicted, others = pairs.source.repeated(pairs.mates), pairs.target
            mates = np.arange(len(pairs.target))
            links = pairs.links[:, [0, 1, 2]] if window else pairs.links[:0]
        else:
            predicted, others, mates = pairs.target, pairs.source, pairs.mates
            links = pairs.links[:, [0, 2, 1]] if window else pairs.links[:0]
        self.window, self.history = window, history
        self.lengths = predicted.lengths + 1
        """How many predictions each sentence has."""
        lengths = predicted.lengths
        sentence = np.repeat(np.arange(len(lengths)), self.lengths)
        last = np.cumsum(self.lengths) - 1
        inner = np.ones(len(sentence), bool)
        inner[last] = False
        if window:
            self.others, starts = laid_out(others, window // 2 + 1, window // 2 + 1)
            middle = affiliate(links, lengths, others.lengths[mates])
            if from_right:
                middle = Sentences(middle, lengths).reversed().words
            centres = np.empty(len(sentence), np.int64)
            centres[inner] = middle
            centres[last] = -1 if from_right else others.lengths[mates]
            self.centres = (centres + starts[mates][sentence]).astype(np.int32)
            """Where each window's middle is in `others`."""
        else:
            self.others, self.centres = np.full(1, PADDING, np.int32), np.zeros(len(sentence), np.int32)
        self.words, starts = laid_out(predicted.reversed() if from_right else predicted, max(history, 1), 1)
        inside = np.arange(len(sentence)) - np.repeat(last + 1 - self.lengths, self.lengths)
        self.places = (starts[sentence] + inside).astype(np.int32)
        """Where each predicted word is in `words`."""
        self.window_offsets = np.arange(-(window // 2), window // 2 + 1, dtype=np.int32)[:window]
        self.history_offsets = np.arange(-history, 0, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.places)

    def windows(self, which: NDArray[np.integer[Any]] | slice = slice(None)) -> Indices:
        """The other language's words around some predictions. (N, window)"""
        found: Indices = self.others.take(self.centres[which][:, None] + self.window_offsets)
        return found

    def histories(self, which: NDArray[np.integer[Any]] | slice = slice(None)) -> Indices:
        """The words before some predictions, the nearest one last. (N, history)"""
        found: Indices = self.words.take(self.places[which][:, None] + self.history_offsets)
        return found

    def targets(self, which: NDArray[np.integer[Any]] | slice = slice(None)) -> Indices:
        """The words that are predicted. (N,)"""
        found: Indices = self.words.take(self.places[which])
        return found


def laid_out(sentences: Sentences, before: int, after: int) -> tuple[Indices, NDArray[np.int64]]:
    """Sentences one after another with marks around them and padding beyond: the words, and where each one begins.

    A sentence has `before` entries before it, of which the last is its beginning, and as many as `after` behind it, of
    which the first is its end.
    """
    lengths = sentences.lengths
    room = lengths + before + after
    starts = np.cumsum(room) - room + before
    words = np.full(int(room.sum()), PADDING, np.int32)
    words[starts - 1] = BEGINNING
    words[starts + lengths] = END
    inside = np.arange(len(sentences.words)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    words[np.repeat(starts, lengths) + inside] = sentences.words
    return words, starts


def sentences_of(indices: Indices, words: Sequence[Sequence[str]]) -> Sentences:
    """Sentences whose words, one after another, have these indices."""
    return Sentences(indices, np.fromiter(map(len, words), np.int64, len(words)))
