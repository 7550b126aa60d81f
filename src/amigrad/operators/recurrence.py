"""Recurrence: a row's graph cut into what has to wait for the row before it, and what all rows can do at once.

A row of a scan is computed from the state that enters it and from sequences. Only what leads from that state to the
new state has to run step by step: that is the loop's body. Products (and lookups, reductions) of sequences alone are
done for all rows before the loop, in one operation each; what only the outputs, or gradients, need is done for all
rows after it, from the states and from the parts of the body that the loop keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from amigrad.graph import Dim, Spec, State, Tensor, apply
from amigrad.graph.operation import Operation
from amigrad.graph.sizes import product
from amigrad.operators import elementwise as e
from amigrad.operators import linear, reduce
from amigrad.operators import movement as m
from amigrad.operators.create import Full
from amigrad.operators.stacking import Stack, Value

CHEAP = (e.Elementwise, m.Reshape, m.PermuteDims, m.BroadcastTo, m.Slice, m.Pad, m.Flip, m.Concat)
"""Operators that cost no more in the loop than before or after it."""

GATHERING = (linear.MatMul, reduce.Reduction)
"""Operators whose results took more to compute than they are large: a forward loop keeps them for its gradient."""

COSTLY = (e.Exp, e.Expm1, e.Log, e.Log1p, e.Tanh, e.Sigmoid, e.Erf, e.Sin, e.Cos, e.Power)
"""Elementwise operators that take more than reading their result; it is kept too if the state is no smaller."""


@dataclass(frozen=True, eq=False)
class Body:
    """One step of a scan: from the state (S,), parts of sequences, and constants, to the row (S + K,) that the loop
    stores: the parts of the new state, and what it keeps beside them.

    order: the tensors that the step computes, in topological order; `inputs` are state, sequences, constants.
    """

    state: Tensor
    sequences: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]
    parts: tuple[Tensor, ...]
    kept: tuple[Tensor, ...]
    row: Tensor
    order: tuple[Tensor, ...]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """State, sequences, constants."""
        return (self.state, *self.sequences, *self.constants)

    @property
    def stored(self) -> tuple[Tensor, ...]:
        """What a row joins."""
        return (*self.parts, *self.kept)


class Recurrence:
    """The cut of a row's graph. state: its placeholder (S,); parts: what, joined, is the new state (S,);
    known: tensors of the graph whose values for all rows, or for each, are given; wanted: what is asked for later.

    `body` is what runs step by step. To be made while the row's graph is traced, used after that.
    """

    def __init__(
        self,
        state: Tensor,
        parts: Sequence[Tensor],
        known: Mapping[int, Value],
        rows: Dim,
        wanted: Iterable[Tensor] = (),
        *,
        keep_gathered: bool,
    ) -> None:
        self.stack = Stack(rows, known)
        self._known = known
        self._state = state
        self._waits: dict[int, bool] = {id(state): True}
        self._varies: dict[int, bool] = {id(state): True}
        self._sources: list[Tensor] = []
        self._order: list[Tensor] = []
        self._seen: set[int] = set()
        self._enter(parts)
        kept = self._keep(parts, list(wanted), keep_gathered)
        row = join([*parts, *kept])
        self._enter([row])
        varying = [self._varies_with_rows(t) for t in self._sources]
        sequences = tuple(t for t, varies in zip(self._sources, varying, strict=True) if varies)
        constants = tuple(t for t, varies in zip(self._sources, varying, strict=True) if not varies)
        self.body = Body(state, sequences, constants, tuple(parts), tuple(kept), row, tuple(self._order))

    def before(self) -> list[Tensor]:
        """What the loop takes from outside, computed: the sequences' values (N, ...), then the constants'."""
        return [self.stack.value(t).tensor for t in (*self.body.sequences, *self.body.constants)]

    def after(self, entering: Tensor, rows: Tensor) -> Stack:
        """The values of the row's graph after the loop. entering: (N, S) states, rows: (N, S + K) what it stored."""
        known = dict(self._known)
        known[id(self._state)] = Value(entering, True)
        known |= stored(self.body, rows)
        return Stack(self.stack.rows, known)

    def _enter(self, roots: Sequence[Tensor]) -> None:
        """Put what leads to the roots into the order, down to the state and to what is known or done before."""
        waiting = list(roots)
        while waiting:
            current = waiting[-1]
            if id(current) in self._seen or current is self._state:
                waiting.pop()
                continue
            operation = self._operation(current)
            if operation is None or not (self._depends(current) or is_free(operation)):
                if not is_number(current):
                    self._sources.append(current)
                self._seen.add(id(current))
                continue
            missing = [i for i in operation.inputs if id(i) not in self._seen and i is not self._state]
            if missing:
                waiting.extend(reversed(missing))
                continue
            self._seen.add(id(current))
            self._order.append(current)

    def _operation(self, tensor: Tensor) -> Operation | None:
        """How a tensor of the row's graph is made, None where it comes from outside of it."""
        return None if id(tensor) in self._known or not tensor.traced else tensor.operation

    def _depends(self, tensor: Tensor) -> bool:
        """Whether the loop has to compute a tensor: it waits for the state, or costs nothing to compute there."""
        if self._waits_for_state(tensor):
            return True
        operation = self._operation(tensor)
        if operation is None:
            return False
        if not self._varies_with_rows(tensor):
            return isinstance(operation.operator, m.BroadcastTo | m.Reshape)
        return not self._done_before(tensor)

    def _done_before(self, tensor: Tensor) -> bool:
        """Whether a tensor of sequences is worth computing for all rows at once: a product, a lookup, a reduction, or
        what is done to one of these element by element.
        """
        while (operation := self._operation(tensor)) is not None:
            if not isinstance(operation.operator, CHEAP):
                return True
            varying = [i for i in operation.inputs if self._varies_with_rows(i)]
            if len(varying) != 1 or not isinstance(operation.operator, e.Elementwise | m.Reshape):
                return False
            tensor = varying[0]
        return False

    def _varies_with_rows(self, tensor: Tensor) -> bool:
        return self._follows(tensor, self._varies, self._is_sequence)

    def _waits_for_state(self, tensor: Tensor) -> bool:
        return self._follows(tensor, self._waits, lambda _: False)

    def _is_sequence(self, tensor: Tensor) -> bool:
        return id(tensor) in self._known and self._known[id(tensor)].stacked

    def _follows(self, tensor: Tensor, found: dict[int, bool], is_start: Callable[[Tensor], bool]) -> bool:
        """Whether a tensor is computed from the state (or a sequence); remembers it for all on the way."""
        waiting = [tensor]
        while waiting:
            current = waiting[-1]
            if id(current) in found:
                waiting.pop()
                continue
            operation = self._operation(current)
            missing = [i for i in operation.inputs if id(i) not in found] if operation else []
            if missing:
                waiting.extend(missing)
                continue
            inputs = operation.inputs if operation else ()
            found[id(current)] = is_start(current) or any(found[id(i)] for i in inputs)
        return found[id(tensor)]

    def _keep(self, parts: Sequence[Tensor], wanted: list[Tensor], gathered: bool) -> list[Tensor]:
        """What the loop stores beside the state: what is wanted of the body later and not cheap to find again."""
        have = {id(t) for part in parts for t in unshaped(part)}
        inside = {id(t) for t in self._order}
        keep: list[Tensor] = []
        if gathered:
            keep = [t for t in self._order if self._is_dear(t)]
        seen: set[int] = set()
        waiting = wanted
        while waiting:
            current = waiting.pop()
            if id(current) in seen or id(current) in have or current is self._state:
                continue
            seen.add(id(current))
            operation = self._operation(current)
            if operation is None or not self._waits_for_state(current):
                continue
            if id(current) in inside and not isinstance(operation.operator, m.BroadcastTo | m.Pad | m.Reshape):
                keep.append(current)
            else:
                waiting.extend(operation.inputs)
        dtype = self._state.dtype
        unique = {id(t): t for t in keep if id(t) not in have and t.dtype == dtype}
        return list(unique.values())

    def _is_dear(self, tensor: Tensor) -> bool:
        """Whether the gradient should rather read a result than compute it again."""
        assert tensor.operation is not None
        size, width = product(tensor.shape), self._state.shape[0]
        small = isinstance(size, int) and isinstance(width, int) and size <= width
        return isinstance(tensor.operation.operator, GATHERING) or (
            small and isinstance(tensor.operation.operator, COSTLY)
        )


