"""Second stage: which nodes are computed together, in one loop nest or one matrix product: a kernel.

A kernel goes over every element of its domain. Its body are the nodes it computes element by element, in registers
(elementwise operators, lookups, ranges, random numbers; in a product's kernel the product itself comes first: they
are its epilogue). Its sinks are where results go: stores, reductions, rows added to or set in a table. Here is what
each kind of operator asks of kernels; `fusion.py` decides which one a node joins, `order.py` in which order they run.
"""

from __future__ import annotations

from collections.abc import Iterable

from amigrad.backends.native.fusion import Fusion
from amigrad.backends.native.kernels import (
    MOVEMENT,
    ROWS,
    Kernel,
    LengthsCheck,
    Reduce,
    Scatter,
    Schedule,
    Steps,
    Store,
)
from amigrad.backends.native.lowerable import is_native
from amigrad.backends.native.order import ordered
from amigrad.backends.native.panels import scratch
from amigrad.backends.native.placement import unshaped
from amigrad.backends.native.scans import FOLLOWING, Loop
from amigrad.backends.native.simplify import FirstSame, Node, Simplified, dim_key, shape_key
from amigrad.backends.native.target import host
from amigrad.backends.native.updates import split_updates
from amigrad.backends.native.views import View, contiguous_strides, whole, whole_of
from amigrad.backends.workers import threads
from amigrad.graph import Dim, Operator, Shape, State, int32
from amigrad.graph.sizes import product
from amigrad.operators import linear, lookup, movement, reduce
from amigrad.operators.packing import Packing
from amigrad.operators.scan import Scan


