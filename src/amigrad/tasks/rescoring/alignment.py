"""Word alignments of n-best lists in Pharaoh format: `i-j`, source word i and target word j, both from 0."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
