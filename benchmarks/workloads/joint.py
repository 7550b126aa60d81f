"""A neural joint model of translation: the next target word from 11 source words and the 3 target words before it.

14 words x 192 -> 512 tanh -> 512 tanh -> softmax over 16,000; two lookup tables of 16,000 words; SGD (Devlin et al.
2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, batches, drawn, minimizing, optimizer, words

VOCABULARY, SOURCE, TARGET, WORD_SIZE, HIDDEN = 16_000, 11, 3, 192, 512
BATCHES = 16
NAMES = ("source_table", "target_table", *(f"{part}_{k}" for k in range(3) for part in ("weight", "bias")))


def cases() -> list[Case]:
    return [Case("joint", "joint, batch 128", {"optimizer": "sgd", "rate": 0.1, "batch": 128}, 1.1, 128)]


def data(settings: Mapping[str, Any]) -> Arrays:
    random, batch = np.random.default_rng(1), settings["batch"]
    sizes = ((SOURCE + TARGET) * WORD_SIZE, HIDDEN, HIDDEN, VOCABULARY)
    arrays: dict[str, Any] = {
        "source": words(random, VOCABULARY, (BATCHES, batch, SOURCE)),
        "target": words(random, VOCABULARY, (BATCHES, batch, TARGET)),
        "next": words(random, VOCABULARY, (BATCHES, batch)),
        "source_table": drawn(random, VOCABULARY, WORD_SIZE, scale=0.1),
        "target_table": drawn(random, VOCABULARY, WORD_SIZE, scale=0.1),
    }
    for layer in range(3):
        arrays[f"weight_{layer}"] = drawn(random, sizes[layer], sizes[layer + 1])
        arrays[f"bias_{layer}"] = np.zeros(sizes[layer + 1], np.float32)
    return arrays


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    p = {name: ag.parameter(arrays[name], name=name) for name in NAMES}

    def cost(source: ag.Tensor, target: ag.Tensor, following: ag.Tensor) -> ag.Tensor:
        rows = [ag.take(p["source_table"], source), ag.take(p["target_table"], target)]
        x = ag.concat([ag.reshape(r, (r.shape[0], r.shape[1] * WORD_SIZE)) for r in rows], axis=1)
        for layer in range(2):
            x = ag.tanh(ag.matmul(x, p[f"weight_{layer}"]) + p[f"bias_{layer}"])
        return ag.cross_entropy(ag.matmul(x, p["weight_2"]) + p["bias_2"], following)

    return Task(stepping(minimizing(cost, optimizer(settings, p))), batches(arrays, "source", "target", "next"))
