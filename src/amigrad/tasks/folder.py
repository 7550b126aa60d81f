"""A model as a folder: parameters in safetensors, vocabularies and configuration in JSON. Loading runs no code.

`model.json` is written last and holds the checksums of the other files, so a folder whose writing was cut off
is never taken for a model.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save as format_tensors

from amigrad.data import DataError, PackedVocabulary, Vocabulary
from amigrad.data.aside import named
from amigrad.tasks.arrays import SavedArrays
from amigrad.tasks.options import Options, OptionsError, UnknownOptionError

if TYPE_CHECKING:
    from amigrad.graph import Parameter

Folder = str | os.PathLike[str]
OPTIONS = TypeVar("OPTIONS", bound=Options)

MODEL, PARAMETERS, VOCABULARIES = "model.json", "model.safetensors", "vocabularies.json"
MANY = 5000
"""Entries from which a vocabulary is a large one."""
NEWER = "Use that amigrad, or train a new model"


class ModelError(ValueError):
    """A model that cannot be used: which file, what is wrong, and the way out."""

    def __init__(self, path: Folder, problem: str, remedy: str = "Copy the model again, or train a new one") -> None:
        super().__init__(os.fspath(path), problem, remedy)
        self.path = os.fspath(path)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}. {self.remedy}."


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What a model folder holds: its configuration, vocabularies and parameters, each by name."""

    configuration: Mapping[str, Any]
    vocabularies: Mapping[str, Vocabulary]
    parameters: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class LoadedModel(SavedModel):
    """What a model folder that was read holds; an array is read when it is wanted."""

    parameters: SavedArrays


def save_folder(folder: Folder, kind: str, version: int, model: SavedModel) -> None:
    """Write a model of this kind and format version; the folder is made if it is missing.

    Every file is written aside, synced and renamed. Raises OSError if the folder cannot be written, ModelError if it
    holds a model of another kind.
    """
    require_room(folder, kind)
    parameters = {name: np.ascontiguousarray(value) for name, value in model.parameters.items()}
    vocabularies = {name: json.loads(vocabulary.to_json()) for name, vocabulary in model.vocabularies.items()}
    files = {
        PARAMETERS: format_tensors(parameters),
        VOCABULARIES: json.dumps(vocabularies, ensure_ascii=False).encode(),
    }
    content = {
        "format": kind,
        "version": version,
        "files": {name: _checksum(data) for name, data in files.items()},
        "configuration": model.configuration,
    }
    files[MODEL] = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    aside: list[tuple[str, str]] = []
    try:
        for name, data in files.items():
            try:
                aside.append((_write_aside(target, name, data), name))
            except OSError as error:
                raise named(error, target / name) from None
        for temporary, name in aside:
            os.replace(temporary, target / name)
        _sync_folder(target)
    finally:
        for temporary, _ in aside:
            Path(temporary).unlink(missing_ok=True)


def load_folder(folder: Folder, kind: str, version: int, *, packed: bool = False) -> LoadedModel:
    """Read a model of this kind and format version. Raises ModelError for whatever is not as it was saved.

    packed: large vocabularies take little memory, but find words more slowly.
    """
    target = Path(folder)
    if not target.is_dir():
        raise ModelError(target, "there is no such folder", "Give the folder that the model was saved in")
    content = _parse(target / MODEL, _read(target / MODEL))
    _check_header(target / MODEL, content, kind, version)
    for name, checksum in content["files"].items():
        with _opened(target / name) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                raise ModelError(target / name, "the file is cut off or was changed since the model was saved")
    try:
        parameters = SavedArrays(target / PARAMETERS)
    except SafetensorError as error:
        raise ModelError(target / PARAMETERS, f"not a safetensors file ({error})") from None
    vocabularies = {}
    for name, entry in _parse(target / VOCABULARIES, _read(target / VOCABULARIES)).items():
        try:
            vocabulary = Vocabulary.from_content(entry, name)
        except DataError as error:
            raise ModelError(target / VOCABULARIES, f"{name} is {error.problem}") from None
        vocabularies[name] = PackedVocabulary.of(vocabulary) if packed and len(vocabulary) >= MANY else vocabulary
    return LoadedModel(content["configuration"], vocabularies, parameters)


