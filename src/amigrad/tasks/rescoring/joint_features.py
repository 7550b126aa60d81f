"""Log probabilities of joint models as features of n-best lists."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.tasks.folder import MODEL, ModelError
from amigrad.tasks.rescoring.contexts import Links
from amigrad.tasks.rescoring.joint import JointModel
from amigrad.tasks.rescoring.nbest import NBestList
from amigrad.tasks.rescoring.score import Candidates, Scorer

Floats = NDArray[np.float64]
Words = Sequence[str]

BLOCK_WORDS = 1 << 17
"""Words of hypotheses that are scored at a time: lists are taken together until there are so many."""


class JointFeatures:
    """The features that some joint models add to n-best lists: log probabilities of whole hypotheses.

    A feature for each variation, named for it, as `joint-s2t-l2r`; several models of one variation, say of different
    seeds, give the mean of their log probabilities.
    """

    def __init__(self, models: Iterable[JointModel], *, exact: bool | None = None) -> None:
        """`exact`: whether log Z is taken off, see `Scorer`. Raises ValueError without models."""
        self.scorers: dict[str, list[Scorer]] = {}
        for model in models:
            self.scorers.setdefault(feature_name(model), []).append(Scorer(model, exact=exact))
        if not self.scorers:
            raise ValueError("features need at least one model")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(self.scorers)

    def __call__(self, found: NBestList, source: Words) -> Floats:
        """The features of one list, whose sentence is `source`. (hypotheses, features)"""
        return self._block([found], [source])[0]

    def of_lists(self, lists: Iterable[NBestList], sources: Sequence[Words]) -> Iterator[tuple[NBestList, Floats]]:
        """Each list with its features, (hypotheses, features). sources: the sentences in the order of their ids.

        Memory holds the lists of a block, of about `BLOCK_WORDS` words. Raises DataError for lists without a sentence
        and sentences without a list.
        """
        block: list[NBestList] = []
        size = 0
        for found in with_sources(lists, sources):
            block.append(found)
            size += sum(map(len, found.hypotheses))
            if size >= BLOCK_WORDS:
                yield from self._scored(block, sources)
                block, size = [], 0
        yield from self._scored(block, sources)

    def _scored(self, block: list[NBestList], sources: Sequence[Words]) -> Iterator[tuple[NBestList, Floats]]:
        features = self._block(block, [sources[found.number] for found in block])
        yield from zip(block, features, strict=True)

    def _block(self, lists: Sequence[NBestList], sources: Sequence[Words]) -> list[Floats]:
        if not lists:
            return []
        aligned = any(scorer.model.options.window for scorers in self.scorers.values() for scorer in scorers)
        candidates = candidates_of(lists, sources, aligned=aligned)
        columns = [
            np.mean([scorer.log_probabilities(candidates) for scorer in scorers], axis=0)
            for scorers in self.scorers.values()
        ]
        ends = np.cumsum([len(found) for found in lists])
        return np.split(np.column_stack(columns), ends[:-1])


def candidates_of(lists: Sequence[NBestList], sources: Sequence[Words], *, aligned: bool = True) -> Candidates:
    """The hypotheses of some lists one after another, with their links if the lists have them."""
    hypotheses = [words for found in lists for words in found.hypotheses]
    mates = np.repeat(np.arange(len(lists)), [len(found) for found in lists])
    links: Links | None = np.empty((0, 3), np.int64)
    if aligned:
        links = _links(lists, sources) if all(found.alignments is not None for found in lists) else None
    return Candidates(sources, hypotheses, mates, links)


def _links(lists: Sequence[NBestList], sources: Sequence[Words]) -> Links:
    found = [one.flat_points(len(source)) for one, source in zip(lists, sources, strict=True)]
    counts = np.concatenate([part for _, part in found])
    return np.column_stack([np.repeat(np.arange(len(counts)), counts), np.concatenate([points for points, _ in found])])


def feature_name(model: JointModel) -> str:
    """The name of a model's feature: `joint-s2t-l2r`, or `lm-target-l2r` of a language model."""
    variation = model.options.variation
    return variation if model.options.window == 0 else f"joint-{variation}"


def with_sources(lists: Iterable[NBestList], sources: Sequence[Words]) -> Iterator[NBestList]:
    """The same lists. Raises DataError for lists without a source sentence and sentences without a list."""
    count = 0
    path = ""
    for found in lists:
        path = found.path
        if found.number >= len(sources):
            problem = f"sentence {found.number} is not among the {len(sources):,} source sentences"
            raise DataError(path, found.line, problem, "Give the whole source file of this list")
        count += 1
        yield found
    if count < len(sources):
        problem = f"the last sentence is {count - 1}, but there are {len(sources):,} source sentences"
        raise DataError(path, None, problem, "Give the source file of this very list")


def load_models(folders: Iterable[str | os.PathLike[str]]) -> Mapping[str, JointModel]:
    """The models in some folders, by folder; one that holds folders of models stands for all of these.

    Raises ModelError for a folder that holds neither, and for models of damaged files.
    """
    return {os.fspath(folder): JointModel.load(folder) for folder in model_folders(folders)}


def model_folders(folders: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Folders of models; one that holds folders of models stands for all of these. Raises ModelError for others."""
    for folder in map(Path, folders):
        inner = [] if (folder / MODEL).exists() else sorted(path.parent for path in folder.glob(f"*/{MODEL}"))
        if not inner and folder.is_dir() and not (folder / MODEL).exists():
            raise ModelError(folder, "there is no model in this folder", "Give the folder that a model was saved in")
        yield from inner or [folder]
