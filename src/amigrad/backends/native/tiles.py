"""Tiles of matrix products: functions that all products of a module share.

A tile, a few rows by a few vectors of columns, adds up in registers over a stretch of the inner dimension and goes to
memory once. Panels are parts of an operand copied so that a tile reads them from the front to the back. What follows a
product (an activation, an update) is its own business, in `products.py`. How tiles add up is in `sums.py` and
`inner_products.py`, how panels are copied in `copies.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from amigrad.backends.native import copies, inner_products, sums
from amigrad.backends.native.ir import Function, SizeTable, register, suffix
from amigrad.backends.native.panels import EPILOGUE, named, panels, turn
from amigrad.backends.native.target import Target
from amigrad.graph import Dim, DType, int64

_TILE = (
    "ptr noalias %a, i64 %a_down, i64 %a_along, ptr noalias %b, i64 %b_down, i64 %inner, "
    "ptr noalias %c, i64 %c_down, i64 %rows, i64 %columns, i1 %more, "
    "i1 %ahead, ptr %beside, i64 %beside_down, ptr noalias %first, i1 %starts, "
)
PLAIN = "i1 false, ptr null, i64 0, ptr null, i1 false"
"""What a tile is told that lets nothing come and starts with nothing."""
_PACK = "ptr noalias %a, i64 %down, i64 %along, i64 %inner, i64 %columns, ptr noalias %c, i64 %c_down"


class Tiles:
    """The functions that the products of one module call. They are written in the end, for what was asked for."""

    def __init__(self, target: Target, sizes: SizeTable) -> None:
        self.target = target
        self.sizes = sizes
        self.waiting: dict[str, tuple[str, Callable[[Function], None]]] = {}
        self.widths: dict[str, set[int | None]] = {}
        self.epilogues: dict[str, Function] = {}
        self.words: dict[str, str] = {}

    def functions(self) -> list[Function]:
        """The functions, written."""
        result: list[Function] = list(self.epilogues.values())
        for name, (arguments, write) in self.waiting.items():
            f = Function(name, self.sizes, arguments, internal=True)
            write(f)
            f.do("ret i32 0")
            result.append(f)
        return result

    def has(self, dtype: DType, shape: tuple[int, int]) -> bool:
        """Whether there is a tile of this shape already."""
        return f"sums_{shape[0]}x{shape[1]}_{suffix(dtype, 1)}" in self.waiting

    def function(self, kind: str, dtype: DType, arguments: str, write: Callable[[Function], None]) -> str:
        """The name of a function of this kind for an element type, which is written once."""
        name = f"{kind}_{suffix(dtype, 1)}"
        self.waiting.setdefault(name, (arguments, write))
        return name

    def _tile(self, kind: str, dtype: DType, write: Callable[[Function], None]) -> str:
        return self.function(kind, dtype, f"{_TILE}{register(dtype)} %scale", write)

    def of_shapes(
        self, dtype: DType, shapes: Sequence[tuple[int, int]], rows: str, columns: Dim, adds: bool
    ) -> list[str]:
        """The functions for tiles of these shapes; in the place of those that are never needed stands another one.

        adds: whether they add to what is there, in one rounding.
        """
        tall, vectors = shapes[0]
        heights = set(range(1, tall + 1))
        if not rows.startswith("%"):
            count = int(rows)
            heights = {tall} if count >= tall else set()
            heights = heights | {count % tall} - {0} or {1}
        if adds:
            shapes = [shape for shape in shapes if shape[0] > 1 or shape[1] == vectors]
        found: list[str] = []
        for number, shape in enumerate(shapes):
            below = shapes[number + 1][0] if number + 1 < len(shapes) else 0
            if needed := [h for h in heights if below < h <= shape[0]]:
                if self.has(dtype, (max(needed), shape[1])):
                    shape = (max(needed), shape[1])
                row = shape[0] == 1 and shape[1] > vectors
                if row:
                    tile = self.row(dtype, columns, found[-1][1:] if found else "")
                else:
                    tile = self.sums(dtype, shape, columns)
                found += ["@" + tile] * (number + 1 - len(found))
        return found + found[-1:] * (len(self.target.tiles) - len(found))

    def row(self, dtype: DType, columns: Dim, other: str) -> str:
        """The same as `sums` for one row, the scale taken as 1. Lines of a matrix of so many columns add up in
        registers if they fit, and else in memory; the function for parts of lines that fit is another one, if any.
        """
        lanes = self.target.lanes(dtype)
        if not (isinstance(columns, int) and 0 < columns <= self.target.row_vectors * lanes):
            return self._tile("row", dtype, lambda f: sums.row(f, self.target, dtype))
        width = self._width(dtype, columns)
        other = other or self._tile("row", dtype, lambda f: sums.row(f, self.target, dtype))

        def write(f: Function) -> None:
            whole = f.compare("eq", "%columns", str(columns))
            with f.when(whole):
                sums.sums(f, self.target, dtype, 1, width, "0", str(columns))
            with f.when(f.negated(whole)):
                f.invoke(other, f"{_TILE}{register(dtype)} %scale".replace("noalias ", ""))

        return self._tile(f"row_{columns}", dtype, write)

    def sums(self, dtype: DType, shape: tuple[int, int], columns: Dim) -> str:
        """c = a b, or c += scale a b if there is `more`, for at most so many rows (at least 1), and any columns. If it
        `starts` with something, the row `first` is added to each row of c = a b.

        a: element (row, k) at row * a_down + k * a_along; the columns of b and c are adjacent. Of the tile's shape
        (rows, vectors) narrower ones are made too, for the last columns of a matrix of so many. Meanwhile the widest
        of many rows lets come what is next: rows of a if `ahead`, and from `beside` (or null) on, columns of b.
        """
        rows, vectors = shape
        lanes, narrow = self.target.lanes(dtype), min(vectors, self.target.tiles[0][1])
        kind = f"sums_{rows}x{vectors}"
        known = self.widths.setdefault(f"{kind}_{dtype}", set())
        known |= self._panels(dtype, columns, narrow, vectors)

        def write(f: Function) -> None:
            for operand in ("a", "c"):  # Once for tiles of all widths.
                sums.clamped(f, dtype, f"%{operand}", "0", rows, "%rows", f"%{operand}_down")
            whole = "0"
            if vectors > narrow and vectors * lanes in known:
                whole = f.sub("%columns", f.emit(f"urem i64 %columns, {vectors * lanes}"))
                with f.looping("0", whole, vectors * lanes) as column:
                    sums.sums(f, self.target, dtype, rows, (lanes,) * vectors, column, None)
            widths = self._widths(dtype, {k for k in known if k is None or k <= narrow * lanes}, narrow)
            fewest = min((1 if k is None else k for k in known), default=1)
            with f.looping(whole, "%columns", narrow * lanes) as column:
                for width, left in self._chosen(f, widths, column):
                    fetches = rows == self.target.tiles[0][0] and width == widths[0]
                    sums.sums(f, self.target, dtype, rows, width, column, left, fetches, fewest)

        return self._tile(kind, dtype, write)

    def outer(self, dtype: DType, shape: tuple[int, int], columns: Dim) -> str:
        """c += scale a b for any number of rows, at least 1, and an inner dimension for which the target has this shape
        and none of fewer lines. Of the shape (lines, vectors), so many lines of b at most are in registers, and c is
        read and written once.
        """
        lanes, (most, vectors) = self.target.lanes(dtype), shape
        fewest = max((lines for lines, _ in self.target.outers if lines < most), default=0) + 1
        kind = f"outer_{most}"
        known = self.widths.setdefault(f"{kind}_{dtype}", set())
        known |= self._panels(dtype, columns, vectors, vectors)

        def write(f: Function) -> None:
            for operand, line in (("a", "a_along"), ("b", "b_down")):
                sums.clamped(f, dtype, f"%{operand}", "0", most, "%inner", f"%{line}")
            with f.looping("0", "%columns", vectors * lanes) as column:
                for width, left in self._chosen(f, self._widths(dtype, known, vectors), column):
                    sums.outer(f, dtype, fewest, most, width, column, left)

        return self._tile(kind, dtype, write)

    def _panels(self, dtype: DType, columns: Dim, narrow: int, wide: int) -> set[int | None]:
        """The columns that panels of so many vectors have, where a matrix has so many (None: any number)."""
        lanes = self.target.lanes(dtype)
        if not isinstance(columns, int):
            return {wide * lanes, None}
        return {v * lanes for v in (narrow, wide) if columns >= v * lanes} | {columns % (narrow * lanes) or None} - {
            None
        }

    def _chosen(self, f: Function, widths: list[tuple[int, ...]], column: str) -> Iterator[tuple[tuple[int, ...], str]]:
        """The widths, one after another, in a context where it is the one that fits what is left of the columns."""
        left = f.sub("%columns", column)
        most = "true"
        for number, width in enumerate(widths):
            smaller = sum(widths[number + 1]) if number + 1 < len(widths) else 0
            more = f.compare("sgt", left, str(smaller)) if smaller else "true"
            with f.when(f.both(most, more)):
                yield width, left
            most = f.negated(more)

    def _widths(self, dtype: DType, known: set[int | None], vectors: int) -> list[tuple[int, ...]]:
        """The lanes of the vectors of tiles for so many columns, at most so many vectors (None: any number), the wide
        ones first.
        """
        lanes = self.target.lanes(dtype)
        half = lanes // 2 if lanes // 2 >= self.target.short_lanes(dtype) else lanes
        any_number = {(half,), *((lanes,) * v for v in range(1, vectors + 1))}
        found = {self._width(dtype, columns) for columns in known if columns is not None}
        return sorted(found | any_number if None in known else found, key=sum, reverse=True)

    def _width(self, dtype: DType, columns: int) -> tuple[int, ...]:
        """The lanes of the vectors of a tile for so many columns; the last may be a half or a quarter of one."""
        lanes, short = self.target.lanes(dtype), self.target.short_lanes(dtype)
        whole, rest = divmod(columns, lanes)
        tail = lanes
        while tail // 2 >= max(rest, short):
            tail //= 2
        return (lanes,) * whole + (tail,) * (rest > 0)

    def dots(self, dtype: DType) -> str:
        """The same (without `more`) where both operands lie along the inner dimension: column j of b at j * b_down.

        c has room for whole tiles.
        """

        def write(f: Function) -> None:
            lanes = self.target.lanes(dtype)
            rows, columns = inner_products.shape(lanes)
            one = "true" if rows == 1 else f.compare("eq", "%rows", "1")
            height, width = f.select(one, "1", str(rows)), f.select(one, str(lanes), str(columns))
            with f.looping("0", "%columns", width) as column, f.looping("0", "%rows", height) as row:
                inner_products.dots(f, self.target, dtype, row, column, one)

        return self._tile("dots", dtype, write)

    # Panels

    def panels(self, dtype: DType, shapes: tuple[tuple[int, int], ...]) -> str:
        """The loops of a product with tiles of these shapes: see `panels.py`."""
        arguments = f"ptr %given, {register(dtype)} %scale"
        kind = f"panels_{len(shapes)}"
        return self.function(kind, dtype, arguments, lambda f: panels(f, self.target, dtype, shapes))

    def turn(self, dtype: DType, shape: tuple[int, int]) -> str:
        """The epilogue that turns the result of tiles of this shape."""
        (tall, vectors), pack = shape, self.pack(dtype, "inner")
        width = vectors * self.target.lanes(dtype)
        return self.function("turn", dtype, named(EPILOGUE), lambda f: turn(f, dtype, tall, width, pack))

    def given(self, f: Function, words: list[tuple[str, str]]) -> str:
        """A pointer to words in memory, each a type and a value. What is known before is copied from a constant."""
        room = f.room(len(words), int64)
        constant = self.constant(["0" if value.startswith("%") else value for _, value in words])
        operands = f"ptr align 64 {room}, ptr align 64 {constant}, i64 {8 * len(words)}, i1 false"
        f.intrinsics.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        f.do(f"call void @llvm.memcpy.p0.p0.i64({operands})")
        for place, (type_, value) in enumerate(words):
            if value.startswith("%"):
                f.do(f"store {type_} {value}, ptr {f.at(room, int64, str(place))}, align 8")
        return room

    def constant(self, words: list[str]) -> str:
        """The name of words in memory: numbers, functions that begin with @, and null."""
        values = ", ".join(f"ptr {word}" if word[0] in "@n" else f"i64 {word}" for word in words)
        types = ", ".join("ptr" if word[0] in "@n" else "i64" for word in words)
        text = f"internal constant {{ {types} }} {{ {values} }}, align 64"
        return self.words.setdefault(text, f"@words{len(self.words)}")

    def constants(self) -> dict[str, str]:
        """The definitions of such words, by their names."""
        return {name: f"{name} = {value}" for value, name in self.words.items()}

    def shared(self, epilogue: Function) -> str:
        """The name of an epilogue; one that was written before has the same."""
        same = self.epilogues.setdefault(epilogue.text(), epilogue)
        if same is epilogue:
            same.name = f"epilogue{len(self.epilogues)}"
        return same.name

    def pack(self, dtype: DType, adjacent: str) -> str:
        """c[k, column] = a[k * down + column * along], where the "columns" or the "inner" elements of a are adjacent,
        or "neither".
        """

        def write(f: Function) -> None:
            if adjacent == "columns":
                copies.copy(f, self.target, dtype)
            elif adjacent == "inner":
                copies.transpose(f, dtype, max(2, min(copies.MOST_TURNED, self.target.lanes(dtype))))
            else:
                copies.move(f, dtype, "0", "%inner")

        return self.function(f"pack_{adjacent}", dtype, _PACK, write)
