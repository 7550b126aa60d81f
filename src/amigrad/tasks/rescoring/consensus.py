"""Minimum Bayes risk: the hypothesis of a list that is most like the others, by their probabilities.

Kumar and Byrne (2004), "Minimum Bayes-Risk Decoding for Statistical Machine Translation": the expected BLEU of a
hypothesis is its smoothed sentence BLEU against each hypothesis of the list as a reference, weighted by the posterior
of that one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amigrad.backends import compile
from amigrad.functions import matmul, matrix_transpose
from amigrad.graph import Tensor
from amigrad.tasks.rescoring.bleu import ORDERS, Words

Floats = NDArray[np.float64]


def posteriors(scores: Floats, sharpness: float) -> Floats:
    """Probabilities of a list's hypotheses (N,): softmax of `sharpness` times the scores."""
    powers = np.exp(sharpness * (scores - scores.max()))
    return np.asarray(powers / powers.sum())


def expected_bleu(hypotheses: Sequence[Words], probabilities: Floats) -> Floats:
    """Expected sentence BLEU in percent of each hypothesis, (N,) or (N, K), under probabilities (N,) or (N, K)."""
    return np.asarray(pairwise_bleu(hypotheses) @ probabilities, dtype=np.float64)


def pairwise_bleu(hypotheses: Sequence[Words]) -> NDArray[np.float32]:
    """Smoothed sentence BLEU in percent of each hypothesis (row) with each as the reference (column), (N, N)."""
    count = len(hypotheses)
    lengths = np.array([len(words) for words in hypotheses])
    numbers: dict[str, int] = {}
    flat = [numbers.setdefault(word, len(numbers)) for words in hypotheses for word in words]
    width = int(lengths.max(initial=0))
    words = np.zeros((count, width), np.int64)
    words[np.arange(width) < lengths[:, None]] = flat
    codes = words
    logs = np.zeros((count, count), np.float32)
    for order in range(ORDERS):
        if order:
            codes = codes[:, :-1] * max(len(numbers), 1) + words[:, order:]
        inside = np.arange(codes.shape[1]) < (lengths - order)[:, None]
        grams, flat_codes = np.unique(codes[inside], return_inverse=True)
        codes = np.zeros_like(codes)
        codes[inside] = flat_codes
        rows = np.nonzero(inside)[0]
        counts = np.bincount(rows * len(grams) + flat_codes, minlength=count * len(grams)).reshape(count, len(grams))
        smooth = 1.0 if order else 0.0
        possible = np.maximum(lengths - order, 0)[:, None] + smooth
        with np.errstate(divide="ignore", invalid="ignore"):
            logs += np.log((_clipped(counts) + smooth) / possible) / ORDERS
    with np.errstate(divide="ignore", invalid="ignore"):
        logs += np.minimum(0.0, 1.0 - lengths[None, :] / lengths[:, None])
        return np.where(lengths[:, None] > 0, 100 * np.exp(logs), 0).astype(np.float32)


@compile
def _shared(there: Tensor) -> Tensor:
    """How many columns each two rows both have, (N, N): on one core, where BLAS would wake all others for it."""
    return matmul(there, matrix_transpose(there))


def _clipped(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Sums over columns of the smaller count of each two rows, (N, N): at least 1 in both, at least 2 in both ..."""
    found = np.zeros((len(counts), len(counts)), np.float32)
    level = 1
    while counts.size:
        found += _shared((counts >= level).astype(np.float32)).value
        counts = counts[:, (counts > level).any(axis=0)]
        level += 1
    return found
