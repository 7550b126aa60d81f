"""Arrays of a safetensors file, read when they are wanted."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from amigrad.tasks import arrays
from amigrad.tasks.arrays import SavedArrays


@pytest.fixture
def saved() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {
        "table": random.normal(size=(1000, 7)).astype(np.float32),
        "keys": np.arange(10, dtype=np.int64),
        "nothing": np.zeros((0, 3), np.float32),
        "number": np.array(2.5),
    }


def test_arrays_are_as_they_were_saved(
    saved: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_PART", 100)  # three rows of the table at a time
    save_file(saved, tmp_path / "file")
    loaded = SavedArrays(tmp_path / "file")
    assert set(loaded) == set(saved)
    assert len(loaded) == 4
    for name, due in saved.items():
        assert loaded.spec(name) == (due.shape, due.dtype)
        np.testing.assert_array_equal(loaded[name], due)
        room = np.full_like(due, -1)
        loaded.read_into(name, room)
        np.testing.assert_array_equal(room, due)
    with pytest.raises(KeyError):
        loaded["other"]


def test_a_file_that_holds_no_arrays(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no arrays")
    with pytest.raises(SafetensorError):
        SavedArrays(tmp_path / "file")
