"""Every operator gives compiled what it gives in the reference, on every sample of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

GATHERING = ("sum", "prod", "matmul", "scatter_rows", "sum_same_rows", "add_rows", "scan")
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


def kind(sample: Sample) -> tuple[Any, ...]:
    """What samples that one compilation serves have in common: all but their sizes, where these are not 1."""
    shapes = [tuple("1" if size == 1 else "n" for size in x.shape) for x in sample.inputs]
    return (repr(sample.operator), *[(x.dtype.name, shape) for x, shape in zip(sample.inputs, shapes, strict=True)])


def kinds(name: str) -> list[list[Sample]]:
    """An operator's valid samples by their kind."""
    found: dict[tuple[Any, ...], list[Sample]] = {}
    for sample in samples(name):
        if valid(sample):
            found.setdefault(kind(sample), []).append(sample)
    return list(found.values())


def together(group: Iterable[Sample]) -> Callable[..., tuple[ag.Tensor, ...]]:
    """One function of the inputs of all samples, with the results of all."""
    uses = [(s.operator, len(s.inputs)) for s in group]

    def function(*inputs: ag.Tensor) -> tuple[ag.Tensor, ...]:
        remaining = iter(inputs)
        return tuple(apply(operator, *[next(remaining) for _ in range(count)]) for operator, count in uses)

    return function


@pytest.mark.parametrize("name", OPERATORS)
def test_every_sample_of_an_operator(name: str) -> None:
    found = kinds(name)
    assert sum(map(len, found)) >= 8
    for start in range(0, len(found), TOGETHER):
        group = found[start : start + TOGETHER]
        step = ag.compile(together(members[0] for members in group))
        for place in range(max(map(len, group))):
            chosen = [members[min(place, len(members) - 1)] for members in group]
            results = step(*[x for s in chosen for x in s.inputs])
            for sample, result in zip(chosen, results, strict=True):
                check(sample, result.numpy(), reference(sample))
        assert step.compilations == 1


@pytest.mark.parametrize("name", ["take", "scatter_rows", "add_rows", "set_rows", "one_hot"])
@pytest.mark.parametrize("outside", [-1, "size", -(2**31), 2**31 - 1])
def test_an_index_outside_is_an_error_as_in_the_reference(name: str, outside: int | str) -> None:
    def size(sample: Sample) -> int:
        return getattr(sample.operator, "size", len(sample.inputs[0]) if sample.inputs[0].ndim else 0)

    tested = 0
    for sample in samples(name):
        place = 0 if name in ("scatter_rows", "one_hot") else 1
        if not sample.inputs[place].size or tested == 6:
            continue
        index = sample.inputs[place].copy()
        index.flat[-1] = size(sample) if outside == "size" else outside
        inputs = [*sample.inputs[:place], index, *sample.inputs[place + 1 :]]
        with pytest.raises(IndexError) as expected:
            reference(sample, inputs)
        with pytest.raises(IndexError) as raised:
            ag.compile(together([sample]))(*inputs)
        assert str(raised.value) == str(expected.value)
        tested += 1
    assert tested == 6


@pytest.mark.parametrize("name", ["take", "scatter_rows", "sum_same_rows"])
def test_an_index_of_an_empty_table_is_an_error(name: str) -> None:
    operator: Any = {"take": OPERATORS["take"], "scatter_rows": OPERATORS["scatter_rows"]}.get(
        name, OPERATORS["sum_same_rows"]
    )
    index, rows = np.zeros(3, dtype=np.int64), np.zeros((0 if name == "take" else 3, 2), dtype=np.float32)
    inputs = (rows, index) if name == "take" else (index, rows)
    use = operator() if name == "take" else operator(0)
    with pytest.raises(IndexError, match=rf"{name}: index 0 is outside a table of 0 rows"):
        ag.compile(lambda *x: apply(use, *x))(*inputs)
