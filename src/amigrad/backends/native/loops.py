"""Loop nests: a kernel's body over every element of its domain, the innermost axis in vectors.

Axes that all accesses go through as one are merged. What depends on outer loops only (an index and the row it
names, a scalar expression) is computed once there, not in the innermost loop.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.kernels import Kernel, Reduce, Scatter, Sink, Store
from amigrad.backends.native.randoms import uniform
from amigrad.backends.native.reductions import across, combine, fill, identity
from amigrad.backends.native.simplify import Node, dim_key
from amigrad.backends.native.target import Target
from amigrad.backends.native.values import Access, constant, gather, is_long, lower, read, write
from amigrad.backends.native.views import View, contiguous_strides, is_unit
from amigrad.graph import Dim, DType, bool_, float32, float64, int64
from amigrad.operators import create, lookup, random, reduce

Pointer = Callable[[Function, Node], str]
_LONG = 4096
_LINE = 64
_STREAM = 1 << 24
"""Bytes from which a result is stored past the caches, which could not keep it."""


class LoopNest:
    """Emits one kernel of kind "loop" into a function."""

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

    # What the kernel touches

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

    # The nest

    def divides(self) -> bool:
        """Whether the outermost loop can be cut into pieces that know nothing of each other."""
        return (
            bool(self.domain)
            and not self.kernel.fills
            and not any(isinstance(sink, Scatter) for sink in self.kernel.sinks)
            and not any(self._in_memory(mark) or (len(mark) == 1 and mark[0]) for mark in self.reduced.values())
        )

    def emit(self, shared: bool = False) -> None:
        """Emit fills, loops and what follows them; if it is shared, a piece of the outermost loop."""
        self.shared = shared
        for node, value in self.kernel.fills:
            fill(self.f, self.pointer(self.f, node), node, value)
        for sink, mark in self.reduced.items():
            if isinstance(sink.node.operator, reduce.Reduction) and self._in_memory(mark):
                operator = sink.node.operator
                fill(self.f, self.pointer(self.f, sink.node), sink.node, identity(operator, sink.node.dtype))
        for access in self.accesses:
            self.offsets[access] = self.f.size(access.offset)
        self._open(0)

    def _in_memory(self, mark: list[bool]) -> bool:
        """Whether a reduction adds up in its buffer: unless only the innermost axis is reduced."""
        return any(mark[:-1])

    def _open(self, depth: int) -> None:
        self._hoist(depth)
        rank = len(self.domain)
        if depth == rank:
            self._element(None, "0")
            return
        if depth == rank - 1:
            self._innermost()
            return
        saved, scalars, classes = dict(self.offsets), dict(self.scalars), dict(self.classes)
        start, stop = "0", self.f.size(self.domain[depth])
        if depth == 0 and self.shared:
            start, stop = self._piece(stop, 1)
        with self.f.looping(start, stop, 1) as index:
            self._advance(depth, index)
            self._open(depth + 1)
        self.offsets, self.scalars, self.classes = saved, scalars, classes

    def _advance(self, axis: int, index: str) -> None:
        for access in self.accesses:
            stride = access.strides[axis]
            if not (isinstance(stride, int) and stride == 0):
                step = self.f.mul(index, self.f.size(stride))
                self.offsets[access] = self.f.add(self.offsets[access], step)

    def _hoist(self, depth: int) -> None:
        """Compute what is known at this depth: rows that indices name, and scalar expressions and what they read."""
        for key, access in self.indices.items():
            if access.depth() == depth and depth < max(len(self.domain), 1):
                self._enter_row(key, access)
        if depth >= len(self.domain):
            return
        for node, access in self.loads.items():
            if node not in self.scalars and node not in self.body and access.depth() <= depth:
                self.scalars[node] = self._read(access, 1, None, "0")
        for node in self.kernel.body:
            if node not in self.scalars and self._depth(node) <= depth:
                self.scalars[node] = self._compute(node, 1, None, "0", {})

    def _enter_row(self, key: object, access: Access) -> None:
        index = self._load_index(access, self.offsets[access])
        if isinstance(key, Node) and isinstance(key.operator, lookup.OneHot):
            self.classes[key] = index
            return
        row = self.outputs[key] if isinstance(key, Scatter) else self.rows[key]
        step = self.f.mul(index, self.f.size(self.row_strides[key]))
        self.offsets[row] = self.f.add(self.offsets[row], step)

    def _load_index(self, access: Access, offset: str) -> str:
        assert access.base is not None
        value = self.f.load(self.f.at(self.pointer(self.f, access.base), access.dtype, offset), access.dtype)
        return value if access.dtype == int64 else self.f.emit(f"sext i32 {value} to i64")

    def _depth(self, node: Node) -> int:
        """How many loops must be open before a node's value is known. Asked in the order of the body."""
        if node.is_constant:
            return 0
        if node not in self.depths:
            match node.operator if node in self.body else None:
                case lookup.Take() | lookup.OneHot() | create.Arange() | random.Uniform():
                    index = self.indices[node].depth() if node in self.indices else 0
                    self.depths[node] = max(index, self.rows[node].depth())
                case _ if node in self.body:
                    self.depths[node] = max((self._depth(i) for i in node.inputs), default=0)
                case _:
                    self.depths[node] = self.loads[node].depth()
        return self.depths[node]

    # The innermost axis

    def _innermost(self) -> None:
        f, lanes = self.f, self.lanes
        axis = len(self.domain) - 1
        size = self.domain[axis]
        count = f.size(size)
        self.variables: dict[Reduce, tuple[str, str, DType]] = {}
        for sink, mark in self.reduced.items():
            if mark[axis]:
                self.variables[sink] = self._begin(sink, size)
        shared = self.shared and axis == 0
        if lanes == 1:
            start, stop = self._piece(count, 1) if shared else ("0", count)
            with f.looping(start, stop, 1) as index:
                self._element(None, index)
        else:
            if isinstance(size, int):
                whole, rest = str(size - size % lanes), str(size % lanes)
            else:
                rest = f.emit(f"urem i64 {count}, {lanes}")
                whole = f.emit(f"sub i64 {count}, {rest}")
            self._spread()
            if self._masked() and not shared and "0" not in (whole, rest):
                with f.looping("0", count, lanes) as index:
                    self._element(f.mask(f.least(f.sub(count, index), str(lanes)), lanes), index)
                whole = rest = "0"
            if whole != "0":
                self._vectors(*(self._piece(whole, lanes) if shared else ("0", whole)))
            if rest != "0":
                some = f.emit(f"icmp ne i64 {rest}, 0")
                mask = f.mask(rest, lanes)
                if shared:
                    last = f.emit(f"icmp eq i64 {f.add(f.argument('piece'), '1')}, {f.argument('pieces')}")
                    some = f.emit(f"and i1 {some}, {last}")
                with f.when(some):
                    self._element(mask, whole)
        for sink in self.variables:
            self._finish(sink, self.reduced[sink])

    def _spread(self) -> None:
        """Have what is known before the innermost loop in all lanes, if it is needed there."""
        needed = {i for n in self.kernel.body if self._depth(n) == len(self.domain) for i in n.inputs}
        needed |= {sink.value for sink in self.kernel.sinks}
        for node, value in self.scalars.items():
            if node in needed and not node.is_constant:
                self.f.splat(value, node.dtype, self.lanes)

    def _masked(self) -> bool:
        """Whether all vectors have a mask, so that the body is written once: a mask costs little beside a long body."""
        return self.target.vector_bytes == 64 and is_long(self.kernel.body) and not self._streams()

    def _vectors(self, start: str, stop: str) -> None:
        """The elements from start to stop, whole vectors of them."""
        f = self.f

        def loop() -> None:
            with f.looping(start, stop, self.lanes) as index:
                self._element(None, index)

        streams = self._streams()
        if not streams:
            loop()
            return
        past = self._long_and_aligned(streams)
        with f.when(past):
            self.past_caches = True
            loop()
            self.past_caches = False
            if self.target.triple.startswith("x86_64"):
                f.intrinsics.add("declare void @llvm.x86.sse.sfence()")
                f.do("call void @llvm.x86.sse.sfence()")
        with f.when(f.emit(f"xor i1 {past}, true")):
            loop()

    def _streams(self) -> list[Access]:
        """What may be stored past the caches if it is long: results that lie as they are computed, for nobody here."""
        size = self.domain[0]
        if len(self.domain) > 1 or (isinstance(size, int) and size * 8 < _STREAM):
            return []
        read = {access.base for access in (*self.loads.values(), *self.rows.values())}
        stored = [self.outputs[s] for s in self.kernel.sinks if isinstance(s, Store)]
        return [a for a in stored if a.base in self.final and a.base not in read and self._is_stream(a)]

    def _is_stream(self, access: Access) -> bool:
        stride = access.strides[0]
        return (
            isinstance(stride, int) and stride == 1 and access.dtype.itemsize * self.lanes >= self.target.vector_bytes
        )

    def _long_and_aligned(self, streams: list[Access]) -> str:
        """Whether all of these are so long that the caches could not keep them, and begin where a vector may."""
        f = self.f
        answer = "true"
        for access in streams:
            assert access.base is not None
            start = f.at(self.pointer(f, access.base), access.dtype, self.offsets[access])
            place = f.emit(f"and i64 {f.emit(f'ptrtoint ptr {start} to i64')}, {_LINE - 1}")
            long = f.emit(f"icmp sge i64 {f.size(self.domain[0])}, {_STREAM // access.dtype.itemsize}")
            fine = f.emit(f"and i1 {long}, {f.emit(f'icmp eq i64 {place}, 0')}")
            answer = fine if answer == "true" else f.emit(f"and i1 {answer}, {fine}")
        return answer

    def _piece(self, count: str, unit: int) -> tuple[str, str]:
        """Where this piece of so many iterations begins and ends, at multiples of the unit."""
        f = self.f
        units = f.emit(f"udiv i64 {count}, {unit}")
        start, stop = (
            f.mul(f.emit(f"udiv i64 {f.mul(units, number)}, {f.argument('pieces')}"), str(unit))
            for number in (f.argument("piece"), f.add(f.argument("piece"), "1"))
        )
        return start, stop

    def _begin(self, sink: Reduce, size: Dim) -> tuple[str, str, DType]:
        """The variables in which a reduction along the innermost axis adds up."""
        f, lanes = self.f, self.lanes
        operator = sink.node.operator
        if isinstance(operator, reduce.ArgMax):
            low = literal(identity(reduce.Max(()), sink.value.dtype), sink.value.dtype)
            return (
                f.variable(register(sink.value.dtype), low),
                f.variable("i64", "0"),
                sink.value.dtype,
            )
        assert isinstance(operator, reduce.Reduction)
        dtype = sink.node.dtype
        # Long sums of float32 add up in float64, so that their error does not grow with the length.
        if dtype == float32 and isinstance(operator, reduce.Sum) and not (isinstance(size, int) and size <= _LONG):
            dtype = float64
        start = f.splat(literal(identity(operator, dtype), dtype), dtype, lanes)
        return f.variable(register(dtype, lanes), start), "", dtype

    def _element(self, mask: str | None, inner: str) -> None:
        """The body and the sinks for one vector (or one element)."""
        cache: dict[Node, str] = {}
        for node in self.kernel.body:
            self._value(node, self.lanes, mask, inner, cache)
        for sink in self.kernel.sinks:
            value = self._value(sink.value, self.lanes, mask, inner, cache)
            match sink:
                case Store():
                    access = self.outputs[sink]
                    self._write(access, value, mask, inner)
                case Scatter():
                    self._scatter(sink, value, mask, inner)
                case Reduce():
                    self._reduce(sink, value, mask, inner)

    def _stride(self, access: Access) -> str:
        return self.f.size(access.strides[-1]) if access.strides else "0"

    def _place(self, access: Access, inner: str) -> str:
        """The offset of the first lane."""
        return self.f.add(self.offsets[access], self.f.mul(inner, self._stride(access)))

    def _write(self, access: Access, value: str, mask: str | None, inner: str) -> None:
        assert access.base is not None
        pointer = self.pointer(self.f, access.base)
        past = self.past_caches and mask is None and access.base in self.final and self._is_stream(access)
        place, stride = self._place(access, inner), self._stride(access)
        write(self.f, value, pointer, access, place, stride, self.lanes, mask, past)

    def _read(self, access: Access, lanes: int, mask: str | None, inner: str) -> str:
        assert access.base is not None
        pointer = self.pointer(self.f, access.base)
        return read(self.f, pointer, access, self._place(access, inner), self._stride(access), lanes, mask)

    def _scatter(self, sink: Scatter, value: str, mask: str | None, inner: str) -> None:
        access = self.outputs[sink]
        if sink in self.indices and self._innermost_index(sink):
            saved = dict(self.offsets)
            index = self.indices[sink]
            self.offsets[index] = self._place(index, inner)
            self._enter_row(sink, index)
            self._add_or_set(sink, access, value, mask, inner)
            self.offsets = saved
        else:
            self._add_or_set(sink, access, value, mask, inner)

    def _add_or_set(self, sink: Scatter, access: Access, value: str, mask: str | None, inner: str) -> None:
        if sink.adds:
            before = self._read(access, self.lanes, mask, inner)
            value = combine(self.f, reduce.Sum(()), before, value, access.dtype, self.lanes)
        self._write(access, value, mask, inner)

    def _reduce(self, sink: Reduce, value: str, mask: str | None, inner: str) -> None:
        f, operator, lanes = self.f, sink.node.operator, self.lanes
        if isinstance(operator, reduce.ArgMax):
            self._argmax(sink, value, inner)
            return
        assert isinstance(operator, reduce.Reduction)
        value = self._as_result(sink, value, lanes)
        dtype = sink.node.dtype
        mark = self.reduced[sink]
        if mark and mark[-1]:
            variable, _, wide = self.variables[sink]
            if wide != dtype:
                value = f.emit(f"fpext {register(dtype, lanes)} {value} to {register(wide, lanes)}")
            if mask is not None:
                start = f.splat(literal(identity(operator, wide), wide), wide, lanes)
                type_ = register(wide, lanes)
                value = f.emit(f"select <{lanes} x i1> {mask}, {type_} {value}, {type_} {start}")
            before = f.get(variable, register(wide, lanes))
            f.set(variable, register(wide, lanes), combine(f, operator, before, value, wide, lanes))
            return
        access = self.outputs[sink]
        if any(mark):
            value = combine(f, operator, self._read(access, lanes, mask, inner), value, dtype, lanes)
        self._write(access, value, mask, inner)

    def _as_result(self, sink: Reduce, value: str, lanes: int) -> str:
        """A value in the type in which it is reduced: integers as int64, anything as a truth value for any and all."""
        source, dtype = sink.value.dtype, sink.node.dtype
        if source == dtype:
            return value
        from_, to = register(source, lanes), register(dtype, lanes)
        if dtype == bool_:
            zero = "zeroinitializer" if lanes > 1 else literal(0, source)
            return self.f.emit(f"{'fcmp une' if source.kind == 'f' else 'icmp ne'} {from_} {value}, {zero}")
        return self.f.emit(f"{'zext' if source == bool_ else 'sext'} {from_} {value} to {to}")

    def _argmax(self, sink: Reduce, value: str, inner: str) -> None:
        f, dtype = self.f, sink.value.dtype
        if not self.domain:
            access = self.outputs[sink]
            assert access.base is not None
            f.store("0", f.at(self.pointer(f, access.base), int64, self.offsets[access]), int64)
            return
        if not any(self.reduced[sink]):  # Along an axis of size 1, which is gone.
            self._write(self.outputs[sink], "0", None, inner)
            return
        best, place, _ = self.variables[sink]
        before = f.get(best, register(dtype))
        if dtype.kind == "f":
            larger = f.emit(f"fcmp ogt {register(dtype)} {value}, {before}")
            nan = f.emit(f"fcmp uno {register(dtype)} {value}, {value}")
            fine = f.emit(f"fcmp ord {register(dtype)} {before}, {before}")
            larger = f.emit(f"or i1 {larger}, {f.emit(f'and i1 {nan}, {fine}')}")
        else:
            larger = f.emit(f"icmp sgt {register(dtype)} {value}, {before}")
        type_ = register(dtype)
        f.set(best, type_, f.emit(f"select i1 {larger}, {type_} {value}, {type_} {before}"))
        f.set(place, "i64", f.emit(f"select i1 {larger}, i64 {inner}, i64 {f.get(place, 'i64')}"))

    def _finish(self, sink: Reduce, mark: list[bool]) -> None:
        """After the innermost loop: the lanes together, and into the buffer."""
        f, operator, access = self.f, sink.node.operator, self.outputs[sink]
        assert access.base is not None
        variable, place, wide = self.variables[sink]
        pointer = f.at(self.pointer(f, access.base), access.dtype, self.offsets[access])
        if isinstance(operator, reduce.ArgMax):
            f.store(f.get(place, "i64"), pointer, int64)
            return
        assert isinstance(operator, reduce.Reduction)
        value = across(f, operator, f.get(variable, register(wide, self.lanes)), wide, self.lanes)
        dtype = sink.node.dtype
        if wide != dtype:
            value = f.emit(f"fptrunc {register(wide)} {value} to {register(dtype)}")
        if any(mark[:-1]):
            value = combine(f, operator, f.load(pointer, dtype), value, dtype, 1)
        f.store(value, pointer, dtype)

    # Values

    def _value(self, node: Node, lanes: int, mask: str | None, inner: str, cache: dict[Node, str]) -> str:
        if node in cache:
            return cache[node]
        if node.is_constant:
            value = constant(self.f, node, lanes)
        elif node in self.scalars and self.domain:
            value = self.f.splat(self.scalars[node], node.dtype, lanes)
        elif node in self.loads and node not in self.body:
            access = self.loads[node]
            if lanes > 1 and access.depth() < len(self.domain):
                value = self.f.splat(self._read(access, 1, None, inner), node.dtype, lanes)
            else:
                value = self._read(access, lanes, mask, inner)
        else:
            value = self._compute(node, lanes, mask, inner, cache)
        cache[node] = value
        return value

    def _compute(self, node: Node, lanes: int, mask: str | None, inner: str, cache: dict[Node, str]) -> str:
        f = self.f
        match node.operator:
            case lookup.Take():
                return self._take(node, lanes, mask, inner)
            case lookup.OneHot():
                return self._one_hot(node, lanes, mask, inner)
            case create.Arange():
                return self._as_number(self._positions(self.rows[node], lanes, inner), node.dtype, lanes)
            case random.Uniform():
                return self._uniform(node, lanes, inner)
        arguments = [self._value(i, lanes, mask, inner, cache) for i in node.inputs]
        if getattr(node.operator, "name", "") == "copy":
            return arguments[0]
        return lower(f, node, arguments, lanes)

    def _take(self, node: Node, lanes: int, mask: str | None, inner: str) -> str:
        f, row = self.f, self.rows[node]
        index_node = node.inputs[1]
        assert row.base is not None
        pointer = self.pointer(f, row.base)
        if node not in self.indices:
            step = f.mul(str(int(index_node.constant or 0)), f.size(self.row_strides[node]))
            offset = f.add(self._place(row, inner), step)
            return self._splat_or_read(row, pointer, offset, lanes, mask)
        index = self.indices[node]
        if not self.domain or index.depth() < len(self.domain):
            return self._splat_or_read(row, pointer, self._place(row, inner), lanes, mask)
        # The index changes along the innermost axis: the table has no row axis there.
        numbers = self._read(index, lanes, mask, inner)
        if index.dtype != int64:
            numbers = f.emit(f"sext {register(index.dtype, lanes)} {numbers} to {register(int64, lanes)}")
        step = f.size(self.row_strides[node])
        if lanes == 1:
            offset = f.add(self._place(row, inner), f.mul(numbers, step))
            return f.load(f.at(pointer, row.dtype, offset), row.dtype)
        offsets = f.emit(f"mul nsw <{lanes} x i64> {numbers}, {f.splat(step, int64, lanes)}")
        offsets = f.emit(f"add nsw <{lanes} x i64> {offsets}, {f.splat(self._place(row, inner), int64, lanes)}")
        return gather(f, pointer, row.dtype, offsets, lanes, mask)

    def _splat_or_read(self, row: Access, pointer: str, offset: str, lanes: int, mask: str | None) -> str:
        if lanes > 1 and row.depth() < len(self.domain):
            return self.f.splat(read(self.f, pointer, row, offset, "0", 1, None), row.dtype, lanes)
        return read(self.f, pointer, row, offset, self._stride(row), lanes, mask)

    def _positions(self, access: Access, lanes: int, inner: str) -> str:
        """The value of an access without a buffer in each lane, i64."""
        first = self.f.splat(self._place(access, inner), int64, lanes)
        stride = self._stride(access)
        if lanes == 1 or stride == "0":
            return first
        f, steps = self.f, self.f.lane_numbers(lanes)
        if stride != "1":
            steps = f.emit(f"mul nsw <{lanes} x i64> {steps}, {f.splat(stride, int64, lanes)}")
        return f.emit(f"add nsw <{lanes} x i64> {first}, {steps}")

    def _as_number(self, value: str, dtype: DType, lanes: int) -> str:
        if dtype == int64:
            return value
        how = "sitofp" if dtype.kind == "f" else "trunc"
        return self.f.emit(f"{how} {register(int64, lanes)} {value} to {register(dtype, lanes)}")

    def _one_hot(self, node: Node, lanes: int, mask: str | None, inner: str) -> str:
        f, (index_node,) = self.f, node.inputs
        positions = self._positions(self.rows[node], lanes, inner)
        if index_node.is_constant:
            wanted = constant(f, index_node, 1)
            chosen = f.splat(wanted, int64, lanes)
        else:
            access = self.indices[node]
            known = self.classes.get(node)
            if known is not None:
                chosen = f.splat(known, int64, lanes)
            elif not self.domain or access.depth() < len(self.domain):
                chosen = f.splat(self._load_index(access, self.offsets[access]), int64, lanes)
            else:
                # Only where the axis of classes has size 1: the index then runs along the innermost axis.
                chosen = self._read(access, lanes, mask, inner)
                if access.dtype != int64:
                    chosen = f.emit(f"sext {register(access.dtype, lanes)} {chosen} to {register(int64, lanes)}")
        return f.emit(f"icmp eq {register(int64, lanes)} {positions}, {chosen}")

    def _uniform(self, node: Node, lanes: int, inner: str) -> str:
        f = self.f
        view = self.kernel.loads[node.inputs[0]]
        state = f.at(self.pointer(f, view.base), int64, f.size(view.offset))
        seed, draws = f.load(state, int64), f.load(f.at(state, int64, f.size(view.strides[0])), int64)
        return uniform(f, self._positions(self.rows[node], lanes, inner), seed, draws, node.dtype, lanes)
