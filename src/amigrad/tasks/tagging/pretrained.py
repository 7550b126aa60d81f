"""Pretrained word vectors as the beginning of a tagger's lookup table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary, WordVectors
from amigrad.tasks.tagging.features import normalise
from amigrad.tasks.tagging.options import TaggerOptions

_EXAMPLES = 8


class Pretrained:
    """Word vectors by the forms that a tagger's vocabulary has: in lower case, digits as 0, if the options say so.

    A form gets the vector of the word that is written just so; where there is none, that of the first (most frequent)
    word with this form, and a word with capitals at last that of itself in lower case. The numbers are scaled together
    so that their root mean square is the options' `vector_scale`.
    """

    def __init__(self, vectors: WordVectors, options: TaggerOptions) -> None:
        form = partial(normalise, lower=options.lower_case, digits=options.zero_digits)
        self._rows: dict[str, int] = {}
        for row, word in enumerate(vectors.words):
            written = form(word)
            if written == word or written not in self._rows:
                self._rows[written] = row
        matrix = np.asarray(vectors.matrix, np.float32)
        spread = float(np.sqrt(np.mean(np.square(matrix, dtype=np.float64)))) if matrix.size else 0.0
        self._matrix: NDArray[np.float32] = matrix * np.float32(options.vector_scale / spread if spread else 1.0)
        self.words = tuple(self._rows)
        """The forms that have a vector."""

    def __contains__(self, word: object) -> bool:
        return word in self._rows or (isinstance(word, str) and word.lower() in self._rows)

    def write(self, table: NDArray[np.float32], vocabulary: Vocabulary) -> None:
        """Put the vectors of a vocabulary's words into its lookup table, (V, d); the rows of others stay."""
        for entry, word in enumerate(vocabulary.words[vocabulary.specials :], vocabulary.specials):
            row = self._rows.get(word, self._rows.get(word.lower()))
            if row is not None:
                table[entry] = self._matrix[row]

    def coverage(self, vocabulary: Vocabulary) -> Coverage:
        """How many of a training set's words have a vector."""
        counts: Mapping[str, int] = dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))
        seen = {word: count for word, count in counts.items() if count and word not in vocabulary.words[:2]}
        missing = [word for word in seen if word not in self]
        return Coverage(len(seen), missing, sum(seen.values()), sum(seen[word] for word in missing))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Words of a training set without a vector, the most frequent first: of so many words, and in tokens."""

    words: int
    missing: list[str]
    tokens: int
    missing_tokens: int

    def __str__(self) -> str:
        share = self.missing_tokens / self.tokens if self.tokens else 0.0
        examples = f": {', '.join(self.missing[:_EXAMPLES])}" if self.missing else ""
        more = " ..." if len(self.missing) > _EXAMPLES else ""
        return f"{len(self.missing):,} of {self.words:,} words have no vector, {share:.1%} of the text{examples}{more}"
