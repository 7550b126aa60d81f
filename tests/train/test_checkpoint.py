"""A checkpoint is there whole or not at all, and says what is wrong with it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from amigrad.train import CheckpointError, checkpoint, load_checkpoint, save_checkpoint
from amigrad.train.checkpoint import Checkpoints

ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "steps": np.array(7, dtype=np.int64),
    "mask": np.array([True, False]),
    "empty": np.zeros((0, 3), dtype=np.int32),
}
DOCUMENT = {"epoch": 3, "score": 0.1 + 0.2, "name": "ünï", "none": None}


def test_arrays_and_document_come_back_bit_for_bit(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", ARRAYS, DOCUMENT)
    found = load_checkpoint(tmp_path / "a.safetensors")
    assert found.document == DOCUMENT
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
    assert load_file(tmp_path / "a.safetensors").keys() == ARRAYS.keys(), "any safetensors reader can read it"
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, ARRAYS, DOCUMENT)
    whole = path.read_bytes()
    for length in [0, 1, 7, 8, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="damaged or cut short"):
            load_checkpoint(path)


def test_every_changed_byte_of_the_contents_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, {"w": np.arange(4.0)}, {"epoch": 3})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


def test_other_files_and_versions_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(path)
    save_file({"w": np.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of amigrad"):
        load_checkpoint(path)
    monkeypatch.setattr(checkpoint, "VERSION", "2")
    save_checkpoint(path, ARRAYS, DOCUMENT)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="format version 2, but this amigrad reads version 1"):
        load_checkpoint(path)


def _full_sync(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _full_write(*args: Any, **kwargs: Any) -> None:
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("where", ["write", "sync"])
def test_full_disk_is_named_and_what_was_saved_stays(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, ARRAYS, {"epoch": 1})
    if where == "write":
        monkeypatch.setattr(checkpoint, "save_file", _full_write)
    else:
        monkeypatch.setattr(os, "fsync", _full_sync)
    with pytest.raises(CheckpointError, match=r"the disk is full\. What was saved before is whole"):
        save_checkpoint(path, ARRAYS, {"epoch": 2})
    monkeypatch.undo()
    assert load_checkpoint(path).document == {"epoch": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the folder does not exist"):
        save_checkpoint(tmp_path / "nowhere" / "a.safetensors", ARRAYS, DOCUMENT)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="part of the path is not a folder"):
        save_checkpoint(tmp_path / "file" / "a.safetensors", ARRAYS, DOCUMENT)


def test_last_two_are_kept_and_the_newest_whole_one_is_taken(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    assert kept.newest() is None
    for number in (0, 5, 10, 200):
        kept.save(number, ARRAYS, {"number": number})
    assert kept.numbers() == [10, 200]
    newest = kept.newest()
    assert newest is not None
    assert newest.document == {"number": 200}

    kept.path(200).write_bytes(kept.path(200).read_bytes()[:-3])
    found = kept.newest()
    assert found is not None
    assert found.document == {"number": 10}
    assert kept.numbers() == [10], "the damaged one is out of the way of what follows"
    assert list(tmp_path.glob("*.damaged"))

    kept.path(10).write_bytes(b"")
    with pytest.raises(CheckpointError, match="no checkpoint can be read"):
        kept.newest()
