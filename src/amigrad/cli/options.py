"""What the commands have in common: options that mean the same everywhere, and how their values are read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

if TYPE_CHECKING:
    from amigrad.tasks.options import Options


class Tokenizer(StrEnum):
    """Tokenisers of plain text."""

    AUTO = "auto"
    SPACY = "spacy"
    RULES = "rules"


ModelArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model.")]
OutputOption = Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder for the model.")]
FilesArgument = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Default: the input.")]
TokensOption = Annotated[bool, typer.Option("--tokens", help="One token a line, a blank line between sentences.")]
TokenizerOption = Annotated[
    Tokenizer, typer.Option("--tokenizer", help="Rules to find words by; auto: spaCy's if it is installed.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")]

VectorsOption = Annotated[
    Path | None,
    typer.Option("--vectors", metavar="DIR|FILE", help="Word vectors to start from: an embedding, or a file."),
]
EpochsOption = Annotated[int | None, typer.Option("--epochs", help="Passes over the training data.")]
PatienceOption = Annotated[
    int | None, typer.Option("--patience", help="Stop after so many epochs without a better model.")
]
ScheduleOption = Annotated[
    str | None,
    typer.Option("--schedule", help="constant, or linear: the learning rate falls to 0 at the last epoch."),
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Same seed, same model.")]
WordSizeOption = Annotated[int | None, typer.Option("--word-size", help="Width of the lookup table of words.")]
MinimumCountOption = Annotated[
    int | None, typer.Option("--minimum-count", help="Words that occur less often are unknown.")
]
DropoutOption = Annotated[
    float | None, typer.Option("--dropout", help="Share of the looked-up numbers left out in training.")
]
ResumeOption = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Go on with a training that was stopped, or begin anew.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def chosen(kind: type[Options], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of a command's arguments those that were given and are options of this kind of model, by the same names."""
    names = {field.name for field in fields(kind)}
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in arguments.items()
        if name in names and value is not None
    }


def named_paths(option: str, given: Sequence[str] | None) -> dict[str, Path]:
    """Paths by name, of options NAME=PATH."""
    found: dict[str, Path] = {}
    for text in given or []:
        name, equals, path = text.partition("=")
        if not equals or not name.isidentifier() or not path or name in found:
            raise typer.BadParameter(f"--{option} takes NAME=PATH, with a name of one word and once only; not '{text}'")
        found[name] = Path(path)
    return found


def numbers(option: str, text: str | None, example: str, *, none: bool = False) -> tuple[int, ...] | None:
    """Whole numbers with commas between them, or the word none if there may be none of them; None if not given."""
    if text is None:
        return None
    if none and text == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        also = ", or none" if none else ""
        raise typer.BadParameter(f"--{option} takes numbers such as {example}{also}; not '{text}'") from None


def sources(files: Sequence[Path] | None) -> list[Path | BinaryIO]:
    """The files that were given, or the standard input."""
    return [*(files or [])] or [sys.stdin.buffer]


@contextmanager
def explained(quiet: bool) -> Iterator[None]:
    """Say how a training that was begun with other options is begun anew, and that one was stopped."""
    from amigrad.train.errors import Interrupted, OtherSettingsError

    try:
        yield
    except OtherSettingsError as error:
        raise OtherSettingsError(error.folder, error.changes, anew="--no-resume") from error
    except Interrupted as stopped:
        if quiet:
            print(f"amigrad: {stopped}", file=sys.stderr)
        raise
