"""`ag.graph`: the lecture's seven steps as an object."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import amigrad as ag
from amigrad.graph import Graph, Tensor


def here() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


class Line:
    """C = (y - t)^2, y = o + b, o = w x: the lecture's graph."""

    def __init__(self) -> None:
        self.x, self.t = ag.tensor(5.0, name="x"), ag.tensor(16.0, name="t")
        self.w, self.b = ag.parameter(2.0, name="w"), ag.parameter(2.0, name="b")
        self.first_line = here() + 1
        self.o = self.w * self.x
        self.y = self.o + self.b
        self.d = self.y - self.t
        self.cost = self.d * self.d
        self.graph = ag.graph(self.cost)


def number(tensor: Tensor | None) -> float:
    assert tensor is not None
    return float(tensor)


def test_order_is_topological_and_complete() -> None:
    line = Line()
    order = line.graph.order()
    assert {id(v) for v in order} == {id(v) for v in vars(line).values() if isinstance(v, Tensor)}
    for place, variable in enumerate(order):
        if variable.operation is not None:
            made_from = {id(v) for v in variable.operation.inputs}
            assert made_from <= {id(v) for v in order[:place]}
    assert [id(v) for v in line.graph.inputs] == [id(v) for v in (line.w, line.x, line.b, line.t)]
    assert [o.name for o in line.graph.operations] == ["multiply", "add", "subtract", "multiply"]
    assert len(line.graph) == 8
    assert repr(line.graph) == "graph(8 variables, 4 operations)"
    assert [id(v) for v in ag.graph(line.cost)] == [id(v) for v in order]


def test_each_operation_knows_the_line_that_made_it() -> None:
    line = Line()
    places = [o.place for o in line.graph.operations]
    for offset, place in enumerate(places):
        assert place is not None
        assert (place.file, place.line, place.function) == (__file__, line.first_line + offset, "__init__")
    assert f"{__file__}:{line.first_line} in __init__" in repr(line.graph.operations[0])
    assert repr(line.graph.operations[0]).startswith("multiply(float32(), float32())")


def test_forward_step_by_step_from_new_values() -> None:
    line = Line()
    line.w.assign(3.0)
    line.x.set_value(np.array(6.0, dtype=np.float32))
    line.t.set_value(np.array(20.0, dtype=np.float32))
    seen = [(id(variable), float(variable)) for variable in line.graph.forward_steps()]
    assert seen == [(id(line.o), 18), (id(line.y), 20), (id(line.d), 0), (id(line.cost), 0)]


def test_forward_gives_each_value_again() -> None:
    line = Line()
    assert float(line.cost) == 16
    line.b.assign(6.0)
    assert float(line.cost) == 16
    assert line.graph.forward() is line.graph
    assert float(line.cost) == 0


def test_backward_step_by_step() -> None:
    line = Line()
    seen = [(id(variable), number(variable.grad)) for variable in line.graph.backward_steps()]
    assert seen[0] == (id(line.cost), 1)
    # d = -4: the gradient is 2 d along the sums, times x = 5 at w and times w = 2 at x, which is not tracked.
    slopes = {id(v): -8 for v in (line.d, line.y, line.o, line.b)}
    assert dict(seen) == {id(line.cost): 1, **slopes, id(line.w): -40}
    assert line.x.grad is None


def test_backward_leaves_gradients_and_no_graph_of_them() -> None:
    line = Line()
    line.graph.backward()
    for variable in (line.cost, line.d, line.y, line.o, line.w, line.b):
        assert variable.grad is not None
        assert variable.grad.operation is None
    before = number(line.w.grad)
    line.graph.backward()
    assert number(line.w.grad) == before


def test_a_variable_used_twice_counts_once_and_its_gradients_add_up() -> None:
    x = ag.tensor(3.0, tracked=True)
    y = x * x + x * 2.0
    assert sum(v is x for v in ag.graph(y)) == 1
    ag.graph(y).backward()
    assert number(x.grad) == 8


def test_a_graph_of_several_tensors() -> None:
    line = Line()
    both = ag.graph(line.y, line.cost)
    assert [id(v) for v in both.outputs] == [id(line.y), id(line.cost)]
    assert len(both) == 8
    with pytest.raises(ValueError, match="one cost of shape"):
        both.backward()
    with pytest.raises(ValueError, match="one cost of shape"):
        ag.graph(ag.parameter([1.0, 2.0]) * 2.0).backward()
    with pytest.raises(ValueError, match="needs the tensor"):
        Graph()


def test_what_has_no_gradient_is_a_constant_of_the_graph() -> None:
    x = ag.tensor([-1.0, 2.0], tracked=True)
    y = ag.where(x > 0, x, 0.0)
    x.set_value(np.array([5.0, -5.0], dtype=np.float32))
    ag.graph(y).forward()
    assert y.numpy().tolist() == [0, -5]


def test_forward_again_does_not_warn_of_what_the_first_run_did_not() -> None:
    x = ag.parameter([0.0, -1.0])
    y = ag.sum(ag.log(x))
    ag.graph(y).forward()
    assert np.isnan(y.numpy())
    assert isinstance(y.value, np.ndarray)
