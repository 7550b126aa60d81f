"""First stage: the program as a graph of nodes without repetitions, constants folded, trivial operations gone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from amigrad.backends.program import Program
from amigrad.graph import Dim, DType, Operator, Shape, Size, Spec, State, Tensor, int32, sizes
from amigrad.graph.recording import Place
from amigrad.graph.sizes import terms_of
from amigrad.graph.tensor import Array
from amigrad.operators import create as c
from amigrad.operators import elementwise as e
from amigrad.operators import lookup
from amigrad.operators import movement as m
from amigrad.operators import reduce as r
from amigrad.operators.packing import Reorder
from amigrad.operators.scan import Scan


@dataclass(eq=False)
class Node:
    """A value of the program. Exactly one of `operator`, `source` and `constant` says where it comes from:
    an operation, a buffer that exists before the run (an input, a state, a constant array), or a number that
    fills the shape (a run-time size, perhaps).
    """

    shape: Shape
    dtype: DType
    operator: Operator | None = None
    inputs: tuple[Node, ...] = ()
    source: Tensor | None = None
    constant: Dim | float | bool | None = None
    place: Place | None = None
    number: int = field(default=0)
    trusted: bool = False
    """Whether this is an index that amigrad made itself, and need not be checked."""

    @property
    def is_constant(self) -> bool:
        """Whether this is one number that fills the shape."""
        return self.constant is not None

    def __repr__(self) -> str:
        shape = ", ".join(str(d) for d in self.shape)
        name = "" if self.source is None else self.source.name
        made = (
            f"{self.operator.name}({', '.join(f'%{i.number}' for i in self.inputs)})"
            if self.operator
            else (repr(self.constant) if self.is_constant else f"buffer {name}")
        )
        return f"%{self.number} = {made} : {self.dtype.name}({shape})"


class Simplified(NamedTuple):
    """The nodes in topological order, and those for the program's inputs, outputs and assignments."""

    nodes: list[Node]
    inputs: list[Node]
    outputs: list[Node]
    assignments: list[tuple[State, Node]]


def dim_key(dim: Dim) -> tuple[Any, ...]:
    """What tells a size from others, without asking whether they are equal."""
    return tuple(sorted(terms_of(dim).items()))


def shape_key(shape: Shape) -> tuple[Any, ...]:
    """What tells a shape from others."""
    return tuple(dim_key(d) for d in shape)


def _attribute_key(value: Any) -> Any:
    if isinstance(value, Size):
        return dim_key(value)
    if isinstance(value, tuple):
        return tuple(map(_attribute_key, value))
    return (type(value).__name__, value)


def operator_key(operator: Operator) -> tuple[Any, ...]:
    """What tells an operator with its attributes from others."""
    return (type(operator), *map(_attribute_key, operator.attribute_values()))


def known(shape: Shape) -> Shape:
    """A shape with what the trace found out about its sizes put in."""
    return tuple(sizes.simplify(d) if isinstance(d, Size) else d for d in shape)


def simplify(program: Program) -> Simplified:
    """The program's graph as nodes, each computation once."""
    graph = Nodes(program.scope)
    found: dict[int, Node] = {}
    inputs: list[Node] = []
    for tensor in program.inputs:
        found[id(tensor)] = graph.add(Node(known(tensor.shape), tensor.dtype, source=tensor), ("input", len(inputs)))
        inputs.append(found[id(tensor)])
    build(graph, program.order, found)
    assignments = [(state, found[id(t)]) for state, t in program.assignments]
    return graph.finished(inputs, [found[id(t)] for t in program.outputs], assignments)


def build(graph: Nodes, order: list[Tensor], found: dict[int, Node]) -> None:
    """Add the nodes of tensors in topological order; found: the nodes that there are, by the tensors' ids."""
    for tensor in order:
        if id(tensor) in found:
            continue
        if tensor.operation is None:
            found[id(tensor)] = graph.leaf(tensor)
        else:
            operands = tuple(found[id(i)] for i in tensor.operation.inputs)
            found[id(tensor)] = graph.apply(tensor.operation.operator, operands, tensor, tensor.operation.place)


def finished(
    nodes: list[Node], inputs: list[Node], outputs: list[Node], assignments: Sequence[tuple[State, Node]] = ()
) -> Simplified:
    """Of these nodes those that lead to the outputs and assignments, numbered."""
    results = [*outputs, *(n for _, n in assignments)]
    nodes = _live([*inputs, *results], nodes)
    if any(n.operator is not None and n.operator.name == Scan.name for n in nodes):
        from amigrad.backends.native.scans import drop_unread

        drop_unread(nodes, results)
    for number, node in enumerate(nodes):
        node.number = number
    return Simplified(nodes, inputs, outputs, list(assignments))


