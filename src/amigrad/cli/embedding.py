"""`amigrad embedding`: train vectors of words, ask them, compare them with people, export and draw them."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amigrad.cli.embedding_train import train

if TYPE_CHECKING:
    from amigrad.data import WordVectors

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Vectors of words from plain text: train, ask, compare, export, draw.",
)
app.command()(train)


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
    from amigrad.data.aside import replacing, require_place
    from amigrad.inspect.scatter import scatter
    from amigrad.tasks.embedding import neighbours as ask
    from amigrad.tasks.embedding import plane

    require_place(output)
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
    with replacing(output) as file:
        file.write(picture.encode())
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
