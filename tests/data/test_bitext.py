"""Bitext: pairs of lines and their links, and what is said of files that do not fit."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from amigrad.data import DataError
from amigrad.data.bitext import read_bitext


def files(folder: Path, *texts: str) -> list[Path]:
    """Files of these texts."""
    paths = [folder / f"part{number}" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_pairs_and_links(tmp_path: Path) -> None:
    source, target, alignment = files(tmp_path, "ein  haus\n\nja\n", "a house\nnothing\nyes , yes\n", "0-0 1-1\n\n\n")
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(target.read_bytes()))
    found = read_bitext(source, packed, alignment)
    assert found.source == [["ein", "haus"], ["ja"]]
    assert found.target == [["a", "house"], ["yes", ",", "yes"]]
    assert found.links is not None
    assert [links.tolist() for links in found.links] == [[[0, 0], [1, 1]], []]
    assert found.skipped == 1
    assert len(found.part(1, 2)) == 1
    assert read_bitext(source, packed).links is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("a\nb\n", "a\n", "0-0\n0-0\n"), "part1: the file ends before line 2, but .*part0 has more"),
        (("a\n", "a\n", "0-0\n0-0\n"), "part0: the file ends before line 2"),
        (("a\nb\n", "a\nb\n", "0-0\n1-0\n"), "part2, line 2: the link 1-0 points outside its source sentence of 1"),
        (("a\n", "a\n", "0-7\n"), "line 1: the link 0-7 points outside its target sentence of 1"),
        (("a\n", "a\n", "0:0\n"), "line 1: '0:0' is no link"),
        (("a\n", "a\n", "-1-0\n"), "line 1: '-1-0' is no link"),
        (("\n", "a\n", "\n"), "no pair of sentences"),
    ],
)
def test_bad_files(tmp_path: Path, texts: tuple[str, str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_bitext(*files(tmp_path, *texts))
