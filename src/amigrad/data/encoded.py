"""Plain text of any size as numbers: encoded once into a file, then read a stretch at a time."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data.aside import named
from amigrad.data.errors import DataError
from amigrad.data.lines import numbered_lines
from amigrad.data.text import sentence_words

Ids = NDArray[np.int32]
Advance = Callable[[int, int], None]

SPLITS = ("sentences", "lines", "tokens")
"""sentences: text is split into tokens and sentences; lines: into tokens, and a line is a sentence; tokens: at white
space alone, and a line is a sentence."""

BOUNDARY, FORGOTTEN, FIRST = 0, 1, 2
"""The ids of the end of a sentence, of words too rare to be kept, and of the first type."""

_LONGEST_LINE = 1 << 20
_BLOCK = 1 << 20
_IDS, _DESCRIPTION = "text.ids", "text.json"


class EncodedText:
    """The words of some files as ids in a file, with the end of each sentence.

    types: the different words as they are written; counts: how often each occurs, (types,); id i stands for
    types[i - FIRST]. Memory holds the types, never the text.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open what `encode` left in a folder. Raises OSError or ValueError if it is not there whole."""
        self.folder = Path(folder)
        content = json.loads((self.folder / _DESCRIPTION).read_text("utf-8"))
        self.types: tuple[str, ...] = tuple(content["types"])
        self.counts: NDArray[np.int64] = np.array(content["counts"], np.int64)
        self.length: int = content["length"]
        self.fingerprint: str = content["fingerprint"]
        self.made_from: dict[str, Any] = content["made_from"]
        self._file = self.folder / _IDS
        if self._file.stat().st_size != 4 * self.length or len(self.types) != len(self.counts):
            raise ValueError(f"{self._file} is not as it was written")

    def read(self, start: int, stop: int) -> Ids:
        """The ids from a position to another one or the end."""
        return np.fromfile(self._file, "<i4", max(0, min(stop, self.length) - start), offset=4 * start)


def encode(
    sources: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    split: str = "sentences",
    *,
    most_types: int = 5_000_000,
    advance: Advance | None = None,
) -> EncodedText:
    """The text of files, plain or gzipped, one after another; it is encoded into a folder unless it is there already.

    Files count as the same if their names, sizes and times are. When there are more than `most_types` different words,
    the rarest are forgotten (as word2vec does it), so memory has a limit. `advance(done, total)` hears of bytes read.
    A line of more than a megabyte is taken as several. Raises DataError with file and line, OSError.
    """
    if split not in SPLITS:
        raise ValueError(f"text is split into one of {', '.join(SPLITS)}, not '{split}'")
    files = [Path(source) for source in sources]
    made_from = {"split": split, "most_types": most_types, "files": [_identity(file) for file in files]}
    target = Path(folder)
    try:
        found = EncodedText(target)
        if found.made_from == made_from:
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass
    target.mkdir(parents=True, exist_ok=True)
    (target / _DESCRIPTION).unlink(missing_ok=True)
    partial = target / f"{_IDS}.partial"
    try:
        encoder = _Encoder(partial, most_types)
        for block in _blocks(files, split, encoder.index, advance):
            encoder.add(block)
        content = {**encoder.description(), "made_from": made_from}
        os.replace(partial, target / _IDS)
    except OSError as error:
        raise named(error, target) from None
    finally:
        partial.unlink(missing_ok=True)
    if not content["types"]:
        raise DataError(str(files[0]) if files else "the text", None, "there are no words in it", "Give some text")
    description = target / f"{_DESCRIPTION}.partial"
    description.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    os.replace(description, target / _DESCRIPTION)
    return EncodedText(target)


def _identity(file: Path) -> list[Any]:
    status = file.stat()
    return [str(file.resolve()), status.st_size, status.st_mtime_ns]


def _blocks(files: Sequence[Path], split: str, index: dict[str, int], advance: Advance | None) -> Iterator[Ids]:
    """Ids of the words of all files, with a boundary after each sentence, in blocks."""
    total, before = sum(file.stat().st_size for file in files), 0
    ids = array("i")
    number_of = index.__getitem__
    for file in files:
        with open(file, "rb") as stream:
            for _, line in numbered_lines(stream, _LONGEST_LINE):
                for words in _sentences(line, split):
                    ids.extend(map(number_of, words))
                    ids.append(BOUNDARY)
                if len(ids) >= _BLOCK:
                    yield np.frombuffer(ids, np.int32)
                    ids = array("i")
                    if advance is not None and stream.seekable():
                        advance(before + stream.tell(), total)
        before += file.stat().st_size
    if ids:
        yield np.frombuffer(ids, np.int32)
    if advance is not None:
        advance(total, total)


def _sentences(line: str, split: str) -> list[list[str]]:
    if split == "sentences":
        return sentence_words(line)
    words = line.split() if split == "tokens" else [word for part in sentence_words(line) for word in part]
    return [words] if words else []


class _Encoder:
    """A file of ids that grows, with counts; it forgets the rarest types when there are too many."""

    def __init__(self, path: Path, most_types: int) -> None:
        self.index: dict[str, int] = defaultdict(count(FIRST).__next__)
        self._path, self._most, self._least = path, most_types, 1
        self._counts = np.zeros(FIRST, np.int64)
        path.write_bytes(b"")

    def add(self, ids: Ids) -> None:
        """Append ids."""
        with open(self._path, "ab") as file:
            file.write(ids.astype("<i4", copy=False).data)
        found = np.bincount(ids, minlength=FIRST + len(self.index))
        found[: len(self._counts)] += self._counts
        self._counts = found
        while len(self.index) > self._most:
            self._forget()

    def _forget(self) -> None:
        """Leave out the types that occurred too rarely so far, and number the others anew, in the file too."""
        kept = self._counts > self._least
        kept[:FIRST] = True
        numbers = np.where(kept, np.cumsum(kept) - 1, FORGOTTEN).astype(np.int32)
        forgotten = int(self._counts[~kept].sum())
        words = [word for word, number in self.index.items() if kept[number]]
        self.index.clear()
        self.index.update(zip(words, range(FIRST, FIRST + len(words)), strict=True))
        assert isinstance(self.index, defaultdict)
        self.index.default_factory = count(FIRST + len(words)).__next__
        self._counts = self._counts[kept]
        self._counts[FORGOTTEN] += forgotten
        with open(self._path, "r+b") as file:
            while len(block := np.fromfile(file, "<i4", _BLOCK)):
                file.seek(-4 * len(block), os.SEEK_CUR)
                file.write(numbers[block].astype("<i4", copy=False).data)
                file.flush()
        self._least += 1

    def description(self) -> dict[str, Any]:
        """What there is to know about the file: types, counts, length, and a checksum of it all."""
        digest = hashlib.sha256("\n".join(self.index).encode("utf-8", "surrogatepass"))
        with open(self._path, "rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
            os.fsync(file.fileno())
        return {
            "types": list(self.index),
            "counts": self._counts[FIRST:].tolist(),
            "length": self._path.stat().st_size // 4,
            "fingerprint": digest.hexdigest(),
        }
