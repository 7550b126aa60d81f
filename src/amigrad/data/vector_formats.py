"""The formats of word vectors: how files of them are taken apart and put together."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from amigrad.data.errors import DataError

if TYPE_CHECKING:
    from amigrad.data.vectors import WordVectors

Part = tuple[list[str], NDArray[np.float32]]
"""Some words in the order of the file, and their vectors (n, d)."""

_ROWS = 4096
_COPY = "Fetch or write the file again"
_LONGEST_WORD = 1 << 16


def is_safetensors(head: bytes) -> bool:
    """Whether a file that begins so is of safetensors: the length of a header, and the header in JSON."""
    return len(head) > 8 and head[8:9] == b"{" and head[6:8] == b"\0\0"


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is of word2vec's binary format: a header, and numbers that are no text."""
    line, _, rest = head.partition(b"\n")
    shape = _header(line)
    if shape is None or not rest:
        return False
    numbers = rest.partition(b" ")[2][: 4 * shape[1]]
    controls = any(byte < 9 or 13 < byte < 32 for byte in numbers)
    return controls or not numbers.partition(b"\n")[0].isascii()


def text_rows(name: str, stream: BinaryIO) -> Iterator[Part]:
    """Parts of a text file with a word and its numbers in a line: word2vec's and fastText's, which have a
    header of how many and how long, and GloVe's, which has none.
    """
    shape: tuple[int, int] | None = None
    size, first, found = 0, 1, 0
    lines: list[bytes] = []
    for number, line in enumerate(stream, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
            shape = _header(line)
            if shape is not None:
                size, first = shape[1], 2
                continue
            size = len(line.split()) - 1
            if size < 1:
                raise DataError(name, 1, "a word and its numbers are expected", _COPY)
        lines.append(line)
        if len(lines) == _ROWS:
            yield _parse_lines(name, first, lines, size)
            found += len(lines)
            first, lines = first + len(lines), []
    while lines and not lines[-1].strip():
        lines.pop()
    if lines:
        yield _parse_lines(name, first, lines, size)
    found += len(lines)
    if shape is not None and found != shape[0]:
        problem = f"its first line promises {shape[0]} words, but there are {found}"
        raise DataError(name, first + len(lines), problem, _COPY)


def _parse_lines(name: str, first: int, lines: list[bytes], size: int) -> Part:
    """Words and vectors of some lines, of which the first has this number."""
    words, numbers = [], []
    for number, line in enumerate(lines, first):
        word, *rest = line.rstrip().split(b" ", 1)
        if not rest or rest[0].count(b" ") != size - 1:
            word, rest = _unusual(name, number, line, size)
        try:
            words.append(word.decode("utf-8"))
        except UnicodeDecodeError:
            problem = f"the word {word[:40]!r} is not UTF-8 text"
            raise DataError(name, number, problem, "Save the file as UTF-8") from None
        numbers.append(rest[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = np.fromstring(b" ".join(numbers), dtype=np.float32, sep=" ")
        except (DeprecationWarning, ValueError):
            values = np.empty(0, np.float32)
    if values.size != size * len(lines):
        values = np.array([_parse_line(name, number, text) for number, text in enumerate(numbers, first)], np.float32)
    matrix: NDArray[np.float32] = values.reshape(len(lines), size)
    if not np.isfinite(matrix).all():
        number = first + int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise DataError(name, number, "a number is not finite", _COPY)
    return words, matrix


def _unusual(name: str, number: int, line: bytes, size: int) -> tuple[bytes, list[bytes]]:
    """Word and numbers of a line whose fields are not separated by one space each."""
    fields = line.split()
    if len(fields) <= size:
        problem = f"{size} numbers are expected after the word, but there are {max(0, len(fields) - 1)}"
        raise DataError(name, number, problem, _COPY)
    return b" ".join(fields[:-size]), [b" ".join(fields[-size:])]


def _parse_line(name: str, number: int, text: bytes) -> list[float]:
    found = []
    for field in text.split():
        try:
            found.append(float(field))
        except ValueError:
            problem = f"'{field.decode('utf-8', 'replace')[:40]}' is not a number"
            raise DataError(name, number, problem, _COPY) from None
    return found


def binary_rows(name: str, stream: BinaryIO) -> Iterator[Part]:
    """Parts of word2vec's binary format: a header, then for each word its bytes, a space, d little-endian float32."""
    shape = _header(stream.readline())
    assert shape is not None
    count, size = shape
    words: list[str] = []
    matrix = np.empty((min(count, _ROWS), size), np.float32)
    for number in range(1, count + 1):
        word = _binary_word(name, number, stream)
        data = stream.read(4 * size)
        if len(data) < 4 * size:
            raise DataError(name, None, f"it ends within word {number} of {count}", _COPY)
        matrix[len(words)] = np.frombuffer(data, "<f4")
        words.append(word)
        if len(words) == len(matrix) or number == count:
            finite = np.isfinite(matrix[: len(words)]).all(axis=1)
            if not finite.all():
                word = words[int(np.flatnonzero(~finite)[0])]
                raise DataError(name, None, f"a number of the word '{word}' is not finite", _COPY)
            yield words, matrix[: len(words)].copy()
            words = []


def _binary_word(name: str, number: int, stream: BinaryIO) -> str:
    letters = bytearray()
    while (letter := stream.read(1)) != b" ":
        if not letter:
            raise DataError(name, None, f"it ends before word {number}", _COPY)
        if letter != b"\n" or letters:  # some programs end each vector with a line end
            letters += letter
        if len(letters) > _LONGEST_WORD:
            raise DataError(name, None, f"word {number} has no end", _COPY)
    try:
        return letters.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(name, None, f"word {number}, {bytes(letters[:40])!r}, is not UTF-8 text", _COPY) from None


def parse_safetensors(name: str, data: bytes) -> WordVectors:
    """The vectors of a safetensors file as `write_vectors` writes it."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from amigrad.data.vectors import WordVectors

    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        words = json.loads(header["__metadata__"]["words"])
        counts = tensors.get("counts")
        return WordVectors(tuple(words), tensors["vectors"].astype(np.float32, copy=False), counts)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        problem = f"not word vectors in safetensors: 'vectors' (V, d), and 'words' in the metadata ({error!r})"
        raise DataError(name, None, problem, _COPY) from None


def encoded(vectors: WordVectors, format: str) -> Iterable[bytes]:
    """The bytes of a file in a format, in parts."""
    if format == "safetensors":
        return [_safetensors(vectors)]
    for word in vectors.words:
        if not word or word.split() != [word]:
            raise ValueError(f"the word {word!r} is empty or has a space in it, which {format} cannot hold")
    header = [] if format == "glove" else [f"{len(vectors)} {vectors.size}\n".encode()]
    return chain(header, _binary_lines(vectors) if format == "word2vec-binary" else _text_lines(vectors))


def _safetensors(vectors: WordVectors) -> bytes:
    from safetensors.numpy import save

    tensors: dict[str, Any] = {"vectors": np.ascontiguousarray(vectors.matrix, np.float32)}
    if vectors.counts is not None:
        tensors["counts"] = np.ascontiguousarray(vectors.counts, np.int64)
    return save(tensors, {"words": json.dumps(vectors.words, ensure_ascii=False)})


def _text_lines(vectors: WordVectors) -> Iterator[bytes]:
    line = " ".join(["%s", *["%.9g"] * vectors.size]) + "\n"
    for start in range(0, len(vectors), _ROWS):
        rows = vectors.matrix[start : start + _ROWS].tolist()
        words = vectors.words[start : start + _ROWS]
        yield "".join([line % (word, *row) for word, row in zip(words, rows, strict=True)]).encode()


def _binary_lines(vectors: WordVectors) -> Iterator[bytes]:
    matrix = np.ascontiguousarray(vectors.matrix, "<f4")
    for word, row in zip(vectors.words, matrix, strict=True):
        yield b"%s %s\n" % (word.encode(), row.tobytes())


def _header(line: bytes) -> tuple[int, int] | None:
    """How many words a file has and how long their vectors are, if its first line says so."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    count, size = map(int, fields)
    return (count, size) if size > 0 else None
