"""Scans: the body of a loop over time as a graph of nodes of its own, for all sequences that still have a row.

The body's axis of rows has a size that changes from step to step: a symbol that no guard asks about, known while the
loop runs. What the body reads and writes lies in buffers outside of it, at places that move from step to step.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, cast

from amigrad.backends.native.simplify import Node, Nodes, Simplified, build, finished
from amigrad.graph import Dim, DType, Operator, Shape, Size, Spec, Tensor, int32, recording
from amigrad.graph.gradients import topological_order
from amigrad.graph.trace import BodyTrace
from amigrad.operators.lookup import Take
from amigrad.operators.movement import Concat, Reshape, Slice
from amigrad.operators.packing import Packed, Packing
from amigrad.operators.scan import Scan
from amigrad.operators.stacking import Stack, Value

Place = Literal["fixed", "table", "rows", "state", "states", "index"]
"""Where an input of the body lies: all of a buffer outside, or of a part of one whose rows are looked up; the rows of
the step in one; those that hold the state, or all rows that there are, and the packing's row that says which of these
hold it.
"""

FOLLOWING = Packed._fields.index("following")
COUNTS = Packed._fields.index("counts")


class Loop(Operator):
    """A scan whose body is lowered. Inputs: the packing if it has one, initial, sequences, constants."""

    __eq__, __hash__ = object.__eq__, object.__hash__

    scan: Scan
    active: Dim
    batch: Dim
    body: Simplified
    inputs: tuple[tuple[Node, Place], ...]
    ends_unread: bool = False
    """Whether nobody outside reads a state: then none need be computed in the last step."""
    name = "scan"

    def infer(self, *inputs: Spec) -> Spec:
        whole = self.scan.infer(*inputs)
        return Spec((whole.shape[0], self.body.outputs[0].shape[1]), whole.dtype)

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError("a scan that is lowered runs natively")


def lower_scan(graph: Nodes, scan: Scan, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    """The node of a scan, None if its body cannot be native."""
    key = ("scan", id(scan.body), scan.packed, scan.reverse, *map(id, inputs))
    if key in graph.known:
        return graph.known[key]
    lengths, initial, rest = scan.named(inputs)
    batch = initial.shape[0]
    gathers = scan.packed and scan.reverse
    active: Dim = graph.scope.varying(batch) if scan.packed else 1
    body = scan.body
    found: dict[int, Node] = {}
    inner = Nodes(graph.scope)
    places: list[tuple[Node, Place]] = []

    def enter(spec: Spec, place: Place) -> Node:
        node = inner.add(Node(spec.shape, spec.dtype, source=Tensor(spec, None)), ("input", len(places)))
        places.append((node, place))
        return node

    with recording.tracing(BodyTrace(None)) as trace:
        trace.scope = graph.scope
        stand_ins = [trace.placeholder(Spec((active, *t.shape), t.dtype)) for t in (body.state, *body.sequences)]
        stand_ins += [trace.placeholder(t.spec) for t in body.constants]
        known = {
            id(t): Value(stand_in, place <= len(body.sequences))
            for place, (t, stand_in) in enumerate(zip(body.inputs, stand_ins, strict=True))
        }
        row = Stack(active, known).all_rows(body.row)
    state = stand_ins[0]
    if gathers:
        table = enter(Spec((shape[0], body.state.shape[0]), dtype), "states")
        index = enter(Spec((active,), int32), "index")
        index.trusted = True
        found[id(state)] = inner.apply(Take(), (table, index), state, None)
    else:
        found[id(state)] = enter(state.spec, "state")
    used: list[Node] = []
    for place, (stand_in, outside) in enumerate(zip(stand_ins[1:], rest, strict=True)):
        is_sequence = place < len(body.sequences)
        if outside.is_constant:
            found[id(stand_in)] = inner.number(cast(Any, outside.constant), stand_in.shape, stand_in.dtype)
        elif is_sequence and isinstance(outside.operator, Take) and is_trusted(outside.inputs[1]):
            rows, numbers = outside.inputs
            table, index = enter(Spec(rows.shape, rows.dtype), "table"), enter(Spec((active,), numbers.dtype), "rows")
            index.trusted = True
            found[id(stand_in)] = inner.apply(Take(), (table, index), stand_in, None)
            used += [rows, numbers]
        else:
            found[id(stand_in)] = enter(stand_in.spec, "rows" if is_sequence else "fixed")
            used.append(outside)
    build(inner, topological_order([row]), found)
    lowered = inner.finished([node for node, _ in places], [found[id(row)]])
    from amigrad.backends.native.lowerable import is_native

    if not all(is_native(node) or node.operator is None for node in lowered.nodes):
        return None
    operands = (initial, *used)
    if scan.packed:
        packing = graph.apply(Packing(scan.rows), (lengths,), Node((len(Packed._fields), scan.rows), int32), None)
        operands = (packing, *operands)
    loop = Loop(scan, active, batch, lowered, tuple(places))
    return graph.add(Node(shape, dtype, loop, operands), key)


def is_trusted(index: Node) -> bool:
    """Whether amigrad made an index itself, so that it need not be checked: it is a part of a packing, say."""
    while isinstance(index.operator, Slice | Reshape):
        (index,) = index.inputs
    return index.trusted or isinstance(index.operator, Packing)


def drop_unread(nodes: list[Node], roots: Collection[Node]) -> None:
    """Let loops store only what somebody reads: the state, and those parts beside it of which there is a slice. A
    forward loop keeps what its gradient might want, and when it is recorded there is no gradient yet.
    """
    readers: dict[Node, list[Node]] = {}
    for node in nodes:
        for operand in node.inputs:
            readers.setdefault(operand, []).append(node)
    for node in nodes:
        loop = node.operator
        if not isinstance(loop, Loop) or node in roots:
            continue
        row = loop.body.outputs[0]
        read = [_columns(reader) for reader in readers.get(node, ())]
        if row.operator != Concat(1) or not all(isinstance(part.shape[1], int) for part in row.inputs) or None in read:
            continue
        width = loop.scan.body.state.shape[0]
        ends_unread = isinstance(width, int) and all(some is not None and some.start >= width for some in read)
        loop = loop.changed(ends_unread=ends_unread)
        node.operator = loop
        read.append(range(cast(int, width)))
        kept: list[Node] = []
        places: dict[int, int] = {}
        stop = 0
        for part in row.inputs:
            columns = range(stop, stop := stop + cast(int, part.shape[1]))
            if any(some and max(some.start, columns.start) < min(some.stop, columns.stop) for some in read):
                kept.append(part)
                places |= {column: len(places) + i for i, column in enumerate(columns)}
        if len(kept) == len(row.inputs):
            continue
        body = loop.body.nodes
        if len(kept) > 1:
            row = Node((row.shape[0], len(places)), row.dtype, Concat(1), tuple(kept))
            body = [*body, row]
        else:
            (row,) = kept
        node.shape = (node.shape[0], len(places))
        node.operator = loop.changed(body=finished(body, loop.body.inputs, [row]))
        for reader in readers[node]:
            cut = cast(Slice, reader.operator)
            first = places.get(cast(int, cut.starts[1]), 0)  # Nothing at all may be read of what is not kept.
            reader.operator = Slice((cut.starts[0], first), cut.steps, cut.sizes)


def _columns(reader: Node) -> range | None:
    """The columns that a slice of a matrix takes; None if it is no slice, or it is not known which."""
    cut = reader.operator
    if not isinstance(cut, Slice) or cut.steps[1] != 1:
        return None
    first, count = cut.starts[1], cut.sizes[1]
    return range(first, first + count) if isinstance(first, int) and isinstance(count, int) else None


def names(size: Dim) -> set[str]:
    """The symbols of a size, those in its quotients too."""
    if not isinstance(size, Size):
        return set()
    found = {name for monomial in size.terms for name in monomial}
    for name in list(found):
        if name in size.scope.quotients:
            found |= names(size.scope.quotients[name].numerator)
    return found
