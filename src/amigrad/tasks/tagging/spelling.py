"""The characters of words, as numbers: rows behind those of the other features in the table of word types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary

KEPT = 20
"""Characters of a word that are looked at: of a longer one the first eight and the last twelve."""

AFTER = 3
"""Entries behind the end of a word that are beyond it, at least."""

LENGTH = 1 + KEPT + AFTER
"""Rows of characters: one before the word, the word, and what is behind it."""

_FIRST = 8
_PADDING_ENTRY = 1


def vocabulary(words: Mapping[str, int]) -> Vocabulary:
    """The characters that occur in at least two of these words."""
    counts: Counter[str] = Counter()
    for word in words:
        counts.update(set(word))
    return Vocabulary.build(counts, minimum_count=2)


def letters(words: Iterable[str], characters: Vocabulary) -> NDArray[np.int32]:
    """The characters of some words, in columns. (LENGTH, words)"""
    found = [_padded(characters.indices(_kept(word))) for word in words]
    return np.stack(found, axis=1)


def used(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """The characters of some words without the rows that are beyond all of them. (LENGTH, U) -> (U, L)

    What is left behind the longest suffices for the maximum over time to be the same as with all rows.
    """
    inside = np.flatnonzero((rows != _PADDING_ENTRY).any(axis=1))
    end = (int(inside[-1]) if len(inside) else 0) + 1 + AFTER
    return np.ascontiguousarray(rows[:end].T)


def _kept(word: str) -> str:
    return word if len(word) <= KEPT else word[:_FIRST] + word[_FIRST - KEPT :]


def _padded(indices: NDArray[np.int32]) -> NDArray[np.int32]:
    row = np.full(LENGTH, _PADDING_ENTRY, np.int32)
    row[1 : 1 + len(indices)] = indices
    return row
