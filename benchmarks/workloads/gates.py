"""A network of gates: 2-3-2-1 with sigmoids, trained on exclusive or, the sum of squares, SGD."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, assign, batches, drawn, minimizing, optimizer

BATCHES = 1024
SIZES = (2, 3, 2, 1)


def cases() -> list[Case]:
    return [Case("gates", "gates", {"optimizer": "sgd", "rate": 0.5}, goal=10.0, examples=4)]


def data(settings: Mapping[str, Any]) -> Arrays:
    """The four points in a new order in each batch."""
    random = np.random.default_rng(1)
    points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    x = random.permuted(np.broadcast_to(np.arange(4), (BATCHES, 4)), axis=1)
    arrays: dict[str, Any] = {"x": points[x], "y": points[x].sum(-1, keepdims=True) % 2}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(SIZES)):
        arrays |= {f"weight_{layer}": drawn(random, inputs, outputs), f"bias_{layer}": drawn(random, outputs)}
    return arrays


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    model = ag.nn.MLP(SIZES, generator=ag.Generator(1), activation=ag.sigmoid)
    names = {f"layers.{k}.{part}": f"{part}_{k}" for k in range(3) for part in ("weight", "bias")}
    assign(model, arrays, names)
    method = optimizer(settings, model.named_parameters())
    step = minimizing(lambda x, y: ag.square_loss(ag.sigmoid(model(x)), y, "sum"), method)
    return Task(stepping(step), batches(arrays, "x", "y"))
