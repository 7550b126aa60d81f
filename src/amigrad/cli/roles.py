"""`amigrad roles`: train a labeller of semantic roles, label text with it, evaluate it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amigrad.cli.tagger import Tokens, named_paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amigrad.cli.roles_report import Item
    from amigrad.data import PropositionSentence
    from amigrad.tasks.roles import RoleLabeller, RoleOptions

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Find who did what to whom: the arguments of predicates. Train, use and evaluate.",
)


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
def train(
    train: Annotated[Path, typer.Option("--train", metavar="FILE", help="Sentences with propositions to train on.")],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder for the model.")],
    dev: Annotated[
        Path | None,
        typer.Option("--dev", metavar="FILE", help="Those to choose the model by. Default: a tenth of --train."),
    ] = None,
    train_words: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The words, where --train has only lemmas and brackets (props).")
    ] = None,
    dev_words: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The words, where --dev has only lemmas and brackets (props).")
    ] = None,
    network: Annotated[str | None, typer.Option(help="lstm, or convolution: that of Collobert et al. (2011).")] = None,
    cost: Annotated[str | None, typer.Option(help="sentence: of sequences of tags; word: of single tags.")] = None,
    predicates: Annotated[bool, typer.Option(help="Learn to find predicates too, for plain text.")] = True,
    vectors: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE", help="Word vectors to start from: an embedding, or a file of any format."),
    ] = None,
    feature: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DIR", help="The tags of the tagger in DIR are a feature.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Taggers that tag the training sentences for --feature; 0: the one in DIR does.")
    ] = None,
    tag_cost: Annotated[
        float | None, typer.Option(help="Weight of learning parts of speech too, where the files have them.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without a better model.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences a step, at most.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adagrad, sgd or adam.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step length. Default: one that suits the network and the optimizer.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="constant, or linear: the learning rate falls to 0 at the last epoch.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same model.")] = None,
    hidden_size: Annotated[
        int | None, typer.Option(help="Width of an LSTM's direction, or of the convolution.")
    ] = None,
    encoder_layers: Annotated[int | None, typer.Option(help="LSTM layers over the sentence.")] = None,
    layers: Annotated[int | None, typer.Option(help="LSTM layers for each predicate.")] = None,
    window: Annotated[int | None, typer.Option(help="Words of the convolution's window, an odd number.")] = None,
    word_size: Annotated[int | None, typer.Option(help="Width of the lookup table of words.")] = None,
    distances: Annotated[int | None, typer.Option(help="Farther words count as so far away.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of the numbers left out in training.")] = None,
    minimum_count: Annotated[int | None, typer.Option(help="Words that occur less often are unknown.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with a training that was stopped, or begin anew.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Train a labeller of semantic roles and save it in a folder.

    Files have a line for each word and a blank line between sentences, as those of CoNLL-2005: word, part of speech,
    anything, lemma and sense of a predicate (- for other words), and for each predicate a column of brackets such as
    (A0*, *, *). The model of the best epoch is kept, by F1 of arguments. Run again after an interruption, the same
    command goes on where it was and ends with the same model.

    \b
    Examples:
      amigrad roles train --train train.txt --dev dev.txt --output roles
      amigrad roles train --train train.txt --vectors embedding --output roles
      amigrad roles train --train train.txt --feature pos=postagger --output roles
      amigrad roles train --train train.txt --output paper --network convolution
      amigrad roles train --train train.props.gz --train-words train.words.gz --output roles
    """
    chosen = {
        "network": network,
        "cost": cost,
        "folds": folds,
        "tag_cost": tag_cost,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "seed": seed,
        "hidden_size": hidden_size,
        "encoder_layers": encoder_layers,
        "layers": layers,
        "window": window,
        "word_size": word_size,
        "distances": distances,
        "dropout": dropout,
        "minimum_count": minimum_count,
    }
    options = _options({name: value for name, value in chosen.items() if value is not None})

    if vectors is not None and word_size is not None:
        raise typer.BadParameter("--word-size is that of the --vectors")

    from amigrad.cli.roles_report import print_evaluation
    from amigrad.tasks.embedding.storage import load_vectors
    from amigrad.tasks.roles import evaluate, hold_out, train_labeller
    from amigrad.tasks.tagging import Tagger
    from amigrad.train.errors import Interrupted, OtherSettingsError

    train_sentences = _read(train, train_words, "--train-words")
    if dev is None:
        train_sentences, dev_sentences = hold_out(train_sentences, str(train))
    else:
        dev_sentences = _read(dev, dev_words, "--dev-words")
    try:
        labeller = train_labeller(
            train_sentences,
            dev_sentences,
            options,
            vectors=None if vectors is None else load_vectors(vectors),
            cascades={name: Tagger.load(folder) for name, folder in named_paths("feature", feature or []).items()},
            find_predicates=predicates,
            output=output,
            progress=not quiet,
            resume=resume,
        )
    except OtherSettingsError as error:
        raise OtherSettingsError(error.folder, error.changes, anew="--no-resume") from error
    except Interrupted as stopped:
        if quiet:
            print(f"amigrad: {stopped}", file=sys.stderr)
        raise
    print_evaluation(evaluate(labeller, dev_sentences))
    example = f"echo 'Some text.' | amigrad roles label {output}" if predicates else f"amigrad roles evaluate {output}"
    print(f"The model is in {output}. Try: {example}")


