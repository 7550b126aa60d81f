"""The text that an embedding is trained on: its vocabulary, and stretches of it as indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError, Vocabulary, lower_case, zero_digits
from amigrad.data.encoded import BOUNDARY, FIRST, EncodedText, Ids
from amigrad.data.vocabulary import SPECIALS
from amigrad.tasks.embedding.options import EmbeddingOptions

UNKNOWN, PADDING = 0, 1
"""The indices of words that are not in the vocabulary, and of what stands between sentences."""

WORDS = len(SPECIALS)
"""The index of the first word."""

_LEAST, _MOST = 1 << 12, 1 << 16


class Text:
    """An encoded text as indices of a vocabulary, in stretches of equal length that can be taken in any order.

    Words that differ in what the options disregard (case, digits) are one.
    """

    def __init__(self, encoded: EncodedText, options: EmbeddingOptions) -> None:
        """Choose the vocabulary. Raises DataError if too few words occur often enough."""
        self.encoded = encoded
        normal = [_normaliser(options)(word) for word in encoded.types]
        counts: dict[str, int] = {}
        for word, number in zip(normal, encoded.counts.tolist(), strict=True):
            counts[word] = counts.get(word, 0) + number
        size = None if options.maximum_size is None else options.maximum_size + WORDS
        self.vocabulary = Vocabulary.build(counts, minimum_count=options.minimum_count, maximum_size=size)
        if len(self.vocabulary) < WORDS + 2:
            problem = f"fewer than two words occur at least {options.minimum_count} times"
            raise DataError("the text", None, problem, "Give more text, or a smaller minimum count")
        self._indices: Ids = np.zeros(FIRST + len(normal), np.int32)
        self._indices[BOUNDARY] = PADDING
        self._indices[FIRST:] = self.vocabulary.indices(normal, dtype=np.int32)
        self.stretch = int(np.clip(encoded.length // 64, _LEAST, _MOST))
        """Ids in a stretch, boundaries included."""

    def __len__(self) -> int:
        """How many stretches there are."""
        return -(-self.encoded.length // self.stretch)

    @property
    def words(self) -> int:
        """How many words of the vocabulary the text has."""
        return int(self.vocabulary.counts.sum())

    def indices(self, number: int) -> Ids:
        """The words of a stretch as indices of the vocabulary, with PADDING after each sentence."""
        start = number * self.stretch
        found: Ids = self._indices.take(self.encoded.read(start, start + self.stretch))
        return found


def _normaliser(options: EmbeddingOptions) -> Callable[[str], str]:
    def normal(word: str) -> str:
        word = lower_case(word) if options.lower_case else word
        return zero_digits(word) if options.zero_digits else word

    return normal


class Draws:
    """Random numbers of a stretch: a function of the seed, of how many stretches came before, and of a purpose.

    They are made of the bits of a counter-based generator alone, which NumPy promises to keep.
    """

    def __init__(self, seed: int, number: int) -> None:
        self._key = (seed, number)

    def bits(self, size: int, purpose: int) -> NDArray[np.uint32]:
        """So many random 32-bit numbers."""
        generator = np.random.Philox(np.random.SeedSequence([*self._key, purpose]))
        raw: NDArray[np.uint32] = np.asarray(generator.random_raw((size + 1) // 2)).view(np.uint32)[:size]
        return raw

    def below(self, limit: int, size: int, purpose: int) -> NDArray[np.int32]:
        """Numbers from 0 on below a limit, all as likely up to 2^-32 of the limit."""
        return ((self.bits(size, purpose).astype(np.uint64) * np.uint64(limit)) >> np.uint64(32)).astype(np.int32)


class Choice:
    """Indices drawn with given weights, by an alias table (Walker 1977; Vose 1991). weights: (n,), at least 0"""

    def __init__(self, weights: NDArray[np.floating[Any]], first: int = 0) -> None:
        """Draw `first` + i with the probability of weight i."""
        share = np.asarray(weights, np.float64) * (len(weights) / np.sum(weights))
        self._alias = np.arange(len(share), dtype=np.int32)
        small, large = list(np.flatnonzero(share < 1.0)), list(np.flatnonzero(share >= 1.0))
        left = share.tolist()
        while small and large:
            low, high = small.pop(), large[-1]
            self._alias[low] = high
            left[high] -= 1.0 - left[low]
            if left[high] < 1.0:
                small.append(large.pop())
        for index in [*small, *large]:
            left[index] = 1.0
        self._limit = (np.minimum(np.array(left), 1.0) * (2.0**32 - 1)).astype(np.uint32)
        self._first = first

    def draw(self, draws: Draws, size: int, purpose: int) -> Ids:
        """So many indices."""
        place = draws.below(len(self._limit), size, purpose)
        other = draws.bits(size, purpose + 1) > self._limit.take(place)
        found: Ids = np.where(other, self._alias.take(place), place) + np.int32(self._first)
        return found
