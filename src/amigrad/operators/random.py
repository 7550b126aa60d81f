"""Random numbers from a counter: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").

The numbers are a function of a seed, of how many tensors were drawn before, and of the element's place; there is
no hidden state, so any backend, on any number of threads, draws the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from amigrad.graph import DType, Operator, Shape, Spec, int64
from amigrad.graph.sizes import format_shape
from amigrad.graph.tensor import Array

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
BLOCK = 16_384
"""So many numbers are drawn at a time, so that what the rounds need beside them stays in the cache."""


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Four 32-bit words from four words of counter and two of key; each a uint64 array below 2^32."""
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1 & mask, (p0 >> shift) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + np.uint64(WEYL[0])) & mask, (k1 + np.uint64(WEYL[1])) & mask
    return c0, c1, c2, c3


class Uniform(Operator):
    """Numbers uniform in [0, 1). generator: (2,) int64, its seed and its count of draws -> shape

    Element i comes from the counter (i, draws): 24 bits of its first word, or 53 of its first two.
    """

    shape: Shape
    dtype: DType
    name = "uniform"
    differentiable = False

    def infer(self, generator: Spec) -> Spec:
        if generator.dtype != int64 or generator.shape != (2,):
            raise TypeError(
                f"uniform needs a generator's state, int64 (2,), not {generator.dtype.name}"
                f"{format_shape(generator.shape)}"
            )
        if self.dtype.kind != "f":
            raise TypeError(f"uniform draws real numbers, not {self.dtype.name}")
        return Spec(self.shape, self.dtype)

    def forward(self, generator: Array) -> Array:
        result = np.empty(self.shape, dtype=self.dtype)
        flat = result.reshape(-1)
        for start in range(0, flat.size, BLOCK):
            places = np.arange(start, min(start + BLOCK, flat.size), dtype=np.uint64)
            flat[start : start + BLOCK] = self._numbers(places, generator)
        return result

    def _numbers(self, places: Array, generator: Array) -> Array:
        mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
        seed, draws = generator.astype(np.uint64)
        counter = (places & mask, places >> shift, draws & mask, draws >> shift)
        first, second, _, _ = philox(counter, (seed & mask, seed >> shift))
        if self.dtype == np.float32:
            result: Array = (first >> np.uint64(8)).astype(np.float32) * np.float32(2**-24)
        else:
            result = ((first << np.uint64(21)) ^ (second >> np.uint64(11))).astype(np.float64) * 2.0**-53
        return result
