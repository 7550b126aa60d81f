"""Second stage: which nodes are computed together, in one loop nest or one matrix product: a kernel.

A kernel goes over every element of its domain. Its body are the nodes it computes element by element, in registers
(elementwise operators, lookups, ranges, random numbers; in a product's kernel the product itself comes first: they
are its epilogue). Its sinks are where results go: stores, reductions, rows added to or set in a table. A node joins
the kernel of one of its inputs if the domains are the same and no input would then wait for itself; what another
kernel reads is stored in a buffer; movement is never computed but read through a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from amigrad.backends.native.kernels import (
    BODY,
    MOVEMENT,
    ROWS,
    Check,
    Copy,
    Kernel,
    Kind,
    LengthsCheck,
    Reduce,
    Scatter,
    Schedule,
    Steps,
    Store,
)
from amigrad.backends.native.passes import matrix_of, updates
from amigrad.backends.native.products import scratch
from amigrad.backends.native.scans import FOLLOWING, Loop
from amigrad.backends.native.simplify import FirstSame, Node, Simplified, shape_key
from amigrad.backends.native.target import host
from amigrad.backends.native.views import View, contiguous_strides, move, reshape_strides, whole, whole_of
from amigrad.backends.workers import threads
from amigrad.graph import Dim, Operator, Shape, State, int32
from amigrad.graph.sizes import product
from amigrad.operators import create, linear, lookup, movement, random, reduce
from amigrad.operators.elementwise import Elementwise
from amigrad.operators.packing import Packing
from amigrad.operators.scan import Scan

_NOT_IN_PRODUCTS = (lookup.Take, lookup.OneHot, create.Arange, random.Uniform)
"""Operators of loops that a product's epilogue does not have."""

_LONGEST = 100
"""A body of more nodes gains nothing, and LLVM's time grows faster than its length."""


def is_native(node: Node) -> bool:
    """Whether the compiler can lower this node's operator."""
    from amigrad.backends.native.scalar import LOWERINGS

    operator = node.operator
    if isinstance(operator, Elementwise):
        return type(operator) in LOWERINGS
    return isinstance(
        operator,
        (
            *BODY,
            *MOVEMENT,
            *ROWS,
            reduce.Reduction,
            reduce.ArgMax,
            linear.MatMul,
            movement.Concat,
            movement.Pad,
            FirstSame,
            Packing,
            Loop,
        ),
    )


