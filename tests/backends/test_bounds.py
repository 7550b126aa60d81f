"""Native code keeps within inputs and states: here each of them ends where a page begins that nobody may touch."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amigrad as ag
from amigrad.graph import tensor
from amigrad.graph.tensor import Array

_KEPT: list[mmap.mmap] = []

# Batch, inputs, hidden units, outputs: widths that leave all kinds of rests of panels, tiles and vectors.
SIZES = [
    (8, 1415, 1, 101), (1, 1415, 1, 3), (1, 275, 300, 45), (8, 275, 300, 45), (32, 550, 100, 1), (3, 21, 37, 5),
    (17, 49, 97, 50), (2, 1, 1, 1), (130, 33, 150, 17), (12, 1100, 20, 70), (5, 16, 640, 1), (64, 200, 10, 90),
    (6, 2, 2900, 3), (4, 90, 33, 1236),
]  # fmt: skip


def guarded(array: Any) -> Array:
    """A copy of an array that ends where its memory does: what is read or written beyond ends the process."""
    array = np.asarray(array)
    page = mmap.PAGESIZE
    length = -(-max(array.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, length + page)
    _KEPT.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(start + length), page, 0) == 0
    found = np.frombuffer(memory, array.dtype, array.size, length - array.nbytes).reshape(array.shape)
    np.copyto(found, array)
    return found


def train(batch: int, inputs: int, hidden: int, outputs: int, method: str) -> None:
    """Some steps of a network with a lookup table, forward and back."""
    random = np.random.default_rng(batch + inputs)
    shapes = {"table": (30, 7), "weight": (inputs + 14, hidden), "bias": (hidden,), "output": (hidden, outputs)}
    p = {name: ag.parameter(random.normal(size=shape).astype(np.float32) * 0.1) for name, shape in shapes.items()}
    optimizer = ag.optim.SGD(p.values(), 0.1) if method == "sgd" else ag.optim.Adam(p.values(), 0.1)

    @ag.compile
    def step(x: ag.Tensor, index: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        rows = ag.reshape(ag.take(p["table"], index), (index.shape[0], 14))
        hidden = ag.tanh(ag.matmul(ag.concat([x, rows], axis=1), p["weight"]) + p["bias"])
        cost = ag.mean((ag.matmul(hidden, p["output"]) - y) ** 2.0)
        optimizer.minimize(cost)
        return cost

    for count in (batch, 1, batch + 5):
        x, y = random.normal(size=(count, inputs)), random.normal(size=(count, outputs))
        index = random.integers(0, 30, (count, 2))
        cost = step(guarded(x.astype(np.float32)), guarded(index.astype(np.int32)), guarded(y.astype(np.float32)))
        assert np.isfinite(cost.item())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pages are protected as Linux does it")
@pytest.mark.parametrize(("level", "threads"), [("", 1), ("", 2), ("avx2", 1), ("generic", 1)])
def test_nothing_beyond_inputs_and_states_is_touched(level: str, threads: int) -> None:
    environment = dict(os.environ, AMIGRAD_CPU=level, AMIGRAD_THREADS=str(threads), AMIGRAD_CACHE="off")
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1:]}\n{done.stderr[-2000:]}"
    assert len(done.stdout.splitlines()) == 2 * len(SIZES)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    tensor._aligned = guarded
    for sizes in SIZES:
        for method in ("sgd", "adam"):
            print(*sizes, method, flush=True)
            train(*sizes, method)
