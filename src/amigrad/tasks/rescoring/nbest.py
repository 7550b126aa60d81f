"""N-best lists: the translations that a decoder found for each sentence, with its features and scores.

Two formats, compressed or not, recognised by the first line:

- Moses: `id ||| words ||| name= value ... name= value ... ||| score [||| i-j ...]`, a hypothesis a line;
- JSON lines: `{"id": 0, "text": "a b", "score": -1.5, "features": {"lm": -3.1}, "alignment": "0-0 1-1"}`, with a score,
  features or both. A feature may be a list of values.

Ids count from 0 without gaps, the hypotheses of a sentence stand together, best first, and all have the same features.
A block of several values `LM= v v` gives the features LM.0 and LM.1, a single one keeps its name. Where a list has no
features, its score is the one feature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.data.lines import Source, numbered_lines, source_name
from amigrad.tasks.rescoring.alignment import Points, flat_points, split_points

Floats = NDArray[np.float64]

ONLY_SCORE = "score"
"""Name of the one feature of a list that has a score and no features."""


@dataclass(frozen=True, slots=True)
class NBestList:
    """The N hypotheses of one sentence, best first.

    `number` is the sentence's id, `line` the line of the first hypothesis (the others follow it line by line).
    scores: (N,) float64, None if the file has none. `alignments` are Pharaoh points as they were read. `records` are
    the lines themselves (Moses) or their JSON objects. `read_features` makes numbers of the features.
    """

    number: int
    path: str
    line: int
    hypotheses: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    read_features: Callable[[], Floats] = field(repr=False)
    scores: Floats | None
    alignments: tuple[str, ...] | None
    records: Sequence[str | Mapping[str, Any]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.hypotheses)

    @property
    def features(self) -> Floats:
        """The values of the features, (N, F). They are read when they are asked for; DataError for one too large."""
        return self.read_features()

    def points(self, source_length: int) -> list[Points]:
        """Alignment points of each hypothesis, (P, 2) int32. Raises DataError for those outside a sentence."""
        return split_points(*self.flat_points(source_length))

    def flat_points(self, source_length: int) -> tuple[Points, NDArray[np.int64]]:
        """The alignment points of all hypotheses one after another, and how many each has: (P, 2), (N,)."""
        if self.alignments is None:
            problem = "the list has no alignments"
            raise DataError(self.path, self.line, problem, "Let the decoder write them, or align with --align")
        lengths = [len(words) for words in self.hypotheses]
        return flat_points(self.alignments, [source_length] * len(lengths), lengths, self.path, self.line)


def read_nbest(source: Source, *, allow_empty: bool = False) -> Iterator[NBestList]:
    """The lists of a file one by one: memory holds one of them.

    Raises DataError, with the line, for an id that is skipped or comes back, features that differ between lines,
    numbers that are none, and (unless `allow_empty`) hypotheses without words.
    """
    path = source_name(source)
    lines = numbered_lines(source)
    first = next(lines, None)
    if first is None:
        raise DataError(path, 1, "no hypothesis in this file", "Give an n-best list, in Moses' format or JSON lines")
    parser = _JsonLines(path) if first[1].lstrip().startswith("{") else _Moses(path)
    for expected, (number, group) in enumerate(groupby(_chain(first, lines), key=parser.number)):
        block = list(group)
        if number != expected:
            raise DataError(path, block[0][0], *_wrong_id(number, expected))
        found = parser.parse(number, block)
        if not allow_empty and () in found.hypotheses:
            problem = f"a hypothesis of sentence {number} has no words"
            line = found.line + found.hypotheses.index(())
            raise DataError(path, line, problem, "Remove the line, or allow such hypotheses with --allow-empty")
        yield found


def _chain(first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first
    yield from rest


def _wrong_id(number: int, expected: int) -> tuple[str, str]:
    if number < expected:
        return f"id {number} comes back after id {expected - 1}", "Sort the list by id"
    if expected == 0:
        return f"the first id is {number}, not 0", "Number the sentences from 0, in the order of the source"
    missing = f"id {expected} is" if number == expected + 1 else f"ids {expected} to {number - 1} are"
    return f"id {number} follows id {expected - 1}: {missing} missing", "Give every sentence a hypothesis"


class _Moses:
    """Parses lines `id ||| words ||| features ||| score [||| alignment]`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.layout: _Layout | None = None
        self.fields = 0

    def number(self, line: tuple[int, str]) -> int:
        """The id of a line."""
        text = line[1].partition("|||")[0].strip()
        if not (text.isascii() and text.isdigit()):
            problem = f"'{text[:40]}' is not a sentence's id"
            raise DataError(self.path, line[0], problem, "Give lines `id ||| words ||| features ||| score`")
        return int(text)

    def parse(self, number: int, block: list[tuple[int, str]]) -> NBestList:
        first = block[0][0]
        rows = [line.split("|||") for _, line in block]
        self.fields = self.fields or len(rows[0])
        for position, row in enumerate(rows):
            if len(row) != self.fields or not 4 <= len(row) <= 5:
                raise DataError(self.path, first + position, *self._wrong_fields(len(row)))
        columns = list(zip(*rows, strict=True))
        if self.layout is None:
            self.layout = _Layout.of(columns[2][0], self.path, first)
        read_features = partial(self.layout.parse, columns[2], self.path, first)
        if not self.layout.fits(columns[2]):
            read_features()
        scores = _numbers(columns[3], self.path, first, "score")
        return NBestList(
            number=number,
            path=self.path,
            line=first,
            hypotheses=tuple([tuple(text.split()) for text in columns[1]]),
            names=self.layout.names or (ONLY_SCORE,),
            read_features=read_features if self.layout.names else lambda: scores[:, None],
            scores=scores,
            alignments=columns[4] if self.fields == 5 else None,
            records=[line for _, line in block],
        )

    def _wrong_fields(self, count: int) -> tuple[str, str]:
        if 4 <= count <= 5:
            return f"{count} fields between '|||', but {self.fields} before", "Give all lines alignments, or none"
        return f"{count} fields between '|||'", "Give lines `id ||| words ||| features ||| score [||| alignment]`"


