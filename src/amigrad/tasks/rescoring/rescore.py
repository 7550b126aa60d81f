"""Rescoring: new scores and a new order for n-best lists, by a log-linear model or by minimum Bayes risk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.tasks.rescoring.bleu import SIZE, Words, bleu_statistics, corpus_bleu
from amigrad.tasks.rescoring.consensus import pairwise_bleu, posteriors
from amigrad.tasks.rescoring.nbest import NBestList, format_hypotheses
from amigrad.tasks.rescoring.weights import Weights

Floats = NDArray[np.float64]

SHARPNESS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Values that `tune_sharpness` tries, times the sharpness at which the scores of a list differ by 1 on average."""


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
            remedy = "Tune them with `amigrad rescorer tune --mbr`"
            raise DataError(found.path, None, "the weights were tuned without --mbr", remedy)
        scores = pairwise_bleu(found.hypotheses) @ posteriors(scores, weights.sharpness)
    return Rescored(found, scores, np.argsort(-scores, kind="stable"))


def tune_sharpness(
    lists: Iterable[tuple[NBestList, Sequence[Words]]], score: Callable[[NBestList], Floats], spread: float
) -> tuple[float, dict[float, float]]:
    """How sharp a model is to be for minimum Bayes risk: the best for BLEU of SHARPNESS / `spread`.

    lists: each with its references; score: gives (N,) scores of a list; spread: their usual difference. Returns the
    sharpness and the BLEU of each that was tried.
    """
    tried = np.array(SHARPNESS) / spread
    sums = np.zeros((len(tried), SIZE), np.int64)
    for found, references in lists:
        scores = score(found)
        chances = np.stack([posteriors(scores, sharpness) for sharpness in tried], axis=1)
        best = (pairwise_bleu(found.hypotheses) @ chances).argmax(axis=0)
        sums += bleu_statistics([found.hypotheses[place] for place in best], references)
    bleu = corpus_bleu(sums)
    return float(tried[bleu.argmax()]), dict(zip(tried.tolist(), bleu.tolist(), strict=True))
