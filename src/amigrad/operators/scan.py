"""The loop over time: an operator whose body is a graph, and whose gradient is a scan the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from amigrad.graph import Dim, Operator, Spec, Tensor, apply, int32, recording
from amigrad.graph.gradients import propagate
from amigrad.graph.sizes import map_sizes, product
from amigrad.graph.tensor import Array
from amigrad.graph.trace import BodyTrace
from amigrad.operators import elementwise as e
from amigrad.operators import movement as m
from amigrad.operators.create import Full
from amigrad.operators.elementwise import zeros_like
from amigrad.operators.lookup import Take
from amigrad.operators.packing import counts_of, packing_rows, require_lengths
from amigrad.operators.recurrence import Body, Recurrence, columns, joined, split, stored
from amigrad.operators.stacking import Stack, Value


class Scan(Operator):
    """States of a recurrence, and what its body keeps beside them, of all rows.

    With `packed`: lengths (B,) int; initial (B, S); sequences (N, ...) in packed order, all in the order of the
    longest first; constants -> (B + N, S + K). The B rows of the initial states come first, in a `reverse` scan last,
    with zeros beside them. Without: no lengths, B is 1, and the N rows are one sequence.
    """

    body: Body
    rows: Dim
    packed: bool
    reverse: bool
    name = "scan"

    def infer(self, *inputs: Spec) -> Spec:
        initial = inputs[int(self.packed)]
        return Spec((initial.shape[0] + self.rows, self.body.row.shape[0]), self.body.row.dtype)

    def forward(self, *inputs: Array) -> Array:
        lengths, initial, rest = self.named(inputs)
        count, rows, batch = len(self.body.sequences), int(self.rows), len(initial)
        sequences, constants = rest[:count], rest[count:]
        width = initial.shape[1]
        result: Array | None = None
        start = 0 if self.reverse else batch
        latest = initial.copy()
        for offset, active in self._steps(lengths, rows):
            part = slice(offset, offset + active)
            row = self._step(latest[:active], [s[part] for s in sequences], constants)
            if result is None:
                result = np.zeros((batch + rows, row.shape[1]), dtype=row.dtype)
            result[start + offset : start + offset + active] = row
            latest[:active] = row[:, :width]
        if result is None:
            result = np.zeros((batch, int(self.body.row.shape[0])), dtype=initial.dtype)
        result[rows if self.reverse else 0 :][:batch, :width] = initial
        return result

    def map_sizes(self, function: Any) -> Operator:
        """The same operator for other sizes, those in its body too."""
        return _Sized(self.body, map_sizes(self.rows, function), self.packed, self.reverse, function)  # type: ignore[arg-type]

    def named(self, inputs: Sequence[Any]) -> tuple[Any, Any, Sequence[Any]]:
        """The lengths (None without), the initial state, and the sequences and constants."""
        return (inputs[0], inputs[1], inputs[2:]) if self.packed else (None, inputs[0], inputs[1:])

    def _steps(self, lengths: Array | None, rows: int) -> Iterator[tuple[int, int]]:
        """The first row of each step and how many it has, in the order of the steps."""
        if lengths is None:
            counts = np.ones(rows, dtype=np.int64)
        else:
            require_lengths(lengths, rows)
            counts = counts_of(lengths)
        offsets = np.cumsum(counts) - counts
        steps = [(int(o), int(c)) for o, c in zip(offsets, counts, strict=True)]
        return iter(reversed(steps) if self.reverse else steps)

    def _step(self, state: Array, sequences: Sequence[Array], constants: Sequence[Array]) -> Array:
        """The rows of one step. state: (n, S), sequences: (n, ...) -> (n, S + K)"""
        body = self.body
        stack = [Value(_constant(value), True) for value in (state, *sequences)]
        values = [*stack, *[Value(_constant(value), False) for value in constants]]
        with recording.no_gradients():
            known = {id(t): v for t, v in zip(body.inputs, values, strict=True)}
            return Stack(len(state), known, self._sized).all_rows(body.row).value

    def _sized(self, operator: Operator) -> Operator:
        return operator

    # Gradients: a scan from the last row to the first

    def entering(self, lengths: Tensor | None, states: Tensor) -> Tensor:
        """The state that enters each row. states: (B + N, S) -> (N, S)"""
        if lengths is None:
            first, width = int(self.reverse), states.shape[1]
            return apply(m.Slice((first, 0), (1, 1), (self.rows, width)), states)
        index = packing_rows(lengths, self.rows)
        return apply(Take(), states, index.following if self.reverse else index.previous)

    def leaving(self, lengths: Tensor | None, states: Tensor, batch: Dim) -> Tensor:
        """The last state of each sequence, in the order of the lengths. states: (B + N, S) -> (B, S)"""
        if lengths is None:
            place = 0 if self.reverse else self.rows
            return apply(m.Slice((place, 0), (1, 1), (1, states.shape[1])), states)
        index = packing_rows(lengths, self.rows)
        if self.reverse:
            return apply(Take(), states, _cut(index.first, batch))
        shift = apply(m.BroadcastTo((batch,)), apply(Full(batch, int32)))
        return apply(Take(), states, apply(e.Add(), _cut(index.last, batch), shift))

    def own_rows(self, batch: Dim, whole: Tensor) -> Tensor:
        """The N rows without those of the initial states."""
        first = 0 if self.reverse else batch
        return apply(m.Slice((first, 0), (1, 1), (self.rows, whole.shape[1])), whole)

    def backward(self, *inputs_output_gradient: Any) -> tuple[Tensor | None, ...]:
        *inputs, z, dz = inputs_output_gradient
        lengths, initial, rest = self.named(inputs)
        body, batch = self.body, initial.shape[0]
        width = body.state.shape[0]
        rows = self.own_rows(batch, z)
        known = {id(body.state): Value(self.entering(lengths, columns(z, 0, width)), True)} | stored(body, rows)
        varying = len(body.sequences)
        for place, (tensor, value) in enumerate(zip(body.inputs[1:], rest, strict=True)):
            known[id(tensor)] = Value(value, place < varying)
        parts = gradient_parts(dz, [t.spec for t in body.stored], self, batch)
        with recording.tracing(BodyTrace(recording.active_trace())) as trace:
            later = trace.placeholder(body.state.spec)
            later_parts = split(later, [t.spec for t in body.parts])
            starts = []
            for number, tensor in enumerate(body.stored):
                gradients = [later_parts[number]] if number < len(later_parts) else []
                part = parts[number]
                if part is not None:
                    gradients.append(trace.placeholder(tensor.spec))
                    known[id(gradients[-1])] = Value(part, True)
                if gradients:
                    starts.append((tensor, apply(e.Add(), *gradients) if len(gradients) > 1 else gradients[0]))
            wrt = [t for t in body.inputs if t.dtype.kind == "f"]
            order = [*body.inputs, *body.order]
            found = {id(t): g for t, g in propagate(order, starts, wrt, body.inputs)}
            entering = found.get(id(body.state))
            entering = zeros_like(body.state) if entering is None else entering
            wanted = [found[id(t)] for t in wrt[1:] if id(t) in found]
            recurrence = Recurrence(later, joined(entering), known, self.rows, wanted, keep_gathered=False)
        backward = Scan(recurrence.body, self.rows, self.packed, not self.reverse)
        zeros = apply(m.BroadcastTo((batch, width)), apply(Full(0, z.dtype)))
        given_lengths = [lengths] if self.packed else []
        result = apply(backward, *given_lengths, zeros, *recurrence.before())
        states = columns(result, 0, width)
        after = recurrence.after(backward.entering(lengths, states), backward.own_rows(batch, result))
        d_inputs: list[Tensor | None] = []
        for place, tensor in enumerate(body.inputs[1:]):
            gradient = found.get(id(tensor)) if tensor.dtype.kind == "f" else None
            if gradient is None:
                d_inputs.append(None)
            else:
                d_inputs.append(after.all_rows(gradient) if place < varying else after.total(gradient))
        d_initial = backward.leaving(lengths, states, batch)
        if self.packed:
            d_initial = apply(Take(), d_initial, _cut(packing_rows(lengths, self.rows).order, batch))
        given_initial = part_of(dz, self.rows if self.reverse else 0, batch, 0, width)
        if given_initial is not None:
            d_initial = apply(e.Add(), d_initial, given_initial)
        return (*[None for _ in given_lengths], d_initial, *d_inputs)


class _Sized(Scan):
    """A scan that is about to run, with the function that gives its run-time sizes."""

    function: Any

    def _sized(self, operator: Operator) -> Operator:
        return operator.map_sizes(self.function)


def _constant(value: Array) -> Tensor:
    return Tensor(Spec(value.shape, value.dtype), value)


def _cut(index: Tensor, count: Dim) -> Tensor:
    return apply(m.Slice((0,), (1,), (count,)), index)


def gradient_parts(dz: Tensor, specs: Sequence[Spec], scan: Scan, batch: Dim) -> list[Tensor | None]:
    """The gradient of each thing that a scan stored, for its N rows: (N, *shape); None where it is zero."""
    found: list[Tensor | None] = []
    start: Dim = 0
    first = 0 if scan.reverse else batch
    for spec in specs:
        size = product(spec.shape)
        part = part_of(dz, first, scan.rows, start, size)
        if part is not None and len(spec.shape) != 1:
            part = apply(m.Reshape((scan.rows, *spec.shape)), part)
        found.append(part)
        start = start + size
    return found


def part_of(whole: Tensor, first: Dim, rows: Dim, start: Dim, width: Dim) -> Tensor | None:
    """Rows and columns of a matrix that may be a sum of padded ones; None if they are padding only."""
    operation = whole.operation
    if operation is not None and isinstance(operation.operator, e.Add):
        parts = [part_of(x, first, rows, start, width) for x in operation.inputs]
        given = [p for p in parts if p is not None]
        return given[0] if len(given) == 1 else apply(e.Add(), *given) if given else None
    if operation is not None and isinstance(operation.operator, m.Pad) and operation.operator.steps == (1, 1):
        (inner,) = operation.inputs
        top, left = operation.operator.starts
        if _apart(top, inner.shape[0], first, rows) or _apart(left, inner.shape[1], start, width):
            return None
        if _within(first, rows, top, inner.shape[0]) and _within(start, width, left, inner.shape[1]):
            return part_of(inner, first - top, rows, start - left, width)
    if _within(0, whole.shape[0], first, rows) and _within(0, whole.shape[1], start, width):
        return whole
    return apply(m.Slice((first, start), (1, 1), (rows, width)), whole)


def _apart(a: Dim, size: Dim, b: Dim, other: Dim) -> bool:
    """Whether it is sure that a part from a on has nothing of that from b on."""
    return _not_negative(b - a - size) or _not_negative(a - b - other)


def _within(a: Dim, size: Dim, b: Dim, other: Dim) -> bool:
    """Whether it is sure that a part from a on lies in that from b on."""
    return _not_negative(a - b) and _not_negative(b + other - a - size)


def _not_negative(difference: Dim) -> bool:
    terms = [difference] if isinstance(difference, int) else difference.terms.values()
    return all(term >= 0 for term in terms)
