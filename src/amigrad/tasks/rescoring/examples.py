"""Bitext as examples to train a joint model on."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data.bitext import Bitext
from amigrad.graph import state
from amigrad.tasks.rescoring.contexts import Contexts, Indices, Pairs, sentences_of
from amigrad.tasks.rescoring.options import JointOptions
from amigrad.tasks.rescoring.words import Words

Batch = tuple[Any, ...]


def pairs_of(bitext: Bitext, source: Words, target: Words) -> Pairs:
    """Bitext with links as indices of these words."""
    sides = [
        sentences_of(words.indices(list(chain.from_iterable(side))), side)
        for words, side in ((source, bitext.source), (target, bitext.target))
    ]
    if bitext.links is None:
        links = np.empty((0, 3), np.int64)
    else:
        counts = np.fromiter(map(len, bitext.links), np.int64, len(bitext))
        number = np.repeat(np.arange(len(bitext)), counts)
        links = np.column_stack([number, np.concatenate(bitext.links)]).astype(np.int64)
    return Pairs(sides[0], sides[1], np.arange(len(bitext)), links)


def contexts_of(pairs: Pairs, options: JointOptions) -> Contexts:
    """The predictions that a model with these options makes of some pairs."""
    return Contexts(
        pairs,
        window=options.window,
        history=options.history,
        to_source=options.to_source,
        from_right=options.from_right,
    )


class Examples:
    """Predictions to train on: windows (N, window), histories (N, history) and targets (N,), all int32.

    For noise-contrastive estimation, `noise` words (K,) come with each batch, drawn by their frequency among the
    predictions; which ones depends on the seed and the number of the batch only.
    """

    def __init__(self, contexts: Contexts, words: int, options: JointOptions) -> None:
        """`words` is the number of entries of the predicted language's vocabulary."""
        self.contexts = contexts
        self._options = options
        counts = np.bincount(contexts.targets(), minlength=words).astype(np.float64)
        counts = np.maximum(counts, 1.0)
        shares = counts / counts.sum()
        self.frequencies: NDArray[np.float32] = np.log(shares).astype(np.float32)[:, None]
        """The logarithm of each word's frequency among the predictions: (words, 1)."""
        self._cumulated = np.cumsum(shares)
        self.batches = state(0, name="batches")
        """How many batches were taken so far; saved and loaded again, so that a resumed run draws the same words."""

    def __len__(self) -> int:
        return len(self.contexts)

    def batch(self, indices: NDArray[np.integer[Any]]) -> Batch:
        """These examples as the next batch."""
        found = self.contexts.windows(indices), self.contexts.histories(indices), self.contexts.targets(indices)
        if self._options.objective != "nce":
            return found
        number = int(self.batches.value)
        self.batches.value[...] += 1
        generator = np.random.Philox(np.random.SeedSequence([self._options.seed, number, _NOISE_STREAM]))
        draws = (generator.random_raw(self._options.noise) >> np.uint64(11)) * 2.0**-53
        noise: Indices = np.searchsorted(self._cumulated, draws * self._cumulated[-1], side="right").astype(np.int32)
        return *found, noise


_NOISE_STREAM = 2