def is_number(tensor: Tensor) -> bool:
    """Whether this is one number that is known while the body is recorded: a part of the body, not an input."""
    return not (tensor.tracked or tensor.traced or isinstance(tensor, State)) and tensor.value.size == 1


def is_free(operation: Operation) -> bool:
    """Whether an operation makes something of nothing: a number that fills a shape."""
    operator, inputs = operation.operator, operation.inputs
    if isinstance(operator, Full):
        return True
    return isinstance(operator, m.BroadcastTo) and (
        is_number(inputs[0]) or (inputs[0].operation is not None and isinstance(inputs[0].operation.operator, Full))
    )


def unshaped(tensor: Tensor) -> list[Tensor]:
    """A tensor, and those that it is a reshape of."""
    found = [tensor]
    while tensor.operation is not None and isinstance(tensor.operation.operator, m.Reshape):
        tensor = tensor.operation.inputs[0]
        found.append(tensor)
    return found


def join(parts: Sequence[Tensor]) -> Tensor:
    """Tensors of a row as one vector."""
    flat = [p if p.ndim == 1 else apply(m.Reshape((product(p.shape),)), p) for p in parts]
    return flat[0] if len(flat) == 1 else apply(m.Concat(0), *flat)


def joined(whole: Tensor) -> list[Tensor]:
    """What a vector was joined from; itself if it was not."""
    operation = whole.operation
    return list(operation.inputs) if operation is not None and operation.operator == m.Concat(0) else [whole]


def split(whole: Tensor, specs: Sequence[Spec], lead: int = 0) -> list[Tensor]:
    """The parts that were joined, from the last axis of `whole`: (*lead, ...) -> for each (*lead, *shape)."""
    found, start = [], 0
    front = whole.shape[:lead]
    for spec in specs:
        size = product(spec.shape)
        part = columns(whole, start, size)
        start = start + size  # type: ignore[assignment]
        shape = (*front, *spec.shape)
        found.append(part if len(spec.shape) == 1 else apply(m.Reshape(shape), part))
    return found


def columns(whole: Tensor, start: Dim, size: Dim) -> Tensor:
    """A part of the last axis."""
    last = whole.shape[-1]
    if isinstance(start, int) and start == 0 and (size is last or (isinstance(size, int) and size == last)):
        return whole
    zeros: tuple[Dim, ...] = (0,) * (whole.ndim - 1)
    return apply(m.Slice((*zeros, start), (1,) * whole.ndim, (*whole.shape[:-1], size)), whole)


def stored(body: Body, rows: Tensor) -> dict[int, Value]:
    """The values of what a loop stored, and of what these are reshapes of. rows: (N, S + K)."""
    known: dict[int, Value] = {}
    for tensor, found in zip(body.stored, split(rows, [t.spec for t in body.stored], lead=1), strict=True):
        for same in unshaped(tensor):
            shape = (rows.shape[0], *same.shape)
            known[id(same)] = Value(found if same is tensor else apply(m.Reshape(shape), found), True)
    return known
