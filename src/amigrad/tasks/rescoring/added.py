"""The features that models add to n-best lists, whatever kind of models they are."""

from __future__ import annotations

import contextlib
import gc
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.data.aside import replacing
from amigrad.tasks.folder import MODEL, ModelError
from amigrad.tasks.rescoring import discriminative, lexical
from amigrad.tasks.rescoring.joint import JointModel
from amigrad.tasks.rescoring.joint_features import JointFeatures, model_folders, with_sources
from amigrad.tasks.rescoring.nbest import NBestList, format_hypotheses

Floats = NDArray[np.float64]
Words = Sequence[str]


class AddedFeatures:
    """What joint models, language models and lexicons say of the hypotheses of lists.

    names: those of the features. See `JointFeatures`, `LexicalModel.features` and `DiscriminativeLexicon.features` for
    what they are. Several discriminative lexicons, say of different seeds, give their mean.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]], *, exact: bool | None = None) -> None:
        """folders: of models, or of several models. Raises ModelError for one that has none, or is damaged."""
        found = list(model_folders(folders))
        kinds = [(folder, _kind(folder)) for folder in found]
        tables = [folder for folder, kind in kinds if kind == lexical.KIND]
        if len(tables) > 1:
            raise ModelError(tables[1], "this is the second lexical model", "Give one only")
        joint = joint_models(found)
        self.joint = JointFeatures(joint, exact=exact) if joint else None
        self.lexical = lexical.LexicalModel.load(tables[0]) if tables else None
        self.discriminative = [
            discriminative.DiscriminativeLexicon.load(folder) for folder, kind in kinds if kind == discriminative.KIND
        ]
        self.names = (
            *(self.joint.names if self.joint else ()),
            *(lexical.NAMES if self.lexical else ()),
            *(discriminative.NAMES if self.discriminative else ()),
        )

    def of_lists(self, lists: Iterable[NBestList], sources: Sequence[Words]) -> Iterator[tuple[NBestList, Floats]]:
        """Each list with its features, (N, F). sources: the sentences in the order of their ids.

        Raises DataError for lists without a sentence and sentences without a list.
        """
        scored: Iterable[tuple[NBestList, Floats]]
        if self.joint is not None:
            scored = self.joint.of_lists(lists, sources)
        else:
            scored = ((found, np.empty((len(found), 0))) for found in with_sources(lists, sources))
        for found, columns in scored:
            source = sources[found.number]
            parts = [columns]
            if self.lexical is not None:
                parts.append(self.lexical.features(found, source))
            if self.discriminative:
                parts.append(np.mean([one.features(found, source) for one in self.discriminative], axis=0))
            yield found, np.column_stack(parts) if len(parts) > 1 else columns


def write_features(
    features: AddedFeatures,
    lists: Iterable[NBestList],
    sources: Sequence[Words],
    output: str | os.PathLike[str],
    *,
    shown: Callable[[int], None] = lambda done: None,
) -> None:
    """Write n-best lists with the models' features added; compressed if the name ends in `.gz`.

    `shown` is told how many lists are done. Nothing is left behind if anything is wrong; raises what
    `AddedFeatures.of_lists` does, and DataError for a list that has such a feature already.
    """
    with replacing(output) as file, _collecting_rarely():
        for found, columns in features.of_lists(lists, sources):
            for name in features.names:
                if name in found.names:
                    problem = f"the list has a feature '{name}' already"
                    raise DataError(found.path, found.line, problem, "Give the list without it")
            file.write(format_hypotheses(found, dict(zip(features.names, columns.T, strict=True))))
            shown(found.number + 1)


def joint_models(folders: Iterable[str | os.PathLike[str]]) -> list[JointModel]:
    """The joint models among the models in some folders. Raises ModelError for a folder without a model."""
    return [JointModel.load(folder) for folder in model_folders(folders) if _kind(folder) not in _LEXICONS]


@contextlib.contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Python looks for cycles of garbage less often: lists are many small objects without any."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _ALLOCATIONS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


_ALLOCATIONS = 200_000

_LEXICONS = (lexical.KIND, discriminative.KIND)


def _kind(folder: Path) -> object:
    """The format that a model says it has; None if it says nothing, which loading it complains about."""
    try:
        content = json.loads((folder / MODEL).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content.get("format") if isinstance(content, dict) else None
