"""Sentences as examples: windows of word types around each token, cut for a whole batch at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Sentence
from amigrad.graph import state
from amigrad.tasks.tagging.features import PADDING_TYPE, Features, Indices
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.spelling import used


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


class Batch(NamedTuple):
    """What a training step takes: N words, those of whole sentences if there are lengths."""

    columns: list[Indices]
    """The entries of each feature column, (N, window)."""
    targets: Indices
    """(N,)"""
    lengths: Indices | None
    """How many of the words each sentence has, None for words without order."""
    spelling: Spelling | None
    """The characters, where they are a feature."""


class Spelling(NamedTuple):
    """The characters of some words: those of each only once."""

    letters: Indices
    """The characters of each different word, (U, L)."""
    places: Indices
    """Which of these words stands where in the windows, (N, window)."""


class Examples:
    """A tagged corpus to train on, of words or of whole sentences. Once an epoch it is drawn anew which rare words are
    taken for unknown.

    A word that occurs once is unknown with the probability that the options say, independently in each epoch;
    which ones are depends on the seed and the number of the epoch only. Batches have so many examples.
    """

    def __init__(
        self,
        features: Features,
        sentences: Sequence[Sentence],
        tags: Mapping[str, int],
        options: TaggerOptions,
        *,
        batch_size: int,
        whole: bool = False,
        pretrained: Container[str] = (),
        given: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Take sentences with the model's tags, and these tags by index.

        whole: the examples are sentences, not words; those that are empty are left out. pretrained: words of the
        vocabulary that have vectors: they are taken for unknown a fifth as often. given: as in `Features.encode`.
        """
        sentences = [sentence for sentence in sentences if len(sentence)]
        words = list(chain.from_iterable(sentence.words for sentence in sentences))
        self._lengths = np.array([len(sentence) for sentence in sentences], np.int32)
        self._ends = np.cumsum(self._lengths)
        self._whole = whole
        types, table = features.encode(words, self._lengths.tolist(), given)
        self.windows = Windows(types, self._lengths.tolist(), features.window)
        self.targets: Indices = np.fromiter(
            (tags[tag] for sentence in sentences for tag in sentence.tags), np.int32, len(types)
        )
        # A second type for each word that occurs once: the same features, but of an unknown word.
        vocabulary = features.vocabularies["word"]
        single = np.flatnonzero(vocabulary.counts[table[0]] == 1)
        seldom = np.array([vocabulary.word(entry) in pretrained for entry in table[0, single]], bool)
        twins = table[:, single]
        twins[0] = 0 if vocabulary.unknown is None else vocabulary.unknown
        self._twin = np.arange(table.shape[1], dtype=np.int32)
        self._twin[single] = np.arange(len(single), dtype=np.int32) + len(self._twin)
        self._table = np.concatenate([table, twins], axis=1)
        self._columns = len(features.columns)
        self._known_types = self.windows.types
        self._candidates = np.flatnonzero(self._twin[self._known_types] != self._known_types)
        share = np.ones(table.shape[1])
        share[single[seldom]] = _SELDOM
        self._probability = options.unknown_probability * share[self._known_types[self._candidates]]
        self._options = options
        self._batch_size = batch_size
        self._epoch: int | None = None
        self.batches = state(0, name="batches")
        """How many batches were taken so far; saved and loaded again, so that a resumed run knows its epoch."""

    def __len__(self) -> int:
        return len(self._lengths) if self._whole else len(self.windows)

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has; the last one may be smaller."""
        return -(-len(self) // self._batch_size)

    def batch(self, indices: NDArray[np.integer[Any]]) -> Batch:
        """These examples as the next batch."""
        epoch = int(self.batches.value) // self.batches_per_epoch
        if epoch != self._epoch:
            self._draw_unknown(epoch)
        self.batches.value[...] += 1
        lengths = self._lengths[indices] if self._whole else None
        words = indices if lengths is None else _ranges(self._ends[indices] - lengths, lengths)
        types = self.windows.cut(words)
        columns = list(self._table[: self._columns].take(types, axis=1))
        return Batch(columns, self.targets.take(words), lengths, spelled(self._table[self._columns :], types))

    def _draw_unknown(self, epoch: int) -> None:
        generator = np.random.Philox(np.random.SeedSequence([self._options.seed, epoch, _UNKNOWN_STREAM]))
        bits = generator.random_raw(len(self._candidates)) >> np.uint64(11)
        chosen = self._candidates[bits * 2.0**-53 < self._probability]
        types = self._known_types.copy()
        types[chosen] = self._twin[types[chosen]]
        self.windows.types = types
        self._epoch = epoch


def spelled(letters: Indices, types: Indices) -> Spelling | None:
    """The characters of word types. letters: those of all types, (rows, types), no rows for None; types: (N, window)"""
    if not len(letters):
        return None
    distinct, index = np.unique(types, return_inverse=True)
    return Spelling(used(letters[:, distinct]), index.reshape(types.shape).astype(np.int32))


def _ranges(starts: NDArray[np.integer[Any]], lengths: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """All numbers from each start on, so many, one behind the other."""
    before = np.cumsum(lengths) - lengths
    found: NDArray[np.integer[Any]] = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return found


def word_counts(sentences: Iterable[Sentence]) -> Counter[str]:
    """How often each word occurs."""
    return Counter(chain.from_iterable(sentence.words for sentence in sentences))


_UNKNOWN_STREAM = 1
_SELDOM = 0.2
