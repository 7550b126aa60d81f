"""Word alignments in Pharaoh format (`i-j`: source word i, target word j, both from 0), bitext, lexical tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.data.lines import Source, numbered_lines, source_name

Points = NDArray[np.int32]
"""Alignment points of a sentence pair, (P, 2): source word, target word."""

_POINT = re.compile(r"[0-9]{1,9}-[0-9]{1,9}")
_POINTS = re.compile(r"\s*+(?:[0-9]{1,9}-[0-9]{1,9}(?:\s++|$))*+")


def parse_points(
    texts: Sequence[str], source_lengths: Sequence[int], target_lengths: Sequence[int], path: str, line: int
) -> list[Points]:
    """Alignment points of sentence pairs whose lines follow one another from `line` on.

    Raises DataError, with the line, for what is not `i-j` and for points outside the sentences.
    """
    return split_points(*flat_points(texts, source_lengths, target_lengths, path, line))


def split_points(points: Points, counts: NDArray[np.int64]) -> list[Points]:
    """The points of each pair, of those of many pairs one after another. points: (P, 2), counts: (N,)"""
    ends = np.cumsum(counts).tolist()
    return [points[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def flat_points(
    texts: Sequence[str], source_lengths: Sequence[int], target_lengths: Sequence[int], path: str, line: int
) -> tuple[Points, NDArray[np.int64]]:
    """The points that `parse_points` gives, of all pairs one after another, and how many each has: (P, 2), (N,)."""
    joined = " ".join(texts)
    if _POINTS.fullmatch(joined) is None:
        for position, text in enumerate(texts):
            for token in text.split():
                if _POINT.fullmatch(token) is None:
                    problem = f"'{token[:40]}' is not an alignment point"
                    raise DataError(path, line + position, problem, "Give points i-j of single words, counted from 0")
    counts = np.array([text.count("-") for text in texts], dtype=np.int64)
    flat = np.fromstring(joined.replace("-", " "), dtype=np.int32, sep=" ") if counts.any() else np.zeros(0, np.int32)
    points = flat.reshape(-1, 2)
    limits = np.array([source_lengths, target_lengths], dtype=np.int64).T
    outside = (points >= np.repeat(limits, counts, axis=0)).any(axis=1)
    if outside.any():
        worst = int(np.argmax(outside))
        position = int(np.searchsorted(np.cumsum(counts), worst, side="right"))
        i, j = points[worst]
        lengths = f"{source_lengths[position]} source and {target_lengths[position]} target words"
        problem = f"alignment point {i}-{j} is outside a pair of {lengths}"
        raise DataError(path, line + position, problem, "Check that source, target and alignment belong together")
    return points, counts


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A pair of aligned sentences: its line (from 1), the words of both sides, alignment points (P, 2)."""

    line: int
    source: tuple[str, ...]
    target: tuple[str, ...]
    points: Points


def read_bitext(source: Source, target: Source, alignment: Source) -> Iterator[SentencePair]:
    """Sentence pairs of three files, a pair a line. Raises DataError if one file is shorter or a point is outside."""
    names = [source_name(file) for file in (source, target, alignment)]
    lines = zip_longest(*map(numbered_lines, (source, target, alignment)))
    for number, triple in enumerate(lines, 1):
        check_together(names, triple, number)
        words = [tuple(text.split()) for _, text in triple[:2]]
        points = parse_points([triple[2][1]], [len(words[0])], [len(words[1])], names[2], number)
        yield SentencePair(number, words[0], words[1], points[0])


def check_together(names: Sequence[str], lines: Sequence[object], number: int) -> None:
    """Raise DataError if some files, whose lines are None, end before line `number` and others do not."""
    for name, line in zip(names, lines, strict=True):
        if line is None:
            longer = next(other for other, there in zip(names, lines, strict=True) if there is not None)
            problem = f"the file ends here, but {longer} has more lines"
            raise DataError(name, number, problem, "Give files of the same sentences, a sentence a line")


def read_sentences(source: Source, count: int | None = None, of: str = "") -> list[tuple[str, ...]]:
    """Words of the sentences of a file, one a line.

    Raises DataError if there are not `count` of them, which is the number that the file `of` has.
    """
    sentences = [tuple(line.split()) for _, line in numbered_lines(source)]
    if count is not None and len(sentences) != count:
        problem = f"{len(sentences):,} sentences, but {of} has {count:,}"
        line = min(len(sentences), count) + 1
        raise DataError(source_name(source), line, problem, "Give a line for each sentence of the n-best list")
    return sentences


class LexicalTable:
    """How often words of aligned bitext are linked, to align sentences that come without points.

    Each target word is linked to the source word that it was most often linked to, in proportion to how often that
    source word is linked; equal ones decide by nearness to the diagonal. A word that was never linked to any of
    the sentence is linked to a copy of itself if there is one, else to nothing.
    """

    def __init__(self, source_words: Sequence[str], target_words: Sequence[str], pairs: Points, counts: Points) -> None:
        """pairs: (K, 2) indices of a source and a target word that are linked, counts: (K,) int32 how often."""
        self.source_words, self.target_words = tuple(source_words), tuple(target_words)
        self.pairs, self.counts = pairs, counts
        totals = np.bincount(pairs[:, 0], weights=counts, minlength=len(source_words))
        shares = counts / totals[pairs[:, 0]]
        self._shares: dict[str, dict[str, float]] = {}
        for (i, j), share in zip(pairs.tolist(), shares.tolist(), strict=True):
            self._shares.setdefault(self.target_words[j], {})[self.source_words[i]] = share

    @classmethod
    def learn(cls, bitext: Iterator[SentencePair]) -> LexicalTable:
        """Count the links of aligned bitext."""
        links: Counter[tuple[str, str]] = Counter()
        for pair in bitext:
            links.update((pair.source[i], pair.target[j]) for i, j in pair.points.tolist())
        source_words = {word: index for index, word in enumerate(sorted({word for word, _ in links}))}
        target_words = {word: index for index, word in enumerate(sorted({word for _, word in links}))}
        items = sorted((source_words[s], target_words[t], count) for (s, t), count in links.items())
        table = np.array(items, dtype=np.int32).reshape(-1, 3)
        return cls(list(source_words), list(target_words), table[:, :2].copy(), table[:, 2].copy())

    def align(self, source: Sequence[str], target: Sequence[str]) -> Points:
        """Points of a sentence pair, (P, 2), by target word."""
        points = []
        for j, word in enumerate(target):
            shares = self._shares.get(word, {})
            diagonal = j * len(source) / max(len(target), 1)
            best = max(
                (
                    (shares.get(other, 0.0), other == word, -abs(i - diagonal), i)
                    for i, other in enumerate(source)
                    if other in shares or other == word
                ),
                default=None,
            )
            if best is not None:
                points.append((best[3], j))
        return np.array(points, dtype=np.int32).reshape(-1, 2)
