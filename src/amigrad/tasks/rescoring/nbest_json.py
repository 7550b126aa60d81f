"""N-best lists as JSON lines: `{"id": 0, "text": "a b", "score": -1, "features": {"lm": -3}}`, a hypothesis a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from amigrad.data import DataError
from amigrad.tasks.rescoring.nbest_list import ONLY_SCORE, NBestList, block_names


class JsonLines:
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


def format_json(record: Mapping[str, Any], added: Mapping[str, str], score: str | None) -> str:
    """The line of an object with more features, and another score."""
    content = dict(record)
    if added:
        features = content.get("features") or {ONLY_SCORE: content["score"]}
        content["features"] = {**features, **{name: float(value) for name, value in added.items()}}
    if score is not None:
        content["score"] = float(score)
    return json.dumps(content, ensure_ascii=False)
