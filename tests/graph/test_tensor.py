"""Tensors: how they are made, shown, converted, and how their types mix."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pytest

import amigrad as ag

DTYPES = ["float32", "float64", "int32", "int64", "bool"]


# Making


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1.5, "float32"),
        (2, "int64"),
        (True, "bool"),
        ([1, 2.5], "float32"),
        ([[1], [2]], "int64"),
        ([True], "bool"),
        ([], "float32"),
        (np.float64(1), "float64"),
        (np.ones(2), "float64"),
        (np.ones(2, "float16"), "float32"),
        (np.ones(2, "uint8"), "int32"),
        (np.ones(2, "uint32"), "int64"),
        (np.ones(2, ">f8"), "float64"),
    ],
)
def test_element_types_of_values(value: Any, dtype: str) -> None:
    t = ag.tensor(value)
    assert t.dtype == np.dtype(dtype)
    assert t.dtype.isnative
    np.testing.assert_array_equal(t.numpy(), value)


def test_a_tensor_has_its_own_copy() -> None:
    array = np.zeros(3)
    t = ag.tensor(array)
    array[0] = 1
    assert t.numpy().tolist() == [0, 0, 0]
    assert ag.tensor(t, "int64").numpy().tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("value", "dtype", "error", "message"),
    [
        (
            1,
            "float16",
            TypeError,
            "'float16' is not an element type of amigrad; there are float32, float64, int32",
        ),
        (1, object(), TypeError, "is not an element type"),
        (1, "number", TypeError, "'number' is not an element type"),
        (np.ones(2, complex), None, TypeError, "values of type complex128"),
        (np.ones(2, "uint64"), None, TypeError, "values of type uint64"),
        ("text", None, TypeError, "values of type str"),
        (2**31, "int32", OverflowError, "do not fit int32"),
        ([0, -(2**40)], "int32", OverflowError, "from -1099511627776 to 0 do not fit int32"),
        (2**63, None, OverflowError, "do not fit int64"),
        ([ag.ones(2), ag.ones(2)], None, TypeError, "join them with stack or concat"),
        ([[ag.ones(2)]], None, TypeError, "join them with stack or concat"),
    ],
)
def test_values_that_have_no_place(value: Any, dtype: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ag.tensor(value, dtype)


def test_parameters_and_states() -> None:
    p, s = ag.parameter([1.0, 2.0], name="weights"), ag.state([1, 2])
    assert (p.tracked, s.tracked) == (True, False)
    with pytest.raises(TypeError, match="a parameter holds real numbers, not int64"):
        ag.parameter([1, 2])
    buffer = p.value
    p.assign([3, 4])
    s.assign(s * 2)
    assert p.value is buffer
    assert (p.numpy().tolist(), s.numpy().tolist()) == ([3, 4], [2, 4])
    for wrong in ([1.0], ag.tensor([1, 2]), ag.ones((2, 2)), ag.ones(2, dtype="float64")):
        with pytest.raises(ValueError, match=r"cannot assign .* to weights of float32\(2,\)"):
            p.assign(wrong)
    assert p.numpy().tolist() == [3, 4]
    p.assign(p[::-1])
    assert p.numpy().tolist() == [4, 3]


def test_copies_of_a_parameter_are_parameters_of_their_own() -> None:
    p = ag.parameter([1.0, 2.0], name="weights")
    q = copy.deepcopy(p)
    q.assign([5.0, 6.0])
    assert isinstance(q, ag.Parameter)
    assert (q.tracked, q.name) == (True, "weights")
    assert p.numpy().tolist() == [1, 2]


# Showing


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ag.tensor(2.5), "tensor(2.5, float32)"),
        (lambda: ag.tensor([1, 2]), "tensor([1, 2], shape=(2,), int64)"),
        (lambda: ag.zeros((0, 3)), "tensor([], shape=(0, 3), float32)"),
        (lambda: ag.parameter([1.0, 2.0], name="w"), "parameter(w, [1., 2.], shape=(2,), float32)"),
        (lambda: ag.state(3), "state(3, int64)"),
        (lambda: ag.exp(ag.parameter(0.0)), "tensor(1., float32, from exp)"),
    ],
)
def test_repr(make: Any, text: str) -> None:
    assert repr(make()) == text


def test_repr_of_many_numbers_is_short() -> None:
    assert len(repr(ag.zeros((1000, 1000)))) < 1000


# Converting


def test_numbers_from_tensors() -> None:
    assert float(ag.tensor(2.5)) == 2.5
    assert float(ag.tensor([[3]])) == 3
    assert int(ag.tensor(2.9)) == 2
    assert bool(ag.tensor([True])) is True
    assert [10, 20, 30][ag.tensor(1)] == 20
    assert type(ag.tensor(2).item()) is int
    assert ag.tensor([1.0, 2.0]).size == 2
    assert len(ag.zeros((4, 2))) == 4
    assert [float(row[1]) for row in ag.tensor([[1, 2], [3, 4]])] == [2, 4]


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: float(ag.ones(2)), ValueError, "size 1"),
        (lambda: bool(ag.ones(2)), ValueError, r"shape \(2,\) has no one truth value: use any\(\) or all\(\)"),
        (lambda: [1][ag.tensor(0.0)], TypeError, r"not float32\(\)"),
        (lambda: len(ag.tensor(1)), TypeError, r"shape \(\) has no len"),
        (lambda: list(ag.tensor(1)), TypeError, r"shape \(\) cannot be iterated"),
        (lambda: ag.ones(3).T, ValueError, r"T is for matrices; this tensor has shape \(3,\)"),
    ],
)
def test_conversions_that_make_no_sense(use: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use()


def test_numpy_gives_a_read_only_view_or_a_copy_of_a_parameter() -> None:
    t, p = ag.tensor([1.0, 2.0]), ag.parameter([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        t.numpy()[0] = 5
    array = p.numpy()
    array[0] = 5
    assert p.numpy().tolist() == [1, 2]
    assert np.shares_memory(t.numpy(), t.numpy())


def test_tensors_are_arrays_for_numpy() -> None:
    t, p = ag.tensor([1.5, 2.5]), ag.parameter([1.5, 2.5])
    for x in (t, p):
        assert np.asarray(x).tolist() == [1.5, 2.5]
        assert np.asarray(x, dtype=np.int64).tolist() == [1, 2]
        assert np.array(x, copy=True).flags.writeable
        with pytest.raises(ValueError, match="copy"):
            np.asarray(x, dtype=np.int64, copy=False)
    assert np.shares_memory(np.asarray(t, copy=False), t.numpy())
    with pytest.raises(ValueError, match="only as a copy"):
        np.asarray(p, copy=False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_both_ways(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    t = ag.tensor(array)
    there = np.from_dlpack(t)
    np.testing.assert_array_equal(there, array)
    assert np.shares_memory(there, t.numpy())
    back = ag.from_dlpack(array)
    assert back.dtype == array.dtype
    assert np.shares_memory(back.numpy(), array)


def test_dlpack_of_other_layouts_and_types() -> None:
    assert ag.from_dlpack(np.arange(6)[::2]).numpy().tolist() == [0, 2, 4]
    assert ag.from_dlpack(np.ones(2, dtype=np.uint8)).dtype == ag.int32
    # A broadcast value is read-only memory, which not every library takes: it is exported as a copy.
    assert np.from_dlpack(ag.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert ag.ones(3).__dlpack_device__() == np.ones(3).__dlpack_device__()


# Mixing types: the array API standard's tables within a kind, NumPy's where kinds mix


@pytest.mark.parametrize(("one", "other"), list(itertools.product(DTYPES, DTYPES)))
def test_promotion_is_numpys(one: str, other: str) -> None:
    x, y = np.ones(2, one), np.ones(2, other)
    assert ag.where(np.ones(2, bool), x, y).dtype == np.result_type(x, y)
    assert ag.equal(x, y).dtype == ag.bool_
    assert ag.concat([x, y]).dtype == np.result_type(x, y)
    if (one, other) != ("bool", "bool"):
        assert (ag.tensor(x) + y).dtype == np.result_type(x, y)
        assert ag.maximum(x, y).dtype == np.result_type(x, y)
        assert ag.matmul(x, y).dtype == np.result_type(x, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_python_number_takes_the_tensors_type(dtype: str) -> None:
    x = ag.ones(2, dtype=dtype)
    real = dtype if dtype.startswith("float") else "float32"
    whole = "int64" if dtype == "bool" else dtype
    assert (x * 2).dtype == (2 * x).dtype == np.dtype(whole)
    assert (x * 2.0).dtype == (2.0 * x).dtype == np.dtype(real)
    assert ag.where(True, x, True).dtype == np.dtype(dtype)
    assert (x / 2).dtype == (x / x).dtype == np.dtype(real)
    assert ag.exp(x).dtype == ag.mean(x).dtype == np.dtype(real)
    assert ag.sum(x).dtype == np.dtype(dtype if dtype.startswith("float") else "int64")


def test_a_number_that_does_not_fit_is_not_cut() -> None:
    with pytest.raises(OverflowError, match="int32"):
        ag.ones(2, dtype="int32") + 2**40


def test_sums_without_axes_still_have_their_type() -> None:
    assert ag.sum(ag.tensor(True)).dtype == ag.int64
    assert ag.prod(ag.tensor(3, "int32")).dtype == ag.int64
    assert ag.any(ag.tensor(3)).dtype == ag.bool_
    assert bool(ag.all(ag.tensor(0.0))) is False


def test_python_operators() -> None:
    x, y = ag.tensor([7.0, -7.0]), ag.tensor([2.0, 2.0])
    i, b = ag.tensor([7, -7]), ag.tensor([True, False])
    checks: list[tuple[Any, Any]] = [
        *[(x + y, [9, -5]), (x - y, [5, -9]), (x * y, [14, -14]), (x / y, [3.5, -3.5]), (x // y, [3, -4])],
        *[(x % y, [1, 1]), (x**2, [49, 49]), (-x, [-7, 7]), (+x, [7, -7]), (abs(x), [7, 7])],
        *[(1 + x, [8, -6]), (1 - x, [-6, 8]), (2 * x, [14, -14]), (7 / x, [1, -1]), (20 // x, [2, -3])],
        *[(20 % x, [6, -1]), (2**y, [4, 4]), (i // 2, [3, -4]), (i % 4, [3, 1]), (i**2, [49, 49]), (i**3, [343, -343])],
        *[(x < y, [False, True]), (x <= 7, [True, True]), (x > y, [True, False]), (x >= 7, [True, False])],
        *[(x == 7, [True, False]), (x != 7, [False, True])],
        *[(b & True, [True, False]), (b | b, [True, False]), (b ^ True, [False, True]), (~b, [False, True])],
        *[(True & b, [True, False]), (False | b, [True, False]), (True ^ b, [False, True])],
    ]
    for number, (result, expected) in enumerate(checks):
        assert result.numpy().tolist() == expected, number
    assert float(x @ y) == 0
    assert (ag.ones((2, 3)).T @ np.ones((2, 4))).shape == (3, 4)
    assert (np.ones((4, 2)) @ ag.ones((2, 3))).shape == (4, 3)


@pytest.mark.parametrize("number", [np.float64(2), np.float32(2), np.int64(2), np.array(2.0), np.array([2.0, 2.0])])
def test_numpy_on_the_left_keeps_tensors(number: Any) -> None:
    x = ag.parameter([1.0, 3.0])
    for result in (number * x, number + x, number - x, number / x):
        assert isinstance(result, ag.Tensor)
        assert result.operation is not None


def test_tensors_are_told_apart_by_identity_in_sets() -> None:
    x, y = ag.tensor([1.0, 2.0]), ag.tensor([1.0, 2.0])
    assert len({x, y, x}) == 2
    assert {x: 1}[x] == 1


def test_tensors_name_their_array_namespace() -> None:
    xp = ag.ones(1).__array_namespace__()
    assert xp.sum is ag.sum
