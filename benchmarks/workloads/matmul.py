"""Products of square matrices, called one by one from Python, and for small ones many in one call.

The goals are a part of the core's peak, as a loop of multiply-adds shows it in the same run, and the best BLAS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, batches

SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048)
MANY = {16: 4096, 32: 1024, 64: 256, 128: 64}


def cases() -> list[Case]:
    found = []
    for size in SIZES:
        limits = {"peak": 0.85} if size >= 64 else {}
        found.append(Case("matmul", f"matmul {size}", {"size": size}, 0.95, limits=limits))
        if count := MANY.get(size):
            settings = {"size": size, "count": count}
            found.append(Case("matmul many", f"matmul {size}, {count} a call", settings, 0.95, 1, count, limits))
    return found


def data(settings: Mapping[str, Any]) -> Arrays:
    random, size = np.random.default_rng(1), settings["size"]
    batches = max(1, min(16, 2**22 // size**2))
    shape = (settings["count"], size, size) if "count" in settings else (size, size)
    if "count" in settings:
        batches = 1
    return {name: random.standard_normal((batches, *shape), np.float32) for name in ("a", "b")}


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    product = ag.compile(ag.matmul)
    run = product.for_each if "count" in settings else product
    return Task(stepping(run), batches(arrays, "a", "b"))
