"""A joint model's folder: what is written there, and what is checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

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
)
from amigrad.tasks.rescoring.joint import JointModel, create_network
from amigrad.tasks.rescoring.lexicon import Lexicon
from amigrad.tasks.rescoring.options import JointOptions
from amigrad.tasks.rescoring.words import MARKS, Words

FORMAT, VERSION = "amigrad.joint", 1
_KEYS, _SHARES = "lexicon.keys", "lexicon.shares"


def save_joint(model: JointModel, folder: Folder) -> None:
    """Write the model into a folder. Raises OSError if it cannot be written."""
    arrays = arrays_of(model.network.named_parameters())
    arrays |= {_KEYS: model.lexicon.keys, _SHARES: model.lexicon.shares}
    vocabularies = {"source": model.source.vocabulary, "target": model.target.vocabulary}
    configuration = {"options": model.options.to_json(), "figures": dict(model.figures)}
    files.save_folder(folder, FORMAT, VERSION, SavedModel(configuration, vocabularies, arrays))


def load_joint(folder: Folder) -> JointModel:
    """The model that a folder holds. Raises ModelError if anything there is missing, damaged or does not fit."""
    saved = files.load_folder(folder, FORMAT, VERSION)
    target = Path(folder)
    options, figures = _configuration(target / MODEL, saved.configuration)
    require_keys(target / VOCABULARIES, "the set of vocabularies", saved.vocabularies, {"source", "target"})
    for name, vocabulary in saved.vocabularies.items():
        if vocabulary.words[: len(MARKS)] != MARKS or vocabulary.specials < len(MARKS):
            raise ModelError(target / VOCABULARIES, f"{name} does not begin with {' '.join(MARKS)}")
    words = {name: Words(vocabulary) for name, vocabulary in saved.vocabularies.items()}
    with skipped():
        network = create_network(options, words["source"], words["target"])
    assign_parameters(target / PARAMETERS, network.named_parameters(), saved.parameters, (_KEYS, _SHARES))
    lexicon = _lexicon(target / PARAMETERS, saved, words)
    return JointModel(options, words["source"], words["target"], lexicon, network, figures)


def _lexicon(path: Path, saved: SavedModel, words: dict[str, Words]) -> Lexicon:
    keys, shares = saved.parameters[_KEYS], saved.parameters[_SHARES]
    sources, targets = len(words["source"]), len(words["target"])
    fits = keys.dtype == np.int64 and shares.dtype == np.float32 and keys.ndim == 1 and keys.shape == shares.shape
    if not fits or (len(keys) and (np.any(np.diff(keys) <= 0) or keys[0] < 0 or keys[-1] >= sources * targets)):
        raise ModelError(path, "the lexical table is not one of these vocabularies")
    return Lexicon(keys, shares, sources)


def _configuration(path: Path, content: Any) -> tuple[JointOptions, dict[str, float]]:
    require_keys(path, "the configuration", content, {"options", "figures"})
    options, figures = content["options"], content["figures"]
    if not isinstance(figures, dict) or not all(isinstance(value, int | float) for value in figures.values()):
        raise ModelError(path, "its figures are not a table of numbers")
    return read_options(path, JointOptions, options), {name: float(value) for name, value in figures.items()}
