"""Words as numbers: columns of features, each with a vocabulary, computed once for each word type."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary, zero_digits
from amigrad.tasks.tagging import spelling
from amigrad.tasks.tagging.context import Source
from amigrad.tasks.tagging.options import TaggerOptions

Indices = NDArray[np.int32]

PADDING_TYPE = 0
"""The word type beyond the ends of a sentence."""

CHARACTERS = "characters"
"""The vocabulary of characters."""

_PADDING_ENTRY = 1
_TYPES_KEPT = 1 << 19


@dataclass(frozen=True, slots=True)
class Column:
    """A feature of words: its name, what it is of a word, the width of its lookup table, its cut-off.

    The `value` is None for a feature of a word in its sentence (see `context`).
    """

    name: str
    value: Callable[[str], str] | None
    size: int
    minimum_count: int


def columns_of(options: TaggerOptions) -> tuple[Column, ...]:
    """The feature columns that these options ask for; the word itself is the first, those of sentences are the last."""
    form = partial(normalise, lower=options.lower_case, digits=options.zero_digits)
    columns = [Column("word", form, options.word_size, options.minimum_count)]
    if options.capitalisation:
        columns.append(Column("capitalisation", capitalisation, options.capitalisation_size, 1))
    least = options.affix_minimum_count
    for length in options.suffixes:
        columns.append(Column(f"suffix{length}", partial(_suffix, length), options.affix_size, least))
    for length in options.prefixes:
        columns.append(Column(f"prefix{length}", partial(_prefix, length), options.affix_size, least))
    columns += [Column(name, None, options.feature_size, 1) for name in options.contextual]
    return tuple(columns)


def vocabulary_names(options: TaggerOptions) -> tuple[str, ...]:
    """The names of the vocabularies that a model with these options has."""
    return (*(column.name for column in columns_of(options)), *([CHARACTERS] if options.characters else []))


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
    """The features of words in some columns. A word type's are computed when it is first seen, then looked up.

    Where there are features of a word in its sentence, types are told apart by these too: see `encode`.
    """

    def __init__(
        self,
        options: TaggerOptions,
        vocabularies: Mapping[str, Vocabulary],
        sources: Mapping[str, Source] | None = None,
    ) -> None:
        """Take one vocabulary for each column, by its name, and what gives the features of a word in its sentence."""
        self.columns = columns_of(options)
        self.window = options.window
        self.given = options.given
        self.sources = dict(sources or {})
        self.vocabularies = {name: vocabularies[name] for name in vocabulary_names(options)}
        self._of_words = [column for column in self.columns if column.value is not None]
        self._of_sentences = [column for column in self.columns if column.value is None]
        self._characters = self.vocabularies.get(CHARACTERS)
        self.lock = threading.Lock()
        """To be held while words are encoded, which may be new types: taggers may share features."""
        self._forget()

    @classmethod
    def build(
        cls,
        options: TaggerOptions,
        words: Mapping[str, int],
        *,
        pretrained: Sequence[str] = (),
        values: Mapping[str, Sequence[str]] | None = None,
        sources: Mapping[str, Source] | None = None,
    ) -> Features:
        """Features with the vocabularies of a training set's words, given with their counts.

        pretrained: words, as the vocabulary has them, that are kept even if they are not in the training set.
        values: those of each feature of a word in its sentence, in the training set.
        """
        vocabularies = {}
        for column in columns_of(options):
            counts: Counter[str] = Counter()
            if column.value is None:
                counts.update((values or {})[column.name])
            else:
                for word, count in words.items():
                    counts[column.value(word)] += count
            vocabularies[column.name] = Vocabulary.build(counts, minimum_count=column.minimum_count)
            if column.name == "word" and pretrained:
                vocabularies["word"] = _extended(vocabularies["word"], counts, pretrained)
        if options.characters:
            vocabularies[CHARACTERS] = spelling.vocabulary(words)
        return cls(options, vocabularies, sources)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of entries of each column."""
        return tuple(len(self.vocabularies[column.name]) for column in self.columns)

    @property
    def characters(self) -> int | None:
        """The number of characters, None where they are no feature."""
        return None if self._characters is None else len(self._characters)

    @property
    def table(self) -> Indices:
        """The entries of each word type in each column that words have by themselves. (columns, types)

        Where characters are a feature, they come behind as rows of their own: see `spelling`.
        """
        return self._table[:, : len(self._types)]

    def encode(
        self, words: Sequence[str], lengths: Sequence[int], given: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[Indices, Indices]:
        """Sentences one behind the other as types (N,) and the table of these, (columns, types); type 0 is padding.

        given: the values of features that come with the sentences. KeyError if one is missing.
        """
        types, table = self.types(words), self.table
        if not self._of_sentences:
            return types, table
        entries = np.empty((len(self._of_sentences), len(words)), np.int32)
        code = types.astype(np.int64)
        for row, column in zip(entries, self._of_sentences, strict=True):
            vocabulary = self.vocabularies[column.name]
            known = given is not None and column.name in given
            values = given[column.name] if given is not None and known else self.sources[column.name](words, lengths)
            row[:] = vocabulary.indices(values)
            code = code * len(vocabulary) + row
        _, first, kinds = np.unique(code, return_index=True, return_inverse=True)
        split = len(self._of_words)
        own = table[:, types[first]]
        whole = np.concatenate([own[:split], entries[:, first], own[split:]])
        padding = np.full((len(self.columns), 1), _PADDING_ENTRY, np.int32)
        padding = np.concatenate([padding, table[split:, :1]])
        return kinds.astype(np.int32) + 1, np.concatenate([padding, whole], axis=1)

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
        rows = len(self._of_words) + (0 if self._characters is None else spelling.LENGTH)
        self._table = np.full((rows, 1024), _PADDING_ENTRY, np.int32)

    def _compute_missing(self) -> None:
        missing = self._types.take_missing()
        if missing:
            rows = [
                self.vocabularies[column.name].indices(list(map(column.value, missing)))
                for column in self._of_words
                if column.value is not None
            ]
            entries = np.stack(rows)
            if self._characters is not None:
                entries = np.concatenate([entries, spelling.letters(missing, self._characters)])
            self._write(len(self._types) - len(missing), entries)

    def _write(self, first: int, entries: Indices) -> None:
        end = first + entries.shape[1]
        if end > self._table.shape[1]:
            grown = np.empty((len(self._table), max(end, 2 * self._table.shape[1])), np.int32)
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


def _extended(vocabulary: Vocabulary, counts: Mapping[str, int], words: Sequence[str]) -> Vocabulary:
    """A vocabulary with more words behind its own."""
    more = [word for word in words if word not in vocabulary]
    numbers = [*vocabulary.counts.tolist(), *(int(counts.get(word, 0)) for word in more)]
    return Vocabulary([*vocabulary.words, *more], numbers, vocabulary.specials)


def _suffix(length: int, word: str) -> str:
    return normalise(word[-length:], lower=True, digits=True)


def _prefix(length: int, word: str) -> str:
    return normalise(word[:length], lower=True, digits=True)
