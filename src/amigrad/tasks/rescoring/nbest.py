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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.data.lines import Source, numbered_lines, source_name
from amigrad.tasks.rescoring.nbest_json import JsonLines, format_json
from amigrad.tasks.rescoring.nbest_list import Floats, NBestList
from amigrad.tasks.rescoring.nbest_moses import MosesLines, format_moses

__all__ = ["NBestList", "format_hypotheses", "read_nbest"]


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
    parser = JsonLines(path) if first[1].lstrip().startswith("{") else MosesLines(path)
    for expected, (number, group) in enumerate(groupby(chain([first], lines), key=parser.number)):
        block = list(group)
        if number != expected:
            raise DataError(path, block[0][0], *_wrong_id(number, expected))
        found = parser.parse(number, block)
        if not allow_empty and () in found.hypotheses:
            problem = f"a hypothesis of sentence {number} has no words"
            line = found.line + found.hypotheses.index(())
            raise DataError(path, line, problem, "Remove the line, or allow such hypotheses with --allow-empty")
        yield _without_links_of_empty(found) if allow_empty else found


def _without_links_of_empty(found: NBestList) -> NBestList:
    """The list without the alignment points of hypotheses that have no words: there is nothing to point to."""
    if found.alignments is None or () not in found.hypotheses:
        return found
    kept = [points if words else "" for points, words in zip(found.alignments, found.hypotheses, strict=True)]
    return replace(found, alignments=tuple(kept))


def _wrong_id(number: int, expected: int) -> tuple[str, str]:
    if number < expected:
        return f"id {number} comes back after id {expected - 1}", "Sort the list by id"
    if expected == 0:
        return f"the first id is {number}, not 0", "Number the sentences from 0, in the order of the source"
    missing = f"id {expected} is" if number == expected + 1 else f"ids {expected} to {number - 1} are"
    return f"id {number} follows id {expected - 1}: {missing} missing", "Give every sentence a hypothesis"


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
            lines.append(format_moses(record, suffixes[place], score))
        else:
            values = {name: f"{column[place]:.7g}" for name, column in added.items()}
            lines.append(format_json(record, values, score))
    return ("\n".join(lines) + "\n").encode()
