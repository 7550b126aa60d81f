"""Gradients of lookup tables stay rows, and say the same as the dense ones."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag
from amigrad.optim.rows import RowGradient, add_rows, find_gradients, rows_of, set_rows


@pytest.fixture
def table() -> ag.Parameter:
    return ag.parameter(np.random.default_rng(1).normal(size=(6, 2)))


def test_looked_up_table_has_a_row_gradient_equal_to_the_dense_one(table: ag.Parameter) -> None:
    first, second = ag.tensor([[0, 2], [2, 2]]), ag.tensor(np.array([5, 0], dtype=np.int32))
    cost = ag.sum(ag.exp(table[first])) + ag.sum(ag.tanh(table[second]))
    (rows,) = find_gradients(cost, [table])
    (dense,) = ag.gradients(cost, [table])
    assert isinstance(rows, RowGradient)
    assert rows.index.shape == (6,)
    np.testing.assert_allclose(rows.dense().numpy(), dense.numpy(), rtol=1e-14)
    assert float(rows.squared_norm()) == pytest.approx(float(np.sum(dense.numpy() ** 2)), rel=1e-14)
    recorded = rows_of(dense)
    assert recorded is not None
    np.testing.assert_array_equal(recorded.dense().numpy(), dense.numpy())


@pytest.mark.parametrize("use", ["matmul", "sum", "decay"])
def test_table_used_as_a_whole_too_has_a_dense_gradient(table: ag.Parameter, use: str) -> None:
    rows = table[ag.tensor([1, 1])]
    cost = {
        "matmul": lambda: ag.sum(rows @ table.T),
        "sum": lambda: ag.sum(rows) + ag.sum(table),
        "decay": lambda: ag.sum(rows) + ag.l2(table),
    }[use]()
    (gradient,) = find_gradients(cost, [table])
    (expected,) = ag.gradients(cost, [table])
    assert isinstance(gradient, ag.Tensor)
    np.testing.assert_array_equal(gradient.numpy(), expected.numpy())
    assert rows_of(expected) is None


def test_table_with_one_axis_and_empty_lookups() -> None:
    bias = ag.parameter([1.0, 2.0, 3.0])
    (gradient,) = find_gradients(ag.sum(bias[ag.tensor([2, 2])]), [bias])
    assert isinstance(gradient, RowGradient)
    np.testing.assert_array_equal(gradient.dense().numpy(), [0, 0, 2])
    (empty,) = find_gradients(ag.sum(bias[ag.tensor(np.zeros((0,), dtype=np.int64))]), [bias])
    assert isinstance(empty, RowGradient)
    assert float(empty.squared_norm()) == 0.0


def test_parameter_that_is_the_cost_itself() -> None:
    cost = ag.parameter(2.0)
    (gradient,) = find_gradients(cost, [cost])
    assert isinstance(gradient, ag.Tensor)
    assert gradient.item() == 1.0


def test_rows_are_updated_in_place(table: ag.Parameter) -> None:
    buffer, before = table.value, table.numpy()
    add_rows(table, ag.tensor([1, 1]), ag.tensor(np.ones((2, 2))))
    set_rows(table, ag.tensor([3]), ag.tensor(np.zeros((1, 2))))
    assert table.value is buffer
    before[1] += 2
    before[3] = 0
    np.testing.assert_array_equal(table.numpy(), before)


def test_index_outside_the_table_changes_nothing(table: ag.Parameter) -> None:
    before = table.numpy()
    with pytest.raises(IndexError, match="index 6 is outside a table of 6 rows"):
        add_rows(table, ag.tensor([1, 6]), ag.tensor(np.ones((2, 2))))
    with pytest.raises(IndexError, match="add_rows: index -1"):
        add_rows(table, ag.tensor([1, -1]), ag.tensor(np.ones((2, 2))))
    np.testing.assert_array_equal(table.numpy(), before)
