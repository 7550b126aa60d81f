"""`amigrad tagger`: train a tagger, tag text with it, evaluate it, see its errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from amigrad.data import Sentence
    from amigrad.tasks.tagging import TaggerOptions

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Tag words: parts of speech, chunks, names. Train, use and evaluate.",
)


class Format(StrEnum):
    """Formats of tagged corpora."""

    CONLL = "conll"
    CONLLU = "conllu"
    SLASH = "slash"


class Output(StrEnum):
    """Formats of tagged output."""

    CONLL = "conll"
    JSONL = "jsonl"
    COLOR = "color"


class Tokens(StrEnum):
    """Tokenisers of plain text."""

    AUTO = "auto"
    SPACY = "spacy"
    RULES = "rules"


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


@app.command()
def train(
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder for the model.")],
    train: Annotated[Path | None, typer.Option("--train", metavar="FILE", help="Tagged sentences to train on.")] = None,
    dev: Annotated[
        Path | None,
        typer.Option(
            "--dev", metavar="FILE", help="Tagged sentences to choose the model by. Default: a tenth of --train."
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:FILE[:COLUMN]",
            help="A task of several that share lookup tables, instead of --train. COLUMN: a number, UPOS, XPOS ...",
        ),
    ] = None,
    task_dev: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:FILE", help="Its sentences to choose the model by. Default: a tenth of FILE."),
    ] = None,
    share: Annotated[
        str, typer.Option(help="What the tasks share: tables, or hidden for the first linear layer too.")
    ] = "tables",
    format: FormatOption = None,
    column: ColumnOption = -1,
    word_column: WordColumnOption = 0,
    upos: UposOption = False,
    xpos: XposOption = False,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=DIR]",
            help="NAME=DIR: the tags of the tagger in DIR are a feature. NAME alone: learn a feature (CoNLL-U).",
        ),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE", help="Word vectors to start from: an embedding, or a file of any format."),
    ] = None,
    gazetteer: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="A list of phrases as a feature, one a line.")
    ] = None,
    column_feature: Annotated[
        list[int] | None, typer.Option(metavar="N", help="A column of the files as a feature, counted from 0.")
    ] = None,
    characters: Annotated[bool | None, typer.Option(help="Use the characters of words, by a convolution.")] = None,
    folds: Annotated[
        int | None,
        typer.Option(help="Taggers that tag the training sentences for --feature NAME=DIR; 0: the one in DIR does."),
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(help="word, sentence, or auto: the log-likelihood of whole sentences where tags are of chunks."),
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="How tags mark chunks: auto, none (tags as they are), IOB1, IOB2, IOBES.")
    ] = "auto",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without a better model.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Words a step, or sentences.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adagrad, sgd or adam.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step length. Default: one that suits the optimizer.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="constant, or linear: the learning rate falls to 0 at the last epoch.")
    ] = None,
    warm_up: Annotated[
        float | None, typer.Option(help="Share of the steps in which the learning rate rises first (linear).")
    ] = None,
    average: Annotated[
        float | None, typer.Option(help="Epochs over which the mean of the parameters is taken; 0: no mean.")
    ] = None,
    vector_scale: Annotated[
        float | None, typer.Option(help="Size (root mean square) of the numbers of --vectors at the beginning.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same model.")] = None,
    window: Annotated[int | None, typer.Option(help="Words in the window, an odd number.")] = None,
    network: Annotated[
        str | None, typer.Option(help="window (fast), or lstm: a bidirectional LSTM over the sentence.")
    ] = None,
    layers: Annotated[int | None, typer.Option(help="How many LSTM layers, one upon the other.")] = None,
    hidden_size: Annotated[
        int | None, typer.Option(help="Width of the hidden layer, or of an LSTM in each direction.")
    ] = None,
    word_size: Annotated[int | None, typer.Option(help="Width of the lookup table of words.")] = None,
    affix_size: Annotated[int | None, typer.Option(help="Width of the lookup tables of suffixes and prefixes.")] = None,
    feature_size: Annotated[
        int | None, typer.Option(help="Width of the lookup tables of gazetteers, columns and other taggers' tags.")
    ] = None,
    suffixes: Annotated[str | None, typer.Option(metavar="LENGTHS", help="Such as 1,2,3, or none.")] = None,
    prefixes: Annotated[str | None, typer.Option(metavar="LENGTHS", help="Such as 1,2,3, or none.")] = None,
    capitalisation: Annotated[bool | None, typer.Option(help="Use how words are capitalised.")] = None,
    lower_case: Annotated[bool | None, typer.Option(help="Look words up in lower case.")] = None,
    minimum_count: Annotated[int | None, typer.Option(help="Words that occur less often are unknown.")] = None,
    unknown_probability: Annotated[
        float | None, typer.Option(help="How often a word that occurs once is taken for unknown.")
    ] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of the looked-up features left out in training.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight of the L2 penalty.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with a training that was stopped, or begin anew.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Train a tagger and save it in a folder.

    The model of the best epoch is kept: by F1 of chunks, or by token accuracy. Run again after an interruption,
    the same command goes on where it was and ends with the same model.

    \b
    Examples:
      amigrad tagger train --train train.txt --dev dev.txt --output chunker
      amigrad tagger train --train train.txt --column 1 --output pos
      amigrad tagger train --train en-train.conllu --dev en-dev.conllu --upos --output upos
      amigrad tagger train --train wsj.txt --format slash --epochs 5 --output model
      amigrad tagger train --train train.txt --vectors embedding --feature pos=pos --output chunker
      amigrad tagger train --train names.txt --cost sentence --characters --gazetteer city=cities.txt --output names
      amigrad tagger train --task pos:train.txt:1 --task chunk:train.txt:2 --task names:names.txt --output all
    """
    if (train is None) == (not task):
        raise typer.BadParameter("give --train FILE, or --task NAME:FILE for each of several tasks")
    learnt, cascades = _features(feature)
    lists = named_paths("gazetteer", gazetteer)
    chosen = {
        "cost": cost,
        "characters": characters,
        "folds": folds,
        "warm_up": warm_up,
        "average": average,
        "vector_scale": vector_scale,
        "feature_size": feature_size,
        "scheme": scheme,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "seed": seed,
        "window": window,
        "network": network,
        "layers": layers,
        "hidden_size": hidden_size,
        "word_size": word_size,
        "affix_size": affix_size,
        "suffixes": _lengths("suffixes", suffixes),
        "prefixes": _lengths("prefixes", prefixes),
        "capitalisation": capitalisation,
        "lower_case": lower_case,
        "minimum_count": minimum_count,
        "unknown_probability": unknown_probability,
        "dropout": dropout,
        "weight_decay": weight_decay,
    }
    if vectors is not None and word_size is not None:
        raise typer.BadParameter("--word-size is that of the --vectors")

    from amigrad.cli.report import print_evaluation
    from amigrad.tasks.embedding.storage import load_vectors
    from amigrad.tasks.tagging import Gazetteer, Tagger, evaluate, hold_out, train_tagger
    from amigrad.tasks.tagging.corpus import column_name

    loaded = None if vectors is None else load_vectors(vectors)
    named = tuple(column_name(number) for number in column_feature or [])
    options = _options({"given": named, **{name: value for name, value in chosen.items() if value is not None}})
    with _explained(quiet):
        if train is None:
            from amigrad.cli.joint import parse_tasks, train_tasks

            if dev is not None or column != -1 or upos or xpos or feature or lists:
                raise typer.BadParameter(
                    "with --task there are --task-dev NAME:FILE, a COLUMN of the task, and no --feature"
                )
            train_tasks(
                parse_tasks(task or [], task_dev or []),
                options,
                output,
                share=share,
                format=None if format is None else format.value,
                word_column=word_column,
                vectors=loaded,
                progress=not quiet,
                resume=resume,
            )
            return
        read = _reader(format, column, word_column, upos, xpos, learnt, column_feature or [])
        train_sentences = read(train)
        if dev is None:
            train_sentences, dev_sentences = hold_out(train_sentences, str(train))
        else:
            dev_sentences = read(dev)
        tagger = train_tagger(
            train_sentences,
            dev_sentences,
            options,
            vectors=loaded,
            gazetteers={name: Gazetteer.read(path) for name, path in lists.items()},
            cascades={name: Tagger.load(path) for name, path in cascades.items()},
            output=output,
            progress=not quiet,
            resume=resume,
        )
    print_evaluation(evaluate(tagger, dev_sentences))
    print(f"The model is in {output}. Try: echo 'Some text.' | amigrad tagger tag {output}")


