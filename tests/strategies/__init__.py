"""Random graphs for hypothesis: functions of a few tensors, made of all families of operators, and inputs for them.

    @given(graphs())
    def test_compiled_is_eager(case):
        function, inputs = case
        function.check(ag.compile(function)(*inputs), function(*inputs))

Two right implementations agree on such a graph to a small tolerance (`function.tolerance`), because

- what grows is brought back: operands above 2 pass through tanh, products and sums of many are scaled and bounded,
  logarithms, roots and divisors keep away from 0; so each step multiplies an error by a small number;
- what jumps or bends (comparisons, floor, argmax, abs, max) is applied only to values that every implementation
  computes exactly: inputs, integers, and what is moved, chosen, compared or cast from them.

Sizes are taken from the tensors themselves, so that they stay run-time sizes in a compiled function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import numpy as np

from amigrad.graph import DType, bool_, float32, float64, int32, int64
from strategies.families import FAMILIES, cast, kinked, move, reduce, unary
from strategies.graph import Array, Builder, Draw, RandomGraph

__all__ = ["RandomGraph", "arrays", "graphs", "shapes"]

ALL = (float32, float64, int32, int64, bool_)


def shapes() -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of up to three axes, some of size 1, few of size 0."""
    sizes = st.sampled_from([2, 3, 1, 4, 5, 2, 3, 1, 4, 0])
    return st.lists(sizes, max_size=3).map(tuple)


@st.composite
def arrays(draw: Draw, shape: tuple[int, ...], dtype: DType, *, special: bool = False) -> Array:
    """Arrays of eighths: zeros, small and moderately large numbers of both signs; NaN and infinities if `special`."""
    size = int(np.prod(shape))
    if dtype == bool_:
        elements: st.SearchStrategy[Any] = st.booleans()
    elif dtype.kind == "i":
        elements = st.one_of(st.integers(-9, 9), st.sampled_from([0, 1, 100, -100]))
    else:
        elements = st.one_of(st.integers(-16, 16).map(lambda n: n / 8), st.sampled_from([0.0, 1.0, 20.0, -20.0]))
        if special:
            elements = st.one_of(elements, st.sampled_from([np.nan, np.inf, -np.inf, -0.0]))
    values = draw(st.lists(elements, min_size=min(size, 12), max_size=min(size, 12)))
    return np.resize(np.array(values, dtype=dtype), shape) if size else np.zeros(shape, dtype=dtype)


@st.composite
def graphs(
    draw: Draw,
    *,
    dtypes: Sequence[DType] = ALL,
    special: bool = False,
    smooth: bool = False,
    most_steps: int = 10,
) -> tuple[RandomGraph, list[Array]]:
    """A random function of one to four tensors, and arrays for it.

    special: inputs may hold NaN and infinities. smooth: only what finite differences can check, in float64.
    """
    if smooth:
        dtypes = [d for d in dtypes if d != float32]
    shape = draw(shapes())
    inputs = []
    for n in range(draw(st.integers(1, 4))):
        # Inputs after the first broadcast with it, or are of any shape.
        mask = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
        related = tuple(1 if m else d for m, d in zip(mask, shape, strict=True))[draw(st.integers(0, len(shape))) :]
        own = shape if n == 0 else draw(st.one_of(st.just(related), shapes()))
        real = [d for d in dtypes if d.kind == "f"]
        dtype = draw(st.sampled_from(real if n == 0 and real else list(dtypes)))
        inputs.append(draw(arrays(own, dtype, special=special)))
    builder = Builder(draw, inputs, smooth=smooth, special=special)
    for _ in range(draw(st.integers(1, most_steps))):
        before = len(builder.values)
        draw(st.sampled_from(FAMILIES))(builder)
        if len(builder.values) == before:
            draw(st.sampled_from((unary, move, reduce, cast, kinked)))(builder)
    graph, count = builder.graph, len(builder.values)
    others = draw(st.lists(st.integers(0, count - 1), max_size=2))
    graph.outputs = (count - 1, *others)
    if any(v.tensor.dtype == float32 for v in builder.values):
        graph.tolerance = 1e-5
    return graph, inputs
