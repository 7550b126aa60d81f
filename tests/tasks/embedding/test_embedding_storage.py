import numpy as np
import pytest

from amigrad.data import WordVectors, write_vectors
from amigrad.tasks.embedding import load_embedding, load_vectors, save_embedding
from amigrad.tasks.folder import ModelError

VECTORS = WordVectors(("the", "cat", "purrs"), np.arange(6, dtype=np.float32).reshape(3, 2), np.array([9, 4, 1]))


def test_an_embedding_is_loaded_as_it_was_saved(tmp_path):
    save_embedding(tmp_path / "model", {"size": 2}, VECTORS)
    found, options = load_embedding(tmp_path / "model")
    assert options == {"size": 2}
    assert found.words == VECTORS.words
    assert np.array_equal(found.matrix, VECTORS.matrix)
    assert np.array_equal(found.counts, VECTORS.counts)


def test_vectors_come_from_a_folder_or_a_file(tmp_path):
    save_embedding(tmp_path / "model", {}, VECTORS)
    write_vectors(tmp_path / "vectors.txt", VECTORS)
    for path in (tmp_path / "model", tmp_path / "vectors.txt"):
        assert np.array_equal(load_vectors(path)["cat"], [2, 3])
        for progress in (False, True):
            some = load_vectors(path, keep=lambda word: word != "the", progress=progress)
            assert some.words == ("cat", "purrs")
            assert np.array_equal(some.matrix, VECTORS.matrix[1:])


def test_a_damaged_embedding_is_told(tmp_path):
    save_embedding(tmp_path, {}, VECTORS)
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match="cut off or was changed"):
        load_vectors(tmp_path)
