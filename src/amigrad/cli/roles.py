"""`amigrad roles`: train a labeller of semantic roles, label text with it, evaluate it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amigrad.cli.options import (
    FilesArgument,
    JsonOption,
    ModelArgument,
    Tokenizer,
    TokenizerOption,
    TokensOption,
    sources,
)
from amigrad.cli.roles_train import read_sentences, train

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amigrad.cli.roles_report import Item
    from amigrad.tasks.roles import RoleLabeller

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Find who did what to whom: the arguments of predicates. Train, use and evaluate.",
)
app.command()(train)


class Output(StrEnum):
    """Formats of labelled sentences."""

    COLUMNS = "columns"
    PROPS = "props"
    JSONL = "jsonl"
    TEXT = "text"


WordsOption = Annotated[
    Path | None,
    typer.Option("--words", metavar="FILE", help="The words, where the file has only lemmas and brackets (props)."),
]


@app.command()
def label(
    model: ModelArgument,
    files: FilesArgument = None,
    tokens: TokensOption = False,
    given: Annotated[
        bool, typer.Option("--given", help="Columns as those trained on: label the predicates that these mark.")
    ] = False,
    words: WordsOption = None,
    output: Annotated[
        Output, typer.Option(help="columns, as those trained on; props; jsonl: JSON a sentence; text, to be read.")
    ] = Output.COLUMNS,
    tokenizer: TokenizerOption = Tokenizer.AUTO,
) -> None:
    """Label plain text, or tokens: predicates are found, then their arguments.

    JSON lines hold the words, the places of predicates and arguments among them (the end not included), and where the
    words are in the text (as characters of the file, from 0).

    \b
    Examples:
      echo "She gave him a book." | amigrad roles label roles --output text
      amigrad roles label roles --output jsonl letter.txt
      amigrad roles label roles --tokens < words.txt > labelled.txt
      amigrad roles label roles --given dev.txt --output props > dev.props
    """
    from amigrad.cli.progress import counted
    from amigrad.cli.roles_report import write_labelled
    from amigrad.data import english_tokenizer, read_text, read_tokens
    from amigrad.tasks.roles import RoleLabeller

    if words is not None and (not given or len(files or []) > 1):
        raise typer.BadParameter("--words goes with --given and one file")
    if given and tokens:
        raise typer.BadParameter("--given and --tokens exclude each other")
    labeller = _finding(RoleLabeller.load(model), model, given)
    split = None if tokens or given else english_tokenizer(tokenizer.value)
    for source in sources(files):
        items: Iterable[Item]
        plain = read_tokens(source) if tokens else read_text(source, split)
        items = read_sentences(source, words) if given else plain
        typed = not isinstance(source, Path) and source.isatty()  # someone types, and wants each answer at once
        if not typed:
            items = counted(items, "sentences")
        write_labelled(labeller, items, output.value, find=not given, at_once=typed)


@app.command()
def evaluate(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Sentences with propositions.")],
    words: WordsOption = None,
    find: Annotated[
        bool, typer.Option("--find", help="Find the predicates too, instead of taking those given.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare a labeller with labelled sentences.

    Precision, recall and F1 of arguments, all and each label, as srl-eval.pl of CoNLL-2005 counts them.

    \b
    Examples:
      amigrad roles evaluate roles dev.txt
      amigrad roles evaluate roles dev.txt --find
      amigrad roles evaluate roles dev.props.gz --words dev.words.gz --json
    """
    from amigrad.cli.roles_report import print_evaluation
    from amigrad.tasks.roles import RoleLabeller
    from amigrad.tasks.roles import evaluate as compare

    sentences = read_sentences(file, words)
    labeller = _finding(RoleLabeller.load(model), model, not find)
    print_evaluation(compare(labeller, sentences, find=find), json=json)


@app.command()
def score(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Sentences with their propositions.")],
    predicted: Annotated[Path, typer.Argument(metavar="PREDICTED", help="The same sentences with other propositions.")],
    json: JsonOption = False,
) -> None:
    """Compare two files of propositions, from any program, as srl-eval.pl of CoNLL-2005 does.

    \b
    Examples:
      amigrad roles score dev.props mine.props
      amigrad roles score dev.txt mine.txt --json
    """
    from amigrad.cli.roles_report import print_evaluation
    from amigrad.data import DataError, read_propositions
    from amigrad.tasks.roles import RoleEvaluation, score_propositions

    due, found = read_propositions(gold), read_propositions(predicted)
    if len(due) != len(found):
        problem = f"{len(found)} sentences, but {len(due)} in {gold}"
        raise DataError(str(predicted), None, problem, "Give propositions of the same sentences")
    for number, (mine, theirs) in enumerate(zip(due, found, strict=True), 1):
        if len(mine) != len(theirs):
            problem = f"sentence {number} has {len(theirs)} words, but {len(mine)} in {gold}"
            raise DataError(str(predicted), None, problem, "Give propositions of the same sentences")
    print_evaluation(RoleEvaluation(score_propositions(due, found)), json=json)


def _finding(labeller: RoleLabeller, folder: Path, given: bool) -> RoleLabeller:
    """The labeller, if it can find predicates or has not to."""
    from amigrad.tasks.roles import ModelError

    if labeller.finder is None and not given:
        remedy = "Give sentences whose predicates are marked, or train with --predicates"
        raise ModelError(folder, "this model was trained with --no-predicates, so it finds none", remedy)
    return labeller
