"""Random tensors, from generators that are explicit, saved states: no hidden global randomness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from amigrad.functions.convert import as_tensor, cast, constant
from amigrad.functions.create import as_shape
from amigrad.functions.elementwise import cos, log, sqrt, where
from amigrad.graph import Dim, State, Tensor, TensorLike, apply, float32, tensor
from amigrad.graph.dtypes import as_dtype, is_floating
from amigrad.operators.random import Uniform


class Generator:
    """A source of random numbers: a seed and a count of draws, kept in a state that can be saved and compiled.

    >>> generator = ag.Generator(seed=1)
    >>> generator.uniform((2, 3))
    """

    def __init__(self, seed: int, *, name: str = "generator") -> None:
        if not 0 <= seed < 2**63:
            raise ValueError(f"a seed is an integer from 0 to 2^63 - 1, not {seed}")
        self.state = State(np.array([seed, 0], dtype=np.int64), name=name)

    def uniform(
        self,
        shape: Dim | Sequence[Dim] = (),
        low: float = 0.0,
        high: float = 1.0,
        dtype: object = float32,
    ) -> Tensor:
        """Numbers uniform in [low, high); where high - low is not 1, rounding can give high itself."""
        draw = apply(Uniform(as_shape(shape), as_dtype(dtype)), self.state)
        self.state.assign(self.state + tensor(np.array([0, 1], dtype=np.int64)))
        return draw if (low, high) == (0.0, 1.0) else draw * (high - low) + low

    def normal(
        self,
        shape: Dim | Sequence[Dim] = (),
        mean: float = 0.0,
        std: float = 1.0,
        dtype: object = float32,
    ) -> Tensor:
        """Numbers of a normal distribution (Box and Muller 1958)."""
        radius = sqrt(log(1.0 - self.uniform(shape, dtype=dtype)) * -2.0)
        draw = radius * cos(self.uniform(shape, dtype=dtype) * (2 * math.pi))
        return draw if (mean, std) == (0.0, 1.0) else draw * std + mean

    def bernoulli(self, probability: TensorLike, shape: Dim | Sequence[Dim] | None = None) -> Tensor:
        """True with this probability: bool, of the shape given or of the probability's."""
        p = as_tensor(probability)
        p = p if is_floating(p.dtype) else cast(p, float32)
        return self.uniform(p.shape if shape is None else shape, dtype=p.dtype) < p

    def integers(self, low: int, high: int, shape: Dim | Sequence[Dim] = ()) -> Tensor:
        """Integers uniform in [low, high), int64; high - low at most 2^53."""
        if not 0 < high - low <= 2**53:
            raise ValueError(f"integers from {low} on below {high}: there must be from 1 to 2^53 of them")
        draw = self.uniform(shape, dtype=np.float64)
        return cast(draw * float(high - low), as_dtype(np.int64)) + low

    def permutation(self, size: int) -> Tensor:
        """The numbers 0 ... size - 1 in random order, int64."""
        keys = self.uniform((size,), dtype=np.float64)
        return tensor(np.argsort(keys.numpy(), kind="stable"))


def dropout(x: TensorLike, probability: float, generator: Generator) -> Tensor:
    """Each element 0 with this probability, else divided by what is left of it (Srivastava et al. 2014)."""
    if not 0.0 <= probability < 1.0:
        raise ValueError(f"dropout's probability is in [0, 1), not {probability}")
    t = as_tensor(x)
    t = t if is_floating(t.dtype) else cast(t, float32)
    if probability == 0.0:
        return t
    kept = generator.uniform(t.shape, dtype=t.dtype) >= probability
    return where(kept, t * (1.0 / (1.0 - probability)), constant(0.0, t.dtype))
