"""The folder of a model of several tasks: shared parameters are there once."""

from __future__ import annotations

import json
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
from amigrad.tasks.tagging.features import Features, vocabulary_names
from amigrad.tasks.tagging.joint import SHARES, JointTaggers
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.tags import TagSet

FORMAT, VERSION = "amigrad.taggers", 1


def save_joint(taggers: JointTaggers, folder: Folder) -> None:
    """Write a model of several tasks into a folder. Raises OSError if it cannot be written."""
    tasks = {}
    for name, tagger in taggers.items():
        scheme = tagger.tag_set.scheme
        tasks[name] = {
            "tags": list(tagger.tag_set.tags),
            "scheme": None if scheme is None else scheme.value,
            "sentences": hasattr(tagger.model, "crf"),
        }
    configuration = {"options": taggers.options.to_json(), "share": taggers.model.share, "tasks": tasks}
    parameters = arrays_of(taggers.model.named_parameters())
    files.save_folder(folder, FORMAT, VERSION, SavedModel(configuration, taggers.features.vocabularies, parameters))


def load_joint(folder: Folder) -> JointTaggers:
    """The model that a folder holds. Raises ModelError if anything there is missing, damaged or does not fit."""
    saved = files.load_folder(folder, FORMAT, VERSION, packed=True)
    target = Path(folder)
    content = saved.configuration
    require_keys(target / MODEL, "the configuration", content, {"options", "share", "tasks"})
    if content["share"] not in SHARES:
        raise ModelError(target / MODEL, f"its tasks cannot share {content['share']!r}")
    options = read_options(target / MODEL, TaggerOptions, content["options"])
    try:
        tags, chained = _tasks(target / MODEL, content["tasks"])
    except OptionsError as error:
        raise ModelError(target / MODEL, str(error)) from None
    require_keys(target / VOCABULARIES, "the set of vocabularies", saved.vocabularies, set(vocabulary_names(options)))
    require_specials(target / VOCABULARIES, saved.vocabularies)
    with skipped():
        taggers = JointTaggers.create(options, Features(options, saved.vocabularies), tags, chained, content["share"])
    assign_parameters(target / PARAMETERS, taggers.model.named_parameters(), saved.parameters)
    return taggers


def is_joint(folder: Folder) -> bool:
    """Whether a folder seems to hold a model of several tasks."""
    try:
        content = json.loads((Path(folder) / MODEL).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _tasks(path: Path, content: Any) -> tuple[dict[str, TagSet], dict[str, bool]]:
    """The tags of each task, and whether it has the sentence-level cost."""
    if not isinstance(content, dict) or not content:
        raise ModelError(path, "its tasks are not a table")
    tags, chained = {}, {}
    for name, task in content.items():
        if not isinstance(task, dict):
            raise ModelError(path, f"its task {name} is not a table")
        require_keys(path, f"the task {name}", task, {"tags", "scheme", "sentences"})
        if not isinstance(task["sentences"], bool) or not isinstance(task["tags"], list):
            raise ModelError(path, f"its task {name} cannot be used")
        try:
            tags[name] = TagSet(task["tags"], None if task["scheme"] is None else Scheme(task["scheme"]))
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError(path, f"the tags of {name} cannot be used: {error}") from None
        chained[name] = task["sentences"]
    return tags, chained
