"""Matrix products: which way each is computed, and what the loops, tiles and epilogues are told.

The columns are taken a panel at a time, the rows a tile at a time; a long inner dimension is cut into stretches, whose
sums are in memory in between. The second operand is read as it lies if its columns are adjacent, and few rows use them
or a cache holds it; else a panel of it is packed first. If it lies transposed, few rows take inner products, and some
more compute the transposed result, so that only the smaller operand is packed. Which way is taken depends on the sizes
only, and all but inner products and the last few columns add up in the order of the inner dimension.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

from amigrad.backends.native import panels
from amigrad.backends.native.epilogues import Epilogue
from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.kernels import Kernel, Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.panels import EPILOGUE, STRETCH, WORDS, at_a_time, given
from amigrad.backends.native.pieces import share
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.target import Target
from amigrad.backends.native.tiles import PLAIN, Tiles
from amigrad.backends.native.updates import addition
from amigrad.backends.native.values import Access, constant, read
from amigrad.backends.native.views import View, is_number, is_unit
from amigrad.graph import Dim, int64
from amigrad.operators import elementwise

FEW_ROWS = 8
"""Up to so many rows a transposed second operand is read as it lies."""
LONG = 128
"""With AVX-512 half as many, where lines are shorter than this."""
PACKED_ROWS = 128
"""From so many rows on the second operand is packed."""
HELD = 1 << 20
"""A second operand of fewer bytes is read as it lies, whatever the rows: a core's second cache holds it."""
NEAREST = 1 << 18
"""So many bytes of packed panels are one panel: the second cache holds them beside what else there is."""
FETCHED = 1 << 12
"""A result of so many elements is fetched before it is overwritten."""
DEEP = 192
"""A tile that adds up over so many elements has time to let come what its epilogue reads, even if it may be near."""
WIDEST = 1 << 11
"""In a loop over time, sums of all columns are in memory on the way to what follows, if there are at most so many."""


