"""Bitext: sentences with their translations, and which words translate which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from amigrad.data.errors import DataError
from amigrad.data.lines import Source, numbered_lines, source_name

Words = Sequence[str]
Links = NDArray[np.int32]
"""Links of a pair of sentences: (n, 2), a source and a target position each, counted from 0."""


@dataclass(frozen=True, slots=True)
class Bitext:
    """Pairs of sentences, and the links of each if word alignments are there. Pairs with an empty side are left out."""

    source: list[list[str]]
    target: list[list[str]]
    links: list[Links] | None = None
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.source)

    def part(self, start: int, end: int) -> Bitext:
        """The pairs from one number on to before another."""
        links = None if self.links is None else self.links[start:end]
        return Bitext(self.source[start:end], self.target[start:end], links)


def read_bitext(source: Source, target: Source, alignment: Source | None = None) -> Bitext:
    """Pairs of sentences from two files, one sentence a line, tokens separated by blanks; gzipped or not.

    alignment: a third file of as many lines, Pharaoh's format: links `i-j`, source and target position from 0.
    Raises DataError for files of different length, a link that is none or points outside its sentences, and files
    without a pair of sentences.
    """
    names = [source_name(file) for file in (source, target, alignment) if file is not None]
    files = [numbered_lines(file) for file in (source, target, alignment) if file is not None]
    found = Bitext([], [], None if alignment is None else [])
    skipped = 0
    number = 0
    for lines in _together(files, names):
        number = lines[0][0]
        words = [line.split() for _, line in lines]
        if not words[0] or not words[1]:
            skipped += 1
            continue
        found.source.append(words[0])
        found.target.append(words[1])
        if found.links is not None:
            found.links.append(parse_links(words[2], len(words[0]), len(words[1]), names[2], number))
    if not found.source:
        raise DataError(names[0], None, "there is no pair of sentences", "Give two files with a sentence a line")
    return Bitext(found.source, found.target, found.links, skipped)


def parse_links(points: Words, source: int, target: int, name: str, line: int) -> Links:
    """Links from points `i-j` of a sentence of so many words and its translation: (n, 2) int.

    Raises DataError, with the name of the file and its line, for what is no link or points outside.
    """
    links = np.empty((len(points), 2), np.int32)
    for place, point in enumerate(points):
        left, _, right = point.partition("-")
        if not (left.isdecimal() and right.isdecimal() and point.isascii()):
            remedy = "Write each link as i-j: source and target position, from 0"
            raise DataError(name, line, f"'{point}' is no link of a word alignment", remedy)
        i, j = int(left), int(right)
        if i >= source or j >= target:
            side, size = ("source", source) if i >= source else ("target", target)
            problem = f"the link {point} points outside its {side} sentence of {size} words"
            raise DataError(name, line, problem, "Align these very files, tokenised as they are; positions are from 0")
        links[place] = i, j
    return links


def _together(files: Sequence[Iterator[tuple[int, str]]], names: Sequence[str]) -> Iterator[list[tuple[int, str]]]:
    """The lines of several files side by side; DataError if one has fewer than another."""
    for lines in zip_longest(*files):
        whole = [line for line in lines if line is not None]
        if len(whole) < len(lines):
            missing = next(place for place, line in enumerate(lines) if line is None)
            there = next(place for place, line in enumerate(lines) if line is not None)
            problem = f"the file ends before line {whole[0][0]}, but {names[there]} has more"
            raise DataError(names[missing], None, problem, "Give files whose lines belong together, one by one")
        yield whole