_NUMBER = r"[-+]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?+\s++"


@dataclass(frozen=True)
class _Layout:
    """Where names and values stand in the features of every line: their tokens, None for a value."""

    tokens: tuple[str | None, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str, path: str, line: int) -> _Layout:
        """The layout of a line. Values before the first name (or without any) are called `feature`."""
        tokens = tuple(token if token.endswith(("=", ":")) else None for token in text.split())
        blocks: dict[str, int] = {}
        block = "feature"
        for token in tokens:
            if token is None:
                blocks[block] = blocks.get(block, 0) + 1
                continue
            block = token[:-1]
            if not block or block in blocks:
                raise DataError(path, line, f"feature '{token}' comes twice or has no name", "Name each feature once")
            blocks[block] = 0
        for block, count in blocks.items():
            if not count:
                raise DataError(path, line, f"feature '{block}' has no value", "Write `name= value`, with a blank")
        names = [name for block, count in blocks.items() for name in block_names(block, count)]
        return cls(tokens, tuple(names))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        line = "".join(_NUMBER if token is None else re.escape(token) + r"\s++" for token in self.tokens)
        return re.compile(rf"(?:\s*+{line})*+")

    def fits(self, texts: Sequence[str]) -> bool:
        """Whether many lines have this layout, and numbers where it has values."""
        return self._pattern.fullmatch("\n".join(texts) + "\n") is not None

    def parse(self, texts: Sequence[str], path: str, line: int) -> Floats:
        """The values of many lines, (N, F). Raises DataError at the first line that has another layout."""
        width = len(self.tokens)
        tokens = " ".join(texts).split()
        try:
            if len(tokens) == width * len(texts) and all(
                token is None or tokens[place::width].count(token) == len(texts)
                for place, token in enumerate(self.tokens)
            ):
                places = [place for place, token in enumerate(self.tokens) if token is None]
                values = np.array([list(map(float, tokens[place::width])) for place in places], dtype=np.float64)
                if np.isfinite(values).all():
                    return values.T if places else np.zeros((len(texts), 0))
        except ValueError:
            pass
        for position, text in enumerate(texts):
            self._check(text.split(), path, line + position)
        raise AssertionError("lines that are right one by one are right together")

    def _check(self, tokens: Sequence[str], path: str, line: int) -> None:
        """Raise DataError unless a line has this layout."""
        remedy = "Give all lines the features of the first line"
        found = [token for token in tokens if token.endswith(("=", ":"))]
        expected = [token for token in self.tokens if token is not None]
        for name in expected:
            if name not in found:
                raise DataError(path, line, f"feature '{name[:-1]}' is missing", remedy)
        for name in found:
            if name not in expected:
                raise DataError(path, line, f"feature '{name[:-1]}' is not on the first line", remedy)
        layout = tuple(token if token.endswith(("=", ":")) else None for token in tokens)
        if layout != self.tokens:
            problem = f"{layout.count(None)} values where the first line has {len(self.names)}"
            if len(layout) == len(self.tokens):
                problem = "features in another order than on the first line"
            raise DataError(path, line, problem, remedy)
        _numbers([token for token in tokens if not token.endswith(("=", ":"))], path, line, "feature", same_line=True)


