"""Every operator's values against formulas in plain Python, one element at a time."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import amigrad as ag
from amigrad.operators import OPERATORS
from amigrad.operators.random import philox
from samples import BINARY, UNARY, Sample, samples

Array = npt.NDArray[Any]
MOST = 300
"""Plain Python is slow: samples with larger results are compared by the other tests."""

DIVISIONS = ("divide", "floor_divide", "remainder")

SCALAR: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y if y else 0,
    "remainder": lambda x, y: x % y if y else 0,
    "pow": math.pow,
    "maximum": max,
    "minimum": min,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "logical_and": lambda x, y: x and y,
    "logical_or": lambda x, y: x or y,
    "logical_xor": lambda x, y: x is not y,
    "logical_not": lambda x: not x,
    "negative": lambda x: -x,
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "floor": math.floor,
    "round": round,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "erf": math.erf,
    "sin": math.sin,
    "cos": math.cos,
    "where": lambda c, x, y: x if c else y,
    "stop_gradient": lambda x: x,
}


def tame(sample: Sample) -> bool:
    """Whether plain Python computes the same: no NaN, no infinities, no overflow, no pole, not too many elements."""
    for x in sample.inputs:
        if x.size > MOST or (x.dtype.kind == "f" and not (np.abs(x) < 20).all()):
            return False
        if x.dtype.kind == "i" and x.size and max(abs(int(x.max())), abs(int(x.min()))) > 1000:
            return False
    if sample.dtype.kind == "f" and sample.name in ("pow", "log", "log1p", "sqrt"):
        return bool((sample.inputs[0] > (-1 if sample.name == "log1p" else 0)).all())
    return not (sample.dtype.kind == "f" and sample.name in DIVISIONS and (sample.inputs[1] == 0).any())


def assert_values(sample: Sample, expected: Iterable[Any]) -> None:
    """The result's elements in C order are these; a float32 one may differ by 4 units in the last place."""
    with np.errstate(divide="ignore"):
        value = np.asarray(sample.operator.forward(*sample.inputs))
    wanted = np.array(list(expected), dtype=np.float64 if value.dtype.kind == "f" else value.dtype)
    tolerance = 4 * float(np.finfo(value.dtype).eps) if value.dtype.kind == "f" else 0.0
    np.testing.assert_allclose(value.ravel(), wanted, rtol=tolerance, atol=0, err_msg=str(sample))


@pytest.mark.parametrize("name", SCALAR)
def test_elementwise(name: str) -> None:
    compared = 0
    for sample in samples(name):
        if tame(sample):
            rows = zip(*[x.ravel().tolist() for x in sample.inputs], strict=True)
            assert_values(sample, [SCALAR[name](*row) for row in rows])
            compared += 1
    assert compared >= 8


def test_every_elementwise_operator_is_compared() -> None:
    assert set(SCALAR) | {"cast"} == {*UNARY, *BINARY, "where", "stop_gradient", "cast"}


def test_cast() -> None:
    python: dict[str, Callable[[Any], Any]] = {"f": float, "i": int, "b": bool}
    for sample in samples("cast"):
        if tame(sample):
            target = sample.dtype
            expected = [python[target.kind](v) for v in sample.inputs[0].ravel().tolist()]
            value = np.asarray(sample.operator.forward(*sample.inputs))
            assert value.ravel().tolist() == np.array(expected, dtype=target).tolist(), sample


# Reductions and products: one result at a time


def reduced_parts(sample: Sample, axes: tuple[int, ...]) -> list[list[Any]]:
    """The elements that make each element of the result."""
    (x,) = sample.inputs
    kept = [a for a in range(x.ndim) if a not in axes]
    size = math.prod(x.shape[a] for a in axes)
    rows = x.transpose([*kept, *axes]).reshape(math.prod(x.shape[a] for a in kept), size)
    return list(rows.tolist())