@app.command()
def label(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Default: the input.")] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="One token a line, a blank line between sentences.")] = False,
    given: Annotated[
        bool, typer.Option("--given", help="Columns as those trained on: label the predicates that these mark.")
    ] = False,
    words: WordsOption = None,
    output: Annotated[
        Output, typer.Option(help="columns, as those trained on; props; jsonl: JSON a sentence; text, to be read.")
    ] = Output.COLUMNS,
    tokenizer: Annotated[
        Tokens, typer.Option(help="Rules to find words by; auto: spaCy's if it is installed.")
    ] = Tokens.AUTO,
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
    from amigrad.cli.roles_report import write_labelled
    from amigrad.data import english_tokenizer, read_text, read_tokens
    from amigrad.tasks.roles import RoleLabeller

    if words is not None and (not given or len(files or []) > 1):
        raise typer.BadParameter("--words goes with --given and one file")
    if given and tokens:
        raise typer.BadParameter("--given and --tokens exclude each other")
    labeller = _finding(RoleLabeller.load(model), model, given)
    split = None if tokens or given else english_tokenizer(tokenizer.value)
    sources: list[Path | BinaryIO] = [*(files or [])] or [sys.stdin.buffer]
    for source in sources:
        items: Iterable[Item]
        plain = read_tokens(source) if tokens else read_text(source, split)
        items = _read(source, words) if given else plain
        typed = not isinstance(source, Path) and source.isatty()  # someone types, and wants each answer at once
        write_labelled(labeller, items, output.value, find=not given, at_once=typed)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the model.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Sentences with propositions.")],
    words: WordsOption = None,
    find: Annotated[
        bool, typer.Option("--find", help="Find the predicates too, instead of taking those given.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
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

    sentences = _read(file, words)
    labeller = _finding(RoleLabeller.load(model), model, not find)
    print_evaluation(compare(labeller, sentences, find=find), json=json)


@app.command()
def score(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Sentences with their propositions.")],
    predicted: Annotated[Path, typer.Argument(metavar="PREDICTED", help="The same sentences with other propositions.")],
    json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
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


def _read(source: Path | BinaryIO, words: Path | None, option: str = "--words") -> list[PropositionSentence]:
    """Sentences with their words; the option is what gives these if the file has none."""
    from amigrad.data import DataError, read_propositions
    from amigrad.data.lines import source_name
    from amigrad.data.propositions import NONE

    sentences = read_propositions(source, words=words)
    if all(word == NONE for sentence in sentences for word in sentence.words):
        problem = "this file has lemmas and brackets, but no words"
        raise DataError(source_name(source), None, problem, f"Give them with {option}")
    return sentences


def _options(chosen: dict[str, object]) -> RoleOptions:
    from amigrad.tasks.roles import RoleOptions

    return RoleOptions(**chosen)  # type: ignore[arg-type]
