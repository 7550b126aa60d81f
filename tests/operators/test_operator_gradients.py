"""First and second gradients of every operator against finite differences in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import amigrad as ag
from amigrad.graph import Tensor, apply
from amigrad.operators import OPERATORS
from samples import Sample, samples

DIFFERENTIABLE = [name for name in OPERATORS if any(s.smooth for s in samples(name))]


def use(sample: Sample) -> Callable[..., Tensor]:
    """The sample's operator as a function of its inputs."""
    return lambda *inputs: apply(sample.operator, *inputs)


def gradients_of(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The gradients for all real inputs as one vector, of a cost in which no two elements of the result are alike."""

    def result(*inputs: Tensor) -> Tensor:
        value = function(*inputs)
        weights = ag.tensor(np.sin(np.arange(value.value.size) + 1.0).reshape(value.value.shape))
        real = [i for i in inputs if i.dtype.kind == "f"]
        found = ag.gradients(ag.sum(value * value * weights), real)
        return ag.concat([ag.reshape(g, -1) for g in found])

    return result


def test_every_operator_that_has_a_gradient_is_checked() -> None:
    without_inputs = {"full", "arange"}
    assert set(DIFFERENTIABLE) == {n for n, kind in OPERATORS.items() if kind.differentiable} - without_inputs


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradient(name: str) -> None:
    for sample in samples(name):
        if sample.smooth and sample.dtype.kind == "f":
            ag.check_gradients(use(sample), sample.inputs)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradient_of_the_gradient(name: str) -> None:
    for sample in samples(name):
        # Every element costs two evaluations of the gradient: small samples say as much as larger ones.
        if sample.smooth and sample.dtype.kind == "f" and sum(x.size for x in sample.inputs) <= 16:
            ag.check_gradients(gradients_of(use(sample)), sample.inputs, tolerance=1e-5)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_have_the_inputs_shapes_and_types(name: str) -> None:
    for sample in samples(name):
        inputs = [ag.tensor(x, tracked=True) for x in sample.inputs]
        real = [i for i in inputs if i.dtype.kind == "f"]
        value = apply(sample.operator, *inputs)
        if not real or value.dtype.kind != "f":
            continue
        for x, gradient in zip(real, ag.gradients(ag.sum(value), real), strict=True):
            assert gradient.spec == x.spec, sample


def gradient_at(function: Callable[[Tensor], Tensor], *values: float) -> list[float]:
    x = ag.tensor(values, "float64", tracked=True)
    (found,) = ag.gradients(ag.sum(function(x)), [x])
    return [float(v) for v in found.numpy()]


def test_gradients_where_a_function_bends_are_fixed() -> None:
    assert gradient_at(ag.abs, -2, 0, 3) == [-1, 0, 1]
    assert gradient_at(ag.relu, -2, 0, 3) == [0, 0, 1]
    assert gradient_at(ag.hardtanh, -2, -1, 0.5, 1, 2) == [0, 0, 1, 0, 0]
    assert gradient_at(lambda x: ag.clip(x, 0, 2), -1, 0, 1, 2, 3) == [0, 0, 1, 0, 0]
    assert gradient_at(lambda x: ag.maximum(x, 1.0), 0, 1, 2) == [0, 1, 1]
    assert gradient_at(lambda x: ag.minimum(x, 1.0), 0, 1, 2) == [1, 1, 0]


def test_equal_extremes_share_the_gradient() -> None:
    assert gradient_at(ag.max, 1, 3, 3) == [0, 0.5, 0.5]
    assert gradient_at(ag.min, 1, 1, 3) == [0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([2, 3, 4], [12, 8, 6]), ([0, 3, 4], [12, 0, 0]), ([0, 0, 4], [0, 0, 0]), ([5], [1]), ([0], [1])],
)
def test_gradient_of_a_product_with_zeros(values: list[float], expected: list[float]) -> None:
    assert gradient_at(ag.prod, *values) == expected


def test_gradient_of_a_power_at_zero() -> None:
    x, y = ag.tensor([0.0, 0.0, 0.0], tracked=True), ag.tensor([0.0, 1.0, 2.0], tracked=True)
    dx, dy = ag.gradients(ag.sum(x**y), [x, y])
    assert dx.numpy().tolist() == [0, 1, 0]
    assert dy.numpy().tolist() == [0, 0, 0]


def test_no_gradient_passes_a_stop_or_an_integer() -> None:
    assert gradient_at(lambda x: x * ag.stop_gradient(x), 3, 4) == [3, 4]
    assert gradient_at(lambda x: x * ag.astype(ag.astype(x, "int64"), "float64"), 3, 4) == [3, 4]
    assert gradient_at(ag.floor, 0.5, 1.5) == [0, 0]