class _Scheduler(Fusion):
    def _kernel_of(self, value: Node, others: Iterable[Node] = (), product: bool = False) -> Kernel:
        """A kernel that goes over a value's elements, to attach a sink to: its own, or a new one that loads it."""
        kernel = self.home.get(value)
        if kernel is not None and (product or kernel.kind == "loop") and self._can_join(kernel, others):
            return kernel
        kernel = self.new(value.shape)
        if not value.is_constant:
            self.load(kernel, value)
        return kernel

    def _reduce(self, node: Node, axes: tuple[int, ...]) -> None:
        (value,) = node.inputs
        kernel = self._kernel_of(value)
        kernel.sinks.append(Reduce(node, value, axes))
        self.producers[node] = [kernel]

    def _argmax(self, node: Node, axis: int) -> None:
        (value,) = node.inputs
        view = self.view(value)
        order = [*(a for a in range(len(view.shape)) if a != axis), axis]
        shape = tuple(view.shape[a] for a in order)
        kernel = self.new(shape)
        moved = View(view.base, shape, tuple(view.strides[a] for a in order), view.offset)
        kernel.loads[value] = moved
        self.require(kernel, moved, value)
        kernel.sinks.append(Reduce(node, value, (len(shape) - 1,)))
        self.producers[node] = [kernel]

    def _matmul(self, node: Node) -> None:
        kernel = self.new(node.shape, "product")
        kernel.body.append(node)
        self.home[node] = kernel
        self.producers[node] = [kernel]
        for operand in node.inputs:
            self.load(kernel, operand)
        left, right = (kernel.loads[operand] for operand in node.inputs)
        kernel.scratch.extend(scratch(left, right, host(), threads()))

    def _place(self, value: Node, target: View) -> Kernel:
        """Store a value in a part of a buffer."""
        source, target = unshaped(value, target)
        kernel = self._kernel_of(source, product=True)
        kernel.sinks.append(Store(source, target))
        return kernel

    def _concat(self, node: Node, axis: int) -> None:
        place = self.lies.get(node) or whole(node)
        self.producers[node] = []
        start: Dim = 0
        for part in node.inputs:
            target = View(place.base, part.shape, place.strides, place.offset + start * place.strides[axis])
            inner, lies = unshaped(part, target)
            if inner in self.lies and self.lies[inner].key == lies.key:
                self.view(inner)
                self.producers[node].extend(self.producers[inner])
            else:
                self.producers[node].append(self._place(part, target))
            start = start + part.shape[axis]

    def _pad(self, node: Node, operator: movement.Pad) -> None:
        strides = contiguous_strides(node.shape)
        offset: Dim = 0
        for first, stride in zip(operator.starts, strides, strict=True):
            offset = offset + first * stride
        target = View(
            node,
            node.inputs[0].shape,
            tuple(s * step for s, step in zip(strides, operator.steps, strict=True)),
            offset,
        )
        kernel = self._place(node.inputs[0], target)
        kernel.fills.append((node, 0))
        self.producers[node] = [kernel]

    def _rows(self, node: Node) -> None:
        """A scatter: into zeros, into a copy of the table, or into the table of a state that takes the result."""
        index, rows = node.inputs[-2:]
        state = self.assigned_rows.get(node)
        adds = not isinstance(node.operator, lookup.SetRows)
        kernel = self.home.get(rows)
        if (
            kernel is None
            or kernel.kind != "loop"
            or not self._can_join(kernel, [index])
            or any(s.base.source is state and state is not None for s in kernel.reads())
        ):
            kernel = self.new(rows.shape)
            if not rows.is_constant:
                self.load(kernel, rows)
        view = self.view(index)
        self.require(kernel, view, index)
        kernel.sinks.append(Scatter(node, rows, view, adds))
        self.producers[node] = [kernel]
        self._check(kernel, node, index, node.shape[0])
        if isinstance(node.operator, lookup.ScatterRows):
            kernel.fills.append((node, 0))
        elif state is None:
            before = self.new(node.shape)
            self.load(before, node.inputs[0])
            before.sinks.append(Store(node.inputs[0], whole(node)))
            kernel.needs.add(before)
            self.producers[node].append(before)

    def _first_same(self, node: Node) -> None:
        kernel = self.new(node.shape, "first_same")
        kernel.body.append(node)
        self._load_whole(kernel, node.inputs[0])
        kernel.scratch.append(Node((product(node.shape) * 2 + 1,), int32, number=-1))
        assert isinstance(node.operator, FirstSame)
        self._check(kernel, node, node.inputs[0], node.operator.size)
        self.producers[node] = [kernel]

    def _packing(self, node: Node) -> None:
        """The order of rows for a scan; the lengths are checked before."""
        assert isinstance(node.operator, Packing)
        kernel = self.new(node.shape, "packing")
        kernel.body.append(node)
        (lengths,) = node.inputs
        self._load_whole(kernel, lengths)
        check = self.new(lengths.shape, "check")
        check.check = LengthsCheck(kernel.loads[lengths], node.operator.rows)
        self.require(check, check.check.index, lengths)
        kernel.needs.add(check)
        counts: tuple[Dim, ...] = (node.operator.rows + 1, node.operator.rows + 2, *[lengths.shape[0]] * 3)
        kernel.scratch.extend(Node((count,), int32, number=-1) for count in counts)
        self.producers[node] = [kernel]

    def _scan(self, node: Node, loop: Loop) -> None:
        """A loop over time: its body is scheduled by itself; its initial states are stored before it runs."""
        kernel = self.new(node.shape, "scan")
        kernel.body.append(node)
        packing = node.inputs[0] if loop.scan.packed else None
        initial, *outside = node.inputs[1:] if packing else node.inputs
        bound: dict[Node, View] = {}
        inner = _Scheduler(loop.body, in_place=True)
        width = node.shape[1]
        waiting = iter(outside)
        for inside, place in loop.inputs:
            if place in ("state", "states"):
                view = View(node, (node.shape[0], inside.shape[1]), (width, 1))
            elif place == "index":
                assert packing is not None
                self.load(kernel, packing)
                rows = packing.shape[1]
                view = View(packing, (rows,), (1,), rows * FOLLOWING)
            else:
                operand = next(waiting)
                if place == "fixed" and len(operand.shape) > 1:
                    self._load_whole(kernel, operand)
                else:
                    self.load(kernel, operand)
                view = kernel.loads[operand]
            bound[inside] = view
            inner.views[inside] = View(inside, inside.shape, view.strides)
        if packing is not None:
            self.load(kernel, packing)
        body = inner.run()
        assert body is not None
        bound[body.outputs[0]] = whole(node)
        kernel.steps = Steps(loop, body, bound)
        before = self._initial_states(node, initial, loop.scan)
        kernel.needs.update(before)
        self.producers[node] = [kernel, *before]

    def _initial_states(self, node: Node, initial: Node, scan: Scan) -> list[Kernel]:
        """Kernels that put the initial states where a scan finds them, with zeros beside."""
        batch, size = initial.shape
        width = node.shape[1]
        first = scan.rows * width if scan.reverse else 0
        found = [self._place(initial, View(node, initial.shape, (width, 1), first))]
        if dim_key(width) != dim_key(size):
            beside: Shape = (batch, width - size)
            zeros = Node(beside, node.dtype, constant=0, number=-1)
            found.append(self._place(zeros, View(node, beside, (width, 1), first + size)))
        return found

    def _load_whole(self, kernel: Kernel, operand: Node) -> None:
        """Let a kernel read a node that lies in C order, copied if it does not."""
        view = self.view(operand)
        if view.key != whole_of(operand, view.base).key:
            copy = self._copied(operand)
            self._store(copy)
            view = whole(copy)
        kernel.loads[operand] = view
        self.require(kernel, view, operand)

    def _python(self, node: Node) -> None:
        kernel = self.new(node.shape, "python")
        kernel.body.append(node)
        for operand in node.inputs:
            self._load_whole(kernel, operand)
        self.producers[node] = [kernel]

    def visit(self, node: Node) -> None:
        """Schedule one node, whose inputs were scheduled before."""
        operator: Operator | None = node.operator
        if operator is None or isinstance(operator, MOVEMENT):
            return
        if not is_native(node):
            self._python(node)
            return
        match operator:
            case reduce.ArgMax(axis):
                self._argmax(node, axis)
            case reduce.Reduction():
                self._reduce(node, operator.axes)
            case linear.MatMul():
                self._matmul(node)
            case movement.Concat(axis):
                self._concat(node, axis)
            case movement.Pad():
                self._pad(node, operator)
            case FirstSame():
                self._first_same(node)
            case Packing():
                self._packing(node)
            case Loop():
                self._scan(node, operator)
            case _ if isinstance(operator, ROWS):
                self._rows(node)
            case _:
                self.join(node)

    # Results

    def output(self, node: Node) -> Node:
        """The node whose buffer is the output's: the result itself if nothing else claims it, else a copy."""
        computed = node.operator is not None and not isinstance(node.operator, MOVEMENT)
        if computed and node not in self.taken and node not in self.assigned_rows:
            self.view(node)
            self.taken.add(node)
            return node
        copy = self._copied(node)
        self._store(copy)
        self.taken.add(copy)
        return copy

    def assign(self, state: State, node: Node, leaf: Node) -> None:
        """Store a node's value in a state, in place if all that read the old value can do so before."""
        if node is leaf or self.assigned_rows.get(node) is state:
            return
        target = View(leaf, node.shape, contiguous_strides(node.shape))
        home = self.home.get(node)
        if (
            self.in_place
            and home is not None
            and home.kind in ("loop", "product")
            and self._may_overwrite(home, leaf, node)
        ):
            home.sinks.append(Store(node, target))
            return
        temporary = node
        if node.operator is None or isinstance(node.operator, MOVEMENT):
            temporary = self._copied(node)
        self._store(temporary)
        kernel = self.new(node.shape)
        self.load(kernel, temporary)
        kernel.sinks.append(Store(temporary, target))

    def _may_overwrite(self, kernel: Kernel, leaf: Node, value: Node) -> bool:
        for operand, view in kernel.loads.items():
            if view.base is leaf:
                aligned = view.is_whole() and shape_key(view.shape) == shape_key(kernel.domain)
                elementwise_only = not any(
                    isinstance(n.operator, lookup.Take | lookup.OneHot | linear.MatMul) and operand in n.inputs
                    for n in kernel.body
                )
                if not (aligned and elementwise_only):
                    return False
        return all(
            other is kernel or not self._reaches(other, kernel)
            for other in self.kernels
            if any(view.base is leaf for view in other.reads())
        )

    def run(self) -> Schedule | None:
        """The schedule."""
        self.taken: set[Node] = set()
        for node in self.graph.nodes:
            self.visit(node)
        outputs = [self.output(node) for node in self.graph.outputs]
        leaves = {id(n.source): n for n in self.graph.nodes if n.source is not None}
        for state, node in self.graph.assignments:
            leaf = leaves.get(id(state))
            if leaf is None:
                leaf = Node(tuple(state.shape), state.dtype, source=state, number=len(self.graph.nodes))
                self.graph.nodes.append(leaf)
                leaves[id(state)] = leaf
            self.assign(state, node, leaf)
        split_updates(self.kernels, self.home, self.taken, self._reaches)
        kernels = ordered(self.kernels, self.assigned_rows)
        return (
            None
            if kernels is None
            else Schedule(kernels, outputs, self.graph, {n: n.inputs[0] for n in self.assigned_rows})
        )


def schedule(graph: Simplified) -> Schedule:
    """Group the nodes of a program into kernels and order them.

    States are updated in place; where their updates wait for each other (two states that swap their values),
    all new values are computed first and copied at the end.
    """
    found = _Scheduler(graph, in_place=True).run() or _Scheduler(graph, in_place=False).run()
    if found is None:
        raise RuntimeError("no order of the kernels was found; please report the function that was compiled")
    return found
