"""Checkpoints: named arrays and a JSON document in one safetensors file, which is there whole or not at all.

A file is written beside its place, synced to the disk, and renamed; the folder is synced after that. Its metadata
holds the document, a format version and a SHA-256 of everything, so a damaged file is told from a whole one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from amigrad.train.errors import CheckpointError, unwritable

FORMAT: Final = "amigrad checkpoint"
VERSION: Final = "1"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint holds: arrays by name, and a document of JSON values."""

    arrays: dict[str, npt.NDArray[Any]]
    document: dict[str, Any]


def save_checkpoint(
    path: str | os.PathLike[str], arrays: Mapping[str, npt.NDArray[Any]], document: Mapping[str, Any]
) -> None:
    """Write a checkpoint, whole or not at all. CheckpointError says why it cannot be written; what was there stays."""
    place = Path(path)
    text = json.dumps(document)
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "document": text,
        "checksum": _checksum(contiguous, text),
    }
    partial = place.with_name(f"{place.name}.partial")
    try:
        save_file(contiguous, partial, metadata)
        _sync(partial)
        os.replace(partial, place)
        _sync(place.parent)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            partial.unlink()
        raise unwritable(place, _error_number(error), str(error)) from error


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read and verify a checkpoint. CheckpointError if it is damaged, of another version, or something else."""
    place = Path(path)
    try:
        with safe_open(place, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise CheckpointError(f"{place} is not a checkpoint of amigrad")
            if metadata.get("version") != VERSION:
                raise OtherVersionError(
                    f"{place} has format version {metadata.get('version')}, but this amigrad reads version {VERSION}: "
                    "use the amigrad that wrote it, or start anew in another folder"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{place} does not exist") from None
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{place} is damaged or cut short ({error})") from error
    text = metadata.get("document", "")
    if metadata.get("checksum") != _checksum(arrays, text):
        raise CheckpointError(f"{place} is damaged: its checksum is not that of its contents")
    return Checkpoint(arrays, json.loads(text))


class OtherVersionError(CheckpointError):
    """A checkpoint that is whole, but of a format that is not read here."""


class Checkpoints:
    """The checkpoints of a folder, by number: the last `keep` are kept, so that one is always whole."""

    def __init__(self, folder: str | os.PathLike[str], keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def numbers(self) -> list[int]:
        """The numbers of those that are there, rising."""
        found = [re.fullmatch(r"checkpoint-(\d+)\.safetensors", p.name) for p in self.folder.glob("checkpoint-*")]
        return sorted(int(match[1]) for match in found if match)

    def path(self, number: int) -> Path:
        """Where the one of this number is."""
        return self.folder / f"checkpoint-{number:012}.safetensors"

    def save(self, number: int, arrays: Mapping[str, npt.NDArray[Any]], document: Mapping[str, Any]) -> None:
        """Write one, and remove those that are too old."""
        save_checkpoint(self.path(number), arrays, document)
        for old in self.numbers()[: -self.keep]:
            self.path(old).unlink(missing_ok=True)

    def newest(self) -> Checkpoint | None:
        """The newest that is whole, None if there is none at all; a damaged one is put aside as `….damaged`.

        CheckpointError if all are damaged, or if one is of another version.
        """
        faults: list[str] = []
        for number in reversed(self.numbers()):
            try:
                found = load_checkpoint(self.path(number))
            except OtherVersionError:
                raise
            except CheckpointError as error:
                faults.append(str(error))
                continue
            for damaged in [n for n in self.numbers() if n > number]:
                os.replace(self.path(damaged), self.path(damaged).with_suffix(".damaged"))
            return found
        if faults:
            raise CheckpointError(f"no checkpoint can be read: {'; '.join(faults)}. Start anew in another folder")
        return None

    def clear(self) -> None:
        """Remove them all."""
        for number in self.numbers():
            self.path(number).unlink(missing_ok=True)


def _checksum(arrays: Mapping[str, npt.NDArray[Any]], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


def _sync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _error_number(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"os error (\d+)", str(error))
    return int(found[1]) if found else None
