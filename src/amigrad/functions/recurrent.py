"""`scan`: a loop over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from amigrad.functions.convert import as_tensor, broadcast_to
from amigrad.functions.manipulation import concat, reshape
from amigrad.graph import Dim, Spec, Tensor, TensorLike, apply, recording
from amigrad.graph.sizes import format_shape, product, same
from amigrad.graph.trace import BodyTrace
from amigrad.operators.lookup import Take
from amigrad.operators.movement import Slice
from amigrad.operators.packing import Packed, Reorder, packing_rows
from amigrad.operators.recurrence import Recurrence, columns, split
from amigrad.operators.scan import Scan
from amigrad.operators.stacking import Value

Nest: TypeAlias = Any
"""A tensor, or a tuple (or list) of tensors, or None."""
Step: TypeAlias = Callable[[Nest, Nest], tuple[Nest, Nest]]


def scan(
    body: Step,
    initial: Nest,
    sequences: Nest = None,
    *,
    lengths: TensorLike | None = None,
    steps: Dim | None = None,
    reverse: bool = False,
) -> tuple[Nest, Nest]:
    """A loop over time: `state, output = body(state, inputs)` for each step; gives the last state and all outputs.

    body: a function of tensors, run once to get its graph. Its states have one floating type. What does not wait for
    the state (x W for all inputs x, say) is found and computed for all steps at once, before or after the loop.
    initial: the first state, a tensor or a tuple of tensors. sequences: a tensor or a tuple of them, (T, ...) each; the
    inputs of step t are their rows t. Without sequences, `steps` says how many there are, and inputs is None.
    -> the last state, and the outputs (T, ...).

    lengths: (B,) int, each at least 1: sequences of different lengths, whose rows lie one after another, (N, ...) with
    N the sum of the lengths. The body is that of one sequence; the initial state is (B, ...), a row for each sequence.
    -> the last state of each sequence (B, ...), and the outputs (N, ...). Each sequence costs its own length only.

    reverse: from the last row to the first. ValueError, TypeError if shapes, types or lengths do not fit.

    >>> _, h = ag.scan(lambda h, x: (z := ag.tanh(x @ U + h @ W), z), ag.zeros(100), words)
    """
    firsts = [as_tensor(t) for t in _leaves(initial)]
    inputs = [as_tensor(t) for t in _leaves(sequences)]
    _require_one_type(firsts)
    rows = _rows(inputs, steps)
    packing: Packed | None = None
    lead: list[Tensor] = []
    if lengths is not None:
        lead = [as_tensor(lengths)]
        _require_rows(firsts, lead[0].shape[0])
        packing = packing_rows(lead[0], rows)
        order = apply(Slice((0,), (1,), (lead[0].shape[0],)), packing.order)
        firsts = [apply(Take(), t, order) for t in firsts]
        inputs = [apply(Reorder(), t, packing.source, packing.place) for t in inputs]
        batch: Dim = lead[0].shape[0]
    else:
        firsts = [reshape(t, (1, *t.shape)) for t in firsts]
        batch = 1
    specs = [Spec(t.shape[1:], t.dtype) for t in firsts]
    with recording.tracing(BodyTrace(recording.active_trace())) as trace:
        width = _total(specs)
        state = trace.placeholder(Spec((width,), specs[0].dtype), "state")
        rows_in = [trace.placeholder(Spec(t.shape[1:], t.dtype)) for t in inputs]
        arguments = _like(initial, split(state, specs)), _like(sequences, rows_in)
        new, output = _results(body(*arguments))
        parts = _new_state(new, specs)
        outputs = [as_tensor(t) for t in _leaves(output)]
        known = {id(t): Value(v, True) for t, v in zip(rows_in, inputs, strict=True)}
        recurrence = Recurrence(state, parts, known, rows, outputs, keep_gathered=True)
    flat = [reshape(t, (batch, product(t.shape[1:]))) for t in firsts]
    start = concat(flat, axis=1)
    operator = Scan(recurrence.body, rows, packing is not None, reverse)
    stored = apply(operator, *lead, start, *recurrence.before())
    states = columns(stored, 0, width)
    lengths_ = lead[0] if lead else None
    after = recurrence.after(operator.entering(lengths_, states), operator.own_rows(batch, stored))
    results = [after.all_rows(t) for t in outputs]
    if packing is not None:
        results = [apply(Reorder(), t, packing.place, packing.source) for t in results]
    last = split(operator.leaving(lengths_, states, batch), specs, lead=1)
    if packing is None:
        last = [reshape(t, t.shape[1:]) for t in last]
    return _like(initial, last), _like(output, results)


def _total(specs: Sequence[Spec]) -> Dim:
    total: Dim = 0
    for spec in specs:
        total = total + product(spec.shape)
    return total


def _leaves(nest: Nest) -> list[Any]:
    if nest is None:
        return []
    return list(nest) if isinstance(nest, tuple | list) else [nest]


def _like(nest: Nest, leaves: Sequence[Tensor]) -> Nest:
    """Tensors in the form of a nest."""
    if nest is None:
        return None
    return type(nest)(leaves) if isinstance(nest, tuple | list) else leaves[0]


def _rows(inputs: list[Tensor], steps: Dim | None) -> Dim:
    if not inputs:
        if steps is None:
            raise ValueError("scan: without sequences, `steps` says how many steps there are")
        return steps
    rows: Dim | None = steps
    for sequence in inputs:
        if not sequence.ndim:
            raise ValueError("scan: a sequence has an axis of steps in front, but one has shape ()")
        if rows is not None and not same(sequence.shape[0], rows):
            raise ValueError(f"scan: a sequence of shape {format_shape(sequence.shape)} has not {rows} rows")
        rows = sequence.shape[0]
    assert rows is not None
    return rows


def _require_one_type(states: list[Tensor]) -> None:
    if not states:
        raise ValueError("scan: there is no initial state")
    for state in states[1:]:
        if state.dtype != states[0].dtype:
            raise TypeError(f"scan: the states have one type, not {states[0].dtype.name} and {state.dtype.name}")


def _require_rows(states: list[Tensor], batch: Dim) -> None:
    for state in states:
        if not state.ndim or not same(state.shape[0], batch):
            raise ValueError(
                f"scan: an initial state of shape {format_shape(state.shape)}: its first size is the number of"
                f" lengths, {batch}"
            )


def _results(result: Any) -> tuple[Nest, Nest]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError("scan: the body returns two things: the new state, and the output (or None)")
    return result


def _new_state(new: Nest, specs: Sequence[Spec]) -> list[Tensor]:
    """The parts of the state that the body returns, of the right shapes and types."""
    leaves = _leaves(new)
    if len(leaves) != len(specs):
        raise ValueError(f"scan: the body returns a state of {len(leaves)} tensors; the initial one has {len(specs)}")
    found = []
    for leaf, spec in zip(leaves, specs, strict=True):
        tensor = as_tensor(leaf, spec.dtype if isinstance(leaf, int | float) else None)
        fits = tensor.dtype == spec.dtype and len(tensor.shape) <= len(spec.shape)
        for dim, wanted in zip(reversed(tensor.shape), reversed(spec.shape), strict=False):
            fits = fits and ((isinstance(dim, int) and dim == 1) or same(dim, wanted))
        if not fits:
            raise ValueError(f"scan: the body makes a state {tensor.spec} of {spec}")
        found.append(broadcast_to(tensor, spec.shape))
    return found
