"""Batch MIRA: weights of a log-linear model for BLEU, learnt from n-best lists.

Cherry and Foster (2012), "Batch Tuning Strategies for Statistical Machine Translation", section 3.1 (`kbmira` in
Moses): for one sentence after another the hope and the fear, the best hypotheses by model score plus and minus BLEU; a
step that puts hope before fear by their difference in BLEU, no longer than `limit` times the difference of their
features; weights averaged over the steps of an epoch. BLEU of a hypothesis is that of a decaying sum of statistics with
it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.rescoring.bleu import ORDERS
from amigrad.tasks.rescoring.features import TuningSet

Floats = NDArray[np.float64]

DECAY = 0.999
"""What is left of the background's statistics after each sentence."""


def mira(
    candidates: TuningSet,
    initial: Floats,
    *,
    limit: float,
    epochs: int,
    seed: int,
    step: Callable[[], None] = lambda: None,
) -> Floats:
    """Weights (F,) after the epoch whose averaged weights have the best BLEU on the lists; `initial` is one of them.

    `limit` (C in the paper) bounds the step for features in units of their standard deviation within the lists.
    `step` is called after each epoch. The order of the sentences is drawn from `seed`.
    """
    scale = candidates.scale
    features = candidates.features / scale
    statistics = candidates.statistics.astype(np.float32)
    random = np.random.default_rng(seed)
    weights = initial * scale
    rows = candidates.best(features @ weights.astype(np.float32))
    best, best_bleu = weights, candidates.bleu(rows)
    background = candidates.statistics[rows].mean(axis=0, dtype=np.float64)
    for _ in range(epochs):
        total = np.zeros_like(weights)
        for sentence in random.permutation(len(candidates.counts)):
            begin = candidates.starts[sentence]
            block = slice(begin, begin + candidates.counts[sentence])
            scores = features[block] @ weights
            gains = _gains(statistics[block] + background)
            hope, fear = int(np.argmax(scores + gains)), int(np.argmax(scores - gains))
            loss = gains[hope] - gains[fear] - (scores[hope] - scores[fear])
            if gains[hope] > gains[fear] and loss > 0:
                difference = (features[begin + hope] - features[begin + fear]).astype(np.float64)
                squared = difference @ difference
                if squared > 0:
                    weights = weights + min(limit, loss / squared) * difference
            background = DECAY * background + statistics[begin + hope]
            total += weights
        average = total / len(candidates.counts)
        bleu = candidates.bleu(candidates.best(features @ average.astype(np.float32)))
        if bleu > best_bleu:
            best, best_bleu = average, bleu
        step()
    return np.asarray(best / scale, dtype=np.float64)


def _gains(sums: Floats) -> Floats:
    """BLEU (0 to 1) of statistics with their background (N, 9), times the length of the references."""
    possible = np.maximum(sums[:, ORDERS : 2 * ORDERS], 1e-9)
    precision = np.sqrt(np.sqrt((sums[:, :ORDERS] / possible).prod(axis=1)))
    return np.asarray(precision * np.exp(np.minimum(0, 1 - sums[:, -1] / possible[:, 0])) * sums[:, -1])
