"""`amigrad roles train`: train a labeller of semantic roles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amigrad.cli.options import (
    DropoutOption,
    EpochsOption,
    MinimumCountOption,
    OutputOption,
    PatienceOption,
    QuietOption,
    ResumeOption,
    ScheduleOption,
    SeedOption,
    VectorsOption,
    WordSizeOption,
    chosen,
    explained,
    named_paths,
)

if TYPE_CHECKING:
    from amigrad.data import PropositionSentence


def train(
    train: Annotated[Path, typer.Option("--train", metavar="FILE", help="Sentences with propositions to train on.")],
    output: OutputOption,
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
    vectors: VectorsOption = None,
    feature: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DIR", help="The tags of the tagger in DIR are a feature.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Taggers that tag the training sentences for --feature; 0: the one in DIR does.")
    ] = None,
    tag_cost: Annotated[
        float | None, typer.Option(help="Weight of learning parts of speech too, where the files have them.")
    ] = None,
    epochs: EpochsOption = None,
    patience: PatienceOption = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences a step, at most.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adagrad, sgd or adam.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step length. Default: one that suits the network and the optimizer.")
    ] = None,
    schedule: ScheduleOption = None,
    seed: SeedOption = None,
    hidden_size: Annotated[
        int | None, typer.Option(help="Width of an LSTM's direction, or of the convolution.")
    ] = None,
    encoder_layers: Annotated[int | None, typer.Option(help="LSTM layers over the sentence.")] = None,
    layers: Annotated[int | None, typer.Option(help="LSTM layers for each predicate.")] = None,
    window: Annotated[int | None, typer.Option(help="Words of the convolution's window, an odd number.")] = None,
    word_size: WordSizeOption = None,
    distances: Annotated[int | None, typer.Option(help="Farther words count as so far away.")] = None,
    dropout: DropoutOption = None,
    minimum_count: MinimumCountOption = None,
    resume: ResumeOption = True,
    quiet: QuietOption = False,
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
    arguments = dict(locals())
    if vectors is not None and word_size is not None:
        raise typer.BadParameter("--word-size is that of the --vectors")

    from amigrad.cli.roles_report import print_evaluation
    from amigrad.tasks.embedding.storage import load_vectors
    from amigrad.tasks.roles import RoleOptions, evaluate, hold_out, train_labeller
    from amigrad.tasks.tagging import Tagger

    options = RoleOptions(**chosen(RoleOptions, arguments))
    train_sentences = read_sentences(train, train_words, "--train-words")
    if dev is None:
        train_sentences, dev_sentences = hold_out(train_sentences, str(train))
    else:
        dev_sentences = read_sentences(dev, dev_words, "--dev-words")
    with explained(quiet):
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
    print_evaluation(evaluate(labeller, dev_sentences))
    example = f"echo 'Some text.' | amigrad roles label {output}" if predicates else f"amigrad roles evaluate {output}"
    print(f"The model is in {output}. Try: {example}")


def read_sentences(source: Path | BinaryIO, words: Path | None, option: str = "--words") -> list[PropositionSentence]:
    """Sentences with their words; the option is what gives these if the file has none."""
    from amigrad.data import DataError, read_propositions
    from amigrad.data.lines import source_name
    from amigrad.data.propositions import NONE

    sentences = read_propositions(source, words=words)
    if all(word == NONE for sentence in sentences for word in sentence.words):
        problem = "this file has lemmas and brackets, but no words"
        raise DataError(source_name(source), None, problem, f"Give them with {option}")
    return sentences
