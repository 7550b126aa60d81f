"""The source word that each target word is affiliated with (Devlin et al. 2014, section 2.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]


def affiliate(
    links: NDArray[np.integer[Any]], lengths: NDArray[np.integer[Any]], others: NDArray[np.integer[Any]]
) -> Indices:
    """The position in the other sentence that each word of some sentences is affiliated with. (words,)

    links: (n, 3): number of the sentence, position of the word in it, and a position in the other sentence that it is
    aligned with. lengths, others: (sentences,), how many words each sentence and its other one has.

    An aligned word is affiliated with what it is aligned with; with the middle of several, rounded down. A word that
    is not, with what the nearest aligned word is affiliated with, to the right if two are as near. In a sentence
    without links, positions go along the diagonal.
    """
    starts = np.cumsum(lengths) - lengths
    total = int(np.sum(lengths))
    sentence = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    place = np.arange(total, dtype=np.int64)
    diagonal = (2 * (place - starts[sentence]) + 1) * others[sentence] // (2 * lengths[sentence])
    found: Indices = diagonal.astype(np.int32)
    if not len(links):
        return found
    width = int(np.max(others)) + 1
    points = np.sort((starts[links[:, 0]] + links[:, 1]) * width + links[:, 2])
    points = points[np.diff(points, prepend=-1) > 0]
    counts = np.bincount(points // width, minlength=total)
    aligned = counts > 0
    middles = np.cumsum(counts) - counts + (counts - 1) // 2
    found[aligned] = points[middles[aligned]] % width
    before = np.maximum.accumulate(np.where(aligned, place, -1))
    after = np.minimum.accumulate(np.where(aligned, place, total)[::-1])[::-1]
    near = (starts + lengths)[sentence]
    right = np.where(after < near, after - place, total)
    left = np.where(before >= starts[sentence], place - before, total)
    waiting = np.flatnonzero(~aligned & (np.minimum(left, right) < total))
    found[waiting] = found[np.where(right <= left, after, before)[waiting]]
    return found
