"""N-best lists in Moses' format: `id ||| words ||| features ||| score [||| alignment]`, a hypothesis a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from amigrad.data import DataError
from amigrad.tasks.rescoring.nbest_list import ONLY_SCORE, Floats, NBestList, block_names


class MosesLines:
    """Parses lines `id ||| words ||| features ||| score [||| alignment]`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.layout: _Layout | None = None
        self.fields = 0
        self._last = ("\n", -1)

    def number(self, line: tuple[int, str]) -> int:
        """The id of a line."""
        if line[1].startswith(self._last[0]):
            return self._last[1]
        head, bars, _ = line[1].partition("|||")
        text = head.strip()
        if not (text.isascii() and text.isdigit()):
            problem = f"'{text[:40]}' is not a sentence's id"
            raise DataError(self.path, line[0], problem, "Give lines `id ||| words ||| features ||| score`")
        if bars:
            self._last = (head + bars, int(text))
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


def format_moses(record: str, added: str, score: str | None) -> str:
    """A line with more features, and another score."""
    fields = record.split("|||", 4)
    if added:
        features = fields[2].strip()
        fields[2] = f" {features} {added} " if features else f" {added} "
    if score is not None:
        fields[3] = f" {score} " if len(fields) > 4 else f" {score}"
    return "|||".join(fields)
