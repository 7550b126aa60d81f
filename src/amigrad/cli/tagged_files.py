"""How a command says what tagged sentences a file holds: its format, and the column of the tags."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from amigrad.data import Sentence


class Format(StrEnum):
    """Formats of tagged corpora."""

    CONLL = "conll"
    CONLLU = "conllu"
    SLASH = "slash"


FormatOption = Annotated[
    Format | None,
    typer.Option(help="conll: columns; conllu: CoNLL-U; slash: word/tag. Default: by the name of the file."),
]
ColumnOption = Annotated[int, typer.Option(help="Column of the tag, from 0, or from -1 backwards (conll).")]
WordColumnOption = Annotated[int, typer.Option(help="Column of the word (conll).")]
UposOption = Annotated[bool, typer.Option("--upos", help="Learn column UPOS (CoNLL-U; the default there).")]
XposOption = Annotated[bool, typer.Option("--xpos", help="Learn column XPOS (CoNLL-U).")]
FeatureOption = Annotated[str | None, typer.Option(metavar="NAME", help="Learn a feature such as Number (CoNLL-U).")]
TaskOption = Annotated[str | None, typer.Option(metavar="NAME", help="The task, where the model has several.")]


class Reader(Protocol):
    """Reads the tagged sentences of a file."""

    def __call__(self, path: Path) -> list[Sentence]: ...


def reader(
    format: Format | None,
    column: int,
    word_column: int,
    upos: bool,
    xpos: bool,
    feature: str | None,
    columns: Sequence[int] = (),
) -> Reader:
    """What reads tagged sentences as these options say; `columns` are read too, as features."""
    from amigrad.tasks.tagging import read_tagged

    if upos + xpos + (feature is not None) > 1:
        raise typer.BadParameter("--upos, --xpos and --feature exclude each other")
    conllu = upos or xpos or feature is not None
    if conllu and format not in (None, Format.CONLLU):
        raise typer.BadParameter(f"--upos, --xpos and --feature are for CoNLL-U, not for --format {format}")
    name = "conllu" if conllu else None if format is None else format.value
    tag = feature or ("XPOS" if xpos else "UPOS")
    return partial(read_tagged, format=name, column=column, word_column=word_column, tag=tag, columns=columns)
