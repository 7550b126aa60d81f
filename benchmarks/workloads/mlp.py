"""A network for digits: 784-256-128-10, relu, softmax cross-entropy, Adam."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, assign, batches, drawn, minimizing, optimizer

EXAMPLES = 8192
SIZES = (784, 256, 128, 10)


def cases() -> list[Case]:
    goals = {64: 1.4, 256: 1.2}
    return [
        Case("mlp", f"mlp, batch {batch}", {"optimizer": "adam", "rate": 0.001, "batch": batch}, goal, batch)
        for batch, goal in goals.items()
    ]


def data(settings: Mapping[str, Any]) -> Arrays:
    random, batch = np.random.default_rng(1), settings["batch"]
    x = random.random((EXAMPLES // batch, batch, SIZES[0]), np.float32)
    arrays: dict[str, Any] = {"x": x, "y": random.integers(0, SIZES[-1], x.shape[:2], np.int32)}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(SIZES)):
        arrays |= {f"weight_{layer}": drawn(random, inputs, outputs)}
        arrays |= {f"bias_{layer}": np.zeros(outputs, np.float32)}
    return arrays


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    model = ag.nn.MLP(SIZES, generator=ag.Generator(1), activation=ag.relu)
    names = {f"layers.{k}.{part}": f"{part}_{k}" for k in range(3) for part in ("weight", "bias")}
    assign(model, arrays, names)
    method = optimizer(settings, model.named_parameters())
    step = minimizing(lambda x, y: ag.cross_entropy(model(x), y), method)
    return Task(stepping(step), batches(arrays, "x", "y"))
