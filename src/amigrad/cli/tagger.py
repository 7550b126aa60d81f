"""`amigrad tagger`: train a tagger, tag text with it, evaluate it, see its errors."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

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
from amigrad.cli.tagged_files import (
    ColumnOption,
    FeatureOption,
    FormatOption,
    TaskOption,
    UposOption,
    WordColumnOption,
    XposOption,
    reader,
)
from amigrad.cli.tagger_train import train

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Tag words: parts of speech, chunks, names. Train, use and evaluate.",
)
app.command()(train)


class Output(StrEnum):
    """Formats of tagged output."""

    CONLL = "conll"
    JSONL = "jsonl"
    COLOR = "color"


@app.command()
def tag(
    model: ModelArgument,
    files: FilesArgument = None,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="DIR", help="Another model to tag with in the same pass; may be repeated."),
    ] = None,
    tokens: TokensOption = False,
    output: Annotated[Output, typer.Option(help="conll: word and tags a line; jsonl: JSON a sentence.")] = Output.CONLL,
    offsets: Annotated[
        bool,
        typer.Option("--offsets", help="Columns with each word's first character in the text, and behind its last."),
    ] = False,
    tokenizer: TokenizerOption = Tokenizer.AUTO,
) -> None:
    """Tag plain text, or tokens, with one model or with several in one pass.

    In columns, each model has one, in the order of the command. JSON lines hold the words, their places in the text
    (as characters of the file, from 0) and the tags, of several models under the names of their folders.

    \b
    Examples:
      echo "The old man the boats." | amigrad tagger tag model
      amigrad tagger tag pos letter.txt --with chunk --with names
      amigrad tagger tag model --tokens < words.txt > tagged.txt
      amigrad tagger tag model --output jsonl letter.txt
    """
    from amigrad.cli.tagged import Form, write_tagged
    from amigrad.data import english_tokenizer
    from amigrad.tasks.tagging import Taggers

    if tokens and offsets:
        raise typer.BadParameter("--offsets are places in plain text; with --tokens there is none")
    taggers = Taggers.load([model, *(others or [])])
    split = None if tokens else english_tokenizer(tokenizer.value)
    for source in sources(files):
        write_tagged(taggers, source, Form(output.value, offsets), tokens=tokens, tokenizer=split)


@app.command()
def evaluate(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tagged sentences.")],
    format: FormatOption = None,
    column: ColumnOption = -1,
    word_column: WordColumnOption = 0,
    upos: UposOption = False,
    xpos: XposOption = False,
    feature: FeatureOption = None,
    task: TaskOption = None,
    json: JsonOption = False,
) -> None:
    """Compare a tagger with tagged sentences.

    Token accuracy, known and unknown words apart; precision, recall and F1 of each label, as conlleval counts them.

    \b
    Examples:
      amigrad tagger evaluate model dev.txt
      amigrad tagger evaluate model en-dev.conllu --xpos
      amigrad tagger evaluate model dev.txt --column 1 --json
    """
    from amigrad.cli.joint import load_tagger
    from amigrad.cli.report import print_evaluation
    from amigrad.tasks.tagging import evaluate as compare
    from amigrad.tasks.tagging.corpus import column_numbers

    tagger = load_tagger(model, task)
    read = reader(format, column, word_column, upos, xpos, feature, column_numbers(tagger.options.given))
    print_evaluation(compare(tagger, read(file)), json=json)


@app.command()
def errors(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tagged sentences.")],
    format: FormatOption = None,
    column: ColumnOption = -1,
    word_column: WordColumnOption = 0,
    upos: UposOption = False,
    xpos: XposOption = False,
    feature: FeatureOption = None,
    top: Annotated[int, typer.Option(min=1, help="How many confusions to show, the most frequent first.")] = 20,
    contexts: Annotated[int, typer.Option(min=0, help="How many contexts to show of each.")] = 2,
    task: TaskOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print all this as one JSON object.")] = False,
) -> None:
    """Show what a tagger gets wrong, and where.

    The most frequent confusions of a gold tag with a predicted one, the words that they happen to, how many of them
    the model does not know, and some contexts. Of chunks: another label, other boundaries, missed or invented.

    \b
    Examples:
      amigrad tagger errors model dev.txt
      amigrad tagger errors model en-dev.conllu --top 5 --contexts 10
      amigrad tagger errors model dev.txt --json > errors.json
    """
    from amigrad.cli.errors_report import print_errors
    from amigrad.cli.joint import load_tagger
    from amigrad.tasks.tagging import find_errors
    from amigrad.tasks.tagging.corpus import column_numbers

    tagger = load_tagger(model, task)
    read = reader(format, column, word_column, upos, xpos, feature, column_numbers(tagger.options.given))
    print_errors(find_errors(tagger, read(file), cases=contexts), top=top, json=json)
