"""Random graphs give compiled what they give run step by step: values, gradients, NaN and infinities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings

import amigrad as ag
from strategies import RandomGraph, graphs

Case = tuple[RandomGraph, list[npt.NDArray[Any]]]


@settings(max_examples=60, derandomize=True)
@given(graphs())
def test_compiled_graphs_with_gradients_are_the_eager_ones(case: Case) -> None:
    graph, inputs = case
    expected = graph.with_gradients(*[ag.tensor(x, tracked=True) for x in inputs])
    graph.check(ag.compile(graph.with_gradients)(*inputs), expected)


@settings(max_examples=40, derandomize=True)
@given(graphs(special=True))
def test_nan_and_infinities_are_in_the_same_places(case: Case) -> None:
    graph, inputs = case
    graph.check(ag.compile(graph)(*inputs), graph(*inputs))


@settings(max_examples=20, derandomize=True)
@given(graphs(most_steps=6))
def test_runs_of_one_compilation_give_the_same_bits(case: Case) -> None:
    graph, inputs = case
    step = ag.compile(graph)
    first = [result.numpy().tobytes() for result in step(*inputs)]
    for _ in range(3):
        assert [result.numpy().tobytes() for result in step(*inputs)] == first
    again = ag.compile(graph)(*inputs)
    assert [np.asarray(result).tobytes() for result in again] == first
