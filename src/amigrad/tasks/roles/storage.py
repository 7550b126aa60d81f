"""A role labeller's model folder: what is written there, and what is checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amigrad.data import is_chunk_tag
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
from amigrad.tasks.roles.labeller import RoleLabeller, create_network
from amigrad.tasks.roles.options import RoleOptions
from amigrad.tasks.roles.predicates import Lemmatiser, PredicateFinder
from amigrad.tasks.tagging import Tagger
from amigrad.tasks.tagging.context import Cascade
from amigrad.tasks.tagging.features import Features, columns_of

FORMAT, VERSION = "amigrad.roles", 1
FINDER_FOLDER = "predicates"
"""Where the tagger that finds predicates is kept, within the model's folder."""

FEATURES_FOLDER = "features"
"""Where taggers are kept whose tags are features."""


def save_labeller(labeller: RoleLabeller, folder: Folder) -> None:
    """Write the labeller into a folder. Raises OSError if it cannot be written."""
    for name, source in labeller.features.sources.items():
        if isinstance(source, Cascade):
            source.tagger.save(Path(folder) / FEATURES_FOLDER / name)
    finder = labeller.finder
    lemmas = None
    if finder is not None:
        finder.tagger.save(Path(folder) / FINDER_FOLDER)
        lemmas = {"forms": finder.lemmatiser.forms, "endings": finder.lemmatiser.endings}
    configuration = {
        "options": labeller.options.to_json(),
        "tags": list(labeller.tags),
        "parts_of_speech": list(labeller.parts_of_speech),
        "lemmas": lemmas,
    }
    parameters = arrays_of(labeller.model.named_parameters())
    files.save_folder(folder, FORMAT, VERSION, SavedModel(configuration, labeller.features.vocabularies, parameters))


def load_labeller(folder: Folder) -> RoleLabeller:
    """The labeller that a folder holds. Raises ModelError if anything there is missing, damaged or does not fit."""
    saved = files.load_folder(folder, FORMAT, VERSION, packed=True)
    target = Path(folder)
    options, tags, parts_of_speech, lemmatiser = _configuration(target / MODEL, saved.configuration)
    words = options.words()
    columns = {column.name for column in columns_of(words)}
    require_keys(target / VOCABULARIES, "the set of vocabularies", saved.vocabularies, columns)
    require_specials(target / VOCABULARIES, saved.vocabularies)
    cascades = {name: Cascade(Tagger.load(target / FEATURES_FOLDER / name)) for name in options.cascades}
    features = Features(words, saved.vocabularies, cascades)
    with skipped():
        model = create_network(options, features, len(tags), len(parts_of_speech))
    assign_parameters(target / PARAMETERS, model.named_parameters(), saved.parameters)
    finder = None
    if lemmatiser is not None:
        finder = PredicateFinder(Tagger.load(target / FINDER_FOLDER), lemmatiser)
    return RoleLabeller(options, features, tags, parts_of_speech, model, finder)


def _configuration(path: Path, content: Any) -> tuple[RoleOptions, list[str], list[str], Lemmatiser | None]:
    require_keys(path, "the configuration", content, {"options", "tags", "parts_of_speech", "lemmas"})
    tags, parts_of_speech, lemmas = content["tags"], content["parts_of_speech"], content["lemmas"]
    for entries in (tags, parts_of_speech):
        if not isinstance(entries, list) or not all(isinstance(tag, str) and tag for tag in entries):
            raise ModelError(path, "its tags are not a list of tags")
    if not tags or not all(map(is_chunk_tag, tags)):
        raise ModelError(path, "its tags are not those of arguments")
    options = read_options(path, RoleOptions, content["options"])
    if lemmas is None:
        return options, tags, parts_of_speech, None
    if not isinstance(lemmas, dict):
        raise ModelError(path, "its lemmas are not a table")
    require_keys(path, "the table of lemmas", lemmas, {"forms", "endings"})
    for table in lemmas.values():
        if not isinstance(table, Mapping) or not all(isinstance(lemma, str) for lemma in table.values()):
            raise ModelError(path, "its lemmas are not words")
    return options, tags, parts_of_speech, Lemmatiser(lemmas["forms"], lemmas["endings"])
