"""A tagger's folder gives back the same tagger, or says what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from amigrad.data import Sentence
from amigrad.tasks.tagging import ModelError, Tagger


@pytest.fixture
def folder(chunker: Tagger, tmp_path: Path) -> Path:
    chunker.save(tmp_path / "model")
    return tmp_path / "model"


def change_json(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change model.json, with the checksums of the other files as they are now."""
    path = folder / "model.json"
    content = json.loads(path.read_text())
    for name in content["files"]:
        content["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    change(content)
    path.write_text(json.dumps(content))


def test_a_loaded_tagger_gives_the_same_tags(chunker: Tagger, folder: Path, chunks: list[Sentence]) -> None:
    words = [sentence.words for sentence in chunks]
    loaded = Tagger.load(folder)
    assert loaded.tag(words) == chunker.tag(words)
    assert loaded.options == chunker.options
    assert loaded.tags == chunker.tags
    parameters = loaded.model.named_parameters()
    for name, saved in chunker.model.named_parameters().items():
        assert np.array_equal(saved.numpy(), parameters[name].numpy())


def test_a_model_that_was_saved_before_an_option_was_there(
    chunker: Tagger, folder: Path, chunks: list[Sentence]
) -> None:
    change_json(folder, lambda c: [c["configuration"]["options"].pop(name) for name in ("weight_decay", "folds")])
    words = [sentence.words for sentence in chunks]
    assert Tagger.load(folder).tag(words) == chunker.tag(words)


def test_a_folder_holds_data_only(folder: Path) -> None:
    assert sorted(os.listdir(folder)) == ["model.json", "model.safetensors", "vocabularies.json"]
    assert json.loads((folder / "model.json").read_text())["version"] == 2


def test_saving_twice_writes_the_same_bytes(chunker: Tagger, folder: Path, tmp_path: Path) -> None:
    chunker.save(tmp_path / "again")
    for name in os.listdir(folder):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_model_is_saved_over_another(chunker: Tagger, pos_tagger: Tagger, folder: Path) -> None:
    pos_tagger.save(folder)
    assert Tagger.load(folder).tags == pos_tagger.tags
    assert len(os.listdir(folder)) == 3


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such folder"):
        Tagger.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "vocabularies.json"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: the file is missing"):
        Tagger.load(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "vocabularies.json"])
@pytest.mark.parametrize("keep", [0, 0.5, -1])
def test_a_truncated_file(folder: Path, name: str, keep: float) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * keep) if keep >= 0 else -1])
    with pytest.raises(ModelError, match=rf"{name}: the file is cut off or was changed"):
        Tagger.load(folder)


def test_a_truncated_description(folder: Path) -> None:
    text = (folder / "model.json").read_text()
    for keep in range(0, len(text) - 2, 37):
        (folder / "model.json").write_text(text[:keep])
        with pytest.raises(ModelError, match=r"model\.json: "):
            Tagger.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(version=3), "format version 3, but this amigrad reads 2. Use the amigrad that saved it"),
        (lambda c: c.update(format="other"), "a model of format other, not amigrad.tagger"),
        (lambda c: c.pop("format"), "not the description of a model"),
        (lambda c: c.pop("configuration"), "the model lacks 'configuration'"),
        (lambda c: c.update(run="rm -r"), "the model has 'run', which is not known"),
        (lambda c: c.update(files=[]), "not the description of a model"),
        (lambda c: c["files"].pop("model.safetensors"), "the list of files lacks 'model.safetensors'"),
        (lambda c: c["files"].update({"../secret": "0"}), "the list of files has '../secret'"),
        (lambda c: c["configuration"].pop("tags"), "the configuration lacks 'tags'"),
        (lambda c: c["configuration"].update(tags=["O", "O"]), "tags must be distinct"),
        (lambda c: c["configuration"].update(tags="ON"), "its tags are not a list of tags"),
        (lambda c: c["configuration"].update(tags=["NN"]), "not tags of chunks: NN"),
        (lambda c: c["configuration"].update(scheme="IOB9"), "'IOB9' is not a valid Scheme"),
        (lambda c: c["configuration"].update(options=3), "its options are not a table"),
        (lambda c: c["configuration"]["options"].update(window=4), "an odd number of words"),
        (
            lambda c: c["configuration"]["options"].update(colour=1),
            "'colour' is not known here: it is of a newer amigrad",
        ),
        (lambda c: c["configuration"]["options"].update(hidden_size=33), "but the configuration asks for"),
        (lambda c: c["configuration"]["options"].update(suffixes=[2]), "has 'suffix3', which is not known"),
        (lambda c: c["configuration"]["options"].update(prefixes=[1]), "lacks 'prefix1'"),
        (lambda c: c["configuration"]["tags"].append("S-XY"), "but the configuration asks for"),
    ],
)
def test_a_description_that_is_not_as_it_was_saved(folder: Path, change: Any, message: str) -> None:
    change_json(folder, change)
    with pytest.raises(ModelError) as caught:
        Tagger.load(folder)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.popitem(), "the set of arrays lacks"),
        (lambda p: p.update(extra=np.zeros(1, np.float32)), "has 'extra', which is not known"),
        (lambda p: p.update({next(iter(p)): np.zeros((2, 2), np.float32)}), "but the configuration asks for"),
        (lambda p: p.update({next(iter(p)): next(iter(p.values())).astype(np.float64)}), "is float64"),
    ],
)
def test_parameters_that_do_not_fit(folder: Path, change: Any, message: str) -> None:
    parameters = load_file(folder / "model.safetensors")
    change(parameters)
    save_file(parameters, folder / "model.safetensors")
    change_json(folder, lambda content: None)
    with pytest.raises(ModelError, match=message):
        Tagger.load(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "not the description of a model"),
        ('{"word": 3}', "word is not a vocabulary"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_vocabularies_that_are_none(folder: Path, content: str, message: str) -> None:
    (folder / "vocabularies.json").write_text(content)
    change_json(folder, lambda content: None)
    with pytest.raises(ModelError, match=message):
        Tagger.load(folder)


def test_a_safetensors_file_that_is_none(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)
    change_json(folder, lambda content: None)
    with pytest.raises(ModelError, match="not a safetensors file"):
        Tagger.load(folder)


def test_a_write_that_fails_leaves_the_old_model(
    chunker: Tagger, pos_tagger: Tagger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        pos_tagger.save(folder)
    assert len(os.listdir(folder)) == 3
    assert Tagger.load(folder).tags == chunker.tags


def test_a_file_where_the_folder_should_be(chunker: Tagger, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("")
    with pytest.raises(FileExistsError):
        chunker.save(tmp_path / "model")


def test_a_model_of_another_kind_is_not_overwritten(chunker: Tagger, folder: Path) -> None:
    change_json(folder, lambda content: content.update(format="amigrad.other"))
    with pytest.raises(ModelError, match=r"a model of format amigrad.other already. Give another folder"):
        chunker.save(folder)
