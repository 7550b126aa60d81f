"""Words as numbers: columns of features, each with a vocabulary, computed once for each word type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary, zero_digits
from amigrad.tasks.tagging.options import TaggerOptions

Indices = NDArray[np.int32]

PADDING_TYPE = 0
"""The word type beyond the ends of a sentence."""

_PADDING_ENTRY = 1
_TYPES_KEPT = 1 << 19


@dataclass(frozen=True, slots=True)
class Column:
    """A feature of words: its name, what it is of a word, the width of its lookup table, its cut-off."""

    name: str
    value: Callable[[str], str]
    size: int
    minimum_count: int


def columns_of(options: TaggerOptions) -> tuple[Column, ...]:
    """The feature columns that these options ask for; the word itself is the first."""
    form = partial(normalise, lower=options.lower_case, digits=options.zero_digits)
    columns = [Column("word", form, options.word_size, options.minimum_count)]
    if options.capitalisation:
        columns.append(Column("capitalisation", capitalisation, options.capitalisation_size, 1))
    least = options.affix_minimum_count
    for length in options.suffixes:
        columns.append(Column(f"suffix{length}", partial(_suffix, length), options.affix_size, least))
    for length in options.prefixes:
        columns.append(Column(f"prefix{length}", partial(_prefix, length), options.affix_size, least))
    return tuple(columns)


def normalise(word: str, *, lower: bool, digits: bool) -> str:
    """A word as the vocabulary has it: in lower case, with each digit as 0."""
    word = word.lower() if lower else word
    return zero_digits(word) if digits else word


def capitalisation(word: str) -> str:
    """How a word is capitalised (Collobert et al. 2011, section 4.5); words without letters apart."""
    if word.islower():
        return "lower"
    if word.isupper():
        return "upper" if len(word) > 1 else "capital"
    if word[:1].isupper() and word[1:].islower():
        return "title"
    if any(map(str.isdigit, word)):
        return "digits"
    return "mixed" if word.lower() != word.upper() else "other"


class Features:
    """The features of words in some columns. A word type's are computed when it is first seen, then looked up."""

    def __init__(self, options: TaggerOptions, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Take one vocabulary for each column, by its name."""
        self.columns = columns_of(options)
        self.window = options.window
        self.vocabularies = {column.name: vocabularies[column.name] for column in self.columns}
        self._forget()

    @classmethod
    def build(cls, options: TaggerOptions, words: Mapping[str, int]) -> Features:
        """Features with the vocabularies of a training set's words, given with their counts."""
        vocabularies = {}
        for column in columns_of(options):
            counts: Counter[str] = Counter()
            for word, count in words.items():
                counts[column.value(word)] += count
            vocabularies[column.name] = Vocabulary.build(counts, minimum_count=column.minimum_count)
        return cls(options, vocabularies)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of entries of each column."""
        return tuple(map(len, self.vocabularies.values()))

    @property
    def table(self) -> Indices:
        """The entries of each word type in each column. (columns, types)"""
        return self._table[:, : len(self._types)]

    def types(self, words: Sequence[str]) -> Indices:
        """The word types of some words, as columns of `table`. (N,)

        They hold until the next call, which may forget them all if they have become very many.
        """
        if len(self._types) > _TYPES_KEPT:
            self._forget()
        found = np.fromiter(map(self._types.__getitem__, words), np.int32, len(words))
        self._compute_missing()
        return found

    def known(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each word is in the vocabulary. (N,)"""
        types = self.types(words)
        return np.asarray(self.table[0][types] != 0)

    def _forget(self) -> None:
        self._types = _Types({"": PADDING_TYPE})
        self._table = np.full((len(self.columns), 1024), _PADDING_ENTRY, np.int32)

    def _compute_missing(self) -> None:
        missing = self._types.take_missing()
        if missing:
            rows = [self.vocabularies[column.name].indices(list(map(column.value, missing))) for column in self.columns]
            self._write(len(self._types) - len(missing), np.stack(rows))

    def _write(self, first: int, entries: Indices) -> None:
        end = first + entries.shape[1]
        if end > self._table.shape[1]:
            grown = np.empty((len(self.columns), max(end, 2 * self._table.shape[1])), np.int32)
            grown[:, :first] = self._table[:, :first]
            self._table = grown
        self._table[:, first:end] = entries


class _Types(dict[str, int]):
    """Words with the number of their type; one that is not there gets the next number."""

    def __init__(self, content: dict[str, int]) -> None:
        super().__init__(content)
        self._missing: list[str] = []

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        self._missing.append(word)
        return number

    def take_missing(self) -> list[str]:
        """The words that were added since the last call."""
        missing, self._missing = self._missing, []
        return missing


def _suffix(length: int, word: str) -> str:
    return normalise(word[-length:], lower=True, digits=True)


def _prefix(length: int, word: str) -> str:
    return normalise(word[:length], lower=True, digits=True)
