"""`amigrad embedding train`: train vectors of words on plain text."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amigrad.cli.options import QuietOption, ResumeOption, SeedOption, chosen, explained, numbers


class Objective(StrEnum):
    """What vectors learn from."""

    SKIPGRAM = "skipgram"
    STRUCTURED = "structured"
    CBOW = "cbow"
    RANKING = "ranking"


class Split(StrEnum):
    """What a sentence of a text is."""

    SENTENCES = "sentences"
    LINES = "lines"
    TOKENS = "tokens"


class Method(StrEnum):
    """Optimizers."""

    SGD = "sgd"
    ADAGRAD = "adagrad"


def train(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Plain text (UTF-8) or .gz.")],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder for the vectors.")],
    objective: Annotated[
        Objective | None,
        typer.Option(
            help="skipgram (the default), cbow; structured: skip-gram with a table for each place of the window; "
            "ranking: windows against windows with another word in the middle."
        ),
    ] = None,
    split: Annotated[
        Split | None,
        typer.Option(
            help="sentences (the default): text is split into tokens and sentences; lines: into tokens, a line is a "
            "sentence; tokens: at spaces only, a line is a sentence."
        ),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Numbers in a vector (100).")] = None,
    window: Annotated[int | None, typer.Option(help="Words to each side that count (5).")] = None,
    fixed_window: Annotated[
        bool | None, typer.Option("--fixed-window", help="Always the whole window, not one drawn up to it.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the text (5).")] = None,
    minimum_count: Annotated[int | None, typer.Option(help="Words that occur less often are left out (5).")] = None,
    maximum_size: Annotated[int | None, typer.Option(help="Only so many of the most frequent words.")] = None,
    lower_case: Annotated[bool | None, typer.Option(help="Know words in lower case.")] = None,
    zero_digits: Annotated[bool | None, typer.Option(help="Know each digit as 0, as the tagger does.")] = None,
    negatives: Annotated[int | None, typer.Option(help="Drawn words for each true one (5; not ranking).")] = None,
    noise_power: Annotated[float | None, typer.Option(help="Words are drawn by count to this power (0.75).")] = None,
    sample: Annotated[
        float | None, typer.Option(help="Words more frequent than this share are left out often (1e-4); 0: none.")
    ] = None,
    hidden_size: Annotated[int | None, typer.Option(help="Width of the hidden layer (100; ranking).")] = None,
    dictionaries: Annotated[
        str | None,
        typer.Option(metavar="SIZES", help="Know so many words at first: 5000,30000 (ranking)."),
    ] = None,
    optimizer: Annotated[Method | None, typer.Option(help="sgd; adagrad (the default for ranking).")] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Step length at the beginning; it falls to 0. Default: one that suits objective and optimizer."
        ),
    ] = None,
    seed: SeedOption = None,
    resume: ResumeOption = True,
    quiet: QuietOption = False,
) -> None:
    """Train vectors of the words of a text, and save them in a folder.

    The text can be of any size: memory depends on its vocabulary. It is kept as numbers in the folder, 4 bytes a
    word. Run again after an interruption, the same command goes on where it was and ends with the same vectors.

    \b
    Examples:
      amigrad embedding train corpus.txt --output vectors
      amigrad embedding train news.txt.gz books.txt.gz --size 300 --epochs 3 --output vectors
      amigrad embedding train tokens.txt --split tokens --objective structured --output vectors
      amigrad embedding train corpus.txt --objective ranking --size 50 --dictionaries 5000,30000 --output vectors
    """
    arguments = {**locals(), "dictionaries": numbers("dictionaries", dictionaries, "5000,30000")}

    from amigrad.tasks.embedding import EmbeddingOptions, train_embedding

    options = EmbeddingOptions(**chosen(EmbeddingOptions, arguments))
    with explained(quiet):
        vectors = train_embedding(files, options, output=output, progress=not quiet, resume=resume)
    print(f"{len(vectors):,} words, {vectors.size} numbers each, are in {output}.")
    plain = [word for word in vectors.words if word.isalpha() and len(word) < 20]
    words = plain[100:400:100] or plain[:1] or [shlex.quote(vectors.words[0])]
    print(f"Try: amigrad embedding neighbours {output} {' '.join(words)}")
