from __future__ import annotations

import errno
import gzip
import os
import threading
from pathlib import Path

import pytest

from amigrad.data.aside import replacing, require_place


def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.gz"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    with replacing(pipe) as file:
        file.write(b"whole")
    reader.join()
    assert gzip.decompress(found[0]) == b"whole"
    assert pipe.is_fifo()


def test_an_open_stream_is_written_into() -> None:
    read, write = os.pipe()
    with replacing(f"/dev/fd/{write}") as file:
        file.write(b"whole")
    os.close(write)
    with open(read, "rb") as stream:
        assert stream.read() == b"whole"


def test_a_link_stays_and_leads_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with replacing(tmp_path / "link") as file:
        file.write(b"whole")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_what_cannot_be_written_is_named_as_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as folder:
        require_place(tmp_path)
    assert folder.value.filename == str(tmp_path)
    with pytest.raises(FileNotFoundError) as missing, replacing(tmp_path / "no" / "file"):
        pass
    assert missing.value.filename == str(tmp_path / "no")


def test_a_full_disk_is_named_with_what_was_to_be_written(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "list"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*list'"):
        fail()
    assert os.listdir(tmp_path) == []