@dataclass(frozen=True)
class _Matrix:
    """An operand: its element (i, j) is at i * down + j * along from the pointer."""

    pointer: str
    down: Dim
    along: Dim

    @property
    def transposed(self) -> _Matrix:
        return _Matrix(self.pointer, self.along, self.down)


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
        self.parallel, self.in_loop = parallel, in_loop
        self.shapes = target.tiles
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
        self.first_row = self._first_row()
        self.body = [node for node in kernel.body[1:] if node is not self.node]
        self.offsets: dict[Access, str] = {}
        self.epilogue: tuple[str, str] | None = None

    def _first_row(self) -> Node | None:
        """A row that is added to each row of the product before all else: tiles start from it. What follows then
        begins with the sum.
        """
        readers = [node for node in self.kernel.body[1:] if self.node in node.inputs]
        stored = any(sink.value is self.node for sink in self.kernel.sinks if isinstance(sink, Store))
        if len(readers) != 1 or stored or self.turned or self.addition or not self.target.masks:
            return None
        (reader,) = readers
        row = next((i for i in reader.inputs if i is not self.node), self.node)
        if not isinstance(reader.operator, elementwise.Add) or row not in self.loads or row.dtype != self.dtype:
            return None
        (*_, down, along), matrix = self.loads[row].strides, self.right.strides
        if not (is_number(down, 0) and is_number(along, 1) and is_number(matrix[-1], 1)):
            return None
        self.node = reader
        return row

    def _epilogue_inputs(self) -> set[Node]:
        return {i for n in self.kernel.body[1:] for i in n.inputs}

    def _access(self, view: View) -> Access:
        strides: list[Dim] = [0 if is_unit(d) else s for d, s in zip(view.shape, view.strides, strict=True)]
        if self.turned:
            strides[-2:] = reversed(strides[-2:])
        return Access(view.base, view.base.dtype, strides, view.offset)

    def locate(self) -> list[Access]:
        """Find where its matrices begin."""
        every = [self.left, self.right, *self.loads.values(), *self.outputs.values()]
        self.offsets = {access: self.f.size(access.offset) for access in every}
        return every

    def emit(self) -> None:
        """Emit the product for every matrix of the stack."""
        f, every = self.f, self.locate()
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
        self.epilogue = None
        left, right = self._operand(self.left), self._operand(self.right)
        rows, columns, inner = f.size(self.rows), f.size(self.columns), f.size(self.inner)
        if self.in_loop and self._step(left, right, rows):
            return
        if is_number(right.along, 1):
            many = f.compare("sge", rows, str(PACKED_ROWS))
            if self.target.vector_bytes == 64:  # The columns of a panel fill lines of the cache.
                elements = f.mul(inner, f.size(right.down))
                many = f.both(many, f.compare("sge", elements, str(HELD // self.dtype.itemsize)))
            result = None if self.addition is None else self._direct()

            def panels() -> None:
                self._panels(left, right, rows, columns, "columns", many)

            def outer_product() -> None:
                assert result is not None
                self._outer_product(left, right, result, rows, columns)

            short = f.both(f.compare("sge", inner, "1"), f.compare("sle", inner, str(self.target.outers[-1][0])))
            f.choose("false" if result is None else short, outer_product, panels)
            return
        if not is_number(right.down, 1):
            self._panels(left, right, rows, columns, "neither", "true")
            return

        self.follow()  # Whichever way is taken.

        def inner_products() -> None:
            self._inner_products(left, right, rows, columns)

        def smaller_packed() -> None:
            adjacent = "columns" if is_number(left.down, 1) else "inner" if is_number(left.along, 1) else "neither"
            self._panels(right.transposed, left.transposed, columns, rows, adjacent, "true", turned=True)

        def packed() -> None:
            self._panels(left, right, rows, columns, "inner", "true")

        most = str(FEW_ROWS)
        if self.target.vector_bytes == 64:  # Then few rows of short lines take less time with halves of vectors.
            most = f.select(f.compare("sge", inner, str(LONG)), most, str(FEW_ROWS // 2))
        few = f.compare("sle", rows, most) if is_number(left.along, 1) else "false"
        elements = f.mul(rows, f.add(inner, f.mul("2", columns)))
        smaller = f.compare("slt", elements, f.mul(inner, columns))
        f.choose(few, inner_products, lambda: f.choose(smaller, smaller_packed, packed))

    def _step(self, left: _Matrix, right: _Matrix, rows: str) -> bool:
        """In a loop over time: some rows at a time, in one tile, times all columns. Whether it is written so."""
        f, dtype, columns, shapes = self.f, self.dtype, self.columns, self.target.steps
        small = isinstance(columns, int) and columns <= WIDEST and isinstance(self.inner, int) and self.inner <= STRETCH
        if not small or not is_number(right.along, 1) or self.addition is not None or not self.target.masks:
            return False
        direct = self._direct()
        epilogue, context = ("", "") if direct is not None else self.follow()
        tall = shapes[0][0]
        buffer = "" if direct is not None else f.room(tall * cast(int, columns), dtype)
        parts = f.quotient(f.add(rows, str(tall - 1)), tall)
        even = f.quotient(f.add(rows, f.sub(parts, "1")), f.most(parts, "1"))
        with f.looping("0", rows, even) as row:
            height = f.least(even, f.sub(rows, row))
            lines = f.at(left.pointer, dtype, f.mul(row, f.size(left.down)))
            sums, line = buffer, str(columns)
            if direct is not None:
                line = f.size(direct.down)
                sums = f.at(direct.pointer, dtype, f.mul(row, line))
            tile = name = ""
            for shape in shapes:
                one = shape[0] == 1
                name = self.tiles.row(dtype, columns, name) if one else self.tiles.sums(dtype, shape, columns)
                fits = f.compare("sle", height, str(shape[0])) if tile else "true"
                tile = f.select(fits, f"@{name}", tile, "ptr")
            first_row, starts = (right.pointer, "false") if self.first_row is None else (self._row_pointer(), "true")
            f.invoke(
                tile,
                f"ptr {lines}, i64 {f.size(left.down)}, i64 {f.size(left.along)}, ptr {right.pointer}, "
                f"i64 {f.size(right.down)}, i64 {self.inner}, ptr {sums}, i64 {line}, i64 {height}, i64 {columns}, "
                f"i1 false, i1 false, ptr null, i64 0, ptr {first_row}, i1 {starts}, "
                f"{register(dtype)} {literal(1, dtype)}",
            )
            if direct is None:
                part = {"row": row, "rows": height, "column": "0", "columns": str(columns), "sums": sums, "line": line}
                f.invoke(epilogue, given(EPILOGUE, {"context": context, **part}))
        return True

    def _operand(self, access: Access) -> _Matrix:
        assert access.base is not None
        pointer = self.f.at(self.pointer(self.f, access.base), access.dtype, self.offsets[access])
        return _Matrix(pointer, *access.strides[-2:])

    def _row_pointer(self) -> str:
        assert self.first_row is not None
        access = self.loads[self.first_row]
        assert access.base is not None
        return self.f.at(self.pointer(self.f, access.base), self.dtype, self.offsets[access])

    def _panels(
        self, left: _Matrix, right: _Matrix, rows: str, columns: str, adjacent: str, packed: str, turned: bool = False
    ) -> None:
        """Panels of columns, tiles of rows. adjacent: what of the second operand is; packed: whether (i1) it is packed.

        If it is turned, the result is the transposed one of what is wanted.
        """
        f, dtype = self.f, self.dtype
        (tall, vectors), *others = self.shapes
        width = vectors * self.lanes
        group, block = at_a_time(tall, width, turned)
        wide = str(width)
        for most, few in others:
            if packed != "true" and few > vectors:  # What is not packed may be wider for few rows.
                fits = f.both(f.compare("sle", rows, str(most)), f.negated(packed))
                wide = f.select(fits, str(few * self.lanes), wide)
        direct = None if turned else self._direct()
        scale = None if direct is None else self.scale()
        coming, count = ([], "0") if turned else self._coming(rows, columns, direct, scale)
        if direct is not None and self.target.masks:  # Where nothing is done for each panel, a tile has all of them.
            every = f.mul(f.quotient(f.add(f.most(columns, "1"), str(width - 1)), width), str(width))
            inner = f.least(f.size(self.inner), str(STRETCH))
            held = f.select(packed, str(min(NEAREST, panels.SPAN)), str(panels.SPAN))
            near = f.compare("sle", f.mul(f.mul(every, inner), str(dtype.itemsize)), held)
            alone = near if scale is None else f.both(f.negated(packed), f.compare("eq", count, "0"))
            wide = f.select(alone, every, wide)
        packs = packed != "false" or not self.target.masks
        (start, stop), (left_edge, right_edge) = self._share(rows, tall, columns, width, packed)
        packed_panels, *rooms = self._scratch()
        values = {
            **{"a": left.pointer, "a_down": f.size(left.down), "a_along": f.size(left.along)},
            **{"b": right.pointer, "b_down": f.size(right.down), "b_along": f.size(right.along)},
            **{"inner": f.size(self.inner), "columns": columns, "wide": wide, "group": str(group), "block": str(block)},
            **{"top": start, "bottom": stop, "left": left_edge, "right": right_edge},
            **{"pack": "@" + self.tiles.pack(dtype, adjacent) if packs else "0", "packed": f.select(packed, "1", "0")},
            **{"panels": packed_panels, "sums": rooms[0] if rooms else "0", "count": count},
        }
        if self.first_row is not None:
            values["first_row"] = self._row_pointer()
        if direct is not None:
            values |= {
                "result": direct.pointer,
                "result_down": f.size(direct.down),
                "adds": str(int(scale is not None)),
            }
        elif turned:
            values["epilogue"] = "@" + self.tiles.turn(dtype, self.shapes[0])
            if self.addition is None and (result := self._direct()) is not None:
                values["followed"], values["result_down"] = result.pointer, f.size(result.down)
            else:
                values["follows"], values["followed"] = self.follow()
        else:
            values["epilogue"], values["context"] = self.follow()
        shapes = self.shapes[:1] if packed == "true" else self.shapes  # Packed panels are no wider for few rows.
        tiles = self.tiles.of_shapes(dtype, shapes, rows, self.rows if turned else self.columns, scale is not None)
        words = [(type_, values.get(name, "0")) for name, type_ in WORDS.items()]
        given = self.tiles.given(f, [*words, *(("ptr", tile) for tile in tiles), *coming])
        if turned:
            f.do(f"store ptr {given}, ptr {f.at(given, int64, str(list(WORDS).index('context')))}, align 8")
        f.invoke(self.tiles.panels(dtype, self.shapes), f"ptr {given}, {register(dtype)} {scale or literal(1, dtype)}")

    def _inner_products(self, left: _Matrix, right: _Matrix, rows: str, columns: str) -> None:
        """Each element a sum along the inner dimension, which both operands go along."""
        f, dtype = self.f, self.dtype
        width = 4 * self.lanes
        buffer = f.room((FEW_ROWS + self.lanes) * width, dtype)
        epilogue, context = self.follow()
        _, (start, stop) = self._share(rows, rows, columns, width)
        with f.looping(start, stop, width) as column:
            count = f.least(str(width), f.sub(stop, column))
            b = f.at(right.pointer, dtype, f.mul(column, f.size(right.along)))
            f.invoke(
                self.tiles.dots(dtype),
                f"ptr {left.pointer}, i64 {f.size(left.down)}, i64 1, ptr {b}, i64 {f.size(right.along)}, "
                f"i64 {f.size(self.inner)}, ptr {buffer}, i64 {width}, i64 {rows}, i64 {count}, "
                f"i1 false, {PLAIN}, {register(dtype)} {literal(1, dtype)}",
            )
            part = {"row": "0", "rows": rows, "column": column, "columns": count, "sums": buffer, "line": str(width)}
            f.invoke(epilogue, given(EPILOGUE, {"context": context, **part}))

    def _outer_product(self, left: _Matrix, right: _Matrix, result: _Matrix, rows: str, columns: str) -> None:
        """A matrix to which a product is added whose inner dimension is so short that it fits into registers."""
        f, dtype = self.f, self.dtype
        inner = f.size(self.inner)
        tall, _ = self.target.tiles[0]
        # A multiple of all, so that every piece leaves over as many columns as the whole matrix does.
        width = math.lcm(*(vectors for _, vectors in self.target.outers)) * self.lanes
        (start, stop), (left_edge, right_edge) = self._share(rows, tall, columns, width)
        a_down, b_down, c_down = (f.size(matrix.down) for matrix in (left, right, result))
        a = f.at(left.pointer, dtype, f.mul(start, a_down))
        b = f.at(right.pointer, dtype, left_edge)
        c = f.at(result.pointer, dtype, f.add(f.mul(start, c_down), left_edge))
        scale, count = self.scale(), f.sub(stop, start)

        lines = "true"
        with f.when(f.compare("sgt", count, "0")):
            for shape in self.target.outers:
                fits = f.compare("sle", inner, str(shape[0]))
                with f.when(f.both(lines, fits)):
                    f.invoke(
                        self.tiles.outer(dtype, shape, self.columns),
                        f"ptr {a}, i64 {a_down}, i64 {f.size(left.along)}, ptr {b}, i64 {b_down}, i64 {inner}, "
                        f"ptr {c}, i64 {c_down}, i64 {count}, i64 {f.sub(right_edge, left_edge)}, "
                        f"i1 true, {PLAIN}, {register(dtype)} {scale}",
                    )
                lines = f.negated(fits)

    def _share(
        self, rows: str, tall: str | int, columns: str, width: int, packed: str = "false"
    ) -> tuple[tuple[str, str], tuple[str, str]]:
        """The rows and the columns of this piece: all of them, if it is not cut."""
        if not self.parallel:
            return ("0", rows), ("0", columns)
        return share(self.f, rows, tall, columns, width, packed)

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
        if (self.body and self.addition is None) or len(self.kernel.sinks) > 1:
            return None
        (access,) = self.outputs.values()
        matrix = self._operand(access)
        return matrix if is_number(matrix.along, 1) else None

    def scale(self) -> str | None:
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

    def _coming(
        self, rows: str, columns: str, direct: _Matrix | None, scale: str | None
    ) -> tuple[list[tuple[str, str]], str]:
        """The large matrices that shall come into the caches while tiles add up, in words, and how many there are: what
        the product is added to or the epilogue reads, or else what is overwritten.
        """
        f = self.f
        if direct is not None and scale is None:
            matrices = [(direct.pointer, self.dtype, direct.down)]
            count = f.select(f.compare("sge", f.mul(rows, columns), str(FETCHED)), "1", "0")
        else:
            accesses = {
                (a.base, str(a.offset)): a
                for a in self.loads.values()
                if is_number(a.strides[-1], 1) and not is_number(a.strides[-2], 0)
                if a.base is not None and a.base.source is not None
            }
            matrices = [(self._operand(a).pointer, a.dtype, a.strides[-2]) for a in accesses.values()]
            elements = f.mul(f.mul(rows, columns), str(len(matrices)))
            far = f.compare("sge", elements, str(HELD // self.dtype.itemsize))
            far = f.either(far, f.compare("sge", f.size(self.inner), str(DEEP)))
            count = f.select(far, str(len(matrices)), "0")
        words = []
        for pointer, dtype, down in matrices:
            size = str(dtype.itemsize)
            words += [("ptr", pointer), ("i64", f.mul(f.size(down), size)), ("i64", size)]
        return words, count

    def follow(self) -> tuple[str, str]:
        """The epilogue's function, and its context."""
        if self.epilogue is None:
            epilogue = Epilogue(
                self.f, self.node, self.body, self.target, self.pointer, self.loads, self.outputs, self.offsets
            ).write()
            self.epilogue = "@" + self.tiles.shared(epilogue), epilogue.context()
        return self.epilogue
