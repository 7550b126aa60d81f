"""Initial values of parameters, drawn from explicit generators.

An initializer is a function `(generator, shape, dtype) -> Tensor`. The last axis of a weight is its outputs, the one
before its inputs; what stands before these, as the places of a filter, multiplies both.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.graph import DType, Tensor
from amigrad.graph.tensor import Array

Initializer: TypeAlias = Callable[[Generator, tuple[int, ...], DType], Tensor]


class _Drawing(threading.local):
    skipped: bool = False


_drawing = _Drawing()


@contextmanager
def skipped() -> Iterator[None]:
    """Within this context nothing is drawn in this thread: parameters begin as zeros, as they will be loaded."""
    before, _drawing.skipped = _drawing.skipped, True
    try:
        yield
    finally:
        _drawing.skipped = before


def initial(initializer: Initializer, generator: Generator, shape: tuple[int, ...], dtype: DType) -> Array:
    """The initial value of a parameter, for it to copy."""
    if _drawing.skipped:
        return np.broadcast_to(np.zeros((), dtype), shape)
    return initializer(generator, shape, dtype).value


def zeros(generator: Generator, shape: tuple[int, ...], dtype: DType) -> Tensor:
    """Zeros; draws nothing."""
    return xp.zeros(shape, dtype=dtype)


def uniform(low: float, high: float) -> Initializer:
    """Uniform in [low, high)."""

    def draw(generator: Generator, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return generator.uniform(shape, low, high, dtype)

    return draw


def normal(std: float = 1.0, mean: float = 0.0) -> Initializer:
    """Normal with this standard deviation."""

    def draw(generator: Generator, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return generator.normal(shape, mean, std, dtype)

    return draw


def glorot(gain: float = 1.0, distribution: str = "uniform") -> Initializer:
    """Variance gain² · 2 / (inputs + outputs) (Glorot and Bengio 2010, equations 12 and 16)."""
    return _scaled(lambda inputs, outputs: gain * gain * 2.0 / (inputs + outputs), distribution)


def he(gain: float = math.sqrt(2.0), distribution: str = "normal") -> Initializer:
    """Variance gain² / inputs, for rectified units (He et al. 2015, equation 10)."""
    return _scaled(lambda inputs, outputs: gain * gain / inputs, distribution)


def fan_in(distribution: str = "uniform") -> Initializer:
    """Variance 1 / inputs (LeCun et al. 1998, equation 16; Collobert et al. 2011, section 3.4)."""
    return _scaled(lambda inputs, outputs: 1.0 / inputs, distribution)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs each output of a weight of this shape has, and how many outputs each input."""
    if not shape:
        raise ValueError("a number has no inputs and outputs: use uniform, normal or zeros")
    if len(shape) == 1:
        return shape[0], 1
    places = math.prod(shape[:-2])
    return shape[-2] * places, shape[-1] * places


def _scaled(variance: Callable[[int, int], float], distribution: str) -> Initializer:
    if distribution not in ("uniform", "normal"):
        raise ValueError(f'distribution is "uniform" or "normal", not {distribution!r}')

    def draw(generator: Generator, shape: tuple[int, ...], dtype: DType) -> Tensor:
        inputs, outputs = fans(shape)
        std = math.sqrt(variance(max(inputs, 1), outputs))
        if distribution == "normal":
            return generator.normal(shape, 0.0, std, dtype)
        limit = math.sqrt(3.0) * std
        return generator.uniform(shape, -limit, limit, dtype)

    return draw
