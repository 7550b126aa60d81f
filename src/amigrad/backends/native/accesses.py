"""What the kernel of a loop reads and writes, and where: an access for each, over the axes that are left.

Axes of size 1 are taken away, and neighbours that all accesses go through as one are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from amigrad.backends.native.ir import Function
from amigrad.backends.native.kernels import Kernel, Reduce, Scatter, Sink, Store
from amigrad.backends.native.simplify import Node, dim_key
from amigrad.backends.native.target import Target
from amigrad.backends.native.values import Access
from amigrad.backends.native.views import View, contiguous_strides, is_unit
from amigrad.graph import Dim, DType, int64
from amigrad.operators import create, lookup, random, reduce

Pointer = Callable[[Function, Node], str]


class Accesses:
    """The accesses of a kernel of kind "loop", its merged axes, and how many elements a vector of it has."""

    def __init__(
        self, f: Function, kernel: Kernel, target: Target, pointer: Pointer, final: Container[Node] = ()
    ) -> None:
        """final: nodes that nobody reads once they are stored."""
        self.f = f
        self.target = target
        self.final = final
        self.past_caches = False
        self.kernel = kernel
        self.pointer = pointer
        self.axes = len(kernel.domain)
        self.accesses: list[Access] = []
        self.loads = {n: self._viewed(v) for n, v in kernel.loads.items() if self._is_elementwise(n)}
        self.indices: dict[object, Access] = {}
        self.rows: dict[object, Access] = {}
        self.row_strides: dict[object, Dim] = {}
        self.outputs: dict[Sink, Access] = {}
        for node in kernel.body:
            self._add_node(node)
        for sink in kernel.sinks:
            self._add_sink(sink)
        self.domain = self._merge(list(kernel.domain))
        self.lanes = self._choose_lanes(target)
        self.shared = False
        self.offsets: dict[Access, str] = {}
        self.body = frozenset(kernel.body)
        self.depths: dict[Node, int] = {}
        self.scalars: dict[Node, str] = {}
        self.classes: dict[Node, str] = {}

    def _is_elementwise(self, node: Node) -> bool:
        """Whether a loaded node is read at the element that is being computed, not through an index."""
        for consumer in self.kernel.body:
            match consumer.operator:
                case lookup.Take() | lookup.OneHot() | random.Uniform():
                    continue
            if node in consumer.inputs:
                return True
        return any(sink.value is node for sink in self.kernel.sinks)

    def _access(self, base: Node | None, dtype: DType, strides: list[Dim], offset: Dim = 0) -> Access:
        access = Access(base, dtype, strides, offset)
        self.accesses.append(access)
        return access

    def _viewed(self, view: View, trailing: int = 0) -> Access:
        strides: list[Dim] = [0 if is_unit(d) else s for d, s in zip(view.shape, view.strides, strict=True)]
        return self._access(view.base, view.base.dtype, [*strides, *[0] * trailing], view.offset)

    def _add_node(self, node: Node) -> None:
        match node.operator:
            case lookup.Take():
                table, index = node.inputs
                row = len(table.shape) - 1
                self._index(node, self.kernel.loads.get(index), row)
                view = self.kernel.loads[table]
                self.rows[node] = self._access(
                    view.base, table.dtype, [*[0] * len(index.shape), *view.strides[1:]], view.offset
                )
                self.row_strides[node] = view.strides[0]
            case lookup.OneHot():
                self._index(node, self.kernel.loads.get(node.inputs[0]), 1)
                self.rows[node] = self._access(None, int64, [*[0] * (self.axes - 1), 1])
            case create.Arange():
                self.rows[node] = self._access(None, int64, [1])
            case random.Uniform():
                self.rows[node] = self._access(None, int64, list(contiguous_strides(node.shape)))

    def _index(self, key: object, view: View | None, trailing: int) -> None:
        if view is not None:
            self.indices[key] = self._viewed(view, trailing)

    def _add_sink(self, sink: Sink) -> None:
        match sink:
            case Store(_, target):
                self.outputs[sink] = self._viewed(target)
            case Reduce(node, _, axes):
                kept = iter(contiguous_strides(node.shape))
                strides: list[Dim] = [0 if a in axes else next(kept) for a in range(self.axes)]
                self.outputs[sink] = self._access(node, node.dtype, strides)
            case Scatter(target_node, _, index, _):
                strides_ = contiguous_strides(target_node.shape)
                self._index(sink, index, self.axes - len(index.shape))
                self.outputs[sink] = self._access(
                    target_node, target_node.dtype, [*[0] * len(index.shape), *strides_[1:]]
                )
                self.row_strides[sink] = strides_[0]

    def _merge(self, domain: list[Dim]) -> list[Dim]:
        """Take away axes of size 1 and merge neighbours; changes the accesses' strides."""
        # The axes of each reduction must not be mixed with others: give them a mark of their own.
        marks = [[a in s.axes for a in range(self.axes)] for s in self.kernel.sinks if isinstance(s, Reduce)]
        axis = 0
        while axis < len(domain):
            if is_unit(domain[axis]):
                del domain[axis]
                for access in self.accesses:
                    del access.strides[axis]
                for mark in marks:
                    del mark[axis]
                continue
            if (
                axis
                and all(dim_key(a.strides[axis - 1]) == dim_key(a.strides[axis] * domain[axis]) for a in self.accesses)
                and all(mark[axis - 1] == mark[axis] for mark in marks)
            ):
                domain[axis - 1] = domain[axis - 1] * domain[axis]
                del domain[axis]
                for access in self.accesses:
                    del access.strides[axis - 1]
                for mark in marks:
                    del mark[axis - 1]
                continue
            axis += 1
        reductions = [s for s in self.kernel.sinks if isinstance(s, Reduce)]
        self.reduced = {s: mark for s, mark in zip(reductions, marks, strict=True)}
        return domain

    def _choose_lanes(self, target: Target) -> int:
        if not self.domain:
            return 1
        last = len(self.domain)
        if any(isinstance(s, Scatter) and self._innermost_index(s) for s in self.kernel.sinks):
            return 1
        if any(isinstance(s, Reduce) and isinstance(s.node.operator, reduce.ArgMax) for s in self.kernel.sinks):
            return 1
        dtypes = [n.dtype for n in self.kernel.body] + [a.dtype for a in self.accesses if a.base is not None]
        wide = all(d.itemsize == 8 for d in dtypes)
        lanes = target.vector_bytes // (8 if wide else 4)
        size = self.domain[last - 1]
        while isinstance(size, int) and lanes > 4 and lanes // 2 >= size:
            lanes //= 2
        return lanes

    def _innermost_index(self, sink: Scatter) -> bool:
        return bool(self.domain) and sink in self.indices and self.indices[sink].depth() == len(self.domain)
