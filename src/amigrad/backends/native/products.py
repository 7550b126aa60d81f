"""Matrix products: register-blocked kernels with the kernel's body as their epilogue.

A tile of `rows` x (`vectors` of lanes) of the result adds up in registers over the inner dimension: vectors of the
second operand's row times broadcast elements of the first. The first operand may lie in any way. If the second
lies transposed, a product of few rows takes inner products along the inner dimension, one with more rows packs
it first.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass

from amigrad.backends.native.ir import Function, literal, register, suffix
from amigrad.backends.native.kernels import Kernel, Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.reductions import across
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.target import Target
from amigrad.backends.native.values import Access, constant, lower, read, write
from amigrad.backends.native.views import View, is_unit
from amigrad.graph import Dim
from amigrad.operators import reduce

FEW_ROWS = 8
"""Up to so many rows a transposed second operand is read as it lies."""


@dataclass(frozen=True)
class _Spot:
    """Where a vector of the result is: its row and first column, and its place in the tile, `down` and `right`."""

    row: str
    column: str
    lanes: int
    mask: str | None
    down: int = 0
    right: int = 0


class Product:
    """Emits one kernel of kind "product" into a function."""

    def __init__(self, f: Function, kernel: Kernel, target: Target, pointer: Pointer, parallel: bool) -> None:
        self.parallel = parallel
        self.f, self.kernel, self.target, self.pointer = f, kernel, target, pointer
        self.node = kernel.body[0]
        left, right = self.node.inputs
        self.left = self._access(kernel.loads[left])
        self.right = self._access(kernel.loads[right])
        self.loads = {n: self._access(v) for n, v in kernel.loads.items() if n in self._epilogue_inputs()}
        self.outputs = {s: self._access(s.target) for s in kernel.sinks if isinstance(s, Store)}
        self.rows, self.columns = kernel.domain[-2:]
        self.inner: Dim = left.shape[-1]
        self.dtype = self.node.dtype
        self.lanes = target.lanes(self.dtype)
        size = self.columns
        while isinstance(size, int) and self.lanes > 4 and self.lanes // 2 >= size:
            self.lanes //= 2
        self.offsets: dict[Access, str] = {}

    def _epilogue_inputs(self) -> set[Node]:
        return {i for n in self.kernel.body[1:] for i in n.inputs}

    def _access(self, view: View) -> Access:
        strides: list[Dim] = [0 if is_unit(d) else s for d, s in zip(view.shape, view.strides, strict=True)]
        return Access(view.base, view.base.dtype, strides, view.offset)

    def emit(self) -> None:
        """Emit the product for every matrix of the stack."""
        f = self.f
        every = [self.left, self.right, *self.loads.values(), *self.outputs.values()]
        for access in every:
            self.offsets[access] = f.size(access.offset)
        with ExitStack() as stack:
            for axis, dim in enumerate(self.kernel.domain[:-2]):
                if is_unit(dim):
                    continue
                index = stack.enter_context(f.looping("0", f.size(dim), 1))
                for access in every:
                    step = f.mul(index, f.size(access.strides[axis]))
                    self.offsets[access] = f.add(self.offsets[access], step)
            self._matrix()

    def _matrix(self) -> None:
        f = self.f
        base = self.right.base
        assert base is not None
        self.right_pointer = f.at(self.pointer(f, base), self.dtype, self.offsets[self.right])
        self.right_stride = f.size(self.right.strides[-2])
        if self._unit(self.right.strides[-1]) or is_unit(self.columns):
            self._blocks()
            return
        if not self._unit(self.right.strides[-2]):
            self._pack()
            self._blocks()
            return
        rows = f.size(self.rows)
        if isinstance(self.rows, int):
            if self.rows <= FEW_ROWS and self._unit(self.left.strides[-1]):
                with self._first_thread():
                    self._inner_products()
            else:
                self._pack()
                self._blocks()
            return
        if not self._unit(self.left.strides[-1]):
            self._pack()
            self._blocks()
            return
        few = f.emit(f"icmp sle i64 {rows}, {FEW_ROWS}")
        with f.when(few), self._first_thread():
            self._inner_products()
        with f.when(f.emit(f"xor i1 {few}, true")):
            self._pack()
            self._blocks()

    def _first_thread(self) -> AbstractContextManager[None]:
        if not self.parallel:
            return nullcontext()
        return self.f.when(self.f.emit(f"icmp eq i64 {self.f.argument('piece')}, 0"))

    def _unit(self, stride: Dim) -> bool:
        return isinstance(stride, int) and stride == 1

    # Blocks

    def _blocks(self) -> None:
        many = self.target.registers >= 32
        tall, wide = (8, 3) if many else (4, 2)
        self._row_blocks([(tall, wide), (4 if many else 2, wide), (1, 20 if many else 4)])

    def _row_blocks(self, shapes: list[tuple[int, int]]) -> None:
        f = self.f
        (tall, wide), *rest_shapes = shapes
        count = f.size(self.rows)
        blocks = str(self.rows // tall) if isinstance(self.rows, int) else f.emit(f"udiv i64 {count}, {tall}")
        start, stop = "0", f.mul(blocks, str(tall))
        rest = stop
        if self.parallel:
            # Each thread takes whole blocks, the last one also the rows that are left.
            thread, threads = f.argument("piece"), f.argument("pieces")
            following = f.add(thread, "1")
            start, stop = (
                f.mul(f.emit(f"udiv i64 {f.emit(f'mul i64 {blocks}, {number}')}, {threads}"), str(tall))
                for number in (thread, following)
            )
        with f.when(f.emit(f"icmp slt i64 {start}, {stop}")):
            self._columns(start, stop, tall, wide)
        if isinstance(self.rows, int):
            left = self.rows % tall
            rest_shapes = [(left, rest_shapes[-1][1] if left == 1 else wide)] if left else []
        with ExitStack() as stack:
            if self.parallel:
                stack.enter_context(f.when(f.emit(f"icmp eq i64 {following}, {threads}")))
            for rows, vectors in rest_shapes:
                left_over = f.emit(f"sub i64 {count}, {rest}")
                end = f.add(rest, f.emit(f"mul i64 {f.emit(f'udiv i64 {left_over}, {rows}')}, {rows}"))
                with f.when(f.emit(f"icmp slt i64 {rest}, {end}")):
                    self._columns(rest, end, rows, vectors)
                rest = end

    def _columns(self, start: str, stop: str, rows: int, vectors: int) -> None:
        """All columns for the rows from start to stop, `rows` at a time."""
        f, lanes = self.f, self.lanes
        block = vectors * lanes

        def tiles(column: str, vectors: int, mask: str | None) -> None:
            with f.looping(start, stop, rows) as row:
                self._tile(row, rows, column, vectors, mask)

        if isinstance(self.columns, int):
            whole = self.columns - self.columns % block
            if whole:
                with f.looping("0", str(whole), block) as column:
                    tiles(column, vectors, None)
            rest = self.columns - whole
            if rest:
                used = -(-rest // lanes)
                tiles(str(whole), used, f.mask(str(rest - (used - 1) * lanes), lanes) if rest % lanes else None)
            return
        count = f.size(self.columns)
        whole_ = f.emit(f"mul i64 {f.emit(f'udiv i64 {count}, {block}')}, {block}")
        with f.looping("0", whole_, block) as column:
            tiles(column, vectors, None)
        with f.looping(whole_, count, lanes) as column:
            tiles(column, 1, f.mask(f.emit(f"sub i64 {count}, {column}"), lanes))

    def _tile(self, row: str, rows: int, column: str, vectors: int, mask: str | None) -> None:
        f, lanes, dtype = self.f, self.lanes, self.dtype
        type_ = register(dtype, lanes)
        zero = f.splat(literal(0, dtype), dtype, lanes)
        sums = [[f.variable(type_, zero) for _ in range(vectors)] for _ in range(rows)]
        assert self.left.base is not None
        left = self.pointer(f, self.left.base)
        across_, along = f.size(self.left.strides[-2]), f.size(self.left.strides[-1])
        firsts = [
            f.at(left, dtype, f.add(self.offsets[self.left], f.mul(f.add(row, str(r)), across_))) for r in range(rows)
        ]
        start = f.at(self.right_pointer, dtype, column)
        with f.looping("0", f.size(self.inner), 1) as k:
            line = f.at(start, dtype, f.mul(k, self.right_stride))
            parts = [
                f.load(f.at(line, dtype, str(v * lanes)), dtype, lanes, mask if v == vectors - 1 else None)
                for v in range(vectors)
            ]
            step = f.mul(k, along)
            for r in range(rows):
                element = f.splat(f.load(f.at(firsts[r], dtype, step), dtype), dtype, lanes)
                for v in range(vectors):
                    total = f.get(sums[r][v], type_)
                    f.set(sums[r][v], type_, self._multiply_add(element, parts[v], total, lanes))
        shared: dict[object, str] = {}
        for r in range(rows):
            for v in range(vectors):
                value = f.get(sums[r][v], type_)
                place = f.add(column, str(v * lanes))
                edge = mask if v == vectors - 1 else None
                self._finish(value, _Spot(f.add(row, str(r)), place, lanes, edge, r, v), shared)

    def _multiply_add(self, a: str, b: str, c: str, lanes: int) -> str:
        type_ = register(self.dtype, lanes)
        if self.dtype.kind == "f":
            return self.f.call(f"llvm.fma.{suffix(self.dtype, lanes)}", type_, (type_, a), (type_, b), (type_, c))
        return self.f.emit(f"add {type_} {self.f.emit(f'mul {type_} {a}, {b}')}, {c}")

    # The epilogue

    def _finish(self, value: str, spot: _Spot, shared: dict[object, str]) -> None:
        """The body after the product for one vector of a row, and its stores."""
        f, lanes = self.f, spot.lanes
        values: dict[Node, str] = {self.node: value}

        def find(node: Node) -> str:
            if node not in values:
                constant_ = node.is_constant
                values[node] = constant(f, node, lanes) if constant_ else self._read(self.loads[node], spot, shared)
            return values[node]

        for node in self.kernel.body[1:]:
            values[node] = lower(f, node, [find(i) for i in node.inputs], lanes)
        for sink in self.kernel.sinks:
            assert isinstance(sink, Store)
            access = self.outputs[sink]
            assert access.base is not None
            pointer, offset = self.pointer(f, access.base), self._offset(access, spot)
            write(f, find(sink.value), pointer, access, offset, f.size(access.strides[-1]), lanes, spot.mask)

    def _offset(self, access: Access, spot: _Spot) -> str:
        f = self.f
        offset = f.add(self.offsets[access], f.mul(spot.row, f.size(access.strides[-2])))
        return f.add(offset, f.mul(spot.column, f.size(access.strides[-1])))

    def _read(self, access: Access, spot: _Spot, shared: dict[object, str]) -> str:
        """Read an operand of the epilogue; what does not change with the row or the column is read once a tile."""
        down, right = access.strides[-2:]
        key = (access, None if _is_zero(down) else spot.down, None if _is_zero(right) else spot.right)
        if key not in shared:
            assert access.base is not None
            pointer, offset = self.pointer(self.f, access.base), self._offset(access, spot)
            if _is_zero(right):
                one = read(self.f, pointer, access, offset, "0", 1, None)
                shared[key] = self.f.splat(one, access.dtype, spot.lanes)
            else:
                shared[key] = read(self.f, pointer, access, offset, self.f.size(right), spot.lanes, spot.mask)
        return shared[key]

    # Transposed second operands

    def _inner_products(self) -> None:
        """One row at a time, each element a sum along the inner dimension, which both operands go along."""
        f, lanes, dtype = self.f, self.target.lanes(self.dtype), self.dtype
        type_ = register(dtype, lanes)
        inner = f.size(self.inner)
        zero = f.splat(literal(0, dtype), dtype, lanes)
        line = f.size(self.right.strides[-1])
        assert self.left.base is not None
        left = self.pointer(f, self.left.base)
        down = f.size(self.left.strides[-2])
        whole = f.emit(f"sub i64 {inner}, {f.emit(f'urem i64 {inner}, {lanes}')}")
        mask = f.mask(f.emit(f"sub i64 {inner}, {whole}"), lanes)
        ragged = f.emit(f"icmp ne i64 {inner}, {whole}")

        def block(row: str, column: str, width: int, out_mask: str | None) -> None:
            sums = [f.variable(type_, zero) for _ in range(width)]
            first = f.at(left, dtype, f.add(self.offsets[self.left], f.mul(row, down)))
            starts = [f.at(self.right_pointer, dtype, f.mul(f.add(column, str(w)), line)) for w in range(width)]

            def step(k: str, mask: str | None) -> None:
                a = f.load(f.at(first, dtype, k), dtype, lanes, mask)
                for w in range(width):
                    b = f.load(f.at(starts[w], dtype, k), dtype, lanes, mask)
                    f.set(sums[w], type_, self._multiply_add(a, b, f.get(sums[w], type_), lanes))

            with f.looping("0", whole, lanes) as k:
                step(k, None)
            with f.when(ragged):
                step(whole, mask)
            totals = [across(f, reduce.Sum(()), f.get(s, type_), dtype, lanes) for s in sums]
            value = totals[0]
            if width > 1:
                vector = register(dtype, width)
                value = "poison"
                for w, total in enumerate(totals):
                    value = f.emit(f"insertelement {vector} {value}, {register(dtype)} {total}, i32 {w}")
            self._finish(value, _Spot(row, column, width, out_mask), {})

        count = f.size(self.columns)
        width = 8
        stop = f.emit(f"mul i64 {f.emit(f'udiv i64 {count}, {width}')}, {width}")
        with f.looping("0", f.size(self.rows), 1) as row:
            with f.looping("0", stop, width) as column:
                block(row, column, width, None)
            with f.looping(stop, count, 1) as column:
                block(row, column, 1, None)

    def _pack(self) -> None:
        """Copy the second operand so that its columns are adjacent."""
        f, dtype = self.f, self.dtype
        scratch = self.kernel.scratch[0]
        assert self.right.base is not None
        source = f.at(self.pointer(f, self.right.base), dtype, self.offsets[self.right])
        packed = self.pointer(f, scratch)
        inner, count = f.size(self.inner), f.size(self.columns)
        down, along = f.size(self.right.strides[-2]), f.size(self.right.strides[-1])
        block = 16 if self.target.vector_bytes == 64 and dtype.itemsize == 4 else (8 if dtype.itemsize == 4 else 4)
        transposed = self._unit(self.right.strides[-2])
        whole_k, whole_n = "0", "0"
        if transposed:
            whole_k = f.emit(f"sub i64 {inner}, {f.emit(f'urem i64 {inner}, {block}')}")
            whole_n = f.emit(f"sub i64 {count}, {f.emit(f'urem i64 {count}, {block}')}")
            with f.looping("0", whole_n, block) as n, f.looping("0", whole_k, block) as k:
                lines = [
                    f.load(f.at(source, dtype, f.add(k, f.mul(f.add(n, str(i)), along))), dtype, block)
                    for i in range(block)
                ]
                for i, line in enumerate(_transposed(f, lines, register(dtype, block))):
                    f.store(line, f.at(packed, dtype, f.add(n, f.mul(f.add(k, str(i)), count))), dtype, block)

        def copy(first_n: str, first_k: str, last_k: str, last_n: str) -> None:
            with f.looping(first_n, last_n, 1) as n, f.looping(first_k, last_k, 1) as k:
                element = f.load(f.at(source, dtype, f.add(f.mul(k, down), f.mul(n, along))), dtype)
                f.store(element, f.at(packed, dtype, f.add(n, f.mul(k, count))), dtype)

        copy("0", whole_k, inner, count)
        copy(whole_n, "0", whole_k, count)
        self.right_pointer, self.right_stride = packed, count


def _is_zero(stride: Dim) -> bool:
    return isinstance(stride, int) and stride == 0


def _transposed(f: Function, lines: list[str], type_: str) -> list[str]:
    """A square block of vectors transposed, by exchanging halves of pairs: log2(size) rounds of shuffles."""
    size = len(lines)
    distance = size // 2
    while distance:
        result = list(lines)
        for i in range(size):
            if i & distance:
                continue
            j = i + distance
            low = [c if not c & distance else size + c - distance for c in range(size)]
            high = [c + distance if not c & distance else size + c for c in range(size)]
            for place, picks in ((i, low), (j, high)):
                mask = ", ".join(f"i32 {p}" for p in picks)
                result[place] = f.emit(f"shufflevector {type_} {lines[i]}, {type_} {lines[j]}, <{size} x i32> <{mask}>")
        lines = result
        distance //= 2
    return lines
