"""Tagged corpora by the name of their format, read whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from amigrad.data import DataError, Sentence, read_columns, read_conllu, read_slashed
from amigrad.tasks.options import OptionsError

Item = TypeVar("Item")

FORMATS = ("conll", "conllu", "slash")


def read_tagged(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    column: int = -1,
    word_column: int = 0,
    tag: str = "UPOS",
    columns: Sequence[int] = (),
) -> list[Sentence]:
    """All sentences of a tagged file, with these columns beside the words (counted from 0).

    format: "conll" (columns; `column` and `word_column` from 0, or from -1 backwards), "conllu" (`tag` is UPOS, XPOS
    or a feature), "slash" (word/tag); by default "conllu" for names that end so (compressed or not), else "conll".
    Raises DataError for a file that cannot be used, OSError for one that cannot be opened.
    """
    if format is None:
        format = "conllu" if ".conllu" in Path(path).suffixes else "conll"
    if format not in FORMATS:
        raise OptionsError(f"a format is one of {', '.join(FORMATS)}, not '{format}'")
    if format == "conllu":
        if any(number not in range(10) for number in columns):
            raise OptionsError(f"CoNLL-U has the columns 0 to 9, not {', '.join(map(str, columns))}")
        try:
            return list(read_conllu(path, tag=tag, columns=columns))
        except ValueError as error:
            raise error if isinstance(error, DataError) else OptionsError(str(error)) from None
    if format == "slash":
        if columns:
            raise OptionsError("there are no columns in the format slash")
        return list(read_slashed(path))
    if column == word_column:
        raise OptionsError(f"words and tags cannot both come from column {column}")
    return list(read_columns(path, word_column=word_column, tag_column=column, columns=columns))


def column_name(number: int) -> str:
    """The name of the feature that a column beside the words is. Raises OptionsError for a negative number."""
    if number < 0:
        raise OptionsError(f"columns that are features are counted from 0, not {number}")
    return f"column{number}"


def column_numbers(names: Sequence[str]) -> list[int]:
    """What `column_name` made the names of."""
    return [int(name.removeprefix("column")) for name in names]


def hold_out(sentences: Sequence[Item], name: str = "the training data") -> tuple[list[Item], list[Item]]:
    """The first nine tenths of some sentences to train on, and the rest to see how good the model is.

    Raises DataError with this name if there are fewer than two sentences.
    """
    if len(sentences) < 2:
        raise DataError(name, None, "one sentence cannot be divided to train and to test", "Give a file to test with")
    cut = min(len(sentences) * 9 // 10, len(sentences) - 1)
    cut = max(cut, 1)
    return list(sentences[:cut]), list(sentences[cut:])