@contextmanager
def _explained(quiet: bool) -> Iterator[None]:
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


@app.command()
def tag(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Default: the input.")] = None,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="DIR", help="Another model to tag with in the same pass; may be repeated."),
    ] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="One token a line, a blank line between sentences.")] = False,
    output: Annotated[Output, typer.Option(help="conll: word and tags a line; jsonl: JSON a sentence.")] = Output.CONLL,
    offsets: Annotated[
        bool,
        typer.Option("--offsets", help="Columns with each word's first character in the text, and behind its last."),
    ] = False,
    tokenizer: Annotated[
        Tokens, typer.Option(help="Rules to find words by; auto: spaCy's if it is installed.")
    ] = Tokens.AUTO,
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
    sources: list[Path | BinaryIO] = [*(files or [])] or [sys.stdin.buffer]
    for source in sources:
        write_tagged(taggers, source, Form(output.value, offsets), tokens=tokens, tokenizer=split)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tagged sentences.")],
    format: FormatOption = None,
    column: ColumnOption = -1,
    word_column: WordColumnOption = 0,
    upos: UposOption = False,
    xpos: XposOption = False,
    feature: FeatureOption = None,
    task: TaskOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
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
    read = _reader(format, column, word_column, upos, xpos, feature, column_numbers(tagger.options.given))
    print_evaluation(compare(tagger, read(file)), json=json)


