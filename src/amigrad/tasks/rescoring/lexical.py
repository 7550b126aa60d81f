"""IBM Model 1 in both directions: how well the words of two sentences explain each other, whatever their order.

Brown et al. (1993), "The Mathematics of Statistical Machine Translation", section 4.1, estimated by EM from bitext; it
needs no word alignments. As features of n-best lists: Och et al. (2004), "A Smorgasbord of Features", section 4.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary
from amigrad.tasks.folder import ModelError, SavedModel, load_folder, require_keys, save_folder
from amigrad.tasks.rescoring.bleu import Words
from amigrad.tasks.rescoring.nbest import NBestList

KIND, VERSION = "amigrad lexical model", 1
NAMES = ("lexical-s2t", "lexical-t2s")

FLOOR = 1e-7
"""Probability of a word given one that it was never seen with."""
COPY = 0.5
"""Probability of an unknown word given its copy."""
LEAST = 1e-5
"""Smaller probabilities are not kept."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """p(word | given word) of pairs of words that were seen together.

    keys: sorted, given · size + word, where `size` is the number of words; entry 0 of the given words is no word at all
    (NULL). probabilities: (K,) float32.
    """

    keys: Indices
    probabilities: NDArray[np.float32]
    size: int

    def of(self, given: Indices, words: Indices) -> Floats:
        """p of each word (column) given each other word (row); indices below 0 are unknown words. (G, W)"""
        keys = given[:, None] * self.size + words[None, :]
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = (self.keys[places] == keys) & (given[:, None] >= 0) & (words[None, :] >= 0)
        return np.where(known, self.probabilities[places], FLOOR).astype(np.float64)


@dataclass(frozen=True, slots=True)
class LexicalModel:
    """IBM Model 1 of target words given source words and of source words given target words."""

    source: Vocabulary
    target: Vocabulary
    to_target: Table
    to_source: Table

    def features(self, found: NBestList, source: Words) -> Floats:
        """Log probabilities of the list's hypotheses given the source and of the source given each, (N, 2).

        log p(f | e) = Σ_j log (1 / (I + 1) Σ_i t(f_j | e_i)), e_0 being NULL; the lengths cost nothing.
        """
        words = list(dict.fromkeys(word for hypothesis in found.hypotheses for word in hypothesis))
        places = {word: place for place, word in enumerate(words)}
        lengths = np.array([len(hypothesis) for hypothesis in found.hypotheses])
        flat = np.array([places[word] for hypothesis in found.hypotheses for word in hypothesis], dtype=np.int64)
        rows = np.repeat(np.arange(len(found)), lengths)
        counts = np.bincount(rows * len(words) + flat, minlength=len(found) * len(words)).reshape(len(found), -1)
        source_numbers, target_numbers = _numbers(self.source, source), _numbers(self.target, words)
        copies = np.array([[given == word for word in words] for given in source]).reshape(len(source), len(words))
        unknown = copies & ((source_numbers[1:, None] < 0) | (target_numbers[None, 1:] < 0))

        to_target = self.to_target.of(source_numbers, target_numbers[1:])
        to_target[1:][unknown] = COPY
        to_source = self.to_source.of(target_numbers, source_numbers[1:])
        to_source[1:][unknown.T] = COPY
        first = counts @ np.log(to_target.mean(axis=0))
        second = np.log((to_source[0] + counts @ to_source[1:]) / (lengths[:, None] + 1)).sum(axis=1)
        return np.column_stack([first, second])

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model into a folder. Raises OSError if it cannot be written."""
        parameters: dict[str, NDArray[Any]] = {}
        for name, table in zip(NAMES, (self.to_target, self.to_source), strict=True):
            parameters |= {f"{name}.keys": table.keys, f"{name}.probabilities": table.probabilities}
        vocabularies = {"source": self.source, "target": self.target}
        save_folder(folder, KIND, VERSION, SavedModel({}, vocabularies, parameters))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> LexicalModel:
        """The model that a folder holds. Raises ModelError if it holds none."""
        saved = load_folder(folder, KIND, VERSION)
        require_keys(folder, "the list of vocabularies", saved.vocabularies, {"source", "target"})
        source, target = saved.vocabularies["source"], saved.vocabularies["target"]
        tables = []
        for name, words in zip(NAMES, (target, source), strict=True):
            keys, probabilities = (saved.parameters.get(f"{name}.{part}") for part in ("keys", "probabilities"))
            if keys is None or probabilities is None or keys.shape != probabilities.shape or not len(keys):
                raise ModelError(folder, f"table '{name}' is missing or damaged")
            tables.append(Table(keys, probabilities, len(words)))
        return cls(source, target, tables[0], tables[1])


def _numbers(vocabulary: Vocabulary, words: Words) -> Indices:
    """Indices of NULL (0) and of words, -1 for unknown ones."""
    found = vocabulary.indices(words, missing=-1, dtype=np.int64)
    return np.concatenate([np.zeros(1, np.int64), found])


def learn_lexical(
    source: Sequence[Words],
    target: Sequence[Words],
    *,
    iterations: int = 6,
    step: Callable[[], None] = lambda: None,
) -> LexicalModel:
    """Estimate both directions from sentence pairs by EM, from uniform tables; `step` follows each iteration."""
    vocabularies = [
        Vocabulary.build((word for words in side for word in words), specials=("<null>",)) for side in (source, target)
    ]
    sides = [
        [vocabulary.indices(words, dtype=np.int64) for words in side]
        for vocabulary, side in zip(vocabularies, (source, target), strict=True)
    ]
    to_target = _estimate(sides[0], sides[1], len(vocabularies[1]), iterations, step)
    to_source = _estimate(sides[1], sides[0], len(vocabularies[0]), iterations, step)
    return LexicalModel(vocabularies[0], vocabularies[1], to_target, to_source)


def _estimate(
    given: Sequence[Indices], words: Sequence[Indices], size: int, iterations: int, step: Callable[[], None]
) -> Table:
    null = np.zeros(1, np.int64)
    pairs = [
        (word[:, None] + np.concatenate([null, other])[None, :] * size).ravel()
        for other, word in zip(given, words, strict=True)
    ]
    keys, cells = np.unique(np.concatenate(pairs), return_inverse=True)
    del pairs
    choices = np.repeat([len(other) + 1 for other in given], [len(word) for word in words])
    token = np.repeat(np.arange(len(choices)), choices)
    starts = np.cumsum(choices) - choices
    owner = keys // size
    probabilities = np.ones(len(keys))
    for _ in range(iterations):
        shares = probabilities[cells]
        shares /= np.add.reduceat(shares, starts)[token]
        counts = np.bincount(cells, shares, len(keys))
        probabilities = counts / np.bincount(owner, counts)[owner]
        step()
    kept = probabilities >= LEAST
    return Table(keys[kept], probabilities[kept].astype(np.float32), size)