def _live(roots: list[Node], nodes: list[Node]) -> list[Node]:
    needed: set[int] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if id(node) not in needed:
            needed.add(id(node))
            stack.extend(node.inputs)
    return [n for n in nodes if id(n) in needed]


def _is_one_number(value: Array) -> bool:
    """Whether all elements are the same, also in the sign of zero."""
    first = value.ravel()[:1]
    return bool((first == value).all() and (value.dtype.kind != "f" or (np.signbit(first) == np.signbit(value)).all()))


class Nodes:
    """A graph of nodes that is being built, each computation once."""

    def __init__(self, scope: sizes.Scope) -> None:
        self.scope = scope
        self.nodes: list[Node] = []
        self.known: dict[Any, Node] = {}

    def finished(
        self, inputs: list[Node], outputs: list[Node], assignments: Sequence[tuple[State, Node]] = ()
    ) -> Simplified:
        """The nodes that lead to the outputs and assignments, numbered."""
        return finished(self.nodes, inputs, outputs, assignments)

    def add(self, node: Node, key: Any) -> Node:
        """The node, or the one that is already there for the same thing."""
        if key not in self.known:
            self.known[key] = node
            self.nodes.append(node)
        return self.known[key]

    def number(self, value: Dim | float | bool, shape: Shape, dtype: DType) -> Node:
        """A number that fills a shape."""
        key = dim_key(value) if isinstance(value, Size) else repr(value)
        return self.add(Node(shape, dtype, constant=value), ("number", key, dtype.name, shape_key(shape)))

    def leaf(self, tensor: Tensor) -> Node:
        """A state, a constant array, or the number that fills a constant array."""
        value = tensor.value
        if not isinstance(tensor, State) and value.size and _is_one_number(value):
            return self.number(value.ravel()[0].item(), tensor.shape, tensor.dtype)
        return self.add(Node(tensor.shape, tensor.dtype, source=tensor), ("leaf", id(tensor)))

    def apply(self, operator: Operator, inputs: tuple[Node, ...], spec: Any, place: Place | None) -> Node:
        """The node for an operation, simplified."""
        shape, dtype = known(spec.shape), spec.dtype
        if not isinstance(operator, Scan):
            operator = operator.map_sizes(sizes.simplify)
        rule = _RULES.get(type(operator))
        if rule is not None:
            simpler = rule(self, operator, inputs, shape, dtype)
            if simpler is not None:
                return simpler
        if isinstance(operator, e.Elementwise) and all(
            i.is_constant and not isinstance(i.constant, Size) for i in inputs
        ):
            with np.errstate(all="ignore"):
                value = operator.forward(*[np.array(i.constant, dtype=i.dtype) for i in inputs])
            return self.number(np.asarray(value, dtype=dtype).item(), shape, dtype)
        key = (operator_key(operator), *[id(i) for i in inputs])
        return self.add(Node(shape, dtype, operator, inputs, place=place), key)


class FirstSame(Operator):
    """For each place of an index in [0, size) the first place with the same index. index: (...) int -> (...) int32"""

    size: Dim
    name = "sum_same_rows"

    def infer(self, index: Spec) -> Spec:
        return Spec(index.shape, int32)

    def forward(self, index: Array) -> Array:
        _, first, places = np.unique(index, return_index=True, return_inverse=True)
        return first[places].reshape(index.shape).astype(np.int32)


class ReciprocalSqrt(e.Unary):
    """1 / √x, which takes less time than a root and a division."""

    name = "reciprocal_sqrt"

    def forward(self, x: Array) -> Array:
        return np.reciprocal(np.sqrt(x))


def _same_rows(
    graph: Nodes, operator: lookup.SumSameRows, inputs: tuple[Node, ...], shape: Shape, dtype: DType
) -> Node | None:
    """Rows are added up where their index stands first, and looked up from there."""
    index, rows = inputs
    if isinstance(index.operator, FirstSame):
        return None
    first = graph.apply(FirstSame(operator.size), (index,), Node(index.shape, int32), None)
    places = sizes.product(index.shape)
    row = shape[len(index.shape) :]
    sums = graph.apply(lookup.ScatterRows(places), (first, rows), Node((places, *row), dtype), None)
    return graph.apply(lookup.Take(), (sums, first), Node(shape, dtype), None)


Rule = Callable[[Nodes, Any, tuple[Node, ...], Shape, DType], Node | None]


