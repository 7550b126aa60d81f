"""Matrix products: blocks that caches hold, tiles in registers, and the kernel's body as their epilogue.

The columns are taken a panel at a time, the rows a tile at a time; a long inner dimension is cut into stretches, whose
sums are in memory in between. The second operand is read as it lies if its columns are adjacent and few rows use
them; else a panel of it is packed first. If it lies transposed, few rows take inner products, and some more compute
the transposed result, so that only the smaller operand is packed. Which way is taken depends on the sizes only, and
all but inner products add up in the order of the inner dimension.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass

from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.kernels import Kernel, Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.target import Target
from amigrad.backends.native.tiles import Tiles
from amigrad.backends.native.updates import addition
from amigrad.backends.native.values import Access, constant, is_long, lower, read, write
from amigrad.backends.native.views import View, is_unit
from amigrad.graph import Dim

STRETCH = 1024
"""A longer inner dimension is cut into stretches of at most so many elements."""
BLOCK = 512
"""At most so many rows use a packed panel before the next one."""
FEW_ROWS = 8
"""Up to so many rows a transposed second operand is read as it lies."""
PACKED_ROWS = 128
"""From so many rows on the second operand is packed."""
LARGE = 1 << 16
"""A first operand of so many elements is packed if it lies transposed; a result is fetched that will be overwritten."""
PIECE_ROWS = 64
"""So many rows at least has a piece of a product whose columns are not cut."""
DEEP = 32
"""A tile that adds up over so many elements has time to let come what follows it will need."""
_MARGIN = 16
"""Lines of sums are so much longer than needed, lest they all fall on the same places of a cache."""


def scratch(left: View, right: View, target: Target, threads: int) -> list[Node]:
    """The buffers of a product: packed panels and, if there may be several stretches, the sums of a block."""
    rows, columns, inner, dtype = left.shape[-2], right.shape[-1], left.shape[-1], left.base.dtype
    panel = target.tiles[0][1] * target.lanes(dtype)
    if not target.masks:
        panel = max(vectors for _, vectors in target.tiles) * target.lanes(dtype)
    several = not (isinstance(inner, int) and inner <= STRETCH)
    panels = Node((threads, STRETCH if several else inner, panel), dtype, number=-1)
    result = [panels]
    if several:
        line = (rows if is_unit(columns) else columns) + _MARGIN
        result.append(Node((threads, BLOCK, line), dtype, number=-1))
    if _is(left.strides[-2], 1) and not _is(left.strides[-1], 1):
        result.append(Node((threads, BLOCK, panels.shape[1]), dtype, number=-1))
    return result


@dataclass(frozen=True)
class _Matrix:
    """An operand: its element (i, j) is at i * down + j * along from the pointer."""

    pointer: str
    down: Dim
    along: Dim

    @property
    def transposed(self) -> _Matrix:
        return _Matrix(self.pointer, self.along, self.down)


@dataclass(frozen=True)
class _Part:
    """A part of the result: its first row and column, how many there are, and where the sums are."""

    row: str
    rows: str
    column: str
    columns: str
    sums: str
    line: str


class Product:
    """Emits one kernel of kind "product" into a function."""

    def __init__(
        self,
        f: Function,
        kernel: Kernel,
        target: Target,
        pointer: Pointer,
        tiles: Tiles,
        *,
        parallel: bool = False,
        in_loop: bool = False,
    ) -> None:
        """parallel: whether pieces of it are done by threads. in_loop: whether it is a part of a loop over time, whose
        rows are few and change from step to step.
        """
        self.parallel = parallel
        self.shapes = target.tiles
        if in_loop:  # A tile for each number of rows, so that none is computed in vain.
            tall, vectors = target.tiles[0]
            self.shapes = tuple((rows, vectors) for rows in range(tall, 0, -1))
        self.f, self.kernel, self.target, self.pointer, self.tiles = f, kernel, target, pointer, tiles
        self.node = kernel.body[0]
        left, right = self.node.inputs
        self.dtype = self.node.dtype
        self.lanes = target.lanes(self.dtype)
        self.inner: Dim = left.shape[-1]
        *_, self.rows, self.columns = kernel.domain
        # A product with a vector is one of a vector, transposed.
        self.turned = is_unit(self.columns) and not is_unit(self.rows)
        self.left, self.right = self._access(kernel.loads[left]), self._access(kernel.loads[right])
        if self.turned:
            self.left, self.right = self.right, self.left
            self.rows, self.columns = self.columns, self.rows
        self.loads = {n: self._access(v) for n, v in kernel.loads.items() if n in self._epilogue_inputs()}
        self.outputs = {s: self._access(s.target) for s in kernel.sinks if isinstance(s, Store)}
        self.addition = addition(kernel)
        self.offsets: dict[Access, str] = {}

    def _epilogue_inputs(self) -> set[Node]:
        return {i for n in self.kernel.body[1:] for i in n.inputs}

    def _access(self, view: View) -> Access:
        strides: list[Dim] = [0 if is_unit(d) else s for d, s in zip(view.shape, view.strides, strict=True)]
        if self.turned:
            strides[-2:] = reversed(strides[-2:])
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

    # Ways to go about it

    def _matrix(self) -> None:
        f = self.f
        left, right = self._operand(self.left), self._operand(self.right)
        rows, columns, inner = f.size(self.rows), f.size(self.columns), f.size(self.inner)
        if _is(right.along, 1):
            self._panels(left, right, rows, columns, "columns", f.compare("sge", rows, str(PACKED_ROWS)))
            return
        if not _is(right.down, 1):
            self._panels(left, right, rows, columns, "neither", "true")
            return

        def inner_products() -> None:
            self._inner_products(left, right, rows, columns)

        def smaller_packed() -> None:
            adjacent = "columns" if _is(left.down, 1) else "inner" if _is(left.along, 1) else "neither"
            self._panels(right.transposed, left.transposed, columns, rows, adjacent, "true", turned=True)

        def packed() -> None:
            self._panels(left, right, rows, columns, "inner", "true")

        few = f.compare("sle", rows, str(FEW_ROWS)) if _is(left.along, 1) else "false"
        elements = f.mul(rows, f.add(inner, f.mul("2", columns)))
        smaller = f.compare("slt", elements, f.mul(inner, columns))
        f.choose(few, inner_products, lambda: f.choose(smaller, smaller_packed, packed))

    def _operand(self, access: Access) -> _Matrix:
        assert access.base is not None
        pointer = self.f.at(self.pointer(self.f, access.base), self.dtype, self.offsets[access])
        return _Matrix(pointer, *access.strides[-2:])

    def _panels(
        self, left: _Matrix, right: _Matrix, rows: str, columns: str, adjacent: str, packed: str, turned: bool = False
    ) -> None:
        """Panels of columns, tiles of rows. adjacent: what of the second operand is; packed: whether (i1) it is packed.

        If it is turned, the result is the transposed one of what is wanted.
        """
        f, dtype = self.f, self.dtype
        (tall, vectors), *others = self.shapes
        width = vectors * self.lanes
        group = math.lcm(tall, width) if turned else tall
        block = BLOCK // group * group
        wide = str(width)
        for most, few in others:
            if packed != "true" and few > vectors:  # What is not packed may be wider for few rows.
                fits = f.both(f.compare("sle", rows, str(most)), f.negated(packed))
                wide = f.select(fits, str(few * self.lanes), wide)
        panel, *rooms = self._scratch()
        buffer = f.room(max(group * width, *(t * v * self.lanes for t, v in self.shapes)), dtype)
        other = f.room(group * width, dtype) if turned else ""
        direct = None if turned else self._direct()
        scale = None if direct is None else self._scale()
        inner = f.size(self.inner)
        several = f.compare("sgt", inner, str(STRETCH))
        stretches = f.most(f.quotient(f.add(inner, str(STRETCH - 1)), STRETCH), "1")
        stretch = f.quotient(f.add(inner, f.sub(stretches, "1")), stretches)
        line = f.add(columns, str(_MARGIN))
        gathered = "false"
        if _is(left.down, 1) and not _is(left.along, 1) and not is_unit(self.inner) and not turned:
            large = f.compare("sge", f.mul(rows, inner), str(LARGE))
            gathered = f.both(large, f.compare("sge", columns, str(4 * width)))
        (start, stop), (left_edge, right_edge) = self._share(rows, tall, columns, width)
        with f.looping(start, stop, block) as first, f.looping("0", f.most(inner, "1"), f.most(stretch, "1")) as k:
            end = f.least(f.add(first, str(block)), stop)
            depth = f.least(stretch, f.sub(inner, k))
            final = f.compare("sge", f.add(k, stretch), inner)
            more = f.compare("sgt", k, "0")
            a, a_down, a_along = self._at(left, first, k)
            a_step = a_down
            if gathered != "false":
                room = rooms[-1]
                with f.when(gathered), f.looping(first, end, tall) as row:
                    place = f.sub(row, first)
                    strip = f.at(a, dtype, place), a_along, "1", depth, f.least(str(tall), f.sub(end, row))
                    self._pack("columns", *strip, f.at(room, dtype, f.mul(place, depth)), str(tall))
                a, a_down = f.select(gathered, room, a, "ptr"), f.select(gathered, "1", a_down)
                a_along, a_step = f.select(gathered, str(tall), a_along), f.select(gathered, depth, a_down)
            with f.looping(left_edge, right_edge, wide) as column:
                count = f.least(wide, f.sub(right_edge, column))
                b, b_down, b_along = self._at(right, k, column)
                copied = packed
                if not self.target.masks:
                    copied = f.either(packed, f.compare("ne", f.emit(f"urem i64 {count}, {self.lanes}"), "0"))
                if copied != "false":
                    with f.when(copied):
                        self._pack(adjacent, b, b_down, b_along, depth, count, panel, wide)
                    b, b_down = f.select(copied, panel, b, "ptr"), f.select(copied, wide, b_down)
                with f.looping(first, end, group) as row:
                    height = f.least(str(group), f.sub(end, row))
                    sums, down = buffer, wide
                    if direct is not None:
                        sums, down, _ = self._at(direct, row, column)
                    elif several != "false":
                        there = f.at(rooms[0], dtype, f.add(f.mul(f.sub(row, first), line), column))
                        sums, down = f.select(several, there, sums, "ptr"), f.select(several, line, down)
                    if not turned:
                        stored, wanted = None, f.both(final, f.compare("sge", depth, str(DEEP)))
                        if direct is not None and scale is None:
                            stored = _Matrix(sums, direct.down, 1)
                            wanted = f.both(wanted, f.compare("sge", f.mul(rows, columns), str(LARGE)))
                        self._fetch(row, height, column, stored, wanted)
                    with f.looping("0", height if group > tall else "1", tall) as part:
                        tile = f.least(str(tall), f.sub(height, part)) if group > tall else height
                        c = f.at(sums, dtype, f.mul(part, down))
                        lines = f.at(a, dtype, f.mul(f.add(f.sub(row, first), part), a_step))
                        f.invoke(
                            self._tile(tile, rows, self.rows if turned else self.columns, scale is not None),
                            f"ptr {lines}, i64 {a_down}, i64 {a_along}, ptr {b}, i64 {b_down}, i64 {depth}, "
                            f"ptr {c}, i64 {down}, i64 {tile}, i64 {count}, i1 {more if scale is None else 'true'}, "
                            f"{register(self.dtype)} {scale or literal(1, self.dtype)}",
                        )
                    if direct is None:
                        with f.when(final):
                            if turned:
                                self._pack("inner", sums, "1", down, count, height, other, str(group))
                                self._finish(_Part(column, count, row, height, other, str(group)))
                            else:
                                self._finish(_Part(row, height, column, count, sums, down))

    def _at(self, matrix: _Matrix, i: str, j: str) -> tuple[str, str, str]:
        """The address of an element, and the matrix's strides."""
        f = self.f
        down, along = f.size(matrix.down), f.size(matrix.along)
        return f.at(matrix.pointer, self.dtype, f.add(f.mul(i, down), f.mul(j, along))), down, along

    def _pack(
        self, adjacent: str, a: str, down: str, along: str, inner: str, columns: str, c: str, c_down: str
    ) -> None:
        self.f.invoke(
            self.tiles.pack(self.dtype, adjacent),
            f"ptr {a}, i64 {down}, i64 {along}, i64 {inner}, i64 {columns}, ptr {c}, i64 {c_down}",
        )

    def _tile(self, height: str, rows: str, columns: Dim, adds: bool) -> str:
        """The function for a tile of this height; only those are asked for that may be needed.

        adds: whether it adds to what is there, in one rounding.
        """
        f, shapes = self.f, self.shapes
        tall, vectors = shapes[0]
        heights = set(range(1, tall + 1))
        if not rows.startswith("%"):
            count = int(rows)
            heights = {tall} if count >= tall else set()
            heights = heights | {count % tall} - {0} or {1}
        if adds:
            shapes = tuple(shape for shape in shapes if shape[0] > 1 or shape[1] == vectors)
        chosen = ""
        for number, shape in enumerate(shapes):
            below = shapes[number + 1][0] if number + 1 < len(shapes) else 0
            if not any(below < h <= shape[0] for h in heights):
                continue
            row = shape[0] == 1 and shape[1] > vectors
            name = "@" + (self.tiles.row(self.dtype, columns) if row else self.tiles.sums(self.dtype, shape, columns))
            chosen = f.select(f.compare("sle", height, str(shape[0])), name, chosen, "ptr") if chosen else name
        return chosen

    def _inner_products(self, left: _Matrix, right: _Matrix, rows: str, columns: str) -> None:
        """Each element a sum along the inner dimension, which both operands go along."""
        f, dtype = self.f, self.dtype
        width = 4 * self.lanes
        buffer = f.room((FEW_ROWS + self.lanes) * width, dtype)
        _, (start, stop) = self._share(rows, rows, columns, width)
        with f.looping(start, stop, width) as column:
            count = f.least(str(width), f.sub(stop, column))
            b = f.at(right.pointer, dtype, f.mul(column, f.size(right.along)))
            f.invoke(
                self.tiles.dots(dtype),
                f"ptr {left.pointer}, i64 {f.size(left.down)}, i64 1, ptr {b}, i64 {f.size(right.along)}, "
                f"i64 {f.size(self.inner)}, ptr {buffer}, i64 {width}, i64 {rows}, i64 {count}, i1 false, "
                f"{register(dtype)} {literal(1, dtype)}",
            )
            self._finish(_Part("0", rows, column, count, buffer, str(width)))

    def _share(self, rows: str, tall: str | int, columns: str, width: int) -> tuple[tuple[str, str], tuple[str, str]]:
        """The rows and the columns of this piece: whole panels, or tiles if there are more blocks of rows than panels.

        Each piece packs the panels that it uses, so that pieces of too few rows would pack more than they compute:
        there may be fewer pieces of rows than wanted, and the last ones are empty.
        """
        f = self.f
        if not self.parallel:
            return ("0", rows), ("0", columns)
        piece, pieces = f.argument("piece"), f.argument("pieces")
        panels, tiles, blocks = (
            f.quotient(f.sub(f.add(count, size), "1"), size)
            for count, size in ((columns, str(width)), (rows, str(tall)), (rows, str(PIECE_ROWS)))
        )
        by_rows = f.compare("sgt", blocks, panels)
        result = []
        for count, units, most, size, chosen in (
            (rows, tiles, f.least(pieces, f.most(blocks, "1")), str(tall), by_rows),
            (columns, panels, pieces, str(width), f.negated(by_rows)),
        ):
            start, stop = (
                f.least(f.mul(f.quotient(f.mul(units, f.least(p, most)), most), size), count)
                for p in (piece, f.add(piece, "1"))
            )
            result.append((f.select(chosen, start, "0"), f.select(chosen, stop, count)))
        return result[0], result[1]

    def _scratch(self) -> list[str]:
        """This thread's parts of the scratch buffers."""
        f = self.f
        found = []
        for node in self.kernel.scratch:
            place = f.mul(f.size(node.shape[1]), f.size(node.shape[2]))
            thread = f.argument("thread") if self.parallel else "0"
            found.append(f.at(self.pointer(f, node), self.dtype, f.mul(thread, place)))
        return found

    # The epilogue

    def _direct(self) -> _Matrix | None:
        """Where tiles go as they are, if nothing follows the product or it is added to a matrix."""
        if (len(self.kernel.body) > 1 and self.addition is None) or len(self.kernel.sinks) > 1:
            return None
        (access,) = self.outputs.values()
        matrix = self._operand(access)
        return matrix if _is(matrix.along, 1) else None

    def _scale(self) -> str | None:
        """The number by which the product is multiplied before it is added to a matrix; None if it is not."""
        if self.addition is None:
            return None
        f, (factor, subtracted) = self.f, self.addition
        value = literal(1, self.dtype)
        if factor is not None:
            value = constant(f, factor, 1) if factor.is_constant else self._number(self.loads[factor])
        return f.emit(f"fneg {register(self.dtype)} {value}") if subtracted else value

    def _number(self, access: Access) -> str:
        assert access.base is not None
        return read(self.f, self.pointer(self.f, access.base), access, self.offsets[access], "0", 1, None)

    def _fetch(self, row: str, rows: str, column: str, stored: _Matrix | None, wanted: str) -> None:
        """Let what the epilogue will read of large matrices come into the caches while a tile adds up; or, if it only
        stores, what it will overwrite.
        """
        f = self.f
        accesses = {
            (a.base, str(a.offset)): a
            for a in self.loads.values()
            if _is(a.strides[-1], 1) and not _is(a.strides[-2], 0) and a.base is not None and a.base.source is not None
        }
        starts = [] if stored is None else [(stored.pointer, self.dtype, f.size(stored.down))]
        for access in accesses.values() if stored is None else ():
            assert access.base is not None
            start = f.at(self.pointer(f, access.base), access.dtype, self._offset(access, row, column))
            starts.append((start, access.dtype, f.size(access.strides[-2])))
        if not starts or wanted == "false":
            return
        f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        with f.when(wanted), f.looping("0", rows, 1) as line:
            for start, dtype, down in starts:
                for vector in range(self.target.tiles[0][1]):
                    address = f.at(start, dtype, f.add(f.mul(line, down), str(vector * self.lanes)))
                    writes = int(stored is not None)
                    f.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 {writes}, i32 3, i32 1)")

    def _finish(self, part: _Part) -> None:
        """The body after the product, and its stores, for a part whose sums are in memory."""
        f, lanes = self.f, self.lanes
        if self.target.vector_bytes == 64 and is_long(self.kernel.body):  # A mask each, so that it is written once.
            with f.looping("0", part.rows, 1) as row, f.looping("0", part.columns, lanes) as column:
                self._vector(part, row, column, f.mask(f.least(f.sub(part.columns, column), str(lanes)), lanes))
            return
        rest = f.emit(f"urem i64 {part.columns}, {lanes}")
        whole = f.sub(part.columns, rest)
        mask = f.mask(rest, lanes)
        ragged = f.compare("ne", rest, "0")
        with f.looping("0", part.rows, 1) as row:
            with f.looping("0", whole, lanes) as column:
                self._vector(part, row, column, None)
            with f.when(ragged):
                self._vector(part, row, whole, mask)

    def _vector(self, part: _Part, row: str, column: str, mask: str | None) -> None:
        f, lanes = self.f, self.lanes
        place = f.at(part.sums, self.dtype, f.add(f.mul(row, part.line), column))
        values: dict[Node, str] = {self.node: f.load(place, self.dtype, lanes, mask)}
        row, column = f.add(part.row, row), f.add(part.column, column)

        def find(node: Node) -> str:
            if node not in values:
                values[node] = constant(f, node, lanes) if node.is_constant else self._read(node, row, column, mask)
            return values[node]

        for node in self.kernel.body[1:]:
            values[node] = lower(f, node, [find(i) for i in node.inputs], lanes)
        for sink in self.kernel.sinks:
            assert isinstance(sink, Store)
            access = self.outputs[sink]
            assert access.base is not None
            pointer, offset = self.pointer(f, access.base), self._offset(access, row, column)
            write(f, find(sink.value), pointer, access, offset, f.size(access.strides[-1]), lanes, mask)

    def _offset(self, access: Access, row: str, column: str) -> str:
        f = self.f
        offset = f.add(self.offsets[access], f.mul(row, f.size(access.strides[-2])))
        return f.add(offset, f.mul(column, f.size(access.strides[-1])))

    def _read(self, node: Node, row: str, column: str, mask: str | None) -> str:
        access = self.loads[node]
        assert access.base is not None
        pointer, offset = self.pointer(self.f, access.base), self._offset(access, row, column)
        if _is(access.strides[-1], 0):
            one = read(self.f, pointer, access, offset, "0", 1, None)
            return self.f.splat(one, access.dtype, self.lanes)
        return read(self.f, pointer, access, offset, self.f.size(access.strides[-1]), self.lanes, mask)


def _is(stride: Dim, number: int) -> bool:
    return isinstance(stride, int) and stride == number
