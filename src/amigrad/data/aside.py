"""Files that are written aside and renamed when they are whole, so that nothing half-written is ever found."""

from __future__ import annotations

import errno
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` at the end of the block, or vanishes if the block raises.

    Compressed if the name ends in `.gz`. What is no file, a pipe or a device, is written into as it is; a link stays,
    and what it leads to is replaced. Raises OSError, with the name that was given, if it cannot be written.
    """
    require_place(path)
    given = os.fspath(path)
    target = Path(os.path.realpath(given))
    if given.startswith(_STREAMS) or (target.exists() and not target.is_file()):
        with open(given, "wb") as stream, _packed(stream, target) as file:
            yield file
        return
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, given) from None
    try:
        with open(handle, "wb") as whole:
            with _packed(whole, target) as file:
                yield file
            whole.flush()
            os.fsync(whole.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        raise named(error, path) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def named(error: OSError, path: str | os.PathLike[str]) -> OSError:
    """An error of the system with the name of what was written, if it names nothing: a full disk, say."""
    if error.errno is None or error.filename is not None:
        return error
    return OSError(error.errno, error.strerror, os.fspath(path))


def require_place(path: str | os.PathLike[str]) -> None:
    """Raise OSError if a file cannot be written for its folder is missing, or for it is a folder: before long work."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file to write", os.fspath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder to write in", os.fspath(target.parent))


@contextmanager
def _packed(file: BinaryIO, target: Path) -> Iterator[BinaryIO]:
    """The file, compressed if its name says so."""
    if target.suffix != ".gz":
        yield file
        return
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
        yield cast(BinaryIO, packed)
