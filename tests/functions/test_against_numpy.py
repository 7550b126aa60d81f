"""The functions of the array namespace against NumPy's, and their gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import amigrad as ag

Function = Callable[..., Any]
X = np.array([[0.3, -1.2, 2.5, 0.9], [1.7, 0.4, -0.6, 3.1], [-2.2, 0.8, 1.4, -0.1]])
Y = np.array([[1.1, 0.7, -0.4, 2.2], [-0.3, 1.9, 0.5, -1.6], [0.6, -2.4, 1.3, 0.2]])
I = np.array([[3, -7, 0, 5], [2, 8, -1, 4]])  # noqa: E741
B = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, False]])

SMOOTH: dict[str, tuple[Function, Function, tuple[Any, ...]]] = {
    "add of numbers": (lambda x: 1 + x, lambda x: 1 + x, (X,)),
    "add, broadcast": (ag.add, np.add, (X, Y[0])),
    "subtract, broadcast": (ag.subtract, np.subtract, (X[:, :1], Y)),
    "multiply, broadcast": (ag.multiply, np.multiply, (X[:, :1], Y[:1])),
    "divide": (ag.divide, np.divide, (X, Y)),
    "reciprocal": (ag.reciprocal, np.reciprocal, (X,)),
    "square": (ag.square, np.square, (X,)),
    "positive": (ag.positive, np.positive, (X,)),
    "pow 0.5": (lambda x: x**0.5, np.sqrt, (abs(X),)),
    "pow 1": (lambda x: x**1, lambda x: x, (X,)),
    "pow 2.0": (lambda x: x**2.0, np.square, (X,)),
    "pow 3": (lambda x: x**3, lambda x: x * x * x, (X,)),
    "pow 4": (lambda x: x**4, lambda x: x**4, (X,)),
    "pow -1": (lambda x: x**-1, lambda x: 1 / x, (abs(X),)),
    "pow 0": (lambda x: x**0, np.ones_like, (abs(X),)),
    "pow": (ag.pow, np.power, (abs(X), Y)),
    "log2": (ag.log2, np.log2, (abs(X),)),
    "log10": (ag.log10, np.log10, (abs(X),)),
    "logaddexp": (ag.logaddexp, np.logaddexp, (X, Y)),
    "logaddexp, equal": (ag.logaddexp, np.logaddexp, (X, X.copy())),
    "tan": (ag.tan, np.tan, (X / 3,)),
    "sinh": (ag.sinh, np.sinh, (X,)),
    "cosh": (ag.cosh, np.cosh, (X,)),
    "clip": (lambda x: ag.clip(x, -1, 2), lambda x: np.clip(x, -1, 2), (X,)),
    "clip below": (lambda x: ag.clip(x, 0.5), lambda x: np.maximum(x, 0.5), (X,)),
    "clip above": (lambda x: ag.clip(x, max=0.5), lambda x: np.minimum(x, 0.5), (X,)),
    "where": (lambda x, y: ag.where(B, x, y), lambda x, y: np.where(B, x, y), (X, Y)),
    "sum": (ag.sum, np.sum, (X,)),
    "sum over one axis": (lambda x: ag.sum(x, -1), lambda x: np.sum(x, -1), (X,)),
    "sum over two": (lambda x: ag.sum(x, (0, 1), keepdims=True), lambda x: np.sum(x, (0, 1), keepdims=True), (X,)),
    "mean": (lambda x: ag.mean(x, 0, keepdims=True), lambda x: np.mean(x, 0, keepdims=True), (X,)),
    "prod": (lambda x: ag.prod(x, 1), lambda x: np.prod(x, 1), (X,)),
    "max": (lambda x: ag.max(x, 1), lambda x: np.max(x, 1), (X,)),
    "min": (lambda x: ag.min(x, (0, 1)), lambda x: np.min(x, (0, 1)), (X,)),
    "var": (lambda x: ag.var(x, 1), lambda x: np.var(x, 1), (X,)),
    "var, corrected": (lambda x: ag.var(x, correction=1), lambda x: np.var(x, ddof=1), (X,)),
    "std": (lambda x: ag.std(x, 0, correction=1), lambda x: np.std(x, 0, ddof=1), (X,)),
    "logsumexp": (lambda x: ag.logsumexp(x, 1), lambda x: np.log(np.exp(x).sum(1)), (X,)),
    "logsumexp of all": (ag.logsumexp, lambda x: np.log(np.exp(x).sum()), (X,)),
    "vector_norm": (lambda x: ag.vector_norm(x, 1), lambda x: np.linalg.norm(x, axis=1), (X,)),
    "matmul": (ag.matmul, np.matmul, (X, Y.T)),
    "matmul of vectors": (ag.matmul, np.matmul, (X[0], Y[0])),
    "matmul of a vector and a matrix": (ag.matmul, np.matmul, (X[:, 0], Y)),
    "matmul of a matrix and a vector": (ag.matmul, np.matmul, (X, Y[0])),
    "matmul of a stack and a vector": (ag.matmul, np.matmul, (X.reshape(3, 2, 2), Y[0, :2])),
    "matmul of a vector and a stack": (ag.matmul, np.matmul, (Y[0, :2], X.reshape(3, 2, 2))),
    "matmul of a stack and a matrix": (ag.matmul, np.matmul, (X.reshape(3, 2, 2), Y[:2])),
    "matmul of a matrix and a stack": (ag.matmul, np.matmul, (X[:, :2], Y.reshape(3, 2, 2))),
    "matmul of stacks that broadcast": (ag.matmul, np.matmul, (X.reshape(3, 1, 2, 2), Y.reshape(3, 2, 2))),
    "vecdot": (ag.vecdot, lambda x, y: np.sum(x * y, -1), (X, Y)),
    "outer": (ag.outer, np.outer, (X[0], Y[:, 0])),
    "tensordot 1": (lambda x, y: ag.tensordot(x, y, 1), lambda x, y: np.tensordot(x, y, 1), (X, Y.T)),
    "tensordot 2": (ag.tensordot, np.tensordot, (X, Y)),
    "tensordot 0": (lambda x, y: ag.tensordot(x, y, 0), lambda x, y: np.tensordot(x, y, 0), (X[0], Y[1])),
    "reshape": (lambda x: ag.reshape(x, (2, -1)), lambda x: np.reshape(x, (2, -1)), (X,)),
    "flatten": (lambda x: ag.reshape(x, -1), np.ravel, (X,)),
    "transpose": (lambda x: x.T, np.transpose, (X,)),
    "matrix_transpose": (ag.matrix_transpose, lambda x: np.swapaxes(x, 1, 2), (X.reshape(1, 3, 4),)),
    "moveaxis": (lambda x: ag.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), (X.reshape(3, 2, 2),)),
    "moveaxis of two": (
        lambda x: ag.moveaxis(x, (0, 1), (2, 0)),
        lambda x: np.moveaxis(x, (0, 1), (2, 0)),
        (X.reshape(3, 1, 4),),
    ),
    "expand_dims": (lambda x: ag.expand_dims(x, (0, -1)), lambda x: np.expand_dims(x, (0, -1)), (X,)),
    "squeeze": (lambda x: ag.squeeze(x, 0), lambda x: np.squeeze(x, 0), (X[:1],)),
    "broadcast_to": (lambda x: ag.broadcast_to(x, (2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4)), (X[:, :1],)),
    "broadcast_arrays": (lambda x, y: ag.broadcast_arrays(x, y)[0], lambda x, y: x + 0 * y, (X[0], Y)),
    "concat": (lambda x, y: ag.concat([x, y], 1), lambda x, y: np.concatenate([x, y], 1), (X, Y)),
    "concat, flat": (lambda x, y: ag.concat([x, y], None), lambda x, y: np.concatenate([x, y], None), (X, Y)),
    "stack": (lambda x, y: ag.stack([x, y], -1), lambda x, y: np.stack([x, y], -1), (X, Y)),
    "pad": (lambda x: ag.pad(x, [(1, 0), (2, 1)]), lambda x: np.pad(x, [(1, 0), (2, 1)]), (X,)),
    "flip": (ag.flip, np.flip, (X,)),
    "flip of one axis": (lambda x: ag.flip(x, -1), lambda x: np.flip(x, -1), (X,)),
    "take": (lambda x: ag.take(x, [2, 0, 2], 1), lambda x: np.take(x, [2, 0, 2], 1), (X,)),
    "take of a matrix of indices": (lambda x: ag.take(x, I % 3), lambda x: np.take(x, I % 3, 0), (X,)),
    "roll": (lambda x: ag.roll(x, 1), lambda x: np.roll(x, 1), (X,)),
    "roll of axes": (lambda x: ag.roll(x, -5, (0, 1)), lambda x: np.roll(x, -5, (0, 1)), (X,)),
    "repeat": (lambda x: ag.repeat(x, 2, 1), lambda x: np.repeat(x, 2, 1), (X,)),
    "repeat, flat": (lambda x: ag.repeat(x, 3), lambda x: np.repeat(x, 3), (X,)),
    "tile": (lambda x: ag.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), (X,)),
    "unstack": (lambda x: ag.unstack(x, 1)[2], lambda x: x[:, 2], (X,)),
    "diff": (lambda x: ag.diff(x, 0), lambda x: np.diff(x, axis=0), (X,)),
    "meshgrid": (
        lambda x, y: ag.stack(ag.meshgrid(x, y)),
        lambda x, y: np.stack(np.meshgrid(x, y, indexing="ij")),
        (X[0], Y[1, :2]),
    ),
    "tril": (ag.tril, np.tril, (X,)),
    "triu": (lambda x: ag.triu(x, 1), lambda x: np.triu(x, 1), (X.reshape(2, 3, 2),)),
    "relu": (ag.relu, lambda x: np.maximum(x, 0), (X,)),
    "hardtanh": (ag.hardtanh, lambda x: np.clip(x, -1, 1), (X,)),
    "silu": (ag.silu, lambda x: x / (1 + np.exp(-x)), (X,)),
    "softplus": (ag.softplus, lambda x: np.log(1 + np.exp(x)), (X,)),
    "softplus at 0": (ag.softplus, lambda x: np.log(1 + np.exp(x)), (np.zeros(2),)),
    "softmax": (ag.softmax, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True), (X,)),
    "softmax of columns": (lambda x: ag.softmax(x, 0), lambda x: np.exp(x) / np.exp(x).sum(0), (X,)),
    "log_softmax": (ag.log_softmax, lambda x: np.log(np.exp(x) / np.exp(x).sum(-1, keepdims=True)), (X,)),
    "l1": (ag.l1, lambda x, y: np.abs(x).sum() + np.abs(y).sum(), (X, Y)),
    "l2": (ag.l2, lambda x, y: (x * x).sum() + (y * y).sum(), (X, Y)),
}

OTHERS: dict[str, tuple[Function, Function, tuple[Any, ...]]] = {
    "floor": (ag.floor, np.floor, (X,)),
    "ceil": (ag.ceil, np.ceil, (X,)),
    "trunc": (ag.trunc, np.trunc, (X,)),
    "round": (ag.round, np.round, (np.array([0.5, 1.5, -0.5, 2.4, -2.6, np.nan]),)),
    "floor of integers": (ag.floor, np.floor, (I,)),
    "sign": (ag.sign, np.sign, (np.array([-2.0, 0.0, 3.0, np.nan]),)),
    "isnan": (ag.isnan, np.isnan, (np.array([1, np.nan, np.inf, -np.inf]),)),
    "isinf": (ag.isinf, np.isinf, (np.array([1, np.nan, np.inf, -np.inf]),)),
    "isfinite": (ag.isfinite, np.isfinite, (np.array([1, np.nan, np.inf, -np.inf]),)),
    "isfinite of integers": (ag.isfinite, np.isfinite, (I,)),
    "isinf of integers": (ag.isinf, np.isinf, (I,)),
    "floor_divide": (ag.floor_divide, np.floor_divide, (I, 3)),
    "remainder": (ag.remainder, np.remainder, (I, -3)),
    "integer powers": (ag.pow, np.power, (I, abs(I))),
    "powers of an integer tensor": (lambda x: x**5, lambda x: x**5, (I,)),
    "greater": (ag.greater, np.greater, (X, Y)),
    "greater_equal": (ag.greater_equal, np.greater_equal, (I, 3)),
    "logical_xor": (ag.logical_xor, np.logical_xor, (B, B[0])),
    "any": (lambda x: ag.any(x, 0), lambda x: np.any(x, 0), (B,)),
    "all": (lambda x: ag.all(x, 1, keepdims=True), lambda x: np.all(x, 1, keepdims=True), (I,)),
    "sum of truth values": (lambda x: ag.sum(x, 0), lambda x: np.sum(x, 0), (B,)),
    "mean of integers": (ag.mean, lambda x: np.float32(np.mean(x)), (I,)),
    "count_nonzero": (lambda x: ag.count_nonzero(x, 1), lambda x: np.count_nonzero(x, 1), (I,)),
    "argmax": (ag.argmax, np.argmax, (X,)),
    "argmax of an axis": (lambda x: ag.argmax(x, 0, keepdims=True), lambda x: np.argmax(x, 0, keepdims=True), (X,)),
    "argmin": (lambda x: ag.argmin(x, -1), lambda x: np.argmin(x, -1), (X,)),
    "argmin of extremes": (ag.argmin, np.argmin, (np.array([0, -(2**63), 2**63 - 1]),)),
    "argmin with NaN": (ag.argmin, np.argmin, (np.array([2.0, np.nan, 1.0]),)),
    "max of integers": (ag.max, np.max, (I,)),
    "matmul of integers": (ag.matmul, np.matmul, (I, I.T)),
    "triu of truth values": (ag.triu, np.triu, (B,)),
    "roll of nothing": (lambda x: ag.roll(x, 2), lambda x: np.roll(x, 2), (np.zeros((0, 3)),)),
    "diff of one": (ag.diff, np.diff, (np.ones((2, 1)),)),
    "diff of none": (ag.diff, np.diff, (np.ones((2, 0)),)),
    "max of nothing, along other axes": (lambda x: ag.max(x, 1), lambda x: np.max(x, 1), (np.zeros((0, 3)),)),
    "sum of nothing": (ag.sum, np.sum, (np.zeros((0, 3)),)),
    "one_hot": (lambda x: ag.one_hot(x, 5), lambda x: np.eye(5, dtype=bool)[x], (I % 5,)),
    "flip of a number": (ag.flip, np.flip, (np.array(3.0),)),
    "arange": (lambda: ag.arange(5), lambda: np.arange(5), ()),
    "arange from to by": (lambda: ag.arange(2, 11, 3), lambda: np.arange(2, 11, 3), ()),
    "arange down": (lambda: ag.arange(5, -3, -2), lambda: np.arange(5, -3, -2), ()),
    "arange of nothing": (lambda: ag.arange(5, 2), lambda: np.arange(5, 2), ()),
    "arange of reals": (lambda: ag.arange(0.0, 1.0, 0.1), lambda: np.arange(0, 1, 0.1).astype("f4"), ()),
    "arange in float64": (lambda: ag.arange(3, dtype="float64"), lambda: np.arange(3.0), ()),
    "linspace": (lambda: ag.linspace(-1, 2, 7), lambda: np.linspace(-1, 2, 7).astype("f4"), ()),
    "linspace of one": (lambda: ag.linspace(3, 4, 1), lambda: np.linspace(3, 4, 1).astype("f4"), ()),
    "eye": (lambda: ag.eye(3), lambda: np.eye(3, dtype="f4"), ()),
    "eye, wide": (lambda: ag.eye(2, 4, dtype="int32"), lambda: np.eye(2, 4, dtype="i4"), ()),
    "full": (lambda: ag.full((2, 3), 7), lambda: np.full((2, 3), 7), ()),
    "full of truth": (lambda: ag.full(2, True), lambda: np.full(2, True), ()),
    "full_like": (lambda x: ag.full_like(x, 2), lambda x: np.full_like(x, 2), (I,)),
    "zeros_like": (ag.zeros_like, np.zeros_like, (X,)),
    "ones_like": (lambda x: ag.ones_like(x, "bool"), lambda x: np.ones_like(x, bool), (X,)),
}


@pytest.mark.parametrize("name", [*SMOOTH, *OTHERS])
def test_value(name: str) -> None:
    function, formula, inputs = (SMOOTH | OTHERS)[name]
    result, expected = function(*map(_tensor, inputs)), np.asarray(formula(*inputs))
    assert result.shape == expected.shape
    if name in OTHERS and "of integers" not in name:
        assert result.dtype == expected.dtype
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient(name: str) -> None:
    function, _, inputs = SMOOTH[name]
    ag.check_gradients(function, inputs)


def _tensor(value: Any) -> Any:
    return ag.tensor(value) if isinstance(value, np.ndarray) else value


def test_linspace_ends_at_its_end() -> None:
    for stop in (0.7, 1e9 + 1, -3.3):
        assert float(ag.linspace(0.1, stop, 11, dtype="float64")[-1]) == stop


def test_gelu_is_x_times_the_normal_distribution() -> None:
    # Abramowitz and Stegun, table 26.1: P(1) = 0.841344746, P(2) = 0.977249868.
    x = ag.tensor([-1.0, 0.0, 1.0, 2.0], "float64")
    np.testing.assert_allclose(ag.gelu(x).numpy(), [-0.158655254, 0, 0.841344746, 1.954499736], atol=2e-9)
    ag.check_gradients(ag.gelu, [X])


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (ag.softplus, [-1000, -50, 50, 1000, np.inf, -np.inf], [0, np.exp(-50), 50, 1000, np.inf, 0]),
        (ag.silu, [-1e4, 1e4], [0, 1e4]),
        (ag.gelu, [-1e4, 1e4], [0, 1e4]),
        (ag.log_softmax, [1e4, 1e4, 1e4, 1e4], [-np.log(4)] * 4),
        (ag.softmax, [-np.inf, 0, 0], [0, 0.5, 0.5]),
        (ag.logsumexp, [1e4, 1e4], 1e4 + np.log(2)),
        (ag.logsumexp, [-np.inf, -np.inf], -np.inf),
        (ag.logsumexp, [np.inf, 1], np.inf),
        (ag.vector_norm, [0, 0], 0),
        (ag.std, [3, 3], 0),
    ],
)
def test_extreme_values(function: Function, x: list[float], expected: Any) -> None:
    np.testing.assert_allclose(function(ag.tensor(x, "float64")).numpy(), expected, rtol=1e-15)


def test_logaddexp_of_extremes() -> None:
    inf = np.inf
    x, y = [1e4, 0, -inf, inf, -inf, inf, np.nan, 1], [1e4, -50, 1, 1, -inf, inf, 1, np.nan]
    with np.errstate(invalid="ignore"):
        expected = np.logaddexp(x, y)
    result = ag.logaddexp(ag.tensor(x, "float64"), ag.tensor(y, "float64"))
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-15)


def test_lengths_have_slope_0_at_0() -> None:
    for function in (ag.vector_norm, ag.std):
        x = ag.tensor([0.0, 0.0], tracked=True)
        (slope,) = ag.gradients(function(x), [x])
        assert slope.numpy().tolist() == [0, 0]


def test_no_functions_of_no_numbers() -> None:
    with pytest.raises(ValueError, match="a regulariser needs"):
        ag.l2()
    with pytest.raises(ValueError, match=r"moveaxis: .* names one axis twice"):
        ag.moveaxis(ag.ones((2, 3)), (0, 0), (0, 1))
    with pytest.raises(ValueError, match=r"a triangle is of a matrix, not of float32\(2,\)"):
        ag.tril(ag.ones(2))
