"""Pretraining of a lookup table by ranking: a window of 11 words has to score more than one with another middle word.

Each window: 11 x 50 -> 100 hardtanh -> 1; mean max(0, 1 - score(true) + score(corrupt)); SGD (Collobert et al. 2011).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, batches, drawn, minimizing, optimizer, words

VOCABULARY, WINDOW, WORD_SIZE, HIDDEN = 130_000, 11, 50, 100
EXAMPLES, MOST_BATCHES = 65536, 512
NAMES = ("word_table", "hidden_weight", "hidden_bias", "output_weight", "output_bias")


def cases() -> list[Case]:
    return [
        Case("ranking", f"ranking, batch {batch}", {"optimizer": "sgd", "rate": 0.01, "batch": batch}, goal, batch)
        for batch, goal in {32: 2.0, 512: 1.5}.items()
    ]


def data(settings: Mapping[str, Any]) -> Arrays:
    random, batch = np.random.default_rng(1), settings["batch"]
    true = words(random, VOCABULARY, (min(EXAMPLES // batch, MOST_BATCHES), batch, WINDOW))
    corrupt = true.copy()
    corrupt[..., WINDOW // 2] = words(random, VOCABULARY, true.shape[:-1])
    return {
        "true": true,
        "corrupt": corrupt,
        "word_table": drawn(random, VOCABULARY, WORD_SIZE, scale=0.1),
        "hidden_weight": drawn(random, WINDOW * WORD_SIZE, HIDDEN),
        "hidden_bias": np.zeros(HIDDEN, np.float32),
        "output_weight": drawn(random, HIDDEN, 1),
        "output_bias": np.zeros(1, np.float32),
    }


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    p = {name: ag.parameter(arrays[name], name=name) for name in NAMES}

    def score(windows: ag.Tensor) -> ag.Tensor:
        x = ag.reshape(ag.take(p["word_table"], windows), (windows.shape[0], WINDOW * WORD_SIZE))
        hidden = ag.hardtanh(ag.matmul(x, p["hidden_weight"]) + p["hidden_bias"])
        return ag.matmul(hidden, p["output_weight"]) + p["output_bias"]

    def cost(true: ag.Tensor, corrupt: ag.Tensor) -> ag.Tensor:
        return ag.margin_ranking_loss(score(true), score(corrupt))

    return Task(stepping(minimizing(cost, optimizer(settings, p))), batches(arrays, "true", "corrupt"))