REDUCED: dict[str, Callable[[list[Any]], Any]] = {
    "sum": lambda part: math.fsum(part) if part and isinstance(part[0], float) else sum(part),
    "prod": math.prod,
    "max": max,
    "min": min,
    "any": any,
    "all": all,
    "argmax": lambda part: part.index(max(part)),
}


@pytest.mark.parametrize("name", REDUCED)
def test_reductions(name: str) -> None:
    for sample in samples(name):
        (x,) = sample.inputs
        if x.size > 10_000 or (x.dtype.kind == "f" and not np.isfinite(x).all()):
            continue
        operator: Any = sample.operator
        axes = operator.axes if name != "argmax" else (operator.axis,)
        value = np.asarray(operator.forward(x)).ravel().tolist()
        expected = [REDUCED[name](part) for part in reduced_parts(sample, axes)]
        if x.dtype.kind == "f" and name in ("sum", "prod"):
            # A sum of n numbers of size at most 3 in any order is right to about n units in the last place of 3.
            error = float(np.finfo(x.dtype).eps) * 3 * max(1, x.size)
            np.testing.assert_allclose(value, expected, rtol=error, atol=error, err_msg=str(sample))
        else:
            assert value == expected, sample


def test_extremes_of_numbers_with_nan_are_nan() -> None:
    x = ag.tensor([[1.0, math.nan, 2.0], [1.0, 3.0, 2.0]])
    assert math.isnan(float(ag.max(x, 1)[0]))
    assert math.isnan(float(ag.min(x, 1)[0]))
    assert ag.argmax(x, 1).numpy().tolist() == [1, 1]
    assert float(ag.max(x, 1)[1]) == 3


def test_matmul() -> None:
    for sample in samples("matmul"):
        x, y = sample.inputs
        if x.size > MOST or y.size > MOST or (x.dtype.kind == "f" and not np.isfinite(x).all()):
            continue
        value = sample.operator.forward(x, y)
        for place in np.ndindex(*value.shape):
            *lead, row, column = place
            expected = math.fsum(map(operator.mul, x[*lead, row].tolist(), y[*lead, :, column].tolist()))
            # At most 33 products of size at most 9 are added.
            assert float(value[place]) == pytest.approx(expected, rel=1e-5, abs=1e-4), sample


# Movement: where each element of the result comes from


def test_reshape_keeps_the_elements_in_c_order() -> None:
    for sample in samples("reshape"):
        value = sample.operator.forward(*sample.inputs)
        assert value.ravel().tolist() == sample.inputs[0].ravel().tolist()


def source(sample: Sample, place: tuple[int, ...]) -> Any:
    """The element of the first input that stands at a place of the result."""
    (x, *_), operator = sample.inputs, sample.operator
    attributes: Any = operator
    match sample.name:
        case "permute_dims":
            return x[tuple(place[attributes.axes.index(a)] for a in range(x.ndim))]
        case "broadcast_to":
            own = place[len(place) - x.ndim :]
            return x[tuple(0 if d == 1 else i for i, d in zip(own, x.shape, strict=True))]
        case "slice":
            return x[tuple(a + i * s for a, i, s in zip(attributes.starts, place, attributes.steps, strict=True))]
        case "flip":
            return x[
                tuple(
                    d - 1 - i if a in attributes.axes else i
                    for a, (i, d) in enumerate(zip(place, x.shape, strict=True))
                )
            ]
        case "take":
            index = sample.inputs[1]
            return x[(int(index[place[: index.ndim]]), *place[index.ndim :])]
        case _:
            raise AssertionError(sample.name)


@pytest.mark.parametrize("name", ["permute_dims", "broadcast_to", "slice", "flip", "take"])
def test_moved_elements_come_from_their_places(name: str) -> None:
    for sample in samples(name):
        value = np.asarray(sample.operator.forward(*sample.inputs))
        if value.size <= MOST:
            for place in np.ndindex(*value.shape):
                assert value[place] == source(sample, place), sample


