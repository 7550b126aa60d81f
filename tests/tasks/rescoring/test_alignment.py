"""Alignment points, bitext and lexical tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.tasks.rescoring.alignment import LexicalTable, parse_points, read_bitext, read_sentences


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


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Source, target and alignment of three sentence pairs."""
    texts = ["das haus\ndas buch\nein haus\n", "the house\nthe book\na house\n", "0-0 1-1\n" * 3]
    paths = [tmp_path / name for name in ("source", "target", "alignment")]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


def test_bitext_is_read_pair_by_pair(files: list[Path]) -> None:
    pairs = list(read_bitext(*files))
    assert [pair.line for pair in pairs] == [1, 2, 3]
    assert pairs[2].source == ("ein", "haus")
    assert pairs[2].target == ("a", "house")
    assert pairs[2].points.tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("short", [0, 1, 2])
def test_a_file_that_ends_early_is_named(files: list[Path], short: int) -> None:
    lines = files[short].read_text().splitlines(keepends=True)
    files[short].write_text("".join(lines[:2]))
    with pytest.raises(DataError, match=f"{files[short].name}, line 3: the file ends here"):
        list(read_bitext(*files))


def test_references_of_another_length_are_named(files: list[Path]) -> None:
    assert len(read_sentences(files[0], 3, "list")) == 3
    with pytest.raises(DataError, match="line 3: 3 sentences, but list has 2"):
        read_sentences(files[0], 2, "list")
    with pytest.raises(DataError, match="line 4: 3 sentences, but list has 5"):
        read_sentences(files[0], 5, "list")


def test_a_lexical_table_aligns_as_it_was_taught(files: list[Path]) -> None:
    table = LexicalTable.learn(read_bitext(*files))
    assert table.align(["ein", "buch"], ["a", "book"]).tolist() == [[0, 0], [1, 1]]
    assert table.align(["haus", "das"], ["the", "new", "house"]).tolist() == [[1, 0], [0, 2]]
    assert table.align(["haus", "Berlin"], ["Berlin"]).tolist() == [[1, 0]]
    assert table.align(["das", "x", "das"], ["y", "y", "the"]).tolist() == [[2, 2]]
    assert table.align([], ["the"]).shape == (0, 2)
    again = LexicalTable(table.source_words, table.target_words, table.pairs, table.counts)
    np.testing.assert_array_equal(again.align(["ein"], ["a"]), table.align(["ein"], ["a"]))
