"""A function run with tensors that have no value: its graph, its assignments, and what it may not ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amigrad as ag
from amigrad.graph import Spec, Tensor, Trace, TraceError
from amigrad.graph.gradients import topological_order
from amigrad.graph.operation import evaluate as evaluate_operation
from amigrad.graph.recording import tracing
from amigrad.graph.sizes import evaluate


class Traced:
    """A function's graph, run again by hand for inputs of other sizes."""

    def __init__(self, function: Callable[..., Any], *examples: Any) -> None:
        self.trace = Trace()
        arrays = [np.asarray(e) for e in examples]
        with tracing(self.trace):
            inputs = [self.trace.input(Spec(a.shape, a.dtype)) for a in arrays]
            result = function(*inputs)
            self.results = [self.trace.read(r) for r in (result if isinstance(result, tuple) else (result,))]

    def serves(self, *inputs: Any) -> bool:
        """Whether the guards hold for these inputs."""
        return all(guard.check(self.sizes(inputs)) for guard in self.trace.scope.guards)

    def sizes(self, inputs: tuple[Any, ...]) -> dict[str, int]:
        dims = [dim for x in inputs for dim in np.shape(x)]
        return {f"s{i}": dim for i, dim in enumerate(dims)}

    def __call__(self, *inputs: Any) -> list[Any]:
        sizes = self.sizes(inputs)
        values = {id(t): ag.tensor(np.asarray(x)) for t, x in zip(self.trace.inputs, inputs, strict=True)}
        for tensor in topological_order(self.results):
            if tensor.operation is not None:
                operator = tensor.operation.operator.map_sizes(lambda size: evaluate(size, sizes))
                parts = tuple(values[id(i)] for i in tensor.operation.inputs)
                values[id(tensor)] = ag.tensor(evaluate_operation(operator, parts))
            elif not tensor.traced:
                values[id(tensor)] = tensor
        return [values[id(r)].numpy() for r in self.results]


def test_data_sizes_are_run_time_sizes() -> None:
    w = ag.parameter(np.ones((3, 2)))
    traced = Traced(lambda x: ag.mean(ag.tanh(x @ w), axis=0), np.ones((4, 3)))
    for batch in (4, 1, 7, 1000):
        x = np.linspace(-1, 1, batch * 3).reshape(batch, 3)
        assert traced.serves(x)
        np.testing.assert_allclose(traced(x)[0], np.tanh(x @ np.ones((3, 2))).mean(0), rtol=1e-12)
    assert not traced.serves(np.ones((4, 5)))


def test_every_traced_tensor_knows_its_line() -> None:
    traced = Traced(lambda x: ag.exp(x), np.ones(3))
    operation = traced.results[0].operation
    assert operation is not None
    assert operation.place is not None
    assert operation.place.file == __file__
    assert repr(traced.results[0]) == "tensor(traced float64(s0,), from exp)"


@pytest.mark.parametrize("largest", [lambda x: ag.max(x, axis=0), lambda x: ag.argmax(x, axis=0), ag.max, ag.argmax])
def test_the_largest_of_no_elements_is_an_error_also_where_the_size_is_a_run_time_size(
    largest: Callable[[Tensor], Tensor],
) -> None:
    traced = Traced(largest, np.ones((3, 2)))
    assert traced.serves(np.ones((1, 2)))
    assert not traced.serves(np.ones((0, 2)))
    with pytest.raises(ValueError, match="max of no elements"):
        Traced(largest, np.ones((0, 2)))
    compiled = ag.compile(largest, backend="reference")
    for rows in (3, 5):
        assert compiled(np.ones((rows, 2))).numpy().max() in (0, 1)
    with pytest.raises(ValueError, match="max of no elements"):
        compiled(np.ones((0, 2)))
    assert compiled.compilations == 1


def test_the_largest_along_another_axis_than_the_empty_one() -> None:
    traced = Traced(lambda x: ag.max(x, axis=1), np.ones((0, 2)))
    assert traced(np.ones((0, 2)))[0].shape == (0,)
    assert traced.serves(np.ones((3, 1)))


SLICES = st.builds(
    slice,
    st.one_of(st.none(), st.integers(-6, 6)),
    st.one_of(st.none(), st.integers(-6, 6)),
    st.one_of(st.none(), st.sampled_from([1, 2, 3, -1, -2, -3])),
)


@given(SLICES, st.integers(0, 7))
def test_slices_of_run_time_sizes_are_pythons(key: slice, size: int) -> None:
    traced = Traced(lambda x: x[key], np.zeros(size))
    for other in range(10):
        x = np.arange(other, dtype=np.float64)
        if other == size:
            assert traced.serves(x)
        if traced.serves(x):
            assert traced(x)[0].tolist() == x[key].tolist()


def test_a_slice_without_limits_serves_every_size() -> None:
    traced = Traced(lambda x: (x[::-1], x[::2], x[-1:], x[1:]), np.zeros(5))
    for size in (1, 2, 5, 8, 100):
        x = np.arange(float(size))
        assert traced.serves(x)
        assert [r.tolist() for r in traced(x)] == [x[::-1].tolist(), x[::2].tolist(), x[-1:].tolist(), x[1:].tolist()]


