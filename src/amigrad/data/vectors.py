"""Word vectors: a row of numbers for each word, in the formats that programs exchange them in."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from amigrad.data.aside import replacing
from amigrad.data.errors import DataError
from amigrad.data.lines import Source, opened, source_name

FORMATS = ("word2vec", "word2vec-binary", "glove", "safetensors")
"""What `write_vectors` writes; fastText's `.vec` files are word2vec text."""

Keep = Callable[[str], bool]


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors, most frequent first where that is known.

    words: V different strings; matrix: (V, d) float32; counts: (V,) int64, how often each word occurred, or None.
    """

    words: tuple[str, ...]
    matrix: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.matrix)
        if len(shape) != 2 or shape[0] != len(self.words):
            raise ValueError(f"{len(self.words)} words need a matrix of as many rows, not one of shape {shape}")
        if self.counts is not None and np.shape(self.counts) != (len(self.words),):
            raise ValueError(f"{len(self.words)} words need as many counts, not {np.shape(self.counts)}")
        if len(self.index) != len(self.words):
            raise ValueError("a word is there twice")

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return int(self.matrix.shape[1])

    def only(self, keep: Keep | None = None, limit: int | None = None) -> WordVectors:
        """These vectors, of the words alone that `keep(word)` wants, among the first `limit`."""
        rows: list[Any] = [row for row, word in enumerate(self.words[:limit]) if keep is None or keep(word)]
        counts = None if self.counts is None else self.counts[rows]
        return WordVectors(tuple(self.words[row] for row in rows), self.matrix[rows], counts)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        """The vector of a word: (d,). Raises KeyError for a word that has none."""
        row: NDArray[np.float32] = self.matrix[self.index[word]]
        return row


def read_vectors(source: Source, *, limit: int | None = None, keep: Keep | None = None) -> WordVectors:
    """Word vectors of a file: word2vec text or binary, GloVe text, fastText text, or safetensors; also gzipped.

    The format is found by looking at the beginning. `limit`: read only so many words from the front; `keep(word)`
    says which of them to keep: memory is needed for these alone. Of a word that is there twice the first is taken.
    A word of a text file may have spaces in it: the last d fields of a line are its numbers.
    Raises DataError with the line (of a binary file: with the word) that is wrong, OSError if it cannot be opened.
    """
    from amigrad.data import vector_formats as formats

    name = source_name(source)
    try:
        with opened(source) as stream:
            head = _peek(stream)
            if formats.is_safetensors(head):
                return formats.parse_safetensors(name, stream.read()).only(keep, limit)
            rows = formats.binary_rows(name, stream) if formats.is_binary(head) else formats.text_rows(name, stream)
            return _collect(name, rows, limit, keep)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = f"the compressed data are damaged or cut off ({error})"
        raise DataError(name, None, problem, "Fetch or compress the file again") from None


def write_vectors(path: str | os.PathLike[str], vectors: WordVectors, format: str = "word2vec") -> None:
    """Write a file in one of `FORMATS`, compressed if its name ends in .gz; it is there whole or not at all.

    Text has nine digits, so that reading it gives the same bits. Only safetensors keeps the counts. Raises ValueError
    for a word that the format cannot hold, OSError if the file cannot be written.
    """
    from amigrad.data import vector_formats as formats

    if format not in FORMATS:
        raise ValueError(f"the format of word vectors is one of {', '.join(FORMATS)}, not '{format}'")
    with replacing(path) as file:
        file.writelines(formats.encoded(vectors, format))


def _peek(stream: BinaryIO) -> bytes:
    peek: Callable[[int], bytes] | None = getattr(stream, "peek", None)
    if peek is None:
        raise TypeError("word vectors are read from a path or from a buffered binary stream")
    return peek(1)


def _collect(
    name: str, rows: Iterator[tuple[Sequence[str], NDArray[np.float32]]], limit: int | None, keep: Keep | None
) -> WordVectors:
    """Words and vectors of parts of a file."""
    index: dict[str, int] = {}
    parts: list[NDArray[np.float32]] = []
    seen = 0
    for words, matrix in rows:
        chosen: list[int] = []
        for place, word in enumerate(words):
            if limit is not None and seen >= limit:
                break
            seen += 1
            if word not in index and (keep is None or keep(word)):
                index[word] = len(index)
                chosen.append(place)
        parts.append(matrix if len(chosen) == len(words) else matrix[chosen])
        if limit is not None and seen >= limit:
            break
    if not parts:
        raise DataError(name, None, "there are no word vectors in it", "Give a file of word vectors")
    return WordVectors(tuple(index), np.concatenate(parts))
