"""What does not fit is refused before anything is computed, in words that name the operator and the shapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import amigrad as ag
from amigrad.graph import Spec, float32, float64, int64
from amigrad.operators.create import Arange
from amigrad.operators.elementwise import Add
from amigrad.operators.movement import Concat, Pad, PermuteDims, Reshape, Slice
from amigrad.operators.random import Uniform
from samples import samples

MATRIX = ag.ones((2, 3))
TABLE = ag.ones((5, 2))


def index(*values: int) -> ag.Tensor:
    return ag.tensor(np.array(values, dtype=np.int64))


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (
            lambda: MATRIX + ag.ones((2, 4)),
            ValueError,
            r"\(2, 3\) and \(2, 4\) .*: sizes 3 and 4 of axis -1",
        ),
        (
            lambda: ag.where(ag.ones(4, dtype="bool"), MATRIX, 0),
            ValueError,
            r"\(4,\) and \(2, 3\) .* do not broadcast",
        ),
        (lambda: MATRIX @ ag.ones((2, 3)), ValueError, r"matmul of \(2, 3\) and \(2, 3\).* 3.* 2"),
        (lambda: MATRIX @ ag.ones(2), ValueError, r"matmul of \(2, 3\) and \(2,\)"),
        (lambda: ag.ones((4, 2, 3)) @ ag.ones((5, 3, 2)), ValueError, r"\(4,\) and \(5,\) do not broadcast"),
        (lambda: MATRIX @ 2.0, ValueError, r"matmul is not for numbers"),
        (
            lambda: ag.tensordot(MATRIX, ag.ones((3, 2)), 2),
            ValueError,
            r"tensordot over 2 axes of \(2, 3\) and",
        ),
        (lambda: ag.reshape(MATRIX, (4, 2)), ValueError, r"cannot reshape \(2, 3\) to \(4, 2\)"),
        (lambda: ag.reshape(MATRIX, (-1, 4)), ValueError, r"\(2, 3\) does not divide into \(-1, 4\)"),
        (lambda: ag.reshape(MATRIX, (-1, -1)), ValueError, "only one size can be -1"),
        (lambda: ag.reshape(MATRIX, (-2, -3)), ValueError, r"no negative sizes: \(-2, -3\)"),
        (lambda: ag.broadcast_to(MATRIX, (3, 3)), ValueError, r"\(2, 3\) does not broadcast to \(3, 3\)"),
        (lambda: ag.permute_dims(MATRIX, (0, 0)), ValueError, r"permute_dims: \(0, 0\) is no order of .* \(2, 3\)"),
        (lambda: ag.permute_dims(MATRIX, (0,)), ValueError, r"permute_dims: \(0,\) is no order"),
        (
            lambda: ag.concat([MATRIX, ag.ones((2, 4))]),
            ValueError,
            r"axis 0: shape \(2, 4\) does not fit \(2, 3\)",
        ),
        (lambda: ag.concat([]), ValueError, "concat needs at least one"),
        (lambda: ag.stack([]), ValueError, "stack needs at least one"),
        (lambda: ag.stack([MATRIX, ag.ones(3)]), ValueError, r"stack needs tensors of one shape, not \(2, 3\), \(3,\)"),
        (lambda: ag.pad(MATRIX, [(1, 1)]), ValueError, r"pad needs \(before, after\)"),
        (lambda: ag.squeeze(MATRIX, 0), ValueError, r"squeeze: axis 0 of shape \(2, 3\) is not 1"),
        (lambda: ag.sum(MATRIX, 2), ValueError, "sum: there is no axis 2 in 2 axes"),
        (lambda: ag.sum(MATRIX, (0, -2)), ValueError, r"sum: axis \(0, -2\) names one axis twice"),
        (lambda: ag.max(ag.zeros((0, 3)), 0), ValueError, r"max of no elements: shape \(0, 3\), axes \(0,\)"),
        (lambda: ag.argmax(ag.zeros((3, 0)), 1), ValueError, r"argmax of no elements: shape \(3, 0\), axis 1"),
        (lambda: ag.max(ag.ones(3, dtype="bool")), TypeError, "max is for numbers, not bool"),
        (lambda: ag.logical_and(MATRIX, True), TypeError, "logical_and"),
        (lambda: ag.ones(2, dtype="bool") + ag.ones(2, dtype="bool"), TypeError, "add is for numbers, not bool"),
        (lambda: ag.where(MATRIX, 1, 0), TypeError, "the condition of where is for truth values, not float32"),
        (lambda: ag.take(TABLE, index(0, 5)), IndexError, r"take: index 5 is outside a table of 5 rows \(0 to 4\)"),
        (lambda: ag.take(TABLE, index(-1)), IndexError, r"take: index -1 is outside a table of 5 rows"),
        (lambda: ag.take(ag.ones((0, 2)), index(0)), IndexError, r"take: index 0 is outside a table of 0 rows$"),
        (lambda: ag.take(TABLE, ag.ones(2)), TypeError, "the index of take is for integers, not float32"),
        (lambda: ag.one_hot(index(3), 3), IndexError, "one_hot: index 3 is outside a table of 3 rows"),
        (lambda: ag.zeros((2, -1)), ValueError, r"no negative sizes: \(2, -1\)"),
        (lambda: ag.arange(1, 5, 0), ValueError, "arange: the step cannot be 0"),
        (lambda: ag.arange(3, dtype="float16"), TypeError, "float16"),
        (
            lambda: ag.astype(MATRIX, "complex64"),
            TypeError,
            "complex64' is not an element type",
        ),
    ],
)
def test_functions(use: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use()


ROWS = Spec((4, 2), float32)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (
            lambda: Add().infer(Spec((2,), float32), Spec((2,), float64)),
            TypeError,
            "add needs inputs of one type",
        ),
        (lambda: Add().infer(Spec((2,), float32), Spec((3,), float32)), ValueError, r"add .* not \(2,\) and \(3,\)"),
        (lambda: Reshape((-2, -2)).infer(ROWS), ValueError, r"cannot reshape"),
        (lambda: PermuteDims((1,)).infer(ROWS), ValueError, r"permute_dims: \(1,\) is no order"),
        (lambda: Concat(0).infer(ROWS, Spec((1, 2), int64)), TypeError, "concat needs one type, not float32 and int64"),
        (lambda: Slice((3, 0), (1, 1), (2, 2)).infer(ROWS), ValueError, r"slice: .* not within shape \(4, 2\)"),
        (lambda: Slice((0, 0), (2, 1), (3, 2)).infer(ROWS), ValueError, r"slice: .* not within shape \(4, 2\)"),
        (lambda: Slice((-1, 0), (1, 1), (1, 2)).infer(ROWS), ValueError, "slice"),
        (lambda: Slice((0,), (1,), (1,)).infer(ROWS), ValueError, "slice"),
        (lambda: Pad((1, 0), (1, 1), (4, 2)).infer(ROWS), ValueError, r"pad: .*\(4, 2\) from \(1, 0\) on"),
        (lambda: Pad((0,), (1,), (4,)).infer(ROWS), ValueError, "pad"),
        (lambda: Arange(3, ag.bool_).infer(), TypeError, "arange is of numbers, not bool"),
        (lambda: Uniform((3,), int64).infer(Spec((2,), int64)), TypeError, "uniform draws real numbers"),
        (
            lambda: Uniform((3,), float32).infer(Spec((3,), int64)),
            TypeError,
            r"uniform needs .* int64\(3,\)",
        ),
    ],
)
def test_operators(use: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use()


@pytest.mark.parametrize("name", ["scatter_rows", "sum_same_rows", "add_rows", "set_rows"])
def test_rows_that_do_not_fit_their_table(name: str) -> None:
    sample = next(s for s in samples(name) if s.inputs[-1].ndim == 2 and s.inputs[-1].size)
    *tables, where, rows = [Spec(x.shape, x.dtype) for x in sample.inputs]
    fewer = Spec((rows.shape[0] - 1, *rows.shape[1:]), rows.dtype)
    with pytest.raises(ValueError, match=f"{name}: rows of shape"):
        sample.operator.infer(*tables, where, fewer)
    with pytest.raises(TypeError, match=f"the index of {name} is for integers, not float32"):
        sample.operator.infer(*tables, Spec(where.shape, float32), rows)


@pytest.mark.parametrize("name", ["take", "scatter_rows", "sum_same_rows", "add_rows", "set_rows", "one_hot"])
@pytest.mark.parametrize("wrong", [-1, 5, 2**62, -(2**62)])
def test_an_index_outside_its_table_changes_nothing(name: str, wrong: int) -> None:
    checked = 0
    for sample in samples(name):
        position = {"take": 1, "add_rows": 1, "set_rows": 1}.get(name, 0)
        if sample.inputs[position].shape != (4,) or sample.inputs[position].dtype != int64:
            continue
        size = sample.inputs[0].shape[0] if position else getattr(sample.operator, "size", 0)
        if 0 <= wrong < size:
            continue
        checked += 1
        inputs = [x.copy() for x in sample.inputs]
        inputs[position][2] = wrong
        before = [x.copy() for x in inputs]
        with pytest.raises(IndexError, match=f"{name}: index {wrong} is outside a table of {size} row"):
            sample.operator.forward(*inputs)
        if hasattr(sample.operator, "forward_into"):
            with pytest.raises(IndexError, match=name):
                sample.operator.forward_into(*inputs)
        for x, old in zip(inputs, before, strict=True):
            np.testing.assert_array_equal(x, old)
    assert checked
