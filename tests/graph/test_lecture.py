"""The lecture's figures, as its steps give them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import amigrad as ag

APPLES = [1.0, 5.0, 6.0]
BANANAS = [0.0, 16.0, 20.0]


def line_cost(w: ag.TensorLike, b: ag.TensorLike) -> ag.Tensor:
    """The cost of the line y = w x + b on the three data points."""
    return ag.square_loss(ag.tensor(APPLES) * w + b, BANANAS, reduction="sum")


@pytest.mark.parametrize(
    ("w", "b", "cost"),
    [
        *[(1, 0, 318), (2, 2, 68), (3, 2, 26), (4, 2, 108), (3, 3, 41), (3, 1, 17), (3, 0, 14), (3, -1, 17)],
        *[(2, 0, 104), (4, 0, 48), (4, -2, 12), (4, -4, 0)],
    ],
)
def test_costs_of_candidate_lines(w: float, b: float, cost: float) -> None:
    assert float(line_cost(w, b)) == cost


@pytest.mark.parametrize(("h", "slope"), [(1.0, -42.0), (0.1, -97.8), (0.01, -103.38), (0.001, -103.938)])
def test_slope_over_a_step_tends_to_the_derivative(h: float, slope: float) -> None:
    w, b = ag.tensor([2.0, 2.0 + h], "float64"), ag.tensor(2.0, "float64")
    low, high = (float(line_cost(w[i], b)) for i in range(2))
    assert (high - low) / h == pytest.approx(slope, rel=1e-9)


def test_gradients_at_two_two() -> None:
    w, b = ag.parameter(2.0), ag.parameter(2.0)
    line_cost(w, b).backward()
    assert w.grad is not None
    assert b.grad is not None
    assert (float(w.grad), float(b.grad)) == (-104, -12)


def test_an_update_lowers_the_cost() -> None:
    w, b = ag.parameter(2.0), ag.parameter(2.0)
    costs = []
    for _ in range(200):
        cost = line_cost(w, b)
        cost.backward()
        costs.append(float(cost))
        for p in (w, b):
            assert p.grad is not None
            p.assign(p - 0.01 * p.grad)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 1


def switch(x: ag.TensorLike) -> ag.Tensor:
    """The lecture's smooth switch."""
    return ag.sigmoid(x)


def bananas_with_a_limit(x: float) -> float:
    s1, s2 = switch(-1000 * ag.tensor(x) + 6000), switch(1000 * ag.tensor(x) - 6000)
    return float((4 * x - 4) * s1 + 20 * s2)


def bananas_with_two_limits(x: float) -> float:
    s1, s3 = switch(-1000 * ag.tensor(x) + 6000), switch(1000 * ag.tensor(x) - 15000 + 500)
    s2 = switch(-1000 * s1 - 1000 * s3 + 500)
    return float((4 * x - 4) * s1 + 20 * s2 + s3)


def test_switches_choose_a_piece() -> None:
    assert [bananas_with_a_limit(x) for x in (1, 5, 9, 11)] == [0, 16, 20, 20]
    assert [bananas_with_two_limits(x) for x in (1, 5, 11, 15, 19)] == [0, 16, 20, 1, 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_switch_does_not_overflow(dtype: str) -> None:
    x = ag.tensor([-3000.0, 3000.0, 0.0], dtype, tracked=True)
    s = switch(x)
    assert s.numpy().tolist() == [0, 1, 0.5]
    (slope,) = ag.gradients(ag.sum(s), [x])
    assert slope.numpy().tolist() == [0, 0, 0.25]


def logical_and(a: ag.Tensor, b: ag.Tensor) -> ag.Tensor:
    return switch(1000 * a + 1000 * b - 1500)


def logical_or(a: ag.Tensor, b: ag.Tensor) -> ag.Tensor:
    return switch(1000 * a + 1000 * b - 500)


def test_perceptrons_for_and_or_and_in_two_layers_xor() -> None:
    a, b = ag.tensor([0.0, 0.0, 1.0, 1.0]), ag.tensor([0.0, 1.0, 0.0, 1.0])
    assert logical_and(a, b).numpy().tolist() == [0, 0, 0, 1]
    assert logical_or(a, b).numpy().tolist() == [0, 1, 1, 1]
    xor = logical_or(logical_and(a, 1 - b), logical_and(1 - a, b))
    assert xor.numpy().tolist() == [0, 1, 1, 0]


def test_fruit_through_a_lookup_table_to_a_softmax() -> None:
    table = ag.tensor([[0.1, -0.4, 0.2, 0.5], [0.4, 1.4, -1.0, 0.1], [1.1, 0.9, 1.1, 0.5]])
    weights = ag.tensor([[0.1, -0.4, 0.2], [0.4, 1.4, -1.0], [1.1, 0.9, 1.1], [1.3, 0.1, 0.4]])
    logits = table[[2]] @ weights
    np.testing.assert_allclose(logits.numpy(), [[2.33, 1.86, 0.73]], rtol=1e-6)
    exact = [math.exp(d) for d in (2.33, 1.86, 0.73)]
    np.testing.assert_allclose(ag.softmax(logits).numpy(), [[e / sum(exact) for e in exact]], rtol=1e-6)


def test_softmax_of_large_numbers() -> None:
    assert ag.softmax(ag.tensor([1e4, 0.0])).numpy().tolist() == [1, 0]
    assert ag.log_softmax(ag.tensor([1e4, 0.0])).numpy().tolist() == [0, -1e4]
    assert ag.softmax(ag.tensor([-1e4, -1e4])).numpy().tolist() == [0.5, 0.5]
    assert ag.softmax(ag.tensor([3e38, -3e38])).numpy().tolist() == [1, 0]


def test_logarithm_of_tiny_numbers() -> None:
    tiny = np.array([1e-38, 1.4e-45, 0.0], dtype=np.float32)
    np.testing.assert_allclose(ag.log(tiny).numpy()[:2], [math.log(float(t)) for t in tiny[:2]], rtol=1e-6)
    assert float(ag.log(tiny)[2]) == -math.inf
    np.testing.assert_allclose(ag.log(5e-324 * np.ones(1)).numpy(), [math.log(5e-324)], rtol=1e-15)
    assert float(ag.log1p(ag.tensor(1e-30))) == pytest.approx(1e-30, rel=1e-6)
    assert float(ag.expm1(ag.tensor(1e-30))) == pytest.approx(1e-30, rel=1e-6)


def test_derivative_that_is_hard_by_hand() -> None:
    def y(w1: ag.Tensor, b1: ag.Tensor, w2: ag.Tensor, b2: ag.Tensor) -> ag.Tensor:
        x = ag.tensor(0.7, "float64")
        return w1 * x + b1 + ag.tanh(w2 * x + b2**2)

    ag.check_gradients(y, [0.5, -1.0, 0.3, 0.8])
