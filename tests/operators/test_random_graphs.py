"""Random graphs, run eagerly: their gradients are right and their values repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given

import amigrad as ag
from strategies import RandomGraph, graphs

Case = tuple[RandomGraph, list[npt.NDArray[Any]]]


def cost(graph: RandomGraph, inputs: tuple[ag.Tensor, ...]) -> ag.Tensor:
    """The sum of the means of the real results."""
    total = ag.zeros((), dtype="float64")
    for result in graph(*inputs):
        if result.dtype.kind == "f" and 0 not in result.shape:
            total = total + ag.mean(result)
    return total


@given(graphs(smooth=True))
def test_gradients_are_those_of_finite_differences(case: Case) -> None:
    graph, inputs = case
    ag.check_gradients(lambda *x: cost(graph, x), inputs)


@given(graphs(smooth=True, most_steps=5))
def test_second_gradients_are_those_of_finite_differences(case: Case) -> None:
    graph, inputs = case
    if "prod" in repr(graph):
        return  # the gradient of a product's gradient is right only where no element is 0

    def slope(*x: ag.Tensor) -> ag.Tensor:
        real = [v for v in x if v.dtype.kind == "f"]
        total = ag.zeros((), dtype="float64")
        for gradient in ag.gradients(cost(graph, x), real):
            total = total + ag.sum(ag.tanh(gradient))
        return total

    # Differences of a gradient's tanh: its third derivatives are some hundreds.
    ag.check_gradients(slope, inputs, tolerance=1e-5)


@given(graphs(special=True))
def test_a_graph_run_again_gives_the_same_values(case: Case) -> None:
    graph, inputs = case
    tracked = [ag.tensor(x, tracked=True) for x in inputs]
    results = graph.with_gradients(*tracked)
    for result in results:
        before = result.numpy().copy()
        ag.graph(result).forward()
        np.testing.assert_array_equal(result.numpy(), before)


@given(graphs())
def test_float32_and_float64_agree(case: Case) -> None:
    graph, inputs = case
    wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs]
    results = zip(graph(*map(ag.tensor, inputs)), graph(*map(ag.tensor, wide)), strict=True)
    for narrow, exact in results:
        # The promise of `strategies`: well-conditioned enough for 1e-5 in float32.
        np.testing.assert_allclose(narrow.numpy(), exact.numpy(), rtol=1e-5, atol=1e-5, err_msg=repr(graph))