def test_reshapes_with_run_time_sizes() -> None:
    def windows(x: Tensor) -> tuple[Tensor, ...]:
        rows = ag.reshape(x, (-1, 2))
        return rows, ag.reshape(rows, (x.shape[0],)), ag.reshape(x, (1, -1)), ag.arange(x.shape[0]), ag.mean(x)

    traced = Traced(windows, np.zeros(6))
    for size in (2, 6, 10):
        x = np.arange(float(size))
        rows, flat, row, count, mean = traced(x)
        assert rows.tolist() == x.reshape(-1, 2).tolist()
        assert (flat.tolist(), row.tolist()) == (x.tolist(), [x.tolist()])
        assert (count.tolist(), float(mean)) == (list(range(size)), x.mean())
    assert not traced.serves(np.zeros(5))


@pytest.mark.parametrize(
    "use",
    [
        lambda x: 1 if ag.sum(x) > 0 else 0,
        lambda x: float(ag.sum(x)),
        lambda x: int(ag.sum(x)),
        lambda x: ag.sum(x).item(),
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
        lambda x: [1, 2][ag.argmax(x)],
        lambda x: list(x),
        lambda x: np.from_dlpack(x),
        lambda x: x.value,
    ],
)
def test_what_only_a_run_knows_is_an_error_with_the_line(use: Callable[[Tensor], Any]) -> None:
    line = use.__code__.co_firstlineno
    with pytest.raises(TraceError, match=re.escape(f"(at {__file__}:{line} in <lambda>)")):
        Traced(use, np.ones(3))


@pytest.mark.parametrize(
    "use",
    [
        lambda w: float(w),
        lambda w: int(w),
        lambda w: bool(w),
        lambda w: w.item(),
        lambda w: w.numpy(),
        lambda w: np.asarray(w),
        lambda w: np.exp(w),
        lambda w: np.from_dlpack(w),
        lambda w: ag.tensor(w),
        lambda w: ag.parameter(w),
    ],
)
@pytest.mark.parametrize("kind", [ag.parameter, ag.state])
def test_the_value_of_a_parameter_or_a_state_is_known_only_at_a_call(
    kind: Callable[..., Tensor], use: Callable[[Tensor], Any]
) -> None:
    outer = kind(2.0, name="rate")
    use(outer)
    line = use.__code__.co_firstlineno
    message = f"needs the value of the {kind.__name__} rate.*" + re.escape(f"(at {__file__}:{line} in <lambda>)")
    with pytest.raises(TraceError, match=message):
        Traced(lambda x: x * use(outer), np.ones(3))


def test_an_integer_state_is_no_index_of_a_trace() -> None:
    count = ag.state(1)
    with pytest.raises(TraceError, match="an index needs the value of the state"):
        Traced(lambda x: [x, x][count], np.ones(3))  # type: ignore[call-overload]


def test_values_that_no_call_changes_may_be_used_while_tracing() -> None:
    fixed = ag.tensor(2.0, "float64")
    traced = Traced(lambda x: x * float(fixed), np.ones(3))
    assert traced(np.ones(2))[0].tolist() == [2, 2]


def test_an_error_speaks_of_the_alternative() -> None:
    with pytest.raises(TraceError, match="Use `where` instead of `if`"):
        Traced(lambda x: bool(ag.sum(x)), np.ones(3))


def test_assignments_are_seen_by_what_follows() -> None:
    count = ag.state(1.0)

    def function(x: Tensor) -> tuple[Tensor, ...]:
        before = count * 1.0
        count.assign(count + ag.sum(x))
        after = count * 1.0
        count.assign(count * 2.0)
        return before, after, count

    traced = Traced(function, np.array([1.0, 2.0], dtype=np.float32))
    assert [float(r) for r in traced(np.array([5.0, 1.0], dtype=np.float32))] == [1, 7, 14]
    assert len(traced.trace.assignments) == 1
    assert float(count) == 1


def test_gradients_while_tracing() -> None:
    w = ag.parameter([1.0, 2.0], "float64")
    ag.sum(w * 100.0).backward()

    def step(x: Tensor) -> tuple[Tensor, ...]:
        assert w.grad is None
        costs: list[Tensor] = []
        for _ in range(2):
            cost = ag.sum((w * x) ** 2)
            cost.backward()
            assert w.grad is not None
            w.assign(w - 0.25 * w.grad)
            costs.append(cost)
        return (*costs, w)

    traced = Traced(step, np.ones(2))
    # With x = 1 the gradient is 2 w: each step halves w.
    first, second, new = traced(np.ones(2))
    assert (float(first), float(second), new.tolist()) == (5, 1.25, [0.25, 0.5])
    assert w.grad is not None
    assert w.grad.numpy().tolist() == [100, 100]


def test_what_no_gradients_encloses_is_a_constant_while_tracing_too() -> None:
    def function(x: Tensor) -> Tensor:
        with ag.no_gradients():
            weights = x * 2.0
        (slope,) = ag.gradients(ag.sum(x * weights), [x])
        return slope

    x = np.array([1.0, 3.0])
    assert Traced(function, x)(x)[0].tolist() == [2, 6]
    assert function(ag.tensor(x, tracked=True)).numpy().tolist() == [2, 6]


def test_gradients_left_by_backward_are_constants_while_tracing_too() -> None:
    def function(w: Tensor, x: Tensor) -> Tensor:
        ag.sum(w * w * x).backward()
        assert w.grad is not None
        (slope,) = ag.gradients(ag.sum(w * w.grad), [w])
        return slope

    w, x = ag.parameter([1.0, 2.0], "float64"), np.array([1.0, 10.0])
    eager = function(w, ag.tensor(x)).numpy().tolist()
    assert eager == [2, 40]
    assert Traced(lambda x: function(w, x), x)(x)[0].tolist() == eager
