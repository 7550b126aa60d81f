"""The words of one language that a joint model knows; those it does not know by their class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary

UNKNOWN, PADDING, BEGINNING, END = range(4)
MARKS = ("<unk>", "<pad>", "<s>", "</s>")
"""Entries of each vocabulary that are no words, by the indices above; classes of unknown words follow."""

_LARGEST_SUFFIX = 3
_SUFFIX_SHARE = 0.005


class Words:
    """A vocabulary with marks, classes of unknown words and words.

    The classes are `<unk:0>` for what has a digit, `<unk:.>` for what has neither digits nor letters, and `<unk:-ing>`
    for what ends so; an unknown word that is of no class is `<unk>`.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._classes = {name: vocabulary.index(name) for name in vocabulary.words[len(MARKS) : vocabulary.specials]}
        self._index = _Index(self, vocabulary)

    @classmethod
    def build(
        cls, sentences: Iterable[Sequence[str]], *, minimum_count: int, maximum_size: int, classes: bool
    ) -> Words:
        """The words that occur so often, the most frequent ones if they are too many; classes of what is left out."""
        counts = Counter(chain.from_iterable(sentences))
        plain = Vocabulary.build(counts, minimum_count=minimum_count, maximum_size=maximum_size, specials=MARKS)
        if not classes:
            return cls(plain)
        rare = {word: count for word, count in counts.items() if word not in plain}
        specials = [*MARKS, *_classes_of(rare)]
        words = Words(Vocabulary(specials, [0] * len(specials), len(specials)))
        found = np.zeros(len(specials), np.int64)
        np.add.at(found, words.indices(list(rare)), list(rare.values()))
        kept = plain.words[plain.specials :][: max(maximum_size - len(specials), 0)]
        return cls(Vocabulary([*specials, *kept], [*map(int, found), *(counts[word] for word in kept)], len(specials)))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def indices(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Indices of words. (N,)"""
        return np.fromiter(map(self._index.__getitem__, words), np.int32, len(words))

    def class_of(self, word: str) -> int:
        """The index of a word that is not known: its class."""
        shape = shape_class(word)
        if shape is not None:
            return self._classes.get(shape, UNKNOWN)
        for length in range(_LARGEST_SUFFIX, 0, -1):
            found = self._classes.get(suffix_class(word, length))
            if found is not None:
                return found
        return UNKNOWN

    def unknown_forms(self) -> NDArray[np.int32]:
        """What each entry would be if it were not known: its class; marks and classes stay as they are. (V,)"""
        found = np.arange(len(self), dtype=np.int32)
        first = self.vocabulary.specials
        found[first:] = [self.class_of(word) for word in self.vocabulary.words[first:]]
        return found


class _Index(dict[str, int]):
    """Words to indices; what is looked up and not known is found a class for, once."""

    def __init__(self, words: Words, vocabulary: Vocabulary) -> None:
        # Marks that stand in a text are words that nobody knows.
        first = vocabulary.specials
        super().__init__(zip(vocabulary.words[first:], range(first, len(vocabulary)), strict=True))
        self._words = words

    def __missing__(self, word: str) -> int:
        found = self._words.class_of(word)
        if len(self) < _LARGEST_INDEX:
            self[word] = found
        return found


_LARGEST_INDEX = 1 << 20


def shape_class(word: str) -> str | None:
    """The class of numbers, or of symbols; None for a word with letters and no digit."""
    if any(map(str.isdigit, word)):
        return "<unk:0>"
    return None if any(map(str.isalpha, word)) else "<unk:.>"


def suffix_class(word: str, length: int) -> str:
    """The class of words with a suffix of this length."""
    return f"<unk:-{word[-length:].lower()}>"


def _classes_of(words: Iterable[Any]) -> list[str]:
    """The classes that are worth an entry: suffixes that many of the words have, the longest ones first."""
    left = [word for word in words if shape_class(word) is None]
    least = max(10, int(_SUFFIX_SHARE * len(left)))
    found = ["<unk:0>", "<unk:.>"]
    for length in range(_LARGEST_SUFFIX, 0, -1):
        counts = Counter(suffix_class(word, length) for word in left if len(word) > length)
        frequent = {name for name, count in counts.items() if count >= least}
        found += sorted(frequent)
        left = [word for word in left if suffix_class(word, length) not in frequent]
    return found
