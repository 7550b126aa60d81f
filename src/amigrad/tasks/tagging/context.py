"""Features of a word in its sentence: phrases of lists that it is part of, and the tags that other taggers give it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from amigrad.data import DataError, Vocabulary, tokenize
from amigrad.data.lines import numbered_lines, source_name

if TYPE_CHECKING:
    from amigrad.tasks.tagging.tagger import Tagger


class Source(Protocol):
    """What gives each word of some sentences a value."""

    def __call__(self, words: Sequence[str], lengths: Sequence[int]) -> Sequence[str]:
        """The values of sentences one behind the other, of these lengths. (N,)"""


class Gazetteer:
    """A list of phrases. A word is at the beginning (B), inside (I), at the end (E) of one, or all of it (S), else O.

    Sentences are gone through from the left; where phrases begin, the longest is taken. Case makes no difference.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        """Take phrases, whose words are separated by spaces."""
        self.phrases = sorted({" ".join(phrase.split()).lower() for phrase in phrases} - {""})
        self._lengths: dict[str, list[int]] = {}
        self._known: set[tuple[str, ...]] = set()
        for phrase in self.phrases:
            words = tuple(phrase.split(" "))
            self._known.add(words)
            self._lengths.setdefault(words[0], []).append(len(words))
        for first, lengths in self._lengths.items():
            self._lengths[first] = sorted(set(lengths), reverse=True)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Gazetteer:
        """The list in a file, a phrase a line, as it is and as the tokeniser divides it. DataError if it has none."""
        phrases: set[str] = set()
        for _, line in numbered_lines(path):
            if line.strip():
                phrases |= {line, " ".join(token.word for token in tokenize(line))}
        if not phrases:
            raise DataError(source_name(path), None, "there is no phrase in it", "Give a file with a phrase a line")
        return cls(phrases)

    @classmethod
    def from_vocabulary(cls, vocabulary: Vocabulary) -> Gazetteer:
        """What `vocabulary` gave."""
        return cls(vocabulary.words)

    def vocabulary(self) -> Vocabulary:
        """The phrases as a vocabulary, to be saved."""
        return Vocabulary(self.phrases, [0] * len(self.phrases))

    def __call__(self, words: Sequence[str], lengths: Sequence[int]) -> list[str]:
        """Where in a phrase each word is. (N,)"""
        lower = [word.lower() for word in words]
        found = ["O"] * len(words)
        begins = self._lengths
        start = 0
        for length in lengths:
            end = start + length
            while start < end:
                for size in begins.get(lower[start], ()):
                    if start + size <= end and (size == 1 or tuple(lower[start : start + size]) in self._known):
                        found[start : start + size] = "S" if size == 1 else ["B", *"I" * (size - 2), "E"]
                        start += size
                        break
                else:
                    start += 1
        return found


class Cascade:
    """Another tagger's tags as a feature, as it writes them."""

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger

    def __call__(self, words: Sequence[str], lengths: Sequence[int]) -> list[str]:
        """The other tagger's tags. (N,)"""
        return self.tagger.tag_words(words, lengths)