class _Scheduler:
    def __init__(self, graph: Simplified, in_place: bool) -> None:
        self.graph = graph
        self.in_place = in_place
        self.kernels: list[Kernel] = []
        self.checks: dict[object, Kernel] = {}
        self.home: dict[Node, Kernel] = {}
        self.producers: dict[Node, list[Kernel]] = {}
        self.views: dict[Node, View] = {}
        self.stored: set[Node] = set()
        self.readers: dict[Node, list[Kernel]] = {}
        self.lies = _places_in_concats(graph)
        self.assigned_rows = {
            node: state
            for state, node in graph.assignments
            if in_place
            and isinstance(node.operator, lookup.AddRows | lookup.SetRows)
            and node.inputs[0].source is state
        }

    # Reading

    def view(self, node: Node) -> View:
        """Where another kernel reads a node; what it lies in is stored from now on."""
        if node not in self.views:
            found = None
            if isinstance(node.operator, MOVEMENT):
                source = self.view(node.inputs[0])
                found = move(node.operator, source, node.shape)
                if found is None:
                    found = View(self._copied(node.inputs[0]), node.shape, contiguous_strides(node.shape))
            elif node.constant is not None:
                found = whole(self._copied(node))
            self.views[node] = found or self.lies.get(node) or whole(node)
        self._store(node)
        view = self.views[node]
        self._store(view.base)
        return view

    def _copied(self, node: Node) -> Node:
        copy = Node(node.shape, node.dtype, Copy(), (node,), place=node.place, number=-1)
        self._body(copy)
        return copy

    def _store(self, base: Node) -> None:
        kernel = self.home.get(base)
        if kernel is not None and base not in self.stored:
            self.stored.add(base)
            kernel.sinks.append(Store(base, self.lies.get(base) or whole(base)))

    def load(self, kernel: Kernel, node: Node) -> View:
        """Let a kernel read a node."""
        view = self.view(node)
        kernel.loads[node] = view
        self.require(kernel, view, node)
        if kernel.kind == "loop" and not isinstance(view.base.source, State):
            self.readers.setdefault(view.base, []).append(kernel)
        return view

    def require(self, kernel: Kernel, view: View, node: Node) -> None:
        """A kernel runs after those that make what it reads: a node's elements, in a view."""
        made = self._base(node)
        if made not in self.lies or self.lies[made].base is not view.base:
            made = view.base
        kernel.needs.update(k for k in self.producers.get(made, ()) if k is not kernel)

    def _base(self, node: Node) -> Node:
        while isinstance(node.operator, MOVEMENT):
            node = node.inputs[0]
        return node

    def _reaches(self, kernel: Kernel, goal: Kernel) -> bool:
        stack, seen = [kernel], {kernel}
        while stack:
            current = stack.pop()
            if current is goal:
                return True
            for needed in current.needs - seen:
                seen.add(needed)
                stack.append(needed)
        return False

    def _can_join(self, kernel: Kernel, operands: Iterable[Node]) -> bool:
        """Whether nothing among the operands would wait for the kernel that wants them."""
        for operand in operands:
            if operand.is_constant or self.home.get(operand) is kernel:
                continue
            for producer in self.producers.get(self._base(operand), ()):
                if producer is kernel or self._reaches(producer, kernel):
                    return False
        return True

    # Kernels

    def new(self, domain: Shape, kind: Kind = "loop") -> Kernel:
        """A new kernel."""
        kernel = Kernel(domain, kind)
        self.kernels.append(kernel)
        return kernel

    def _check(self, kernel: Kernel, node: Node, index: Node, size: Dim, table: View | None = None) -> None:
        if isinstance(index.operator, FirstSame) or index.trusted:
            return
        view = self.view(index)
        key = (view.key, str(size))
        if key not in self.checks:
            self.checks[key] = self.new(view.shape, "check")
            self.checks[key].check = Check(view, size, node)
            self.require(self.checks[key], view, index)
        kernel.needs.add(self.checks[key])
        check = self.checks[key].check
        if isinstance(check, Check) and table is not None and table.base.source is not None:
            check.tables.append(table)

    def _body(self, node: Node) -> None:
        """Put a node into the body of a kernel, of one that has an input of it if possible."""
        operands = node.inputs
        kernel = None
        for candidate in self._candidates(operands):
            if (
                len(candidate.body) < _LONGEST
                and not isinstance(node.operator, lookup.Take | lookup.OneHot)
                and shape_key(candidate.domain) == shape_key(node.shape)
                and self._can_join(candidate, operands)
                and not self._overwrites(candidate, operands)
            ):
                kernel = candidate
                break
        kernel = kernel or self.new(node.shape)
        for operand in operands if not isinstance(node.operator, _NOT_IN_PRODUCTS) else ():
            other = self.home.get(operand)
            if other is not None and other is not kernel and self._can_merge(kernel, other, node):
                self._merge(kernel, other)
        kernel.body.append(node)
        self.home[node] = kernel
        self.producers[node] = [kernel]
        for operand in operands:
            is_table = isinstance(node.operator, lookup.Take) and operand is operands[0]
            if is_table or (not operand.is_constant and self.home.get(operand) is not kernel):
                self.load(kernel, operand)
        match node.operator:
            case lookup.Take():
                self._check(kernel, node, node.inputs[1], node.inputs[0].shape[0], kernel.loads[node.inputs[0]])
            case lookup.OneHot(size):
                self._check(kernel, node, node.inputs[0], size)

    def _candidates(self, operands: tuple[Node, ...]) -> Iterator[Kernel]:
        """Kernels that have an operand in their body, products first, then those that read the buffer of one too."""
        homes = [self.home[operand] for operand in operands if operand in self.home]
        yield from sorted(homes, key=lambda home: home.kind != "product")
        for operand in operands:
            made = self._base(operand)
            buffer = self.lies[made].base if made in self.lies else made
            yield from reversed(self.readers.get(buffer, ()))

    def _can_merge(self, kernel: Kernel, other: Kernel, node: Node) -> bool:
        """Whether a loop over the same elements may be done in a kernel that wants to read a result of it."""
        gathers = any(isinstance(n.operator, _NOT_IN_PRODUCTS) for n in other.body)
        return (
            other.kind == "loop"
            and shape_key(other.domain) == shape_key(kernel.domain) == shape_key(node.shape)
            and len(kernel.body) + len(other.body) < _LONGEST
            and not any(isinstance(sink, Scatter) for k in (kernel, other) for sink in k.sinks)
            and not (kernel.kind == "product" and (gathers or any(isinstance(s, Reduce) for s in other.sinks)))
            and not self._reaches(kernel, other)
            and not self._reaches(other, kernel)
            and self._can_join(other, node.inputs)
        )

    def _merge(self, kernel: Kernel, other: Kernel) -> None:
        """Do in a kernel what another does, which then is no more."""
        kernel.body += other.body
        kernel.sinks += other.sinks
        kernel.fills += other.fills
        kernel.scratch += other.scratch
        kernel.loads |= other.loads
        kernel.needs |= other.needs
        self.kernels.remove(other)
        for node in other.body:
            self.home[node] = kernel
        for found in (*self.producers.values(), *self.readers.values()):
            if other in found:
                found[:] = dict.fromkeys(kernel if k is other else k for k in found)
        for waiting in self.kernels:
            if other in waiting.needs:
                waiting.needs.remove(other)
                waiting.needs.add(kernel)

    def _overwrites(self, kernel: Kernel, operands: Iterable[Node]) -> bool:
        """Whether a kernel changes rows of a state that it would also read."""
        states = [self.assigned_rows.get(s.target) for s in kernel.sinks if isinstance(s, Scatter)]
        return any(self._base(o).source is state for o in operands for state in states if state is not None)

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
        source, target = _unshaped(value, target)
        kernel = self._kernel_of(source, product=True)
        kernel.sinks.append(Store(source, target))
        return kernel

    def _concat(self, node: Node, axis: int) -> None:
        place = self.lies.get(node) or whole(node)
        self.producers[node] = []
        start: Dim = 0
        for part in node.inputs:
            target = View(place.base, part.shape, place.strides, place.offset + start * place.strides[axis])
            inner, lies = _unshaped(part, target)
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
        if width is not size:
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
                self._body(node)

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
        kernels = _ordered(self.kernels, self.assigned_rows)
        return (
            None
            if kernels is None
            else Schedule(kernels, outputs, self.graph, {n: n.inputs[0] for n in self.assigned_rows})
        )


