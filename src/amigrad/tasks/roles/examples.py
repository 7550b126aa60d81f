"""Sentences with predicates as examples: groups of sentences of one length, so that nothing is padded."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import PropositionSentence
from amigrad.graph import state
from amigrad.tasks.roles.options import RoleOptions
from amigrad.tasks.roles.tags import tags_of
from amigrad.tasks.tagging.features import PADDING_TYPE, Features, Indices

Rows = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Group:
    """Predicates of B sentences of T words: what a network takes.

    types: (B, T + 2 margin), word types; sentence: (N,), in the group; predicate: (N,), the place of its word; rows:
    (B,), which of all sentences these are; which: (N,), which of all predicates of its sentence each is.
    """

    types: Indices
    sentence: Indices
    predicate: Indices
    rows: Rows
    which: Rows


class Sentences:
    """The word types of some sentences and the places of their predicates."""

    def __init__(
        self, types: Indices, lengths: Sequence[int], predicates: Sequence[Sequence[int]], margin: int
    ) -> None:
        """Take the word types of all words one behind the other; the window reaches `margin` beyond a sentence."""
        self.types = types
        self.lengths = np.array(lengths, np.int64)
        self._starts = np.cumsum(self.lengths) - self.lengths
        self._places = np.array(list(chain.from_iterable(predicates)), np.int32)
        self._counts = np.array([len(places) for places in predicates], np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        self._margin = margin

    def group(self, rows: Rows) -> Group:
        """The predicates of these sentences, all of one length."""
        return self._group(np.concatenate([np.arange(n) + first for first, n in self._ranges(rows)]), rows)

    def groups(self, size: int, *, pairs: int | None = None) -> Iterator[Group]:
        """All predicates, in groups of at most so many words to tag, and pairs of these with a word of their sentence;
        or of one predicate. Those of a sentence may be in several groups, one after another.
        """
        order = np.argsort(self.lengths, kind="stable")
        sentence = np.repeat(np.arange(len(self.lengths)), self._counts)
        for same in _of_one_length(order[self._counts[order] > 0], self.lengths):
            length = int(self.lengths[same[0]])
            together = max(1, size // length if pairs is None else min(size // length, pairs // length**2))
            own = np.concatenate([np.arange(n) + first for first, n in self._ranges(same)])
            for start in range(0, len(own), together):
                part = own[start : start + together]
                yield self._group(part, np.unique(sentence[part]))

    def _ranges(self, rows: Rows) -> Iterator[tuple[int, int]]:
        return zip(self._firsts[rows].tolist(), self._counts[rows].tolist(), strict=True)

    def _group(self, predicates: Rows, rows: Rows) -> Group:
        """Some predicates, by their number among all, of these sentences."""
        length, margin = int(self.lengths[rows[0]]), self._margin
        types = np.full((len(rows), length + 2 * margin), PADDING_TYPE, np.int32)
        types[:, margin : margin + length] = self.types[self._starts[rows, None] + np.arange(length)]
        number = np.searchsorted(self._firsts + self._counts, predicates, side="right")
        place = np.empty(len(self.lengths), np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        return Group(types, place[number], self._places[predicates], rows, predicates - self._firsts[number])


class RoleExamples:
    """Propositions to train on: an example is a group of at most `batch_size` sentences of one length.

    Which sentences make up a group, and which words that occur once are taken for unknown, is drawn anew in each
    epoch, by the seed and the number of the epoch alone.
    """

    def __init__(
        self,
        features: Features,
        sentences: Sequence[PropositionSentence],
        tags: Mapping[str, int],
        parts_of_speech: Mapping[str, int],
        options: RoleOptions,
        pretrained: Container[str] = (),
        given: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Take sentences with at least one predicate each, and the model's tags and parts of speech by index.

        Sentences have a part of speech for each word, unless there are none by index. pretrained: words of the
        vocabulary that are never taken for unknown. given: as in `Features.encode`.
        """
        words = list(chain.from_iterable(sentence.words for sentence in sentences))
        lengths = list(map(len, sentences))
        types, table = features.encode(words, lengths, given)
        predicates = [[p.predicate for p in sentence.propositions] for sentence in sentences]
        self._sentences = Sentences(types, lengths, predicates, options.margin)
        self._tags = [
            np.array([[tags[tag] for tag in tags_of(p, len(sentence))] for p in sentence.propositions], np.int32)
            for sentence in sentences
        ]
        self._parts_of_speech = [
            np.array(
                [parts_of_speech[tag] for tag in sentence.tags] if parts_of_speech else [0] * len(sentence), np.int32
            )
            for sentence in sentences
        ]
        # A second type for each word that occurs once: the same features, but of an unknown word.
        vocabulary = features.vocabularies["word"]
        single = np.flatnonzero(vocabulary.counts[table[0]] == 1)
        single = single[[vocabulary.word(entry) not in pretrained for entry in table[0, single]]]
        twins = table[:, single]
        twins[0] = 0 if vocabulary.unknown is None else vocabulary.unknown
        self._twin = np.arange(table.shape[1], dtype=np.int32)
        self._twin[single] = np.arange(len(single), dtype=np.int32) + len(self._twin)
        self._table = np.concatenate([table, twins], axis=1)
        self._known = types
        self._candidates = np.flatnonzero(self._twin[types] != types)
        self._options = options
        self._epoch: int | None = None
        self._draw(0)
        self.batches = state(0, name="batches")
        """How many groups were taken so far; saved and loaded again, so that a resumed run knows its epoch."""

    def __len__(self) -> int:
        return len(self._groups)

    def batch(self, indices: Rows) -> tuple[list[Indices], Indices, Indices, Indices, Indices]:
        """One group: feature columns (B, T + 2 margin) each, sentence (N,), predicate (N,), tags (N, T), parts of
        speech (B, T).
        """
        epoch = int(self.batches.value) // len(self)
        if epoch != self._epoch:
            self._draw(epoch)
        self.batches.value[...] += 1
        (index,) = indices
        group = self._sentences.group(self._groups[index])
        columns = list(self._table.take(group.types, axis=1))
        tags = np.concatenate([self._tags[row] for row in group.rows])
        parts_of_speech = np.stack([self._parts_of_speech[row] for row in group.rows])
        return columns, group.sentence, group.predicate, tags, parts_of_speech

    def _draw(self, epoch: int) -> None:
        generator = np.random.Philox(np.random.SeedSequence([self._options.seed, epoch, _STREAM]))
        keys = generator.random_raw(len(self._tags))
        order = np.lexsort((keys, self._sentences.lengths))
        size = self._options.batch_size
        stretches = _of_one_length(order, self._sentences.lengths)
        self._groups = [same[first : first + size] for same in stretches for first in range(0, len(same), size)]
        bits = generator.random_raw(len(self._candidates)) >> np.uint64(11)
        chosen = self._candidates[bits * 2.0**-53 < self._options.unknown_probability]
        types = self._known.copy()
        types[chosen] = self._twin[types[chosen]]
        self._sentences.types = types
        self._epoch = epoch


def _of_one_length(order: Rows, lengths: Rows) -> list[Rows]:
    """Sentences sorted by length, as stretches of one length."""
    return np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if len(order) else []


_STREAM = 2
