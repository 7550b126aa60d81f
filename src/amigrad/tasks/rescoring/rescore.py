"""Rescoring: new scores and a new order for n-best lists, by a log-linear model or by minimum Bayes risk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.tasks.rescoring.bleu import SIZE, Words, bleu_statistics, corpus_bleu
from amigrad.tasks.rescoring.consensus import pairwise_bleu, posteriors
from amigrad.tasks.rescoring.features import Step
from amigrad.tasks.rescoring.nbest import NBestList, format_hypotheses
from amigrad.tasks.rescoring.weights import Weights

Floats = NDArray[np.float64]

SHARPNESS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""What `tune_risk` tries: standard deviations of the scaled scores within the lists."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """A list with new scores (N,) and the order of its hypotheses by them, the best first."""

    found: NBestList
    scores: Floats
    order: NDArray[np.int64]

    @property
    def best(self) -> str:
        """The words of the best hypothesis."""
        return " ".join(self.found.hypotheses[self.order[0]])

    def lines(self) -> bytes:
        """The list in its own format, with new scores, best first."""
        return format_hypotheses(self.found, scores=self.scores, order=self.order)


def rescore(found: NBestList, weights: Weights, *, risk: bool = False) -> Rescored:
    """Score a list by its features, or with `risk` by the expected BLEU (in percent) under that model.

    Equal scores keep the order of the list. Raises DataError if the features are not those of the weights.
    """
    scores = weights.score(found)
    if risk:
        if weights.sharpness is None:
            remedy = "Tune them again without --no-mbr"
            raise DataError(found.path, None, "the weights were tuned with --no-mbr", remedy)
        scores = pairwise_bleu(found.hypotheses) @ posteriors(scores, weights.sharpness)
    return Rescored(found, scores, np.argsort(-scores, kind="stable"))


@dataclass(frozen=True, slots=True)
class TunedRisk:
    """Weights with their sharpness, and the BLEU of minimum Bayes risk on the dev list with each that was tried."""

    weights: Weights
    tried: Mapping[float, float]


def tune_risk(
    lists: Iterable[tuple[NBestList, Sequence[Words]]], weights: Weights, spread: float, step: Step = lambda: None
) -> TunedRisk:
    """How sharp a model is to be for minimum Bayes risk: the best for BLEU of SHARPNESS / `spread`.

    lists: each with its references; spread: how much scores of a list differ (`TuningSet.spread`). `step` is called
    after each list.
    """
    tried = np.array(SHARPNESS) / spread
    sums = np.zeros((len(tried), SIZE), np.int64)
    for found, references in lists:
        scores = weights.score(found)
        chances = np.stack([posteriors(scores, sharpness) for sharpness in tried], axis=1)
        best = (pairwise_bleu(found.hypotheses) @ chances).argmax(axis=0)
        sums += bleu_statistics([found.hypotheses[place] for place in best], references)
        step()
    bleu = corpus_bleu(sums)
    chosen = replace(weights, sharpness=float(tried[bleu.argmax()]))
    return TunedRisk(chosen, dict(zip(tried.tolist(), bleu.tolist(), strict=True)))
