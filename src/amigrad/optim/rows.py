"""Gradients of lookup tables as rows: a step costs what it touches, whatever the size of the vocabulary.

Two forms of update use them. *exact*: the result is that of the dense gradient, in which rows that were not
looked up are zero. *lazy*: only the rows that were looked up are updated, their moments and their decay too, as
if time stood still for all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amigrad import functions as xp
from amigrad.graph import Dim, Parameter, State, Tensor, apply, gradients
from amigrad.graph.gradients import topological_order
from amigrad.graph.recording import active_trace
from amigrad.operators.elementwise import Add
from amigrad.operators.lookup import AddRows, ScatterRows, SetRows, SumSameRows, Take


@dataclass(frozen=True, eq=False)
class RowGradient:
    """The gradient of a lookup table: rows (..., ...) to be added up at index (...) of a table of `size` rows."""

    index: Tensor
    rows: Tensor
    size: Dim

    def dense(self) -> Tensor:
        """The same as a table, zero where nothing was looked up."""
        return apply(ScatterRows(self.size), self.index, self.rows)

    def total(self) -> Tensor:
        """Each row replaced by the sum of all rows with its index: the whole gradient of that row of the table."""
        return apply(SumSameRows(self.size), self.index, self.rows)

    def squared_norm(self) -> Tensor:
        """The sum of squares of the dense gradient, exactly: each row times the sum of its like."""
        return xp.sum(self.rows * self.total())

    def scaled(self, factor: Tensor) -> RowGradient:
        """The gradient times a number."""
        return RowGradient(self.index, self.rows * factor, self.size)


Gradient = Tensor | RowGradient


def find_gradients(cost: Tensor, parameters: Sequence[Parameter]) -> list[Gradient | None]:
    """The gradient of each parameter, as rows where the parameter is only looked up; None where it does not lead
    to the cost. cost: shape ().
    """
    trace = active_trace()
    targets = [trace.read(p) if trace is not None else p for p in parameters]
    wanted = {id(t) for t in targets}
    order = topological_order([cost])
    lookups: dict[int, list[Tensor]] = {}
    otherwise = {id(cost)}
    for tensor in order:
        if tensor.operation is None:
            continue
        looks_up = isinstance(tensor.operation.operator, Take)
        for place, source in enumerate(tensor.operation.inputs):
            if id(source) not in wanted:
                continue
            if looks_up and place == 0:
                lookups.setdefault(id(source), []).append(tensor)
            else:
                otherwise.add(id(source))
    reached = {id(t) for t in order}
    wrt = [
        use
        for target in targets
        if id(target) in reached
        for use in (lookups.get(id(target), []) if id(target) not in otherwise else [target])
    ]
    found = dict(zip(map(id, wrt), gradients(cost, wrt), strict=True))
    result: list[Gradient | None] = []
    for target in targets:
        if id(target) not in reached:
            result.append(None)
        elif id(target) in found:
            result.append(found[id(target)])
        else:
            uses = [(use.operation.inputs[1], found[id(use)]) for use in lookups[id(target)] if use.operation]
            result.append(_joined(uses, target))
    return result


def rows_of(gradient: Tensor) -> RowGradient | None:
    """The rows of a recorded gradient that is made of ScatterRows and their sums; None if it is anything else."""
    pending, uses = [gradient], []
    size: Dim | None = None
    while pending:
        operation = pending.pop().operation
        if operation is None:
            return None
        if isinstance(operation.operator, Add):
            pending += reversed(operation.inputs)
        elif isinstance(operation.operator, ScatterRows):
            size = operation.operator.size
            uses.append((operation.inputs[0], operation.inputs[1]))
        else:
            return None
    return _joined(uses, gradient) if size is not None else None


def add_rows(table: State, index: Tensor, rows: Tensor) -> None:
    """Add rows to some of a table's: recorded in a trace, else in place. index: (n,), rows: (n, ...)."""
    _update(AddRows(), table, index, rows)


def set_rows(table: State, index: Tensor, rows: Tensor) -> None:
    """Replace some of a table's rows (equal for an equal index): recorded in a trace, else in place."""
    _update(SetRows(), table, index, rows)


def _update(operator: AddRows | SetRows, table: State, index: Tensor, rows: Tensor) -> None:
    if active_trace() is not None:
        table.assign(apply(operator, table, index, rows))
    else:
        operator.infer(table.spec, index.spec, rows.spec)
        operator.forward_into(table.value, index.value, rows.value)


def _joined(uses: list[tuple[Tensor, Tensor]], table: Tensor) -> RowGradient:
    """All uses of a table as one, with the index flattened if there are several."""
    if len(uses) == 1:
        return RowGradient(*uses[0], table.shape[0])
    indices = [xp.reshape(index, (index.size,)) for index, _ in uses]
    rows = [xp.reshape(part, (index.size, *table.shape[1:])) for index, part in uses]
    if any(index.dtype != indices[0].dtype for index in indices):
        indices = [xp.astype(index, "int64") for index in indices]
    return RowGradient(xp.concat(indices), xp.concat(rows), table.shape[0])
