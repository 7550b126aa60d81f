"""Questions to word vectors: nearest neighbours, analogies, and how well they agree with people on similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError, WordVectors, lower_case, zero_digits
from amigrad.data.lines import Source, numbered_lines, source_name


class EmbeddingError(ValueError):
    """A question to an embedding that it cannot answer, and what it could."""


class Neighbour(NamedTuple):
    """A word, and the cosine of the angle between its vector and the one asked about."""

    word: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A word, its frequency rank (from 1, as words are sorted by frequency), and the words nearest to it."""

    word: str
    rank: int
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Similarity:
    """Spearman's rank correlation with people's scores, over the pairs of which both words were found."""

    spearman: float
    found: int
    pairs: int


class Pair(NamedTuple):
    """Two words and the score that people gave to their similarity."""

    first: str
    second: str
    score: float


def find(vectors: WordVectors, word: str) -> int | None:
    """The row of a word as it is written, else in lower case, else with digits as 0 also; None if there is none."""
    for form in (word, lower_case(word), zero_digits(lower_case(word))):
        if form in vectors.index:
            return vectors.index[form]
    return None


def neighbours(vectors: WordVectors, words: Sequence[str], count: int = 10) -> list[Neighbourhood]:
    """The nearest neighbours of some words by cosine. Raises EmbeddingError for words that have no vector."""
    rows = _rows(vectors, words)
    found = nearest(vectors, _normal(vectors.matrix[rows]), count, [[row] for row in rows])
    return [Neighbourhood(vectors.words[row], row + 1, near) for row, near in zip(rows, found, strict=True)]


def analogy(vectors: WordVectors, a: str, b: str, c: str, count: int = 10) -> tuple[Neighbour, ...]:
    """What is to c as b is to a: the words nearest to b - a + c but for these (Mikolov et al. 2013).

    Raises EmbeddingError for words that have no vector.
    """
    rows = _rows(vectors, (a, b, c))
    first, second, third = _normal(vectors.matrix[rows])
    target = _normal((second - first + third)[None])
    return nearest(vectors, target, count, [rows])[0]


def nearest(
    vectors: WordVectors, targets: NDArray[np.floating[Any]], count: int, without: Sequence[Sequence[int]]
) -> list[tuple[Neighbour, ...]]:
    """The words whose vectors have the largest cosines with some of length 1, (n, d), without some rows for each."""
    lengths = np.linalg.norm(vectors.matrix, axis=1)
    lengths[lengths == 0] = 1.0
    result = []
    for target, left_out in zip(targets, without, strict=True):
        cosines = (vectors.matrix @ target) / lengths
        cosines[list(left_out)] = -np.inf
        size = max(0, min(count, len(cosines) - len(set(left_out))))
        best = np.argpartition(-cosines, size - 1)[:size] if size else np.empty(0, int)
        best = best[np.lexsort((best, -cosines[best]))]
        result.append(tuple(Neighbour(vectors.words[row], float(cosines[row])) for row in best))
    return result


def read_pairs(source: Source, column: int = 2) -> list[Pair]:
    """Pairs of words with scores, in the first two columns and another one (from 0) of a file, one pair a line.

    Columns are parted by tabs, else by commas, else by spaces. A first line without a score is a header; lines that
    are empty or begin with # are passed over. Raises DataError with file and line.
    """
    name, pairs, header = source_name(source), [], True
    for number, line in numbered_lines(source):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(_separator(line))]
        try:
            pairs.append(Pair(fields[0], fields[1], float(fields[column])))
        except (IndexError, ValueError):
            if not header:
                problem = f"two words and a score in column {column} are expected, not '{line[:60]}'"
                raise DataError(name, number, problem, "Give a file of word pairs, such as WordSim-353") from None
        header = False
    if not pairs:
        raise DataError(name, None, "there are no pairs of words with scores in it", "Give a file of word pairs")
    return pairs


def similarity(vectors: WordVectors, pairs: Sequence[Pair]) -> Similarity:
    """How the cosines of pairs of words agree with people's scores; not a number with fewer than two pairs found."""
    rows = [(find(vectors, pair.first), find(vectors, pair.second), pair.score) for pair in pairs]
    known = [(first, second, score) for first, second, score in rows if first is not None and second is not None]
    if len(known) < 2:
        return Similarity(float("nan"), len(known), len(pairs))
    first = _normal(vectors.matrix[[row for row, _, _ in known]])
    second = _normal(vectors.matrix[[row for _, row, _ in known]])
    cosines = np.einsum("ij,ij->i", first, second)
    return Similarity(spearman(cosines, np.array([score for _, _, score in known])), len(known), len(pairs))


def spearman(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> float:
    """The correlation of ranks, equal values sharing their mean rank; not a number if all values of one are equal."""
    first, second = (ranks - ranks.mean() for ranks in (_ranks(x), _ranks(y)))
    scale = np.sqrt((first @ first) * (second @ second))
    return float(first @ second / scale) if scale else float("nan")


def plane(matrix: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The places of vectors in the plane of their two principal components. (n, d) -> (n, 2)"""
    centred = np.asarray(matrix, np.float64) - np.mean(matrix, axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(centred), 2))
    places[:, : min(2, len(axes))] = centred @ axes[:2].T
    signs = np.sign(places[np.abs(places).argmax(axis=0), [0, 1]]) if len(places) else np.ones(2)
    turned: NDArray[np.float64] = places * np.where(signs == 0, 1.0, signs)
    return turned


def without_vectors(vectors: WordVectors, words: Sequence[str]) -> str | None:
    """Which of some words have no vector, and what they may have been meant to be; None if all have one."""
    missing = [word for word in words if find(vectors, word) is None]
    if not missing:
        return None
    alike = {
        word: get_close_matches(lower_case(word), vectors.words[:_SUGGESTED], n=3, cutoff=0.75) for word in missing
    }
    names = ", ".join(f"'{word}'" + (f" (like {', '.join(alike[word])})" if alike[word] else "") for word in missing)
    return f"{names}: not among the {len(vectors):,} words that have a vector"


def _rows(vectors: WordVectors, words: Sequence[str]) -> list[int]:
    rows = [row for word in words if (row := find(vectors, word)) is not None]
    if len(rows) < len(words):
        raise EmbeddingError(str(without_vectors(vectors, words)))
    return rows


def _normal(matrix: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    normal: NDArray[np.floating[Any]] = matrix / np.where(lengths == 0, 1.0, lengths)
    return normal


def _ranks(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: NDArray[np.float64] = (ends - (counts - 1) / 2)[inverse]
    return ranks


def _separator(line: str) -> str | None:
    return next((mark for mark in "\t," if mark in line), None)


_SUGGESTED = 20_000
"""Words, the most frequent ones, among which one is looked for that may have been meant."""
