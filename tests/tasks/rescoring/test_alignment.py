"""Alignment points of lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from amigrad.data import DataError
from amigrad.tasks.rescoring.alignment import parse_points, read_sentences


def test_points_of_many_sentences() -> None:
    points = parse_points(["0-0 1-2 ", "", " 2-0"], [2, 5, 3], [3, 0, 1], "f", 1)
    assert [found.tolist() for found in points] == [[[0, 0], [1, 2]], [], [[2, 0]]]
    assert parse_points([""], [1], [1], "f", 1)[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0-0 1", "f, line 8: '1' is not an alignment point"),
        ("0-1-2", "'0-1-2' is not"),
        ("0-0,1-1", "'0-0,1-1' is not"),
        ("0--1", "'0--1' is not"),
        ("0-1=0-1", "'0-1=0-1' is not"),
        ("9999999999-0", "is not an alignment point"),
        ("0-0 0-3", "f, line 8: alignment point 0-3 is outside a pair of 2 source and 3 target words"),
        ("2-0", "alignment point 2-0 is outside"),
    ],
)
def test_bad_points_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_points(["0-0", text], [2, 2], [3, 3], "f", 7)
    assert message in str(caught.value)


def test_sentences_of_another_number_are_named(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_text("das haus\n\nein buch\n")
    assert read_sentences(path, 3, "list") == [("das", "haus"), (), ("ein", "buch")]
    with pytest.raises(DataError, match="line 3: 3 sentences, but list has 2"):
        read_sentences(path, 2, "list")
    with pytest.raises(DataError, match="line 4: 3 sentences, but list has 5"):
        read_sentences(path, 5, "list")
