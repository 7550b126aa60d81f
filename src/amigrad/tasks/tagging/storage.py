"""A tagger's model folder: what is written there, and what is checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amigrad.data import Scheme
from amigrad.nn import arrays_of
from amigrad.tasks import folder as files
from amigrad.tasks.folder import MODEL, PARAMETERS, VOCABULARIES, Folder, ModelError, SavedModel, require_keys
from amigrad.tasks.tagging.features import Features, columns_of
from amigrad.tasks.tagging.options import OptionsError, TaggerOptions
from amigrad.tasks.tagging.tagger import Tagger, create_model
from amigrad.tasks.tagging.tags import TagSet

FORMAT, VERSION = "amigrad.tagger", 1


def save_tagger(tagger: Tagger, folder: Folder) -> None:
    """Write the tagger into a folder. Raises OSError if it cannot be written."""
    scheme = tagger.tag_set.scheme
    configuration = {
        "options": tagger.options.to_json(),
        "tags": list(tagger.tag_set.tags),
        "scheme": None if scheme is None else scheme.value,
    }
    parameters = arrays_of(tagger.model.named_parameters())
    files.save_folder(folder, FORMAT, VERSION, SavedModel(configuration, tagger.features.vocabularies, parameters))


def load_tagger(folder: Folder) -> Tagger:
    """The tagger that a folder holds. Raises ModelError if anything there is missing, damaged or does not fit."""
    saved = files.load_folder(folder, FORMAT, VERSION)
    target = Path(folder)
    options, tag_set = _configuration(target / MODEL, saved.configuration)
    columns = {column.name for column in columns_of(options)}
    require_keys(target / VOCABULARIES, "the set of vocabularies", saved.vocabularies, columns)
    for name, vocabulary in saved.vocabularies.items():
        if vocabulary.specials != 2:
            raise ModelError(target / VOCABULARIES, f"{name} has {vocabulary.specials} special entries, not 2")
    features = Features(options, saved.vocabularies)
    model = create_model(options, features, len(tag_set))
    parameters = model.named_parameters()
    require_keys(target / PARAMETERS, "the set of parameters", saved.parameters, set(parameters))
    for name, value in saved.parameters.items():
        due = parameters[name]
        if value.shape != due.shape or value.dtype != due.dtype:
            found, wanted = f"{value.dtype} {value.shape}", f"{due.dtype} {due.shape}"
            raise ModelError(target / PARAMETERS, f"'{name}' is {found}, but the configuration asks for {wanted}")
        due.assign(value)
    return Tagger(options, features, tag_set, model)


def _configuration(path: Path, content: Any) -> tuple[TaggerOptions, TagSet]:
    require_keys(path, "the configuration", content, {"options", "tags", "scheme"})
    tags, scheme = content["tags"], content["scheme"]
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise ModelError(path, "its tags are not a list of tags")
    if not isinstance(content["options"], dict):
        raise ModelError(path, "its options are not a table")
    try:
        return TaggerOptions.from_json(content["options"]), TagSet(tags, None if scheme is None else Scheme(scheme))
    except OptionsError as error:
        raise ModelError(path, str(error)) from None
    except ValueError as error:
        raise ModelError(path, f"its tags cannot be used: {error}") from None
