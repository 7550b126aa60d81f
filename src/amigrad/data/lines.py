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


_UNPACKED = 1 << 17
"""Bytes that are unpacked at a time, if there are so many."""


def numbered_lines(source: Source, longest: int | None = None) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without line ends and without a byte order mark.

    A line of more than `longest` bytes comes in pieces that are no longer, cut at white space where it can be.
    Gzip is recognised by its first two bytes, whatever the name of the file. A line ends at a line feed, with or
    without a carriage return before it. Raises DataError for text that is not UTF-8 and for a damaged gzip file,
    OSError for a file that cannot be opened.
    """
    for number, line in _whole_lines(source, longest):
        yield number, line.rstrip("\r\n")


def placed_lines(source: Source) -> Iterator[tuple[int, int, str]]:
    """Lines as `numbered_lines` has them, and how many characters of the source are before each.

    Line ends count as the characters that they are, a byte order mark does not.
    """
    offset = 0
    for number, line in _whole_lines(source):
        yield number, offset, line.rstrip("\r\n")
        offset += len(line)


def _whole_lines(source: Source, longest: int | None = None) -> Iterator[tuple[int, str]]:
    name = source_name(source)
    number = 0
    with opened(source) as stream:
        try:
            for number, raw in enumerate(stream, 1) if longest is None else _pieces(stream, longest):
                line = raw.decode("utf-8")
                if number == 1:
                    line = line.removeprefix("\ufeff")
                yield number, line
        except UnicodeDecodeError as error:
            problem = f"not UTF-8 text (byte 0x{error.object[error.start]:02x} at byte {error.start + 1})"
            remedy = "Save it as UTF-8, for example with `iconv -f LATIN1 -t UTF-8`"
            raise DataError(name, number, problem, remedy) from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            # Some of what was unpacked is lost with the error, so this is only where it begins.
            place = f", in line {number + 1} or a little later" if number else ""
            problem = f"the compressed data are damaged or cut off{place} ({error})"
            raise DataError(name, None, problem, "Fetch or compress the file again") from None


def _pieces(stream: BinaryIO, longest: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, in pieces of at most so many bytes."""
    number, rest = 1, b""
    while raw := rest + stream.readline(longest - len(rest)):
        rest = b""
        if not raw.endswith(b"\n") and len(raw) == longest:
            cut = max(raw.rfind(b" "), raw.rfind(b"\t")) + 1 or _character_start(raw)
            raw, rest = raw[:cut], raw[cut:]
        yield number, raw
        number += raw.endswith(b"\n")


def _character_start(raw: bytes) -> int:
    """Where the last character of UTF-8 text begins, which may be cut off; its end if there is none."""
    for place in range(len(raw) - 1, max(0, len(raw) - 4), -1):
        if raw[place] & 0xC0 != 0x80:
            return place
    return len(raw)


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
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, unpacked), _UNPACKED))
    else:
        yield source
