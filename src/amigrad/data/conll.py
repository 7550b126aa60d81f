"""Tagged sentences in CoNLL columns: one token a line, blank lines between sentences."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from amigrad.data.errors import DataError
from amigrad.data.lines import Source, numbered_lines, source_name
from amigrad.data.sentence import Sentence, make_sentence


def read_columns(
    source: Source, *, word_column: int = 0, tag_column: int | None = -1, columns: Sequence[int] = ()
) -> Iterator[Sentence]:
    """Sentences of a CoNLL column file.

    Columns are counted from 0, or from -1 backwards; a `tag_column` of None reads words only; `columns` are
    those to keep beside the words. The first token
    line decides for the whole file: if it holds a tab, columns end at tabs (and words may hold spaces),
    otherwise at runs of spaces and tabs. `-DOCSTART-` lines are skipped.

    A line that begins with `#` is a comment only where a sentence may begin, and only if it reads `# key
    = value` or does not have the columns of the file (no tab at all in a file with tabs; another number
    of columns in a file with spaces). Everywhere else `#` is a word.

    Raises DataError for a file without sentences, a line with too few columns or an empty word or tag. If a
    column is counted backwards, all lines must have the same number of columns, so that none is missed.
    """
    if word_column == tag_column:
        raise ValueError(f"words and tags cannot both come from column {word_column}")
    return _sentences(source, word_column, tag_column, tuple(columns))


_KEY_VALUE = re.compile(r"#\s*[\w.:-]+\s+=(\s|$)")
_DOCUMENT = re.compile(r"-DOCSTART-(\s|$)")
_REMEDY = "Columns are counted from 0 (-1 is the last); choose others, or complete the line"


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the lines of one file fall into columns, as its first token line shows."""

    tabbed: bool
    count: int
    line: int

    def split(self, line: str) -> list[str]:
        return _split(line, self.tabbed)

    def is_comment(self, line: str) -> bool:
        if _KEY_VALUE.match(line):
            return True
        return "\t" not in line if self.tabbed else len(self.split(line)) != self.count


def _sentences(source: Source, word_column: int, tag_column: int | None, others: tuple[int, ...]) -> Iterator[Sentence]:
    name = source_name(source)
    layout, lines = _find_layout(numbered_lines(source))
    if layout is None:
        raise DataError(name, 1, "no sentence in this file", "Give a file with one token a line")
    wanted = [column for column in (word_column, tag_column) if column is not None]
    needed = max(column + 1 if column >= 0 else -column for column in (*wanted, *others))
    regular = min(*wanted, *others, 0) < 0
    if layout.count >= needed and len({column % layout.count for column in wanted}) < len(wanted):
        problem = f"with {_columns(layout.count)}, column {word_column} would be both the word and its tag"
        raise DataError(name, layout.line, problem, _REMEDY)

    if tag_column is not None and tag_column % layout.count in others and layout.count >= needed:
        problem = (
            f"with {_columns(layout.count)}, column {tag_column % layout.count} would be both the tag and beside it"
        )
        raise DataError(name, layout.line, problem, _REMEDY)

    start = 0
    words: list[str] = []
    tags: list[str] = []
    beside: tuple[list[str], ...] = tuple([] for _ in others)
    for number, line in lines:
        if not line.strip(" \t") or (line[0] == "-" and _DOCUMENT.match(line)):
            if words:
                yield make_sentence(words, tags, beside, start)
                words, tags, beside = [], [], tuple([] for _ in others)
            continue
        if line[0] == "#" and not words and layout.is_comment(line):
            continue
        if not words:
            start = number
        columns = layout.split(line)
        if len(columns) < needed or (regular and len(columns) != layout.count):
            raise DataError(name, number, _describe(layout, len(columns), needed, tag_column), _REMEDY)
        word = columns[word_column].strip(" ")
        if not word:
            raise DataError(name, number, "empty word", "Give every token line a word")
        words.append(word)
        if tag_column is not None:
            tag = columns[tag_column].strip(" ")
            if not tag:
                raise DataError(name, number, f"no tag for the word '{word}'", "Give every word a tag")
            tags.append(tag)
        for values, column in zip(beside, others, strict=True):
            values.append(columns[column].strip(" "))
    if words:
        yield make_sentence(words, tags, beside, start)


def _find_layout(lines: Iterator[tuple[int, str]]) -> tuple[_Layout | None, Iterator[tuple[int, str]]]:
    """The layout and all lines, those read to find it included.

    Lines that begin with `#` are trusted to be tokens only if the file has no others.
    """
    head: list[tuple[int, str]] = []
    doubtful: tuple[int, str] | None = None
    for number, line in lines:
        head.append((number, line))
        if not line.strip(" \t") or _DOCUMENT.match(line):
            continue
        if not line.startswith("#"):
            return _layout_of(number, line), chain(head, lines)
        if doubtful is None and not _KEY_VALUE.match(line):
            doubtful = (number, line)
    return (None if doubtful is None else _layout_of(*doubtful)), iter(head)


def _layout_of(number: int, line: str) -> _Layout:
    tabbed = "\t" in line
    return _Layout(tabbed, len(_split(line, tabbed)), number)


def _split(line: str, tabbed: bool) -> list[str]:
    if tabbed:
        return line.split("\t")
    return [column for column in line.replace("\t", " ").split(" ") if column]


def _describe(layout: _Layout, found: int, needed: int, tag_column: int | None) -> str:
    columns = f"{_columns(found)} separated by {'tabs' if layout.tabbed else 'spaces'}"
    if found < needed:
        what = "the word" if tag_column is None else "the word and the tag"
        return f"{columns}, but {needed} are needed to find {what}"
    return f"{columns}, but line {layout.line} has {layout.count}"


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"