def training_folder(output: Folder | None, kind: str) -> Path | None:
    """Where a training is kept whose model will be in `output`. Raises what `require_room` does."""
    if output is None:
        return None
    require_room(output, kind)
    return Path(output) / "training"


def require_room(folder: Folder, kind: str) -> None:
    """Raise ModelError if a folder holds a model of another kind, which one of this kind would overwrite.

    Raises OSError if it is no folder.
    """
    path = Path(folder) / MODEL
    if path.parent.exists() and not path.parent.is_dir():
        raise FileExistsError(errno.EEXIST, "this is a file, not a folder for a model", os.fspath(folder))
    try:
        found = json.loads(path.read_bytes()).get("format")
    except (OSError, ValueError, AttributeError):
        return
    if found != kind:
        raise ModelError(path, f"there is a model of format {found} already", "Give another folder for the new model")


def require_keys(path: Folder, what: str, content: Mapping[str, Any], keys: set[str]) -> None:
    """Raise ModelError unless `content` has exactly these keys."""
    for key in sorted(keys - content.keys()):
        raise ModelError(path, f"{what} lacks '{key}'")
    for key in sorted(content.keys() - keys):
        remedy = "If a newer amigrad made this model, use that one; else copy the model again, or train a new one"
        raise ModelError(path, f"{what} has '{key}', which is not known", remedy)


def read_options(path: Folder, kind: type[OPTIONS], content: Any) -> OPTIONS:
    """The options of a model's configuration. Raises ModelError if they cannot be used."""
    if not isinstance(content, dict):
        raise ModelError(path, "its options are not a table")
    try:
        return kind.from_json(content)
    except UnknownOptionError as error:
        raise ModelError(path, f"{error}, which made this model", NEWER) from None
    except OptionsError as error:
        raise ModelError(path, str(error)) from None


def require_specials(path: Folder, vocabularies: Mapping[str, Vocabulary], specials: int = 2) -> None:
    """Raise ModelError unless each of these vocabularies has so many special entries."""
    for name, vocabulary in vocabularies.items():
        if vocabulary.specials != specials:
            raise ModelError(path, f"{name} has {vocabulary.specials} special entries, not {specials}")


def assign_parameters(
    path: Folder, parameters: Mapping[str, Parameter], saved: SavedArrays, others: Iterable[str] = ()
) -> None:
    """Give each parameter its saved value. Raises ModelError unless there is one for each, of its shape and type, and
    nothing more but what `others` names.
    """
    require_keys(path, "the set of arrays", saved, {*parameters, *others})
    for name, due in parameters.items():
        shape, dtype = saved.spec(name)
        if shape != due.shape or dtype != due.dtype:
            found, wanted = f"{dtype} {shape}", f"{due.dtype} {due.shape}"
            raise ModelError(path, f"'{name}' is {found}, but the configuration asks for {wanted}")
        saved.read_into(name, due.value)


def _check_header(path: Path, content: Any, kind: str, version: int) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), str):
        raise ModelError(path, "not the description of a model")
    if content["format"] != kind:
        raise ModelError(path, f"a model of format {content['format']}, not {kind}", "Give a model of the right kind")
    if content.get("version") != version:
        remedy = "Use the amigrad that saved it, or train a new one"
        raise ModelError(path, f"format version {content.get('version')}, but this amigrad reads {version}", remedy)
    require_keys(path, "the model", content, {"format", "version", "files", "configuration"})
    if not isinstance(content["files"], dict) or not isinstance(content["configuration"], dict):
        raise ModelError(path, "not the description of a model")
    require_keys(path, "the list of files", content["files"], {PARAMETERS, VOCABULARIES})


def _parse(path: Path, data: bytes) -> Any:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(path, f"the file is damaged, it is not JSON ({error})") from None
    if not isinstance(content, dict):
        raise ModelError(path, "not the description of a model")
    return content


def _read(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read()


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except (FileNotFoundError, IsADirectoryError):
        raise ModelError(path, "the file is missing, so this is not a whole model") from None


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write_aside(folder: Path, name: str, data: bytes) -> str:
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=folder)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