def block_names(block: str, count: int) -> list[str]:
    """Names of a block's values: the block's own if it is one, else with `.0`, `.1` behind it."""
    return [block] if count == 1 else [f"{block}.{place}" for place in range(count)]


def _numbers(texts: Sequence[str], path: str, line: int, what: str, *, same_line: bool = False) -> Floats:
    try:
        values = np.array(list(map(float, texts)), dtype=np.float64)
        if np.isfinite(values).all():
            return values
    except ValueError:
        pass
    for position, text in enumerate(texts):
        try:
            fine = bool(np.isfinite(float(text)))
        except ValueError:
            fine = False
        if not fine:
            place = line if same_line else line + position
            raise DataError(path, place, f"the {what} '{text.strip()}' is not a finite number", "Correct the line")
    raise AssertionError("numbers that are right one by one are right together")


class _JsonLines:
    """Parses lines that are JSON objects, one a hypothesis."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: tuple[str, ...] | None = None
        self.optional: frozenset[str] = frozenset()
        self.record: dict[str, Any] = {}

    def number(self, line: tuple[int, str]) -> int:
        """The id of a line, whose object is kept for `parse`."""
        try:
            record = json.loads(line[1])
        except (ValueError, RecursionError) as error:
            raise DataError(self.path, line[0], f"not JSON ({error})", "Give one JSON object a line") from None
        number = record.get("id") if isinstance(record, dict) else None
        if not isinstance(number, int) or isinstance(number, bool):
            raise DataError(self.path, line[0], "no 'id' that is a whole number", 'Give lines {"id": 0, "text": ...}')
        return number

    def parse(self, number: int, block: list[tuple[int, str]]) -> NBestList:
        first = block[0][0]
        records: list[dict[str, Any]] = [json.loads(line) for _, line in block]
        rows = [self._row(record, first + place) for place, record in enumerate(records)]
        scores = None
        if "score" in self.optional:
            scores = np.array([record["score"] for record in records], dtype=np.float64)
        assert self.names is not None
        return NBestList(
            number=number,
            path=self.path,
            line=first,
            hypotheses=tuple(tuple(record["text"].split()) for record in records),
            names=self.names,
            read_features=lambda: np.array(rows, dtype=np.float64),
            scores=scores,
            alignments=tuple(r["alignment"] for r in records) if "alignment" in self.optional else None,
            records=records,
        )

    def _row(self, record: dict[str, Any], line: int) -> list[float]:
        """The features of a hypothesis; checks everything else of it."""
        if not isinstance(record.get("text"), str):
            raise DataError(self.path, line, "no 'text'", "Give each hypothesis its words as a string")
        optional = frozenset(record) & {"score", "features", "alignment"}
        if self.names is None:
            self.optional = optional
        for key in sorted(optional ^ self.optional):
            problem = f"'{key}' is {'not on the first line' if key in record else 'missing'}"
            raise DataError(self.path, line, problem, "Give all lines the keys of the first line")
        if not isinstance(record.get("alignment", ""), str):
            raise DataError(self.path, line, "'alignment' is not a string", 'Give alignment points such as "0-0 1-1"')
        features = record.get("features") or {}
        if not isinstance(features, dict) or not (features or "score" in record):
            raise DataError(self.path, line, "neither a score nor features", 'Give "score" or "features": {"lm": -1.5}')
        score = [self._number(record["score"], "score", line)] if "score" in record else []
        named = [
            (name, self._number(value, name, line))
            for block, values in features.items()
            for name, value in _block_items(block, values)
        ]
        names = tuple(name for name, _ in named) if features else (ONLY_SCORE,)
        if self.names is None:
            self.names = names
        if set(names) != set(self.names):
            problem = f"features {', '.join(names)}, where the first line has {', '.join(self.names)}"
            raise DataError(self.path, line, problem, "Give all lines the features of the first line")
        values = dict(named)
        return [values[name] for name in self.names] if features else score

    def _number(self, value: object, name: str, line: int) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            return float(value)
        raise DataError(self.path, line, f"'{name}' is {value!r}, not a finite number", "Correct the line")


def _block_items(block: str, values: object) -> list[tuple[str, object]]:
    listed = values if isinstance(values, list) else [values]
    return list(zip(block_names(block, len(listed)), listed, strict=True))


def format_hypotheses(
    found: NBestList,
    added: Mapping[str, Floats] | None = None,
    scores: Floats | None = None,
    order: Sequence[int] | NDArray[np.int64] | None = None,
) -> bytes:
    """Lines of a list in its own format, with further features (N,) by name, new scores (N,), in another order.

    What was read is written as it was. Raises DataError if a feature of this name is there already.
    """
    added = added or {}
    for name in added:
        if name in found.names:
            problem, remedy = f"there is a feature '{name}' already", "Add features to the list as the decoder wrote it"
            raise DataError(found.path, found.line, problem, remedy)
    columns = [[f"{name}= {value:.7g}" for value in column.tolist()] for name, column in added.items()]
    suffixes = list(map(" ".join, zip(*columns, strict=True))) if columns else [""] * len(found)
    lines = []
    for place in range(len(found)) if order is None else order:
        score = None if scores is None else f"{scores[place]:.7g}"
        record = found.records[place]
        if isinstance(record, str):
            lines.append(_moses(record, suffixes[place], score))
        else:
            values = {name: f"{column[place]:.7g}" for name, column in added.items()}
            lines.append(_json(record, values, score))
    return ("\n".join(lines) + "\n").encode()


def _moses(record: str, added: str, score: str | None) -> str:
    fields = record.split("|||")
    if added:
        features = fields[2].strip()
        fields[2] = f" {features} {added} " if features else f" {added} "
    if score is not None:
        fields[3] = f" {score} " if len(fields) > 4 else f" {score}"
    return "|||".join(fields)


def _json(record: Mapping[str, Any], added: Mapping[str, str], score: str | None) -> str:
    content = dict(record)
    if added:
        features = content.get("features") or {ONLY_SCORE: content["score"]}
        content["features"] = {**features, **{name: float(value) for name, value in added.items()}}
    if score is not None:
        content["score"] = float(score)
    return json.dumps(content, ensure_ascii=False)