def _unshaped(value: Node, target: View) -> tuple[Node, View]:
    """A value that is to lie in a view; for a reshape what it is made from, and the view in that shape."""
    source, place = value, target
    while isinstance(source.operator, movement.Reshape):
        (source,) = source.inputs
        strides = reshape_strides(place.shape, place.strides, source.shape)
        if strides is None:
            return value, target
        place = View(place.base, source.shape, strides, place.offset)
    return source, place


def _places_in_concats(graph: Simplified) -> dict[Node, View]:
    """Where nodes lie that are computed into their part of a concatenation at once, and have no buffer of their own."""
    found: dict[Node, View] = {}
    for node in reversed(graph.nodes):
        if not isinstance(node.operator, movement.Concat):
            continue
        place = found.get(node) or whole(node)
        axis, start = node.operator.axis, cast(Dim, 0)
        for part in node.inputs:
            offset = place.offset + start * place.strides[axis]
            inner, lies = _unshaped(part, View(place.base, part.shape, place.strides, offset))
            computed = isinstance(inner.operator, Elementwise | linear.MatMul | movement.Concat) and is_native(inner)
            if computed and inner not in found and inner not in graph.outputs:
                found[inner] = lies
            start = start + part.shape[axis]
    return found


def _ordered(kernels: list[Kernel], assigned_rows: dict[Node, State]) -> list[Kernel] | None:
    """Kernels in an order in which each has what it needs, states are read before they are overwritten, and
    nothing is overwritten before every index was checked. None if there is no such order.
    """
    writers: dict[int, list[Kernel]] = {}
    for kernel in kernels:
        for node in kernel.writes():
            state = node.source if node.source is not None else assigned_rows.get(node)
            if state is not None:
                writers.setdefault(id(state), []).append(kernel)
    before: dict[Kernel, set[Kernel]] = {k: set(k.needs) for k in kernels}
    every_writer = {k for found in writers.values() for k in found}
    checks = [k for k in kernels if k.checks()]
    for kernel in kernels:
        for view in kernel.reads():
            if view.base.source is not None:
                for writer in writers.get(id(view.base.source), ()):
                    if writer is not kernel:
                        before[writer].add(kernel)
    for writer in every_writer:
        before[writer].update(c for c in checks)
    order: list[Kernel] = []
    done: set[Kernel] = set()
    waiting = list(kernels)
    while waiting:
        ready = next((k for k in waiting if before[k] <= done and k not in every_writer), None)
        ready = ready or next((k for k in waiting if before[k] <= done), None)
        if ready is None:
            return None
        waiting.remove(ready)
        done.add(ready)
        order.append(ready)
    _pair(order, before)
    for number, kernel in enumerate(order):
        kernel.number = number
    return order


def _pair(order: list[Kernel], before: dict[Kernel, set[Kernel]]) -> None:
    """Let the update of a matrix follow the product with its transpose, and what it waits for come before both."""
    for kernel in list(order):
        matrix = matrix_of(kernel)
        if matrix is None:
            continue
        place = order.index(kernel)
        for update in order[place + 1 :]:
            if updates(update, matrix, kernel.domain[0]):
                waits = _closure(before[update], before) - set(order[: place + 1])
                if not any(kernel in before[k] or k.update for k in waits):
                    moved = [k for k in order if k in waits]
                    rest = [k for k in order if k not in waits and k is not update]
                    after = rest.index(kernel)
                    order[:] = [*rest[:after], *moved, kernel, update, *rest[after + 1 :]]
                    kernel.update = update
                break


def _closure(kernels: set[Kernel], before: dict[Kernel, set[Kernel]]) -> set[Kernel]:
    """Kernels, and all that have to run before them."""
    found: set[Kernel] = set()
    waiting = list(kernels)
    while waiting:
        kernel = waiting.pop()
        if kernel not in found:
            found.add(kernel)
            waiting.extend(before[kernel])
    return found


def schedule(graph: Simplified) -> Schedule:
    """Group the nodes of a program into kernels and order them.

    States are updated in place; where their updates wait for each other (two states that swap their values),
    all new values are computed first and copied at the end.
    """
    found = _Scheduler(graph, in_place=True).run() or _Scheduler(graph, in_place=False).run()
    if found is None:
        raise RuntimeError("no order of the kernels was found; please report the function that was compiled")
    return found
