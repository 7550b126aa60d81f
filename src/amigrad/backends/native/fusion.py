"""Fusion: which kernel computes a node, and what kernels leave in memory for each other.

A node joins the kernel of one of its inputs, or one that reads what it reads, if both go over the same elements and no
input would then wait for itself; loops over the same elements that both lead to it become one. What another kernel
reads is stored in a buffer; movement is never computed but read through a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from amigrad.backends.native.kernels import MOVEMENT, Check, Copy, Kernel, Kind, Reduce, Scatter, Store
from amigrad.backends.native.placement import places_in_concats
from amigrad.backends.native.scans import is_trusted
from amigrad.backends.native.simplify import FirstSame, Node, Simplified, shape_key
from amigrad.backends.native.views import View, contiguous_strides, move, whole
from amigrad.graph import Dim, Shape, State
from amigrad.operators import create, lookup, random

_NOT_IN_PRODUCTS = (lookup.Take, lookup.OneHot, create.Arange, random.Uniform)
"""Operators of loops that a product's epilogue does not have."""

_LONGEST = 100
"""A body of more nodes gains nothing, and LLVM's time grows faster than its length."""


class Fusion:
    """The kernels of a graph as they grow, node by node."""

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
        self.lies = places_in_concats(graph)
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
        self.join(copy)
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
        if isinstance(index.operator, FirstSame) or is_trusted(index):
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

    def join(self, node: Node) -> None:
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
