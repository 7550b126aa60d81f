"""The window tagger: 5 words x 50 + 5 x 5 features of capitalisation -> 300 hardtanh -> 45 tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, batches, drawn, minimizing, optimizer, words

VOCABULARY, CAPITALISATIONS, TAGS = 100_000, 9, 45
WINDOW, WORD_SIZE, CAPITALISATION_SIZE, HIDDEN = 5, 50, 5, 300
EXAMPLES, MOST_BATCHES, PREPARED = 32768, 2048, 64
GOALS = {1: 5.0, 8: 2.2, 32: 1.5, 128: 1.35, 1024: 1.2}
PREPARED_GOALS = {1: 3.5, 32: 1.5}
OPTIMIZERS = ("sgd", "adagrad", "lazy adam")


def cases() -> list[Case]:
    """Training step by step with each optimizer, inference, and training over prepared batches."""
    found = []
    for method in (*OPTIMIZERS, "inference"):
        for batch, goal in GOALS.items():
            settings = {"optimizer": method, "rate": 0.01, "batch": batch}
            workload = "window inference" if method == "inference" else "window"
            found.append(Case(workload, f"window {method}, batch {batch}", settings, goal, batch))
    for batch, goal in PREPARED_GOALS.items():
        settings = {"optimizer": "sgd", "rate": 0.01, "batch": batch, "prepared": PREPARED}
        name = f"window sgd, batch {batch}, prepared"
        found.append(Case("window prepared", name, settings, goal, batch * PREPARED, PREPARED))
    return found


def data(settings: Mapping[str, Any]) -> Arrays:
    """Parameters and batches; for prepared batches with another axis in front, as many as a call takes."""
    random, batch = np.random.default_rng(1), settings["batch"]
    shape: tuple[int, ...] = (min(EXAMPLES // batch, MOST_BATCHES), batch)
    if prepared := settings.get("prepared"):
        shape = (shape[0] // prepared, prepared, batch)
    inputs = WINDOW * (WORD_SIZE + CAPITALISATION_SIZE)
    return {
        "words": words(random, VOCABULARY, (*shape, WINDOW)),
        "capitalisations": random.integers(0, CAPITALISATIONS, (*shape, WINDOW), np.int32),
        "tags": random.integers(0, TAGS, shape, np.int32),
        "word_table": drawn(random, VOCABULARY, WORD_SIZE, scale=0.1),
        "capitalisation_table": drawn(random, CAPITALISATIONS, CAPITALISATION_SIZE, scale=0.1),
        "hidden_weight": drawn(random, inputs, HIDDEN),
        "hidden_bias": np.zeros(HIDDEN, np.float32),
        "output_weight": drawn(random, HIDDEN, TAGS),
        "output_bias": np.zeros(TAGS, np.float32),
    }


class Model(ag.nn.Module):
    """The tagger, made of arrays."""

    def __init__(self, arrays: Arrays) -> None:
        names = [name for name in arrays if name.endswith(("_table", "_weight", "_bias"))]
        self.values = {name: ag.parameter(arrays[name], name=name) for name in names}

    def __call__(self, words: ag.Tensor, capitalisations: ag.Tensor) -> ag.Tensor:
        p = self.values
        rows = [ag.take(p["word_table"], words), ag.take(p["capitalisation_table"], capitalisations)]
        x = ag.concat([ag.reshape(r, (r.shape[0], WINDOW * r.shape[2])) for r in rows], axis=1)
        hidden = ag.hardtanh(ag.matmul(x, p["hidden_weight"]) + p["hidden_bias"])
        return ag.matmul(hidden, p["output_weight"]) + p["output_bias"]

    def cost(self, words: ag.Tensor, capitalisations: ag.Tensor, tags: ag.Tensor) -> ag.Tensor:
        return ag.cross_entropy(self(words, capitalisations), tags)


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    model = Model(arrays)
    if settings["optimizer"] == "inference":
        return Task(stepping(ag.compile(model)), batches(arrays, "words", "capitalisations"))
    step = minimizing(model.cost, optimizer(settings, model.named_parameters()))
    run = step.for_each if "prepared" in settings else step
    return Task(stepping(run), batches(arrays, "words", "capitalisations", "tags"))
