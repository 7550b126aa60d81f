"""Numbered roles occur once: against all sequences of tags of short sentences, and no other role is concerned."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from amigrad.tasks.roles.once import Once

TAGS = ("O", "B-A0", "I-A0", "E-A0", "S-A0", "S-A1", "S-AM-TMP", "S-V")
ROLES = {1: 0, 4: 0, 5: 1}
"""The role of the argument that begins with a tag."""


def sequences(length: int) -> list[tuple[int, ...]]:
    """All legal sequences of tags, by index."""
    follows = {first: {2, 3} if first in (1, 2) else set(range(len(TAGS))) - {2, 3} for first in range(len(TAGS))}
    return [
        tags
        for tags in product(range(len(TAGS)), repeat=length)
        if tags[0] not in (2, 3) and tags[-1] not in (1, 2) and all(b in follows[a] for a, b in pairwise(tags))
    ]


def single(tags: tuple[int, ...]) -> bool:
    return all(sum(ROLES.get(tag) == role for tag in tags) < 2 for role in (0, 1))


@pytest.mark.parametrize("seed", range(20))
def test_no_numbered_role_is_there_twice(seed: int) -> None:
    every = np.array(sequences(4))

    def total(scores: np.ndarray) -> np.ndarray:
        return scores[np.arange(4), every].sum(axis=1)

    def decode(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        totals = np.stack([total(x) for x in scores])
        best = totals.argmax(axis=1)
        return every[best], totals[np.arange(len(best)), best]

    scores = np.random.default_rng(seed).normal(size=(12, 4, len(TAGS)))
    before, first = decode(scores)
    tags = before.copy()
    given = scores.copy()
    Once(TAGS).correct(tags, given, decode)
    allowed = np.array([single(tuple(row)) for row in every.tolist()])
    changed = 0
    for number in range(12):
        sure = single(tuple(before[number].tolist()))
        assert single(tuple(tags[number].tolist()))
        own = scores[number][np.arange(4), tags[number]].sum()
        assert own <= total(scores[number])[allowed].max() + 1e-9
        if sure:
            assert np.array_equal(tags[number], before[number])
            assert own == pytest.approx(first[number])
        else:
            changed += 1
    assert changed


def test_other_roles_may_be_there_twice() -> None:
    def decode(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("nothing is to be decoded again")

    tags = np.array([[6, 7, 6, 4]])
    Once(TAGS).correct(tags, np.zeros((1, 4, len(TAGS))), decode)
    assert tags.tolist() == [[6, 7, 6, 4]]
