"""Deep graphs, and graphs that die when nobody needs them."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import amigrad as ag

DEPTH = 100_000


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Memory is freed when the last reference goes, not when the cycle collector comes by."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@contextmanager
def no_growth(most: int) -> Iterator[None]:
    """Within this context at most so many bytes are allocated and kept."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < most


def test_a_chain_of_100_000_operations() -> None:
    assert sys.getrecursionlimit() < DEPTH
    x = ag.parameter(1.0)
    y: ag.Tensor = x
    half = ag.tensor(0.5)
    for _ in range(DEPTH):
        y = y + half
    assert float(y) == 1 + DEPTH / 2
    y.backward()
    assert x.grad is not None
    assert float(x.grad) == 1
    graph = ag.graph(y)
    assert len(graph) == DEPTH + 2
    x.assign(2.0)
    assert float(graph.forward().outputs[0]) == 2 + DEPTH / 2
    last = weakref.ref(y)
    del y, graph
    assert last() is None


def test_intermediates_die_with_the_graph() -> None:
    w = ag.parameter([1.0, 2.0])
    middle = ag.exp(w)
    cost = ag.sum(middle * middle)
    dying = [weakref.ref(t) for t in (middle, cost)]
    del middle
    assert all(r() is not None for r in dying)
    cost.backward()
    del cost
    assert all(r() is None for r in dying)


def test_backward_leaves_no_graph_behind() -> None:
    w = ag.parameter(np.ones(10_000))
    # The last gradient stays: 80,000 bytes.
    with no_growth(100_000):
        for _ in range(20):
            cost = ag.sum(ag.tanh(w * w))
            cost.backward()
            assert w.grad is not None
            assert w.grad.operation is None
            w.assign(w - 0.1 * w.grad)
            del cost


def test_gradients_die_with_their_graph() -> None:
    x = ag.tensor(np.ones(1000), tracked=True)
    (slope,) = ag.gradients(ag.sum(x * x * x), [x])
    (curvature,) = ag.gradients(ag.sum(slope), [x])
    dying = [weakref.ref(t) for t in (slope, curvature)]
    del slope, curvature
    assert all(r() is None for r in dying)


def test_a_loop_without_gradients_does_not_grow() -> None:
    w = ag.parameter(np.ones(1000))
    average = ag.zeros(1000, dtype="float64")
    with ag.no_gradients():
        average = average * 0.9 + w * 0.1
        with no_growth(20_000):
            for _ in range(50):
                average = average * 0.9 + w * 0.1


def test_a_loop_over_constants_or_what_was_stopped_does_not_grow() -> None:
    w = ag.parameter(np.ones(1000))
    average, correct = ag.zeros(1000, dtype="float64"), ag.tensor(0)
    with no_growth(20_000):
        for _ in range(50):
            result = ag.tanh(w)
            average = average * 0.9 + ag.stop_gradient(result) * 0.1
            correct = correct + ag.sum(result > 0.5)
            del result


def test_values_of_one_tensor_are_shared_not_copied() -> None:
    x = ag.tensor(np.ones((1000, 100)))
    with no_growth(20_000):
        kept = [ag.reshape(x, -1), x.T, x[5:], ag.broadcast_to(x, (50, 1000, 100)), ag.stop_gradient(x)]
    assert all(np.shares_memory(t.numpy(), x.numpy()) for t in kept)


def test_what_was_computed_from_a_parameter_keeps_its_value_when_that_is_assigned() -> None:
    p = ag.parameter([[1.0, 2.0], [3.0, 4.0]])
    kept = [
        *[ag.reshape(p, -1), p.T, p[0], p[::-1], ag.flip(p), ag.broadcast_to(p, (2, 2, 2)), ag.stop_gradient(p)],
        *[ag.squeeze(ag.expand_dims(p, 0), 0), ag.tensor(p)],
    ]
    before = [t.numpy().copy() for t in kept]
    p.assign([[0.0, 0.0], [0.0, 0.0]])
    for t, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(t.numpy(), value)