def test_pad_puts_the_elements_in_place_and_zeros_elsewhere() -> None:
    for sample in samples("pad"):
        (x,), operator = sample.inputs, sample.operator
        attributes: Any = operator
        value = operator.forward(x)
        filled = 0
        if value.size > MOST:
            continue
        for place in np.ndindex(*x.shape):
            target = tuple(a + i * s for a, i, s in zip(attributes.starts, place, attributes.steps, strict=True))
            assert value[target] == x[place], sample
            filled += bool(x[place] != 0)
        assert np.count_nonzero(value) == filled


def test_concat_cuts_into_its_inputs() -> None:
    for sample in samples("concat"):
        attributes: Any = sample.operator
        value = np.moveaxis(sample.operator.forward(*sample.inputs), attributes.axis, 0).tolist()
        for x in sample.inputs:
            part = np.moveaxis(x, attributes.axis, 0).tolist()
            assert value[: len(part)] == part
            value = value[len(part) :]
        assert value == []


# Tables: row by row


def rows(index: Array, values: Array) -> list[tuple[int, Array]]:
    """Each index with its row."""
    return [(int(index[place]), values[place]) for place in np.ndindex(*index.shape)]


@pytest.mark.parametrize("name", ["scatter_rows", "add_rows", "set_rows", "sum_same_rows"])
def test_rows_are_added_or_set_one_after_the_other(name: str) -> None:
    for sample in samples(name):
        *tables, index, values = sample.inputs
        operator: Any = sample.operator
        table = tables[0].copy() if tables else np.zeros((operator.size, *values.shape[index.ndim :]), values.dtype)
        before = [t.copy() for t in sample.inputs]
        for i, row in rows(index, values):
            table[i] = row if name == "set_rows" else table[i] + row
        expected = table[index] if name == "sum_same_rows" else table
        # Rows with one index may be added in any order.
        tolerance = 1e-5 if values.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(operator.forward(*sample.inputs), expected, rtol=tolerance, atol=tolerance)
        for x, old in zip(sample.inputs, before, strict=True):
            np.testing.assert_array_equal(x, old)


def test_one_hot_is_true_at_the_index_only() -> None:
    for sample in samples("one_hot"):
        (index,) = sample.inputs
        value = sample.operator.forward(index)
        for place in np.ndindex(*index.shape):
            assert [k for k, hit in enumerate(value[place]) if hit] == [int(index[place])]


def test_full_and_arange() -> None:
    for sample in samples("full"):
        attributes: Any = sample.operator
        assert sample.operator.forward().tolist() == np.array(attributes.value, attributes.dtype).tolist()
    for sample in samples("arange"):
        attributes = sample.operator
        assert sample.operator.forward().tolist() == list(range(attributes.size))


# Random numbers: Salmon et al. 2011, the known answers published with Random123 (kat_vectors)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_known_answers(counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]) -> None:
    words = philox(tuple(map(np.uint64, counter)), tuple(map(np.uint64, key)))  # type: ignore[arg-type]
    assert tuple(map(int, words)) == expected


def test_uniform_is_philox_of_the_elements_place_and_the_count_of_draws() -> None:
    seed, draws = 2**40 + 7, 2**33 + 1
    state = np.array([seed, draws], dtype=np.int64)
    single, double = OPERATORS["uniform"]((2, 3), ag.float32), OPERATORS["uniform"]((2, 3), ag.float64)  # type: ignore[call-arg]
    for place in range(6):
        words = philox(
            tuple(map(np.uint64, (place, 0, draws % 2**32, draws // 2**32))),  # type: ignore[arg-type]
            tuple(map(np.uint64, (seed % 2**32, seed // 2**32))),  # type: ignore[arg-type]
        )
        first, second = int(words[0]), int(words[1])
        assert float(single.forward(state).ravel()[place]) == (first >> 8) / 2**24
        assert float(double.forward(state).ravel()[place]) == ((first << 21) ^ (second >> 11)) / 2**53


def test_uniform_numbers_are_at_least_0_and_less_than_1() -> None:
    for sample in samples("uniform"):
        value = sample.operator.forward(*sample.inputs)
        assert ((value >= 0) & (value < 1)).all()