def _full(graph: Nodes, operator: c.Full, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node:
    return graph.number(operator.value, shape, dtype)


def _movement(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    (x,) = inputs
    if x.constant is not None:
        return graph.number(x.constant, shape, dtype)
    if shape_key(x.shape) == shape_key(shape) and isinstance(operator, m.Reshape | m.BroadcastTo):
        return x
    if isinstance(operator, m.Reshape | m.BroadcastTo) and type(x.operator) is type(operator):
        return graph.apply(operator, x.inputs, Node(shape, dtype), None)
    return None


def _slice(graph: Nodes, operator: m.Slice, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    """A slice of a slice is one of what that was taken from; columns of rows looked up are looked up alone."""
    (x,) = inputs
    inner = x.operator
    if isinstance(inner, lookup.Take) and len(x.inputs[1].shape) == 1 and dim_key(shape[0]) == dim_key(x.shape[0]):
        table, index = x.inputs
        starts, sizes_ = (0, *operator.starts[1:]), (table.shape[0], *shape[1:])
        part = graph.apply(m.Slice(starts, operator.steps, sizes_), (table,), Node(sizes_, dtype), None)
        return graph.apply(lookup.Take(), (part, index), Node(shape, dtype), x.place)
    if not isinstance(inner, m.Slice):
        return _movement(graph, operator, inputs, shape, dtype)
    starts = tuple(a + b * step for a, b, step in zip(inner.starts, operator.starts, inner.steps, strict=True))
    steps = tuple(a * b for a, b in zip(inner.steps, operator.steps, strict=True))
    return graph.apply(m.Slice(starts, steps, operator.sizes), inputs[0].inputs, Node(shape, dtype), None)


def _identity(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    return inputs[0]


def _cast(graph: Nodes, operator: e.Cast, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    (x,) = inputs
    if isinstance(x.constant, Size) and dtype.kind in "fi":
        return graph.number(x.constant, shape, dtype)
    return x if x.dtype == dtype else None


def _neutral(*places: tuple[int, float]) -> Rule:
    """x for operations with a neutral element: (place of the element, its value). -0.0 + 0.0 is 0.0, so the neutral
    element of real addition is -0.0.
    """

    def rule(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
        for place, value in places:
            constant = inputs[place].constant
            if constant is None or isinstance(constant, Size) or constant != value:
                continue
            if dtype.kind != "f" or math.copysign(1, constant) == math.copysign(1, value):
                return inputs[1 - place]
        return None

    return rule


def _divide(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    """x / -y is -(x / y), and x / √y is x times the reciprocal root of y."""
    x, y = inputs
    spec = Node(shape, dtype)
    if isinstance(y.operator, e.Negative):
        return graph.apply(e.Negative(), (graph.apply(operator, (x, y.inputs[0]), spec, None),), spec, None)
    if (root := _reciprocal_root(graph, y)) is not None:
        return graph.apply(e.Multiply(), (x, root), spec, None)
    return _neutral((1, 1.0))(graph, operator, inputs, shape, dtype)


def _reciprocal_root(graph: Nodes, y: Node) -> Node | None:
    """1 / y where y are roots, moved perhaps."""
    if isinstance(y.operator, e.Sqrt):
        return graph.apply(ReciprocalSqrt(), y.inputs, y, y.place)
    if isinstance(y.operator, m.Reshape | m.BroadcastTo | m.PermuteDims):
        root = _reciprocal_root(graph, y.inputs[0])
        return None if root is None else graph.apply(y.operator, (root,), y, y.place)
    return None


def _where(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    condition, x, y = inputs
    if condition.is_constant:
        return x if condition.constant else y
    return x if x is y else None


def _negative(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    (x,) = inputs
    return x.inputs[0] if isinstance(x.operator, e.Negative) else None


def _reduction(
    graph: Nodes, operator: r.Reduction, inputs: tuple[Node, ...], shape: Shape, dtype: DType
) -> Node | None:
    return inputs[0] if not operator.axes and inputs[0].dtype == dtype else None


def _reorder(graph: Nodes, operator: Operator, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    x, index, _ = inputs
    return graph.apply(lookup.Take(), (x, index), Node(shape, dtype), None)


def _scan(graph: Nodes, operator: Scan, inputs: tuple[Node, ...], shape: Shape, dtype: DType) -> Node | None:
    from amigrad.backends.native.scans import lower_scan

    return lower_scan(graph, operator, inputs, shape, dtype)


_RULES: dict[type[Operator], Rule] = {
    c.Full: _full,
    m.Reshape: _movement,
    m.BroadcastTo: _movement,
    m.PermuteDims: _movement,
    m.Slice: _slice,
    m.Flip: _movement,
    e.StopGradient: _identity,
    e.Cast: _cast,
    e.Add: _neutral((0, -0.0), (1, -0.0)),
    e.Subtract: _neutral((1, 0.0)),
    e.Multiply: _neutral((0, 1.0), (1, 1.0)),
    e.Divide: _divide,
    e.Where: _where,
    e.Negative: _negative,
    r.Sum: _reduction,
    r.Prod: _reduction,
    r.Max: _reduction,
    r.Min: _reduction,
    lookup.SumSameRows: _same_rows,
    Reorder: _reorder,
    Scan: _scan,
}
