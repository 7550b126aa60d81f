"""`amigrad embedding`: train vectors of words, ask them, compare them with people, export and draw them."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amigrad.data import WordVectors

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Vectors of words from plain text: train, ask, compare, export, draw.",
)


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


class Format(StrEnum):
    """Formats of files of vectors."""

    WORD2VEC = "word2vec"
    BINARY = "word2vec-binary"
    GLOVE = "glove"
    SAFETENSORS = "safetensors"


VectorsArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Folder of an embedding, or a file: word2vec, GloVe, fastText, safetensors."),
]
CountOption = Annotated[int, typer.Option("--count", "-n", min=1, help="Words to show for each.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
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
    seed: Annotated[int | None, typer.Option(help="Same seed, same vectors.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with a training that was stopped, or begin anew.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
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
    chosen = {
        "objective": None if objective is None else objective.value,
        "split": None if split is None else split.value,
        "size": size,
        "window": window,
        "fixed_window": fixed_window,
        "epochs": epochs,
        "minimum_count": minimum_count,
        "maximum_size": maximum_size,
        "lower_case": lower_case,
        "zero_digits": zero_digits,
        "negatives": negatives,
        "noise_power": noise_power,
        "sample": sample,
        "hidden_size": hidden_size,
        "dictionaries": _sizes(dictionaries),
        "optimizer": None if optimizer is None else optimizer.value,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    from amigrad.tasks.embedding import EmbeddingOptions, train_embedding
    from amigrad.train.errors import Interrupted, OtherSettingsError

    options = EmbeddingOptions(**{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]
    try:
        vectors = train_embedding(files, options, output=output, progress=not quiet, resume=resume)
    except OtherSettingsError as error:
        raise OtherSettingsError(error.folder, error.changes, anew="--no-resume") from error
    except Interrupted as stopped:
        if quiet:
            print(f"amigrad: {stopped}", file=sys.stderr)
        raise
    print(f"{len(vectors):,} words, {vectors.size} numbers each, are in {output}.")
    plain = [word for word in vectors.words if word.isalpha() and len(word) < 20]
    words = plain[100:400:100] or plain[:1] or [shlex.quote(vectors.words[0])]
    print(f"Try: amigrad embedding neighbours {output} {' '.join(words)}")


@app.command()
def neighbours(
    vectors: VectorsArgument,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words to look around.")],
    count: CountOption = 10,
    json: JsonOption = False,
) -> None:
    """Show the words nearest to some words: a column for each, its frequency rank on top, the nearest by cosine below.

    \b
    Examples:
      amigrad embedding neighbours vectors france jesus scratched
      amigrad embedding neighbours glove.6B.50d.txt france -n 20 --json
    """
    from amigrad.cli.tables import print_columns, print_json
    from amigrad.tasks.embedding import neighbours as ask

    loaded = _load(vectors)
    found = ask(loaded, _known(loaded, words), count)
    if json:
        print_json(
            [{"word": n.word, "rank": n.rank, "neighbours": [near._asdict() for near in n.neighbours]} for n in found]
        )
    else:
        print_columns([(n.word.upper(), f"{n.rank:,}", *(near.word for near in n.neighbours)) for n in found], heads=2)


@app.command()
def analogy(
    vectors: VectorsArgument,
    a: Annotated[str, typer.Argument(metavar="A", help="A is to ...")],
    b: Annotated[str, typer.Argument(metavar="B", help="... B as ...")],
    c: Annotated[str, typer.Argument(metavar="C", help="... C is to what?")],
    count: CountOption = 10,
    json: JsonOption = False,
) -> None:
    """Show what is to C as B is to A: the words nearest to B - A + C.

    \b
    Examples:
      amigrad embedding analogy vectors man king woman
      amigrad embedding analogy vectors walk walked run -n 3
    """
    from amigrad.cli.tables import print_columns, print_json
    from amigrad.tasks.embedding import analogy as ask

    found = ask(_load(vectors), a, b, c, count)
    if json:
        print_json([near._asdict() for near in found])
    else:
        print_columns([[near.word for near in found], [f"{near.cosine:.3f}" for near in found]])


@app.command()
def similarity(
    vectors: VectorsArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Word, word and score a line.")],
    column: Annotated[int, typer.Option(help="Column of the score, from 0.")] = 2,
    json: JsonOption = False,
) -> None:
    """Compare cosines with people's scores of similarity: Spearman's rank correlation over the pairs that are known.

    \b
    Examples:
      amigrad embedding similarity vectors WordSim-353.txt SimLex-999.txt
      amigrad embedding similarity vectors SimLex-999.txt --column 3
    """
    from amigrad.cli.tables import print_columns, print_json
    from amigrad.tasks.embedding import read_pairs
    from amigrad.tasks.embedding import similarity as compare

    loaded = _load(vectors)
    found = {str(file): compare(loaded, read_pairs(file, column)) for file in files}
    if json:
        print_json({file: {"spearman": s.spearman, "found": s.found, "pairs": s.pairs} for file, s in found.items()})
        return
    print_columns(
        [
            ["", *found],
            ["Spearman", *(f"{s.spearman:.4f}" for s in found.values())],
            ["pairs found", *(f"{s.found} of {s.pairs}" for s in found.values())],
        ],
        heads=1,
    )


@app.command()
def export(
    vectors: VectorsArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; .gz: compressed.")],
    format: Annotated[
        Format | None,
        typer.Option(help="Default: by the name, .bin: word2vec-binary, .safetensors; else word2vec (text)."),
    ] = None,
) -> None:
    """Write vectors into a file that other programs read, or turn one format into another.

    \b
    Examples:
      amigrad embedding export vectors vectors.txt.gz
      amigrad embedding export vectors vectors.bin
      amigrad embedding export GoogleNews.bin.gz news.txt --format glove
    """
    from amigrad.data import write_vectors
    from amigrad.tasks.embedding import EmbeddingError

    endings = {".bin": Format.BINARY, ".safetensors": Format.SAFETENSORS}
    chosen = format or endings.get(Path(file.name.removesuffix(".gz")).suffix, Format.WORD2VEC)
    loaded = _load(vectors)
    try:
        write_vectors(file, loaded, chosen.value)
    except ValueError as error:
        raise EmbeddingError(f"{vectors}: {error}") from None
    print(f"{len(loaded):,} words, {loaded.size} numbers each, are in {file} ({chosen.value}).")


@app.command()
def plot(
    vectors: VectorsArgument,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words to show with their neighbours.")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="SVG to write.")] = Path("words.svg"),
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="Neighbours of each word.")] = 8,
) -> None:
    """Draw words and their nearest neighbours as points: the plane of their two principal components.

    \b
    Examples:
      amigrad embedding plot vectors france monday horse walked --output words.svg
    """
    from amigrad.inspect.scatter import scatter
    from amigrad.tasks.embedding import neighbours as ask
    from amigrad.tasks.embedding import plane

    loaded = _load(vectors)
    groups: dict[str, int] = {}
    found = ask(loaded, _known(loaded, words), count)
    for number, neighbourhood in enumerate(found):
        groups.setdefault(neighbourhood.word, number)
    chosen = set(groups)
    for number, neighbourhood in enumerate(found):
        for near in neighbourhood.neighbours:
            groups.setdefault(near.word, number)
    matrix = loaded.matrix[[loaded.index[word] for word in groups]]
    lengths = (matrix**2).sum(axis=1, keepdims=True) ** 0.5
    places = plane(matrix / lengths.clip(1e-12))
    picture = scatter(places, list(groups), list(groups.values()), [word in chosen for word in groups])
    output.write_text(picture, "utf-8")
    print(f"{len(groups)} words are in {output}.")


def _load(path: Path) -> WordVectors:
    from amigrad.tasks.embedding import load_vectors

    return load_vectors(path, progress=True)


def _known(vectors: WordVectors, words: list[str]) -> list[str]:
    """Those of some words that have vectors. The others are named on the standard error stream; all, if none has."""
    from amigrad.tasks.embedding.query import find, without_vectors

    known = [word for word in words if find(vectors, word) is not None]
    if known and len(known) < len(words):
        print(f"amigrad: {without_vectors(vectors, words)}", file=sys.stderr)
    return known or words


def _sizes(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--dictionaries takes numbers such as 5000,30000; not '{text}'") from None
