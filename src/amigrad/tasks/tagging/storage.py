"""A tagger's model folder: what is written there, and what is checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amigrad.data import Scheme
from amigrad.nn import arrays_of
from amigrad.nn.initializers import skipped
from amigrad.tasks import folder as files
from amigrad.tasks.folder import (
    MODEL,
    PARAMETERS,
    VOCABULARIES,
    Folder,
    ModelError,
    SavedModel,
    assign_parameters,
    read_options,
    require_keys,
    require_specials,
)
from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.context import Cascade, Gazetteer, Source
from amigrad.tasks.tagging.features import Features, vocabulary_names
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.tagger import Tagger, create_model
from amigrad.tasks.tagging.tags import TagSet

FORMAT, VERSION = "amigrad.tagger", 2


def save_tagger(tagger: Tagger, folder: Folder) -> None:
    """Write the tagger into a folder, and taggers whose tags are its features into folders of their own in there.

    Raises OSError if it cannot be written.
    """
    vocabularies = dict(tagger.features.vocabularies)
    for name, source in tagger.features.sources.items():
        if isinstance(source, Gazetteer):
            vocabularies[_phrases(name)] = source.vocabulary()
        elif isinstance(source, Cascade):
            save_tagger(source.tagger, Path(folder) / name)
    scheme = tagger.tag_set.scheme
    configuration = {
        "options": tagger.options.to_json(),
        "tags": list(tagger.tag_set.tags),
        "scheme": None if scheme is None else scheme.value,
        "sentences": hasattr(tagger.model, "crf"),
    }
    parameters = arrays_of(tagger.model.named_parameters())
    files.save_folder(folder, FORMAT, VERSION, SavedModel(configuration, vocabularies, parameters))


def load_tagger(folder: Folder) -> Tagger:
    """The tagger that a folder holds. Raises ModelError if anything there is missing, damaged or does not fit."""
    saved = files.load_folder(folder, FORMAT, VERSION, packed=True)
    target = Path(folder)
    options, tag_set = _configuration(target / MODEL, saved.configuration)
    columns, lists = set(vocabulary_names(options)), {_phrases(name) for name in options.gazetteers}
    require_keys(target / VOCABULARIES, "the set of vocabularies", saved.vocabularies, columns | lists)
    for name, vocabulary in saved.vocabularies.items():
        require_specials(target / VOCABULARIES, {name: vocabulary}, 0 if name in lists else 2)
    sources: dict[str, Source] = {
        name: Gazetteer.from_vocabulary(saved.vocabularies[_phrases(name)]) for name in options.gazetteers
    }
    sources |= {name: Cascade(load_tagger(target / name)) for name in options.cascades}
    features = Features(options, saved.vocabularies, sources)
    with skipped():
        model = create_model(options, features, len(tag_set), sentences=saved.configuration["sentences"])
    assign_parameters(target / PARAMETERS, model.named_parameters(), saved.parameters)
    return Tagger(options, features, tag_set, model)


def _configuration(path: Path, content: Any) -> tuple[TaggerOptions, TagSet]:
    require_keys(path, "the configuration", content, {"options", "tags", "scheme", "sentences"})
    tags, scheme = content["tags"], content["scheme"]
    if not isinstance(content["sentences"], bool):
        raise ModelError(path, "'sentences' says neither true nor false")
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise ModelError(path, "its tags are not a list of tags")
    options = read_options(path, TaggerOptions, content["options"])
    try:
        return options, TagSet(tags, None if scheme is None else Scheme(scheme))
    except OptionsError as error:
        raise ModelError(path, str(error)) from None
    except ValueError as error:
        raise ModelError(path, f"its tags cannot be used: {error}") from None


def _phrases(name: str) -> str:
    """The vocabulary that a gazetteer is kept in."""
    return f"phrases of {name}"