@app.command()
def errors(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model.")],
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
    read = _reader(format, column, word_column, upos, xpos, feature, column_numbers(tagger.options.given))
    print_errors(find_errors(tagger, read(file), cases=contexts), top=top, json=json)


class _Reader:
    """Reads tagged sentences as the options of a command say."""

    def __init__(
        self, format: str | None, column: int, word_column: int, tag: str, columns: Sequence[int] = ()
    ) -> None:
        self.format, self.column, self.word_column, self.tag = format, column, word_column, tag
        self.columns = columns

    def __call__(self, path: Path) -> list[Sentence]:
        from amigrad.tasks.tagging import read_tagged

        return read_tagged(
            path,
            self.format,
            column=self.column,
            word_column=self.word_column,
            tag=self.tag,
            columns=self.columns,
        )


def _reader(
    format: Format | None,
    column: int,
    word_column: int,
    upos: bool,
    xpos: bool,
    feature: str | None,
    columns: Sequence[int] = (),
) -> _Reader:
    if upos + xpos + (feature is not None) > 1:
        raise typer.BadParameter("--upos, --xpos and --feature exclude each other")
    conllu = upos or xpos or feature is not None
    if conllu and format not in (None, Format.CONLLU):
        raise typer.BadParameter(f"--upos, --xpos and --feature are for CoNLL-U, not for --format {format}")
    name = "conllu" if conllu else None if format is None else format.value
    return _Reader(name, column, word_column, feature or ("XPOS" if xpos else "UPOS"), columns)


def _features(given: Sequence[str] | None) -> tuple[str | None, dict[str, Path]]:
    """What --feature says: a feature of CoNLL-U to learn, and taggers by the names of the features that they give."""
    learnt = [text for text in given or [] if "=" not in text]
    if len(learnt) > 1:
        raise typer.BadParameter(f"--feature NAME says what to learn, once; not {' and '.join(learnt)}")
    return (learnt[0] if learnt else None), named_paths("feature", [text for text in given or [] if "=" in text])


def named_paths(option: str, given: Sequence[str] | None) -> dict[str, Path]:
    """Paths by name, of options NAME=PATH."""
    found: dict[str, Path] = {}
    for text in given or []:
        name, equals, path = text.partition("=")
        if not equals or not name.isidentifier() or not path or name in found:
            raise typer.BadParameter(f"--{option} takes NAME=PATH, with a name of one word and once only; not '{text}'")
        found[name] = Path(path)
    return found


def _lengths(name: str, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    if text == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--{name} takes lengths such as 1,2,3, or none; not '{text}'") from None


def _options(chosen: dict[str, object]) -> TaggerOptions:
    from amigrad.tasks.tagging import TaggerOptions

    return TaggerOptions(**chosen)  # type: ignore[arg-type]
