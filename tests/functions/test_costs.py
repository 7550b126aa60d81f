"""Costs against formulas written out, and where they used to be hard."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import amigrad as ag

LOGITS = np.array([[0.2, -1.3, 2.1], [1.7, 0.4, -0.8]])
CLASSES = np.array([2, 1])
SCORES = np.array([0.3, -1.7, 2.2, 0.0])
TRUE = np.array([1.0, 0.0, 0.25, 1.0])
SIGNS = np.array([1, -1, -1, 1])

EXAMPLES: dict[str, tuple[Callable[..., ag.Tensor], tuple[Any, ...], list[float]]] = {
    "square_loss": (ag.square_loss, (SCORES, TRUE), [(s - t) ** 2 for s, t in zip(SCORES, TRUE, strict=True)]),
    "cross_entropy": (
        ag.cross_entropy,
        (LOGITS, CLASSES),
        [math.log(sum(math.exp(d) for d in row)) - row[c] for row, c in zip(LOGITS, CLASSES, strict=True)],
    ),
    "binary_cross_entropy": (
        ag.binary_cross_entropy,
        (SCORES, TRUE),
        [
            -t * math.log(1 / (1 + math.exp(-s))) - (1 - t) * math.log(1 - 1 / (1 + math.exp(-s)))
            for s, t in zip(SCORES, TRUE, strict=True)
        ],
    ),
    "hinge_loss": (ag.hinge_loss, (SCORES, SIGNS), [max(0, 1 - s * t) for s, t in zip(SCORES, SIGNS, strict=True)]),
    "margin_ranking_loss": (
        ag.margin_ranking_loss,
        (SCORES, TRUE),
        [max(0, 1 - b + w) for b, w in zip(SCORES, TRUE, strict=True)],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_cost_and_its_reductions(name: str) -> None:
    cost, inputs, expected = EXAMPLES[name]
    np.testing.assert_allclose(cost(*inputs, reduction="none").numpy(), expected, rtol=1e-14)
    assert float(cost(*inputs, reduction="sum")) == pytest.approx(sum(expected), rel=1e-14)
    assert float(cost(*inputs)) == pytest.approx(sum(expected) / len(expected), rel=1e-14)
    with pytest.raises(ValueError, match='reduction is "mean", "sum" or "none", not \'average\''):
        cost(*inputs, reduction="average")


@pytest.mark.parametrize("name", EXAMPLES)
def test_gradient_of_a_cost(name: str) -> None:
    cost, inputs, _ = EXAMPLES[name]
    target = inputs[1]
    ag.check_gradients(lambda x: cost(x, target), [inputs[0]])
    ag.check_gradients(lambda x: ag.gradients(cost(x, target), [x])[0], [inputs[0]])


def test_cross_entropy_of_sentences() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 3, 4))
    tags = np.array([[0, 3, 1], [2, 2, 0]])
    one = ag.cross_entropy(logits, tags, "none").numpy()
    other = [[float(ag.cross_entropy(logits[i, j], tags[i, j])) for j in range(3)] for i in range(2)]
    np.testing.assert_allclose(one, other, rtol=1e-14)
    # Adding a number to all logits of a word changes nothing.
    np.testing.assert_allclose(ag.cross_entropy(logits + 100, tags, "none").numpy(), one, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_costs_of_extreme_scores(dtype: str) -> None:
    large = ag.tensor([[1e4, 0.0], [0.0, 1e4], [1e4, 1e4], [-1e4, -1e4]], dtype, tracked=True)
    costs = ag.cross_entropy(large, [0, 0, 1, 1], "none")
    np.testing.assert_allclose(costs.numpy(), [0, 1e4, math.log(2), math.log(2)], rtol=1e-6)
    (slope,) = ag.gradients(ag.sum(costs), [large])
    assert slope.numpy().tolist() == [[0, 0], [-1, 1], [0.5, -0.5], [0.5, -0.5]]
    scores = ag.tensor([3000.0, -3000.0, 3000.0, -3000.0, 0.0], dtype, tracked=True)
    costs = ag.binary_cross_entropy(scores, [1, 0, 0, 1, 1], "none")
    np.testing.assert_allclose(costs.numpy(), [0, 0, 3000, 3000, math.log(2)], rtol=1e-6)
    (slope,) = ag.gradients(ag.sum(costs), [scores])
    assert slope.numpy().tolist() == [0, 0, 1, -1, -0.5]


def test_small_costs_keep_their_digits() -> None:
    # log(1 + e^-30) is e^-30 to 13 digits, far below the last place of 1 in float32.
    assert float(ag.binary_cross_entropy(ag.tensor([30.0]), [1])) == pytest.approx(math.exp(-30), rel=1e-5)


def test_costs_of_integers_are_those_of_reals() -> None:
    assert float(ag.binary_cross_entropy([1, -1], [0.5, 0.5])) == pytest.approx(math.log(1 + math.e) - 0.5, rel=1e-6)
    assert float(ag.hinge_loss([2, 0], [1, -1])) == 0.5
    assert float(ag.square_loss([1, 2], 1)) == 0.5
    assert ag.cross_entropy([[1, 2]], [0]).dtype == ag.float32


def test_costs_of_no_examples() -> None:
    assert ag.cross_entropy(np.zeros((0, 3)), np.zeros(0, dtype=int), "none").shape == (0,)
    assert float(ag.cross_entropy(np.zeros((0, 3)), np.zeros(0, dtype=int), "sum")) == 0


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: ag.square_loss(np.ones((3, 1)), np.ones(3)), ValueError, r"square_loss .* \(3,\) and \(3, 1\)"),
        (
            lambda: ag.binary_cross_entropy(np.ones(3), np.ones(1)),
            ValueError,
            r"binary_cross_entropy .* \(1,\) and",
        ),
        (lambda: ag.hinge_loss(np.ones(3), np.ones((3, 3))), ValueError, r"hinge_loss .* \(3, 3\) and \(3,\)"),
        (lambda: ag.cross_entropy(LOGITS, LOGITS), ValueError, r"cross_entropy needs .* \(2, 3\) and \(2, 3\)"),
        (lambda: ag.cross_entropy(LOGITS, [1]), ValueError, r"cross_entropy needs .* \(2, 3\) and \(1,\)"),
        (lambda: ag.cross_entropy(LOGITS, [1, 3]), IndexError, "index 3 is outside a table of 3 rows"),
        (lambda: ag.cross_entropy(LOGITS, [-1, 0]), IndexError, "index -1 is outside a table of 3 rows"),
        (lambda: ag.cross_entropy(LOGITS, [1.0, 0.0]), TypeError, "integers, not float32"),
    ],
)
def test_targets_that_do_not_fit(use: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use()


def test_regularisers() -> None:
    w, b = ag.parameter([[1.0, -2.0], [0.0, 3.0]]), ag.parameter([-4.0])
    assert float(ag.l1(w, b)) == 10
    assert float(ag.l2(w, b)) == 30
    (ag.l1(w, b) * 0.5 + ag.l2(w)).backward()
    assert w.grad is not None
    assert b.grad is not None
    assert w.grad.numpy().tolist() == [[2.5, -4.5], [0, 6.5]]
    assert b.grad.numpy().tolist() == [-0.5]
