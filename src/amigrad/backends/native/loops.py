"""Loop nests: a kernel's body over every element of its domain, the innermost axis in vectors.

Axes that all accesses go through as one are merged. What depends on outer loops only (an index and the row it
names, a scalar expression) is computed once there, not in the innermost loop.
"""

from __future__ import annotations

from amigrad.backends.native.accesses import Pointer as Pointer
from amigrad.backends.native.elements import Elements
from amigrad.backends.native.interleave import interleaved
from amigrad.backends.native.ir import literal, register
from amigrad.backends.native.kernels import Reduce, Scatter, Store
from amigrad.backends.native.reductions import across, combine, fill, identity
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.values import Access, is_costly, is_long, write
from amigrad.graph import Dim, DType, bool_, float32, float64, int64
from amigrad.operators import reduce

_LONG = 4096
_LINE = 64
_STREAM = 1 << 24
"""Bytes from which a result is stored past the caches, which could not keep it."""
_AHEAD = 2048
"""So many bytes before it is read, what a loop that stores past the caches reads is asked for."""


class LoopNest(Elements):
    """Emits one kernel of kind "loop" into a function."""

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
            self._fetch_rows(depth, index)
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
                    self._rest(mask, whole, size)
        for sink in self.variables:
            self._finish(sink, self.reduced[sink])

    def _rest(self, mask: str | None, start: str, size: Dim) -> None:
        """What is left over after whole vectors, in a shorter one if that is known: it lies in one line more often."""
        lanes = self.lanes
        if isinstance(size, int) and not self.variables:
            rest = size % lanes
            self.lanes = max(2, 1 << (rest - 1).bit_length())
            mask = None if rest == self.lanes else self.f.mask(str(rest), self.lanes)
        self._element(mask, start)
        self.lanes = lanes

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
                if self.past_caches:
                    self._prefetch(index)
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

    def _prefetch(self, index: str) -> None:
        """Let come what a long loop will read: the processor does not look far enough where the body is long."""
        f = self.f
        f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        for access in self.loads.values():
            if access.base is not None and self._is_stream(access):
                ahead = f.add(self._place(access, index), str(_AHEAD // access.dtype.itemsize))
                place = f.at(self.pointer(f, access.base), access.dtype, ahead)
                f.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")

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
        start = len(self.f.lines)
        for node in self.kernel.body:
            self._value(node, self.lanes, mask, inner, cache)
        if self.lanes > 1 and sum(map(is_costly, self.kernel.body)) > 1:
            self.f.lines[start:] = interleaved(self.f.lines[start:])
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

    def _write(self, access: Access, value: str, mask: str | None, inner: str) -> None:
        assert access.base is not None
        pointer = self.pointer(self.f, access.base)
        past = self.past_caches and mask is None and access.base in self.final and self._is_stream(access)
        place, stride = self._place(access, inner), self._stride(access)
        write(self.f, value, pointer, access, place, stride, self.lanes, mask, past)

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
