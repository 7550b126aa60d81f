"""Which source word each target word is affiliated with."""

from __future__ import annotations

import numpy as np
import pytest

from amigrad.tasks.rescoring.affiliation import affiliate


def one(points: list[tuple[int, int]], length: int, other: int) -> list[int]:
    """The affiliations in a single sentence."""
    links = np.array([(0, *point) for point in points], np.int64).reshape(-1, 3)
    return affiliate(links, np.array([length]), np.array([other])).tolist()


def by_rules(points: list[tuple[int, int]], length: int, other: int) -> list[int]:
    """The same, word by word as the paper has it."""
    aligned = {word: sorted({i for w, i in points if w == word}) for word in range(length)}
    found = []
    for word in range(length):
        if not points:
            found.append((2 * word + 1) * other // (2 * length))
            continue
        nearest = min((w for w in range(length) if aligned[w]), key=lambda w: (abs(w - word), w < word))
        choices = aligned[nearest]
        found.append(choices[(len(choices) - 1) // 2])
    return found


@pytest.mark.parametrize(
    ("points", "length", "expected"),
    [
        ([(0, 2), (1, 0)], 2, [2, 0]),  # the aligned word
        ([(0, 1), (0, 4), (0, 9)], 1, [4]),  # the middle of three
        ([(0, 4), (0, 1)], 1, [1]),  # ... of two, rounded down
        ([(0, 5), (3, 7)], 4, [5, 5, 7, 7]),  # the nearest
        ([(0, 5), (2, 7)], 3, [5, 7, 7]),  # to the right if both are as near
        ([(1, 3)], 4, [3, 3, 3, 3]),
        ([(0, 3), (0, 3), (0, 8)], 1, [3]),  # a link that is there twice counts once
    ],
)
def test_the_heuristic(points: list[tuple[int, int]], length: int, expected: list[int]) -> None:
    assert one(points, length, 10) == expected


def test_without_links_positions_go_along_the_diagonal() -> None:
    assert one([], 4, 8) == [1, 3, 5, 7]
    assert one([], 3, 1) == [0, 0, 0]
    assert one([], 2, 0) == [0, 0]


def test_many_sentences_at_once_and_none_reaches_into_another() -> None:
    rng = np.random.default_rng(3)
    lengths, others = rng.integers(0, 7, 200), rng.integers(1, 8, 200)
    points = [
        [(int(rng.integers(length)), int(rng.integers(other))) for _ in range(int(rng.integers(0, 6)))]
        if length
        else []
        for length, other in zip(lengths, others, strict=True)
    ]
    links = np.array([(number, *point) for number, some in enumerate(points) for point in some], np.int64)
    expected = [
        place
        for some, length, other in zip(points, lengths.tolist(), others.tolist(), strict=True)
        for place in by_rules(some, length, other)
    ]
    assert affiliate(links[rng.permutation(len(links))], lengths, others).tolist() == expected
