"""A chain of 12 operations, element by element over 10 million numbers: one pass over memory if they are fused.

The goal is a part of what this core can move: the fastest way to read 40 MB and write 40 MB that was found in the
same run (see `benchmarks/peers/machine_peer.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, batches

SIZE, BATCHES = 10_000_000, 3


def cases() -> list[Case]:
    return [Case("elementwise", "elementwise, 12 operations", {}, examples=SIZE, limits={"memory": 0.9})]


def data(settings: Mapping[str, Any]) -> Arrays:
    return {"x": np.random.default_rng(1).standard_normal((BATCHES, SIZE), np.float32)}


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    @ag.compile
    def chain(x: ag.Tensor) -> ag.Tensor:
        x = ag.minimum(ag.abs(x * 1.5 + 0.5), 4.0)
        x = ag.maximum(x * x - 1.0, -0.5) * 0.25 + 2.0
        return 1.0 / -ag.sqrt(x)

    return Task(stepping(chain), batches(arrays, "x"))
