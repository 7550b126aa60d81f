"""A line through three points: y = wx + b, the sum of squares, SGD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, batches, minimizing, optimizer

BATCHES = 1024


def cases() -> list[Case]:
    return [Case("line", "line", {"optimizer": "sgd", "rate": 0.005}, goal=10.0, examples=3)]


def data(settings: Mapping[str, Any]) -> Arrays:
    random = np.random.default_rng(1)
    x = random.uniform(0.0, 6.0, (BATCHES, 3)).astype(np.float32)
    y = (4.0 * x - 4.0 + random.standard_normal(x.shape)).astype(np.float32)
    return {"w": np.float32(2.0), "b": np.float32(2.0), "x": x, "y": y}


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    w, b = ag.parameter(arrays["w"], name="w"), ag.parameter(arrays["b"], name="b")
    method = optimizer(settings, {"w": w, "b": b})
    step = minimizing(lambda x, y: ag.square_loss(w * x + b, y, "sum"), method)
    return Task(stepping(step), batches(arrays, "x", "y"))
