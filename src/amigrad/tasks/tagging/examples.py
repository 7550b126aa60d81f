"""Sentences as examples: windows of word types around each token, cut for a whole batch at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Sentence
from amigrad.graph import state
from amigrad.tasks.tagging.features import PADDING_TYPE, Features, Indices
from amigrad.tasks.tagging.options import TaggerOptions


class Windows:
    """The windows around the tokens of some sentences, in their order; none reaches into another sentence."""

    def __init__(self, types: Indices, lengths: Sequence[int], window: int) -> None:
        """Take the word types of all tokens, and how many of them each sentence has."""
        half = window // 2
        sentence = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        # Between two sentences there is one padding, long enough for the end of one and the beginning of the other.
        self.positions: Indices = np.arange(len(types), dtype=np.int32) + half * (sentence + 1)
        self.types: Indices = np.full(len(types) + half * (len(lengths) + 1), PADDING_TYPE, np.int32)
        self.types[self.positions] = types
        self._offsets = np.arange(-half, half + 1, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.positions)

    def cut(self, tokens: slice | NDArray[np.integer[Any]]) -> Indices:
        """The word types around these tokens. (N, window)"""
        found: Indices = self.types.take(self.positions[tokens][:, None] + self._offsets)
        return found


class Examples:
    """A tagged corpus to train on. Once an epoch it is drawn anew which rare words are taken for unknown.

    A word that occurs once is unknown with the probability that the options say, independently in each epoch;
    which ones are depends on the seed and the number of the epoch only. Batches have the options' size.
    """

    def __init__(
        self, features: Features, sentences: Sequence[Sentence], tags: Mapping[str, int], options: TaggerOptions
    ) -> None:
        """Take sentences with the model's tags, and these tags by index."""
        words = list(chain.from_iterable(sentence.words for sentence in sentences))
        types = features.types(words)
        self.windows = Windows(types, [len(sentence) for sentence in sentences], features.window)
        self.targets: Indices = np.fromiter(
            (tags[tag] for sentence in sentences for tag in sentence.tags), np.int32, len(types)
        )
        # A second type for each word that occurs once: the same features, but of an unknown word.
        vocabulary = features.vocabularies["word"]
        single = np.flatnonzero(vocabulary.counts[features.table[0]] == 1)
        twins = features.table[:, single]
        twins[0] = 0 if vocabulary.unknown is None else vocabulary.unknown
        self._twin = np.arange(features.table.shape[1], dtype=np.int32)
        self._twin[single] = np.arange(len(single), dtype=np.int32) + len(self._twin)
        self._table = np.concatenate([features.table, twins], axis=1)
        self._known_types = self.windows.types
        self._candidates = np.flatnonzero(self._twin[self._known_types] != self._known_types)
        self._options = options
        self._epoch: int | None = None
        self.batches = state(0, name="batches")
        """How many batches were taken so far; saved and loaded again, so that a resumed run knows its epoch."""

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has; the last one may be smaller."""
        return -(-len(self) // self._options.batch_size)

    def batch(self, indices: NDArray[np.integer[Any]]) -> tuple[list[Indices], Indices]:
        """These examples as the next batch: windows (N, window) for each feature column, and targets (N,)."""
        epoch = int(self.batches.value) // self.batches_per_epoch
        if epoch != self._epoch:
            self._draw_unknown(epoch)
        self.batches.value[...] += 1
        return list(self._table.take(self.windows.cut(indices), axis=1)), self.targets.take(indices)

    def _draw_unknown(self, epoch: int) -> None:
        generator = np.random.Philox(np.random.SeedSequence([self._options.seed, epoch, _UNKNOWN_STREAM]))
        bits = generator.random_raw(len(self._candidates)) >> np.uint64(11)
        chosen = self._candidates[bits * 2.0**-53 < self._options.unknown_probability]
        types = self._known_types.copy()
        types[chosen] = self._twin[types[chosen]]
        self.windows.types = types
        self._epoch = epoch


def word_counts(sentences: Iterable[Sentence]) -> Counter[str]:
    """How often each word occurs."""
    return Counter(chain.from_iterable(sentence.words for sentence in sentences))


_UNKNOWN_STREAM = 1
