"""Joining the word alignments of both directions, and the aligner."""

from __future__ import annotations

import importlib.util

import pytest

from amigrad.data import DataError
from amigrad.data.bitext import Bitext
from amigrad.tasks.rescoring.align import align, joined


@pytest.mark.parametrize(
    ("forward", "backward", "expected"),
    [
        ({(0, 0), (1, 1)}, {(0, 0), (1, 1)}, [[0, 0], [1, 1]]),
        ({(0, 0), (1, 1)}, {(0, 0)}, [[0, 0], [1, 1]]),  # beside one that both have
        ({(0, 0), (1, 1)}, {(0, 0), (2, 2)}, [[0, 0], [1, 1], [2, 2]]),  # ... and on from there
        ({(0, 0), (0, 1)}, {(0, 0)}, [[0, 0], [0, 1]]),  # reaches a word without links
        ({(0, 0), (5, 5)}, {(0, 0)}, [[0, 0], [5, 5]]),  # far away, but both words have none
        ({(0, 0), (5, 0)}, {(0, 0)}, [[0, 0]]),  # far away, and the target word has one
        (set(), set(), []),
    ],
)
def test_grow_diag_final_and(
    forward: set[tuple[int, int]], backward: set[tuple[int, int]], expected: list[list[int]]
) -> None:
    assert joined(forward, backward).tolist() == expected


def test_eflomal(bitext: Bitext) -> None:
    """Aligns the made-up languages where it is installed; says how to install it where it is not."""
    bare = Bitext(bitext.source, bitext.target)
    if importlib.util.find_spec("eflomal") is None:
        with pytest.raises(DataError, match=r"eflomal is not installed.*amigrad\[align\]"):
            align(bare)
        return
    found = align(bare)
    assert found.links is not None
    assert bitext.links is not None
    right = total = 0
    for one, other in zip(found.links, bitext.links, strict=True):
        theirs = {tuple(link) for link in other.tolist()}
        right += len(theirs & {tuple(link) for link in one.tolist()})
        total += len(theirs)
    assert right > 0.8 * total
