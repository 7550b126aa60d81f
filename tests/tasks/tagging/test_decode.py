"""Decoding of IOBES tags, against all sequences one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from amigrad.data import EncodingError
from amigrad.data.encoding import spans
from amigrad.tasks.tagging.decode import Decoder

TAG_SETS = [
    ["O"],
    ["S-A"],
    ["B-A", "E-A"],
    ["B-A", "E-A", "I-A", "O", "S-A"],
    ["B", "E", "I", "O", "S"],
    ["B-A", "B-B", "E-A", "E-B", "I-B", "O", "S-B"],
    ["O", "I-A", "S-C", "E-B", "B-B", "E-A", "B-A"],
]


def legal(tags: list[str]) -> bool:
    try:
        spans(tags, "IOBES")
    except EncodingError:
        return False
    return True


def best_of_all(tags: list[str], scores: np.ndarray) -> np.ndarray | None:
    """The best of all legal sequences, None if there is none."""
    found = [path for path in product(range(len(tags)), repeat=len(scores)) if legal([tags[tag] for tag in path])]
    if not found:
        return None
    return np.array(max(found, key=lambda path: sum(scores[token, tag] for token, tag in enumerate(path))), np.int32)


@pytest.mark.parametrize("tags", TAG_SETS, ids=" ".join)
def test_the_best_legal_tags(tags: list[str]) -> None:
    rng = np.random.default_rng(len(tags))
    lengths = rng.integers(0, 5, 60).tolist()
    scores = rng.normal(size=(sum(lengths), len(tags))).astype(np.float32)
    alone = scores.argmax(axis=1).astype(np.int32)
    found = alone.copy()
    Decoder(tags).correct(found, scores, lengths)
    start = 0
    for length in lengths:
        sentence = slice(start, start + length)
        expected = best_of_all(tags, scores[sentence])
        assert np.array_equal(found[sentence], alone[sentence] if expected is None else expected)
        start += length


def test_legal_tags_stay() -> None:
    """Even where other legal ones have greater scores: they are not decoded at all."""
    tags = ["B-A", "E-A", "O"]
    given = np.array([2, 0, 1, 2], np.int32)
    found = given.copy()
    Decoder(tags).correct(found, np.zeros((4, 3), np.float32), [1, 3])
    assert np.array_equal(found, given)


def test_no_sentences() -> None:
    tags = np.empty(0, np.int32)
    for lengths in ([], [0], [0, 0]):
        Decoder(["O"]).correct(tags, np.empty((0, 1), np.float32), lengths)


def test_a_very_long_sentence() -> None:
    tags = ["B-A", "E-A", "I-A", "O", "S-A"]
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 5)).astype(np.float32)
    found = scores.argmax(axis=1).astype(np.int32)
    Decoder(tags).correct(found, scores, [len(scores)])
    assert legal([tags[tag] for tag in found])
