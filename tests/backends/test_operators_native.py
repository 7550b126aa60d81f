"""Every operator gives compiled what it gives in the reference, on every sample of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import amigrad as ag
from amigrad.graph import apply
from amigrad.operators import OPERATORS
from samples import Sample, samples

Array = npt.NDArray[Any]
TOGETHER = 40
"""So many samples are compiled as one function: each is quick, but LLVM takes its time to begin."""

GATHERING = ("sum", "prod", "matmul", "scatter_rows", "sum_same_rows", "add_rows")
"""Their terms may be added in any order, so an error is measured against the largest result."""


def valid(sample: Sample) -> bool:
    """Whether the operator accepts the inputs."""
    try:
        reference(sample)
    except (IndexError, ValueError):
        return False
    return True


def reference(sample: Sample, inputs: Iterable[Array] | None = None) -> Array:
    """What the operator gives in NumPy."""
    with np.errstate(all="ignore"):
        return np.asarray(sample.operator.forward(*(sample.inputs if inputs is None else inputs)))


def check(sample: Sample, actual: Array, expected: Array) -> None:
    """Equal within the tolerance of the type, exactly where it has none; NaN and infinities in the same places."""
    assert actual.shape == expected.shape, sample
    assert actual.dtype == expected.dtype, sample
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(actual, expected, err_msg=str(sample))
        return
    tolerance = 1e-5 if expected.dtype == np.float32 else 1e-12
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max(initial=0.0)) if sample.name in GATHERING else 0.0
    smallest = float(np.finfo(expected.dtype).tiny)
    np.testing.assert_allclose(
        actual, expected, rtol=tolerance, atol=max(tolerance * scale, smallest), err_msg=str(sample)
    )


def parts(found: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """The samples, so many at a time."""
    for start in range(0, len(found), TOGETHER):
        yield found[start : start + TOGETHER]


def together(group: Iterable[Sample]) -> Callable[..., tuple[ag.Tensor, ...]]:
    """One function of the inputs of all samples, with the results of all."""
    uses = [(s.operator, len(s.inputs)) for s in group]

    def function(*inputs: ag.Tensor) -> tuple[ag.Tensor, ...]:
        remaining = iter(inputs)
        return tuple(apply(operator, *[next(remaining) for _ in range(count)]) for operator, count in uses)

    return function


@pytest.mark.parametrize("name", OPERATORS)
def test_every_sample_of_an_operator(name: str) -> None:
    for group in parts([s for s in samples(name) if valid(s)]):
        step = ag.compile(together(group))
        results = step(*[x for s in group for x in s.inputs])
        for sample, result in zip(group, results, strict=True):
            check(sample, result.numpy(), reference(sample))
        assert step.compilations == 1
