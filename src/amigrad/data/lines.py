"""Numbered lines of a UTF-8 text file, compressed or not."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from amigrad.data.errors import DataError

Source = str | os.PathLike[str] | BinaryIO
"""A path, or an open binary stream such as `sys.stdin.buffer` (which is left open)."""


def numbered_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without line ends and without a byte order mark.

    Gzip is recognised by its first two bytes, whatever the name of the file. A line ends at a line feed,
    with or without a carriage return before it. Raises DataError for text that is not UTF-8 and for a
    damaged gzip file, OSError for a file that cannot be opened.
    """
    for number, line in _whole_lines(source):
        yield number, line.rstrip("\r\n")


def placed_lines(source: Source) -> Iterator[tuple[int, int, str]]:
    """Lines as `numbered_lines` has them, and how many characters of the source are before each.

    Line ends count as the characters that they are, a byte order mark does not.
    """
    offset = 0
    for number, line in _whole_lines(source):
        yield number, offset, line.rstrip("\r\n")
        offset += len(line)


def _whole_lines(source: Source) -> Iterator[tuple[int, str]]:
    name = source_name(source)
    number = 0
    with opened(source) as stream:
        try:
            for number, raw in enumerate(stream, 1):
                line = raw.decode("utf-8")
                if number == 1:
                    line = line.removeprefix("\ufeff")
                yield number, line
        except UnicodeDecodeError as error:
            problem = f"not UTF-8 text (byte 0x{error.object[error.start]:02x} at byte {error.start + 1})"
            remedy = "Save it as UTF-8, for example with `iconv -f LATIN1 -t UTF-8`"
            raise DataError(name, number, problem, remedy) from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            problem = f"the compressed data are damaged or cut off ({error})"
            raise DataError(name, number + 1, problem, "Fetch or compress the file again") from None


def source_name(source: Source) -> str:
    """Name of a source for messages: its path, or the name of the stream."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """The bytes of a source, buffered, unpacked if they are gzipped."""
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file, opened(file) as stream:
            yield stream
    elif isinstance(source, io.TextIOBase):
        raise TypeError("a reader needs bytes, not decoded text: open the file with mode 'rb'")
    elif isinstance(source, io.BufferedReader) and source.peek(2)[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=source) as unpacked:
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, unpacked)))
    else:
        yield source
