"""Tuning: weights of all features for BLEU on a dev list, from several starts, with what held-out sentences say."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.options import OptionsError
from amigrad.tasks.rescoring.bleu import corpus_bleu
from amigrad.tasks.rescoring.features import TuningSet
from amigrad.tasks.rescoring.mira import mira
from amigrad.tasks.rescoring.weights import Weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """How weights are tuned. Raises OptionsError for what makes no sense.

    limits: values of MIRA's C, of which the best in `folds`-fold cross-validation is taken; epochs: passes over the
    lists; restarts: runs with other orders of the sentences, from `seed` on, whose weights are averaged.
    """

    limits: tuple[float, ...] = (0.003, 0.01, 0.03)
    epochs: int = 10
    folds: int = 5
    restarts: int = 4
    seed: int = 1

    def __post_init__(self) -> None:
        for limit in self.limits:
            if not 0 < limit < math.inf:
                raise OptionsError(f"a limit of MIRA's steps is greater than 0, not {limit}")
        if not self.limits:
            raise OptionsError("there is no limit of MIRA's steps")
        if self.folds == 1 or self.folds < 0:
            raise OptionsError(f"folds are at least 2, or 0 for none, not {self.folds}")
        if min(self.epochs, self.restarts) < 1 or self.seed < 0:
            raise OptionsError("epochs and restarts are at least 1, a seed is at least 0")

    def runs(self, sentences: int) -> int:
        """How many epochs tuning takes on so many sentences, for progress."""
        folds = min(self.folds, sentences)
        return self.epochs * (self.restarts + (folds * len(self.limits) if folds > 1 else 0))


@dataclass(frozen=True, slots=True)
class Tuned:
    """Weights (F,) and the BLEU on the dev list: of its first hypotheses and of the tuned weights.

    held_out: in cross-validation, each sentence by weights that were tuned without it, for each limit; empty with
    fewer than two folds. restarts: seed and BLEU of each run.
    """

    weights: Floats
    limit: float
    first: float
    bleu: float
    held_out: dict[float, float]
    restarts: dict[int, float]

    def to_weights(self, candidates: TuningSet, without: Sequence[str] = ()) -> Weights:
        """The weights by name; those left out (`without`) have 0."""
        figures = {name: value for name, value in asdict(self).items() if name != "weights"}
        values = dict(zip(candidates.names, self.weights.tolist(), strict=True)) | dict.fromkeys(without, 0.0)
        return Weights(values, tuned=figures)


def tune(candidates: TuningSet, options: TuningOptions, step: Callable[[], None] = lambda: None) -> Tuned:
    """Tune weights; `step` is called after each epoch. The same options give the same weights."""
    initial = initial_weights(candidates)

    def run(part: TuningSet, limit: float, seed: int) -> Floats:
        return mira(part, initial, limit=limit, epochs=options.epochs, seed=seed, step=step)

    held_out: dict[float, float] = {}
    limit = options.limits[0]
    folds = min(options.folds, len(candidates.counts))
    if folds > 1:
        for limit in options.limits:
            held_out[limit] = cross_validated(candidates, partial(run, limit=limit, seed=options.seed), folds)
        limit = max(options.limits, key=lambda value: held_out[value])
    seeds = range(options.seed, options.seed + options.restarts)
    found = {seed: run(candidates, limit, seed) for seed in seeds}
    weights = np.mean(list(found.values()), axis=0)
    return Tuned(
        np.asarray(weights, dtype=np.float64),
        limit,
        candidates.bleu(candidates.starts),
        bleu_of(candidates, weights),
        held_out,
        {seed: bleu_of(candidates, values) for seed, values in found.items()},
    )


def bleu_of(candidates: TuningSet, weights: Floats) -> float:
    """BLEU of the hypotheses that score highest."""
    return candidates.bleu(chosen(candidates, weights))


def chosen(candidates: TuningSet, weights: Floats) -> NDArray[np.int64]:
    """Rows of the hypotheses that score highest, one a sentence."""
    return candidates.best(candidates.features @ weights.astype(np.float32))


def cross_validated(candidates: TuningSet, fit: Callable[[TuningSet], Floats], folds: int) -> float:
    """BLEU of all sentences, each fold chosen by weights that were fitted to the others."""
    sums = np.zeros(candidates.statistics.shape[1], np.int64)
    for inside, outside in fold_sentences(len(candidates.counts), folds):
        part = candidates.part(outside)
        sums += part.statistics[chosen(part, fit(candidates.part(inside)))].sum(axis=0, dtype=np.int64)
    return float(corpus_bleu(sums))


def fold_sentences(count: int, folds: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Sentences to fit and to hold out, for each fold: every `folds`-th sentence is held out."""
    numbers = np.arange(count)
    return [(numbers[numbers % folds != fold], numbers[numbers % folds == fold]) for fold in range(folds)]


def initial_weights(candidates: TuningSet) -> Floats:
    """The decoder's own weights, (F,), as its scores give them away: least squares within the lists.

    Features that the scores do not depend on get 0. Without scores all features count alike.
    """
    scale = candidates.scale.astype(np.float64)
    size = len(scale)
    products, targets, varied = np.zeros((size, size)), np.zeros(size), False
    for block in candidates.blocks():
        if block.scores is not None:
            features = block.centre(block.features / scale)
            scores = block.centre(block.scores)
            products += features.T @ features
            targets += features.T @ scores
            varied = varied or bool(scores.any())
    if not varied:
        return np.asarray(1 / scale, dtype=np.float64)
    return np.asarray(np.linalg.lstsq(products, targets, rcond=1e-9)[0] / scale, dtype=np.float64)
