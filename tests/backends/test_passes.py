"""One pass over a matrix for one row: found where it may be, and equal to the two kernels that it replaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import amigrad as ag
from amigrad import nn
from amigrad.backends.native.kernels import Kernel

METHODS = [ag.optim.SGD, ag.optim.Adagrad, ag.optim.Adam]
# Rows of vectors only, of parts of them, and of both.
SIZES = [(3, 5, 2), (16, 16, 16), (33, 50, 45), (9, 37, 20), (5, 43, 24), (70, 7, 1), (1, 1, 3)]


def kernels(step: Any) -> list[Kernel]:
    (executor,) = step.executors
    return list(executor.schedule.kernels)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sizes", SIZES)
def test_training_with_one_row_and_with_more(method: Any, sizes: tuple[int, int, int]) -> None:
    def trained(backend: str) -> tuple[list[np.ndarray], Any]:
        model = nn.MLP(list(sizes), generator=ag.Generator(1), activation=ag.tanh)
        optimizer = method(model.parameters(), 0.1)

        @ag.compile(backend=backend)
        def step(x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
            cost = ag.mean((model(x) - y) ** 2)
            optimizer.minimize(cost)
            return cost

        random = np.random.default_rng(2)
        for rows in (1, 1, 4, 1, 2, 1):
            step(random.normal(size=(rows, sizes[0])).astype("f"), random.normal(size=(rows, sizes[2])).astype("f"))
        return [p.numpy() for p in model.parameters()], step

    expected, _ = trained("reference")
    actual, step = trained("native")
    assert step.compilations == 1
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    passes = [k for k in kernels(step) if k.update is not None]
    if sizes[2] == 1:
        return  # a column: its rows are no vectors
    assert len(passes) == 1, "the second layer's; nobody needs the gradient of x"
    numbers = [k.number for k in kernels(step)]
    assert numbers == sorted(numbers)
    assert passes[0].update is kernels(step)[passes[0].number + 1]


def test_a_matrix_that_is_read_later_is_updated_later() -> None:
    weight = ag.parameter(np.random.default_rng(1).normal(size=(6, 4)).astype("f"))

    def step(x: ag.Tensor, d: ag.Tensor) -> Any:
        cost = ag.sum((x @ weight) * d)
        gradient_x, gradient = ag.gradients(cost, [x, weight])
        after = gradient_x @ weight  # the matrix as it was
        weight.assign(weight - 0.5 * gradient)
        return gradient_x, after, x @ weight

    x, d = np.random.default_rng(2).normal(size=(2, 1, 6)).astype("f")[:, :, :6], np.ones((1, 4), "f")
    start = weight.numpy()
    expected = [t.numpy() for t in ag.compile(step, backend="reference")(x[0], d)]
    changed = weight.numpy()
    weight.assign(ag.tensor(start))
    actual = ag.compile(step)(x[0], d)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weight.numpy(), changed, rtol=1e-5, atol=1e-6)
