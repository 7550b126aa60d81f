"""Updates of a matrix that is used several times: each product is added to it where it is computed."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends.native.updates import addition
from amigrad.graph.tensor import Array


def batches(uses: int, rows: int = 9) -> list[Array]:
    return list(np.random.default_rng(uses).normal(size=(uses, rows, 21)).astype("f"))


def trained(uses: int, backend: str) -> tuple[Array, Array, ag.Compiled]:
    """A matrix after two steps, the costs, and the step."""
    weight = ag.parameter(np.random.default_rng(7).normal(size=(21, 52)).astype("f"), name="weight")
    rate = ag.state(np.float32(0.05), name="rate")

    @ag.compile(backend=backend)
    def step(*batch):
        cost = ag.sum(sum(ag.mean(ag.tanh(x @ weight) ** 2) * float(n + 1) for n, x in enumerate(batch)))
        (gradient,) = ag.gradients(cost, weight)
        weight.assign(weight - rate * gradient)
        return cost

    costs = [step(*batches(uses, rows)).numpy() for rows in (9, 1)]
    return weight.numpy(), np.array(costs), step


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_each_use_is_an_update_of_its_own(uses: int) -> None:
    expected, costs, _ = trained(uses, "reference")
    found, actual, step = trained(uses, "native")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(actual, costs, rtol=1e-5)
    kernels = step.executors[0].schedule.kernels
    assert sum(kernel.kind == "product" and addition(kernel) is not None for kernel in kernels) == uses
    last = [kernel for kernel in kernels if kernel.kind == "product"][-1]
    assert (last.continues is not None) == (uses > 1)


def test_a_gradient_that_is_a_result_is_stored_as_it_is() -> None:
    weight = ag.parameter(np.ones((21, 52), "f"))

    def step(a, b):
        first = a.mT @ (b @ weight)
        second = b.mT @ (a @ weight)
        weight.assign(weight - 0.1 * (first + second))
        return first

    a, b = batches(2)
    start = weight.numpy()
    expected = ag.compile(step, backend="reference")(a, b).numpy()
    changed = weight.numpy()
    weight.assign(ag.tensor(start))
    np.testing.assert_allclose(ag.compile(step)(a, b).numpy(), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(weight.numpy(), changed, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.* encountered in:RuntimeWarning")
@pytest.mark.parametrize("where", ["the input", "the gradient"])
def test_infinities_of_one_example_stay_in_its_rows(where: str) -> None:
    def updated(backend: str) -> list[Array]:
        weight = ag.parameter(np.zeros((40, 60), "f"))

        @ag.compile(backend=backend)
        def step(x: ag.Tensor, factor: ag.Tensor) -> None:
            (gradient,) = ag.gradients(ag.sum(ag.matmul(x, weight) * factor), weight)
            weight.assign(weight - 0.1 * gradient)

        found = []
        for rows in range(1, 12):
            random = np.random.default_rng(rows)
            x, factor = (random.normal(size=(rows, size)).astype("f") for size in (40, 60))
            (x if where == "the input" else factor)[-1, 3] = np.inf
            weight.assign(np.zeros((40, 60), "f"))
            step(x, factor)
            found.append(weight.numpy())
        return found

    for found, expected in zip(updated("native"), updated("reference"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert np.isinf(found).any()
