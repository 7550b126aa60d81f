"""`amigrad tagger train`: train a tagger, or several that share lookup tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

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
    numbers,
)
from amigrad.cli.tagged_files import ColumnOption, FormatOption, UposOption, WordColumnOption, XposOption, reader


def train(
    output: OutputOption,
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
    vectors: VectorsOption = None,
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
    epochs: EpochsOption = None,
    patience: PatienceOption = None,
    batch_size: Annotated[int | None, typer.Option(help="Words a step, or sentences.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adagrad, sgd or adam.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step length. Default: one that suits the optimizer.")
    ] = None,
    schedule: ScheduleOption = None,
    warm_up: Annotated[
        float | None, typer.Option(help="Share of the steps in which the learning rate rises first (linear).")
    ] = None,
    average: Annotated[
        float | None, typer.Option(help="Epochs over which the mean of the parameters is taken; 0: no mean.")
    ] = None,
    vector_scale: Annotated[
        float | None, typer.Option(help="Size (root mean square) of the numbers of --vectors at the beginning.")
    ] = None,
    seed: SeedOption = None,
    window: Annotated[int | None, typer.Option(help="Words in the window, an odd number.")] = None,
    network: Annotated[
        str | None, typer.Option(help="window (fast), or lstm: a bidirectional LSTM over the sentence.")
    ] = None,
    layers: Annotated[int | None, typer.Option(help="How many LSTM layers, one upon the other.")] = None,
    hidden_size: Annotated[
        int | None, typer.Option(help="Width of the hidden layer, or of an LSTM in each direction.")
    ] = None,
    word_size: WordSizeOption = None,
    affix_size: Annotated[int | None, typer.Option(help="Width of the lookup tables of suffixes and prefixes.")] = None,
    feature_size: Annotated[
        int | None, typer.Option(help="Width of the lookup tables of gazetteers, columns and other taggers' tags.")
    ] = None,
    suffixes: Annotated[str | None, typer.Option(metavar="LENGTHS", help="Such as 1,2,3, or none.")] = None,
    prefixes: Annotated[str | None, typer.Option(metavar="LENGTHS", help="Such as 1,2,3, or none.")] = None,
    capitalisation: Annotated[bool | None, typer.Option(help="Use how words are capitalised.")] = None,
    lower_case: Annotated[bool | None, typer.Option(help="Look words up in lower case.")] = None,
    minimum_count: MinimumCountOption = None,
    unknown_probability: Annotated[
        float | None, typer.Option(help="How often a word that occurs once is taken for unknown.")
    ] = None,
    dropout: DropoutOption = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight of the L2 penalty.")] = None,
    resume: ResumeOption = True,
    quiet: QuietOption = False,
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
      amigrad tagger train --train names.txt --network lstm --characters --gazetteer city=cities.txt --output names
      amigrad tagger train --task pos:train.txt:1 --task chunk:train.txt:2 --task names:names.txt --output all
    """
    arguments = dict(locals())
    if (train is None) == (not task):
        raise typer.BadParameter("give --train FILE, or --task NAME:FILE for each of several tasks")
    learnt, cascades = _features(feature)
    lists = named_paths("gazetteer", gazetteer)
    if vectors is not None and word_size is not None:
        raise typer.BadParameter("--word-size is that of the --vectors")

    from amigrad.cli.report import print_evaluation
    from amigrad.tasks.embedding.storage import load_vectors
    from amigrad.tasks.tagging import Gazetteer, Tagger, TaggerOptions, evaluate, hold_out, train_tagger
    from amigrad.tasks.tagging.corpus import column_name

    arguments |= {
        "given": tuple(column_name(number) for number in column_feature or []),
        "suffixes": numbers("suffixes", suffixes, "1,2,3", none=True),
        "prefixes": numbers("prefixes", prefixes, "1,2,3", none=True),
    }
    options = TaggerOptions(**chosen(TaggerOptions, arguments))
    loaded = None if vectors is None else load_vectors(vectors)
    with explained(quiet):
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
        read = reader(format, column, word_column, upos, xpos, learnt, column_feature or [])
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


def _features(given: Sequence[str] | None) -> tuple[str | None, dict[str, Path]]:
    """What --feature says: a feature of CoNLL-U to learn, and taggers by the names of the features that they give."""
    learnt = [text for text in given or [] if "=" not in text]
    if len(learnt) > 1:
        raise typer.BadParameter(f"--feature NAME says what to learn, once; not {' and '.join(learnt)}")
    return (learnt[0] if learnt else None), named_paths("feature", [text for text in given or [] if "=" in text])
