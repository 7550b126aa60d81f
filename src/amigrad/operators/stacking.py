"""Stacking: operations that were recorded for one row, done for all rows of a stack at once.

A stacked tensor has one axis more, in front: its rows. What is the same for all rows has no such axis. Elementwise
operators, reductions and movement keep their meaning one axis further on; a product with one matrix for all rows
becomes a single, larger product; and so does the sum over all rows of products, which is what weights' gradients are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from amigrad.graph import Dim, Operator, Shape, Tensor, apply, recording
from amigrad.graph.sizes import product
from amigrad.operators import create, linear, lookup, reduce
from amigrad.operators import elementwise as e
from amigrad.operators import movement as m

LINEAR = (m.Reshape, m.PermuteDims, m.BroadcastTo, m.Slice, m.Pad, m.Flip, e.Negative)
"""Operators of one input that can be applied after a sum over rows as well as before."""


class Value(NamedTuple):
    """A tensor of all rows (stacked) or the same for each of them."""

    tensor: Tensor
    stacked: bool


class Stack:
    """The values that a row's graph has for all rows, computed as they are asked for.

    known: what some of its tensors are, by id; the walk back from a tensor ends there. Other tensors without an
    operation, and those that have a value already, are the same for all rows.
    """

    def __init__(
        self, rows: Dim, known: Mapping[int, Value], sized: Callable[[Operator], Operator] | None = None
    ) -> None:
        """sized: gives an operator with its run-time sizes put in."""
        self.rows = rows
        self._sized = sized
        self._values = dict(known)
        self._kept: list[Tensor] = []

    def value(self, tensor: Tensor) -> Value:
        """What a tensor of the row's graph is for all rows."""
        tracing = recording.active_trace() is not None
        waiting = [tensor]
        while waiting:
            current = waiting[-1]
            if id(current) in self._values:
                waiting.pop()
                continue
            operation = current.operation
            if operation is None or not current.traced:
                self._put(current, Value(current, False))
                continue
            missing = [i for i in operation.inputs if id(i) not in self._values]
            if missing:
                waiting.extend(missing)
                continue
            inputs = [self._values[id(i)] for i in operation.inputs]
            operator = operation.operator if self._sized is None else self._sized(operation.operator)
            if any(i.stacked for i in inputs):
                self._put(current, Value(stacked(operator, self.rows, inputs), True))
            elif tracing and all(v.tensor is i for v, i in zip(inputs, operation.inputs, strict=True)):
                self._put(current, Value(current, False))
            else:
                self._put(current, Value(apply(operator, *[i.tensor for i in inputs]), False))
        return self._values[id(tensor)]

    def all_rows(self, tensor: Tensor) -> Tensor:
        """The same as a stacked tensor: (rows, ...)."""
        return _repeated(self.value(tensor), self.rows)

    def total(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor of the row's graph over all rows."""
        operation = tensor.operation
        if operation is not None and id(tensor) not in self._values:
            operator, inputs = operation.operator, operation.inputs
            match operator:
                case e.Add() | e.Subtract():
                    return apply(operator, self.total(inputs[0]), self.total(inputs[1]))
                case _ if isinstance(operator, LINEAR):
                    return apply(operator, self.total(inputs[0]))
                case linear.MatMul() if tensor.ndim == 2:
                    return self._total_product(inputs[0], inputs[1])
                case lookup.ScatterRows():
                    return apply(operator, self.all_rows(inputs[0]), self.all_rows(inputs[1]))
        value = self.value(tensor)
        if value.stacked:
            return apply(reduce.Sum((0,)), value.tensor)
        count = apply(create.Full(self.rows, tensor.dtype))
        return apply(e.Multiply(), value.tensor, apply(m.BroadcastTo(tensor.shape), count))

    def _total_product(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum over rows of x (m, k) times y (k, n): one product along the rows and k."""
        first, second = self.value(x), self.value(y)
        if not first.stacked:
            return apply(linear.MatMul(), first.tensor, self.total(y))
        if not second.stacked:
            return apply(linear.MatMul(), self.total(x), second.tensor)
        (rows, height, inner), width = first.tensor.shape, second.tensor.shape[-1]
        left = apply(m.PermuteDims((1, 0, 2)), first.tensor)
        left = apply(m.Reshape((height, product((rows, inner)))), left)
        right = apply(m.Reshape((product((rows, inner)), width)), second.tensor)
        return apply(linear.MatMul(), left, right)

    def _put(self, tensor: Tensor, value: Value) -> None:
        self._values[id(tensor)] = value
        self._kept.append(tensor)  # so that its id stays its own


def _repeated(value: Value, rows: Dim) -> Tensor:
    if value.stacked:
        return value.tensor
    return apply(m.BroadcastTo((rows, *value.tensor.shape)), value.tensor)


def stacked(operator: Operator, rows: Dim, inputs: list[Value]) -> Tensor:
    """The result of an operator of one row's tensors for all rows; at least one input is stacked."""
    match operator:
        case e.Elementwise() | linear.MatMul() | m.Concat() if len(inputs) > 1:
            if isinstance(operator, linear.MatMul):
                return _product(rows, *inputs)
            every = [_repeated(i, rows) for i in inputs]
            return apply(m.Concat(operator.axis + 1) if isinstance(operator, m.Concat) else operator, *every)
        case lookup.Take():
            return _take(rows, *inputs)
        case lookup.ScatterRows(size):
            return _scatter(rows, size, *inputs)
        case lookup.OneHot():
            return apply(operator, inputs[0].tensor)
    if len(inputs) != 1:
        raise TypeError(f"{operator.name} cannot be part of a scan's body where it depends on the state or a sequence")
    x = inputs[0].tensor
    match operator:
        case e.Elementwise():
            return apply(operator, x)
        case m.Reshape(shape):
            return apply(m.Reshape((rows, *shape)), x)
        case m.PermuteDims(axes):
            return apply(m.PermuteDims((0, *[a + 1 for a in axes])), x)
        case m.BroadcastTo(shape):
            missing = len(shape) + 1 - x.ndim
            if missing:
                x = apply(m.Reshape((rows, *[1] * missing, *x.shape[1:])), x)
            return apply(m.BroadcastTo((rows, *shape)), x)
        case m.Concat(axis):
            return apply(m.Concat(axis + 1), x)
        case m.Slice(starts, steps, sizes):
            return apply(m.Slice((0, *starts), (1, *steps), (rows, *sizes)), x)
        case m.Pad(starts, steps, shape):
            return apply(m.Pad((0, *starts), (1, *steps), (rows, *shape)), x)
        case m.Flip(axes):
            return apply(m.Flip(tuple(a + 1 for a in axes)), x)
        case reduce.Reduction(axes):
            return apply(type(operator)(tuple(a + 1 for a in axes)), x)
        case reduce.ArgMax(axis):
            return apply(reduce.ArgMax(axis + 1), x)
    raise TypeError(f"{operator.name} cannot be part of a scan's body where it depends on the state or a sequence")


def _product(rows: Dim, x: Value, y: Value) -> Tensor:
    """x: (..., m, k), y: (..., k, n) of each row -> (rows, ..., m, n)."""
    if x.stacked and not y.stacked and y.tensor.ndim == 2:
        _, height, inner = x.tensor.shape
        flat = apply(m.Reshape((product((rows, height)), inner)), x.tensor)
        result = apply(linear.MatMul(), flat, y.tensor)
        return apply(m.Reshape((rows, height, y.tensor.shape[-1])), result)
    if y.stacked and not x.stacked and x.tensor.ndim == 2:
        turned = Value(linear.transpose(y.tensor), True), Value(linear.transpose(x.tensor), False)
        return linear.transpose(_product(rows, *turned))
    return apply(linear.MatMul(), _repeated(x, rows), _repeated(y, rows))


def _take(rows: Dim, table: Value, index: Value) -> Tensor:
    """Rows of one table, or of a table for each row: there the classes are compared, so that none can be missed."""
    if not table.stacked:
        return apply(lookup.Take(), table.tensor, index.tensor)
    places, size, rest = _repeated(index, rows), table.tensor.shape[1], table.tensor.shape[2:]
    between = [1] * (places.ndim - 1)
    chosen = _chosen(places, size, rest, apply(m.Reshape((rows, *between, size, *rest)), table.tensor))
    total = apply(reduce.Sum((places.ndim,)), chosen)
    return apply(e.Cast(table.tensor.dtype), total) if total.dtype != table.tensor.dtype else total


def _scatter(rows: Dim, size: Dim, index: Value, added: Value) -> Tensor:
    """What undoes a lookup in a table for each row."""
    places, values = _repeated(index, rows), _repeated(added, rows)
    rest = values.shape[places.ndim :]
    chosen = _chosen(places, size, rest, apply(m.Reshape((*places.shape, 1, *rest)), values))
    axes = tuple(range(1, places.ndim))
    return apply(reduce.Sum(axes), chosen) if axes else chosen


def _chosen(places: Tensor, size: Dim, rest: Shape, values: Tensor) -> Tensor:
    """The values where an index names the class, 0 elsewhere: (*places, size, *rest)."""
    shape = (*places.shape, size, *rest)
    is_named = apply(m.Reshape((*places.shape, size, *[1] * len(rest))), apply(lookup.OneHot(size), places))
    zero = apply(m.BroadcastTo(shape), apply(create.Full(0, values.dtype)))
    return apply(e.Where(), *[apply(m.BroadcastTo(shape), t) for t in (is_named, values)], zero)
