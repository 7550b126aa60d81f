"""Tiles of matrix products: functions that all products of a module share.

A tile, a few rows by a few vectors of columns, adds up in registers over a stretch of the inner dimension and goes to
memory once. Panels are parts of an operand copied so that a tile reads them from the front to the back. What follows a
product (an activation, an update) is its own business, in `products.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from amigrad.backends.native import narrow
from amigrad.backends.native.ir import Function, SizeTable, literal, register, suffix
from amigrad.backends.native.panels import EPILOGUE, named, panels, turn
from amigrad.backends.native.reductions import across
from amigrad.backends.native.target import Target
from amigrad.graph import Dim, DType, bool_
from amigrad.operators import reduce

_TILE = (
    "ptr noalias %a, i64 %a_down, i64 %a_along, ptr noalias %b, i64 %b_down, i64 %inner, "
    "ptr noalias %c, i64 %c_down, i64 %rows, i64 %columns, i1 %more, "
)
_PACK = "ptr noalias %a, i64 %down, i64 %along, i64 %inner, i64 %columns, ptr noalias %c, i64 %c_down"
_FAR = 1 << 16
"""Where the elements of a tile's first operand lie so far apart, others are fetched ahead."""
_AHEAD = 32
"""Those of the row so many rows further down."""
MOST_TURNED = 8
"""The rows and columns, at most, of the blocks in which a matrix is turned."""
_LINES = 8
"""So many lines of a matrix are read at a time where it is multiplied with one row."""


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
        result = list(self.epilogues.values())
        for name, (arguments, write) in self.waiting.items():
            f = Function(name, self.sizes, arguments, internal=True)
            write(f)
            f.do("ret i32 0")
            result.append(f)
        return result

    def _function(self, kind: str, dtype: DType, arguments: str, write: Callable[[Function], None]) -> str:
        name = f"{kind}_{suffix(dtype, 1)}"
        self.waiting.setdefault(name, (arguments, write))
        return name

    def _tile(self, kind: str, dtype: DType, write: Callable[[Function], None]) -> str:
        return self._function(kind, dtype, f"{_TILE}{register(dtype)} %scale", write)

    def row(self, dtype: DType, columns: Dim, other: str) -> str:
        """The same as `sums` for one row, the scale taken as 1. Lines of a matrix of so many columns add up in
        registers if they fit, and else in memory; the function for parts of lines that fit is another one, if any.
        """
        lanes = self.target.lanes(dtype)
        if not (isinstance(columns, int) and 0 < columns <= self.target.row_vectors * lanes):
            return self._tile("row", dtype, lambda f: _row(f, dtype, lanes))
        width = self._width(dtype, columns)
        other = other or self._tile("row", dtype, lambda f: _row(f, dtype, lanes))

        def write(f: Function) -> None:
            whole = f.compare("eq", "%columns", str(columns))
            with f.when(whole):
                _sums(f, self.target, dtype, 1, width, "0", str(columns))
            with f.when(f.negated(whole)):
                f.invoke(other, f"{_TILE}{register(dtype)} %scale".replace("noalias ", ""))

        return self._tile(f"row_{columns}", dtype, write)

    def sums(self, dtype: DType, shape: tuple[int, int], columns: Dim) -> str:
        """c = a b, or c += scale a b if there is `more`, for at most so many rows (at least 1), and any columns.

        a: element (row, k) at row * a_down + k * a_along; the columns of b and c are adjacent. Of the tile's shape
        (rows, vectors) narrower ones are made too, for the last columns of a matrix of so many.
        """
        rows, vectors = shape
        lanes, narrow = self.target.lanes(dtype), min(vectors, self.target.tiles[0][1])
        kind = f"sums_{rows}x{vectors}"
        known = self.widths.setdefault(f"{kind}_{dtype}", set())
        known |= self._panels(dtype, columns, narrow, vectors)

        def write(f: Function) -> None:
            for operand in ("a", "c"):  # Once for tiles of all widths.
                _clamped(f, dtype, f"%{operand}", "0", rows, "%rows", f"%{operand}_down")
            whole = "0"
            if vectors > narrow and vectors * lanes in known:
                whole = f.sub("%columns", f.emit(f"urem i64 %columns, {vectors * lanes}"))
                with f.looping("0", whole, vectors * lanes) as column:
                    _sums(f, self.target, dtype, rows, (lanes,) * vectors, column, None)
            widths = self._widths(dtype, {k for k in known if k is None or k <= narrow * lanes}, narrow)
            with f.looping(whole, "%columns", narrow * lanes) as column:
                for width, left in self._chosen(f, widths, column):
                    _sums(f, self.target, dtype, rows, width, column, left)

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
                _clamped(f, dtype, f"%{operand}", "0", most, "%inner", f"%{line}")
            with f.looping("0", "%columns", vectors * lanes) as column:
                for width, left in self._chosen(f, self._widths(dtype, known, vectors), column):
                    _outer(f, dtype, fewest, most, width, column, left)

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
        any_number = {(self.half(dtype) or lanes,), *((lanes,) * v for v in range(1, vectors + 1))}
        found = {self._width(dtype, columns) for columns in known if columns is not None}
        return sorted(found | any_number if None in known else found, key=sum, reverse=True)

    def half(self, dtype: DType) -> int:
        """The lanes of half a vector, if it takes less time than a whole one; else 0."""
        half = self.target.lanes(dtype) // 2
        return half if half >= self.target.short_lanes(dtype) else 0

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
            rows, columns = _dots_shape(lanes)
            one = "true" if rows == 1 else f.compare("eq", "%rows", "1")
            height, width = f.select(one, "1", str(rows)), f.select(one, str(lanes), str(columns))
            with f.looping("0", "%columns", width) as column, f.looping("0", "%rows", height) as row:
                _dots(f, self.target, dtype, row, column, one)

        return self._tile("dots", dtype, write)

    # Panels

    def panels(self, dtype: DType, shapes: tuple[tuple[int, int], ...]) -> str:
        """The loops of a product with tiles of these shapes: see `panels.py`."""
        arguments = f"ptr %given, {register(dtype)} %scale"
        kind = f"panels_{len(shapes)}"
        return self._function(kind, dtype, arguments, lambda f: panels(f, self.target, dtype, shapes))

    def turn(self, dtype: DType, shape: tuple[int, int]) -> str:
        """The epilogue that turns the result of tiles of this shape."""
        (tall, vectors), pack = shape, self.pack(dtype, "inner")
        width = vectors * self.target.lanes(dtype)
        return self._function("turn", dtype, named(EPILOGUE), lambda f: turn(f, dtype, tall, width, pack))

    def constant(self, words: list[str]) -> str:
        """The name of words in memory: numbers, functions that begin with @, and null."""
        values = ", ".join(f"ptr {word}" if word[0] in "@n" else f"i64 {word}" for word in words)
        types = ", ".join("ptr" if word[0] in "@n" else "i64" for word in words)
        text = f"internal constant {{ {types} }} {{ {values} }}, align 64"
        return self.words.setdefault(text, f"@words{len(self.words)}")

    def constants(self) -> list[str]:
        """The definitions of such words."""
        return [f"{name} = {value}" for value, name in self.words.items()]

    def shared(self, epilogue: Function) -> str:
        """The name of an epilogue; one that was written before has the same."""
        same = self.epilogues.setdefault(epilogue.text(), epilogue)
        if same is epilogue:
            same.name = f"epilogue{len(self.epilogues)}"
        return same.name

    def pack(self, dtype: DType, adjacent: str) -> str:
        """c[k, column] = a[k * down + column * along], where the "columns" or the "inner" elements of a are adjacent,
        or "neither". If these are turned, c has room for so many columns as a block has.
        """

        def write(f: Function) -> None:
            if adjacent == "columns":
                _copy(f, self.target, dtype)
            elif adjacent == "inner":
                _transpose(f, dtype, max(2, min(MOST_TURNED, self.target.lanes(dtype))))
            else:
                _move(f, dtype, "0", "%inner")

        return self._function(f"pack_{adjacent}", dtype, _PACK, write)


def multiply_add(f: Function, dtype: DType, lanes: int, a: str, b: str, c: str) -> str:
    """a * b + c."""
    type_ = register(dtype, lanes)
    if dtype.kind == "f":
        return f.call(f"llvm.fmuladd.{suffix(dtype, lanes)}", type_, (type_, a), (type_, b), (type_, c))
    return f.emit(f"add {type_} {f.emit(f'mul {type_} {a}, {b}')}, {c}")


def _clamped(f: Function, dtype: DType, pointer: str, first: str, count: int, limit: str, stride: str) -> list[str]:
    """The addresses of so many lines, `stride` apart; the last one again for those that do not exist."""
    lines = [f.at(pointer, dtype, f.mul(first, stride))]
    for number in range(1, count):
        exists = f.emit(f"icmp slt i64 {f.add(first, str(number))}, {limit}")
        lines.append(f.at(lines[-1], dtype, f.emit(f"select i1 {exists}, i64 {stride}, i64 0")))
    return lines


def _sums(
    f: Function, target: Target, dtype: DType, rows: int, widths: tuple[int, ...], column: str, left: str | None
) -> None:
    """A tile of sums: vectors of these lanes. left: how many columns are left, of which the last vector may have fewer.

    Rows that do not exist are the last one computed again.
    """
    types = [register(dtype, lanes) for lanes in widths]
    starts = [sum(widths[:v]) for v in range(len(widths))]
    vectors = range(len(widths))
    masks: list[str | None] = [None for _ in vectors]
    if left is not None:
        # Frozen, LLVM does not compute it anew in the loop.
        masks[-1] = f.emit(f"freeze {register(bool_, widths[-1])} {f.mask(f.sub(left, str(starts[-1])), widths[-1])}")
    zeros = [f.splat(literal(0, dtype), dtype, lanes) for lanes in widths]
    sums = [[f.variable(types[v], zeros[v]) for v in vectors] for _ in range(rows)]
    firsts = _clamped(f, dtype, "%a", "0", rows, "%rows", "%a_down")
    start = f.at("%b", dtype, column)
    results = [f.at(line, dtype, column) for line in _clamped(f, dtype, "%c", "0", rows, "%rows", "%c_down")]
    ahead = ""
    if rows == target.tiles[0][0] and len(widths) > 1:
        f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        ahead = f.compare("sge", f.mul("%inner", "%a_along"), str(_FAR))
    begin = "0"
    if left is not None and narrow.is_narrow(dtype, widths, target.lanes(dtype)):
        variables = [row[0] for row in sums]
        begin = narrow.add_up(f, dtype, target.lanes(dtype), variables, firsts, start, str(masks[0]), left)
    with f.looping(begin, "%inner", 1) as k:
        line = f.at(start, dtype, f.mul(k, "%b_down"))
        parts = [
            f.load(f.at(line, dtype, str(starts[v])), dtype, widths[v], masks[v] if target.masks else None)
            for v in vectors
        ]
        step = f.mul(k, "%a_along")
        for r in range(rows):
            element = f.load(f.at(firsts[r], dtype, step), dtype)
            for v in vectors:
                factor = f.splat(element, dtype, widths[v])
                total = f.get(sums[r][v], types[v])
                f.set(sums[r][v], types[v], multiply_add(f, dtype, widths[v], factor, parts[v], total))
        if ahead:  # In a block of its own: LLVM lets no load pass it, and would need more registers than there are.
            with f.when(ahead):
                place = f.at(firsts[0], dtype, f.add(step, str(_AHEAD)))
                f.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 2, i32 1)")
    places = [[f.at(results[r], dtype, str(starts[v])) for v in vectors] for r in range(rows)]
    with f.when("%more"):  # All is read before anything is written: the last row may stand for others too.
        for r in range(rows):
            for v in vectors:
                before = f.load(places[r][v], dtype, widths[v], masks[v])
                scale = f.splat("%scale", dtype, widths[v])
                total = multiply_add(f, dtype, widths[v], scale, f.get(sums[r][v], types[v]), before)
                f.set(sums[r][v], types[v], total)
    for r in range(rows):
        for v in vectors:
            f.store(f.get(sums[r][v], types[v]), places[r][v], dtype, widths[v], masks[v])


def _outer(f: Function, dtype: DType, fewest: int, most: int, widths: tuple[int, ...], column: str, left: str) -> None:
    """Vectors of these lanes of all rows: scaled lines of b, of which there are so many, are in registers.

    Lines that do not exist are 0, and multiplied by 0: what stands in another one may be infinite.
    """
    vectors = [(sum(widths[:v]), lanes, register(dtype, lanes)) for v, lanes in enumerate(widths)]
    masks: list[str | None] = [None for _ in widths]
    masks[-1] = f.emit(f"freeze {register(bool_, widths[-1])} {f.mask(f.sub(left, str(vectors[-1][0])), widths[-1])}")
    zero = f.room(1, dtype)
    f.store(literal(0, dtype), zero, dtype)
    firsts: list[tuple[str, str]] = []
    scaled: list[list[str]] = []
    lines = (_clamped(f, dtype, x, "0", most, "%inner", step) for x, step in (("%a", "%a_along"), ("%b", "%b_down")))
    for number, (a, b) in enumerate(zip(*lines, strict=True)):
        exists = f.compare("slt", str(number), "%inner") if number >= fewest else "true"
        firsts.append((f.select(exists, a, zero, "ptr"), f.select(exists, "-1", "0")))
        start = f.at(b, dtype, column)
        scaled.append([])
        for (first, lanes, type_), mask in zip(vectors, masks, strict=True):
            value = f.load(f.at(start, dtype, str(first)), dtype, lanes, mask)
            value = f.select(exists, value, "zeroinitializer", type_)
            scaled[-1].append(f.emit(f"fmul {type_} {f.splat('%scale', dtype, lanes)}, {value}"))

    def places(row: str) -> list[str]:
        start = f.at(f.at("%c", dtype, f.mul(row, "%c_down")), dtype, column)
        return [f.at(start, dtype, str(first)) for first, _, _ in vectors]

    def read(row: str) -> list[str]:
        return [f.load(p, dtype, v[1], mask) for p, v, mask in zip(places(row), vectors, masks, strict=True)]

    last = f.sub("%rows", "1")
    before = [f.variable(type_, value) for (_, _, type_), value in zip(vectors, read("0"), strict=True)]
    with f.looping("0", "%rows", 1) as row:
        totals = [f.get(name, type_) for name, (_, _, type_) in zip(before, vectors, strict=True)]
        step = f.mul(row, "%a_down")
        for (elements, exists), line_ in zip(firsts, scaled, strict=True):
            place = step if exists == "-1" else f.emit(f"and i64 {step}, {exists}")
            element = f.load(f.at(elements, dtype, place), dtype)
            for v, (_, lanes, _) in enumerate(vectors):
                totals[v] = multiply_add(f, dtype, lanes, f.splat(element, dtype, lanes), line_[v], totals[v])
        # The next line is read before this one is stored: where it begins within the same vector it would wait.
        for name, (_, _, type_), value in zip(before, vectors, read(f.least(f.add(row, "1"), last)), strict=True):
            f.set(name, type_, value)
        for place, (_, lanes, _), total, mask in zip(places(row), vectors, totals, masks, strict=True):
            f.store(total, place, dtype, lanes, mask)


def _row(f: Function, dtype: DType, lanes: int) -> None:
    """One row, which adds up in memory: some lines of the second operand at a time, from the left to the right."""
    rest = f.emit(f"urem i64 %columns, {lanes}")
    whole = f.sub("%columns", rest)
    mask = f.mask(rest, lanes)

    def over(part: Callable[[str, str | None], None]) -> None:
        with f.looping("0", whole, lanes) as column:
            part(column, None)
        with f.when(f.compare("ne", rest, "0")):
            part(whole, mask)

    def add(k: str, count: int) -> None:
        places = [f.add(k, str(i)) for i in range(count)]
        elements = [
            f.splat(f.load(f.at("%a", dtype, f.mul(place, "%a_along")), dtype), dtype, lanes) for place in places
        ]
        lines = [f.at("%b", dtype, f.mul(place, "%b_down")) for place in places]

        def part(column: str, mask: str | None) -> None:
            result = f.at("%c", dtype, column)
            total = f.load(result, dtype, lanes, mask)
            for element, line in zip(elements, lines, strict=True):
                b = f.load(f.at(line, dtype, column), dtype, lanes, mask)
                total = multiply_add(f, dtype, lanes, element, b, total)
            f.store(total, result, dtype, lanes, mask)

        over(part)

    zero = f.splat(literal(0, dtype), dtype, lanes)
    with f.when(f.negated("%more")):
        over(lambda column, mask: f.store(zero, f.at("%c", dtype, column), dtype, lanes, mask))
    several = f.sub("%inner", f.emit(f"urem i64 %inner, {_LINES}"))
    with f.looping("0", several, _LINES) as k:
        add(k, _LINES)
    with f.looping(several, "%inner", 1) as k:
        add(k, 1)


def _dots(f: Function, target: Target, dtype: DType, row: str, column: str, one: str) -> None:
    """A tile of inner products, as many as a vector has lanes, which add up in a vector each: of `one` row (i1) and as
    many columns, or of a few rows and of fewer columns.
    """
    lanes = target.lanes(dtype)
    type_ = register(dtype, lanes)
    zero = f.splat(literal(0, dtype), dtype, lanes)
    sums = [f.variable(type_, zero) for _ in range(lanes)]

    def add_up(rows: int, columns: int) -> None:
        firsts = _clamped(f, dtype, "%a", row, rows, "%rows", "%a_down")
        seconds = _clamped(f, dtype, "%b", column, columns, "%columns", "%b_down")

        def step(k: str, mask: str | None) -> None:
            b = [f.load(f.at(second, dtype, k), dtype, lanes, mask) for second in seconds]
            for r in range(rows):
                a = f.load(f.at(firsts[r], dtype, k), dtype, lanes, mask)
                for c in range(columns):
                    place = sums[r * columns + c]
                    f.set(place, type_, multiply_add(f, dtype, lanes, a, b[c], f.get(place, type_)))

        if target.masks:
            with f.looping("0", "%inner", lanes) as k:
                step(k, f.mask(f.least(f.sub("%inner", k), str(lanes)), lanes))
        else:
            rest = f.emit(f"urem i64 %inner, {lanes}")
            whole = f.sub("%inner", rest)
            with f.looping("0", whole, lanes) as k:
                step(k, None)
            with f.when(f.compare("ne", rest, "0")):
                step(whole, f.mask(rest, lanes))

    rows, columns = _dots_shape(lanes)
    with f.when(one):
        add_up(1, lanes)
    with f.when(f.negated(one)):
        add_up(rows, columns)
    found = sums_across(f, [f.get(place, type_) for place in sums], dtype, lanes)
    with f.when(one):
        f.store(found, f.at("%c", dtype, f.add(f.mul(row, "%c_down"), column)), dtype, lanes)
    with f.when(f.negated(one)):
        for r in range(rows):
            place = f.add(f.mul(f.add(row, str(r)), "%c_down"), column)
            picks = ", ".join(f"i32 {r * columns + c}" for c in range(columns))
            part = f.emit(f"shufflevector {type_} {found}, {type_} poison, <{columns} x i32> <{picks}>")
            f.store(part, f.at("%c", dtype, place), dtype, columns)


def _dots_shape(lanes: int) -> tuple[int, int]:
    """The rows and columns of a tile of inner products, where there are several rows."""
    rows = max(1, lanes // 4)
    return rows, lanes // rows


def sums_across(f: Function, lines: list[str], dtype: DType, lanes: int) -> str:
    """A vector of the sums of the lanes of each of these vectors, of which there are at most as many as lanes."""
    if len(lines) == 1:
        return across(f, reduce.Sum(()), lines[0], dtype, lanes)
    type_, count, adds = register(dtype, lanes), len(lines), "fadd" if dtype.kind == "f" else "add"
    while len(lines) > 1:
        pairs = _exchanged(f, lines, type_, lanes, len(lines) // 2)
        lines = [f.emit(f"{adds} {type_} {low}, {high}") for low, high in pairs]
    (value,) = lines
    while lanes > count:
        lanes //= 2
        low, high = (
            f.emit(f"shufflevector {type_} {value}, {type_} poison, <{lanes} x i32> <{picks}>")
            for picks in (", ".join(f"i32 {start + i}" for i in range(lanes)) for start in (0, lanes))
        )
        type_ = register(dtype, lanes)
        value = f.emit(f"{adds} {type_} {low}, {high}")
    return value


def _copy(f: Function, target: Target, dtype: DType) -> None:
    lanes = target.lanes(dtype)
    rest = f.emit(f"urem i64 %columns, {lanes}")
    whole = f.emit(f"sub i64 %columns, {rest}")
    mask = f.mask(rest, lanes)
    ragged = f.emit(f"icmp ne i64 {rest}, 0")
    with f.looping("0", "%inner", 1) as k:
        source = f.at("%a", dtype, f.mul(k, "%down"))
        result = f.at("%c", dtype, f.mul(k, "%c_down"))
        with f.looping("0", whole, lanes) as column:
            f.store(f.load(f.at(source, dtype, column), dtype, lanes), f.at(result, dtype, column), dtype, lanes)
        with f.when(ragged):
            f.store(f.load(f.at(source, dtype, whole), dtype, lanes, mask), f.at(result, dtype, whole), dtype, lanes)


def _transpose(f: Function, dtype: DType, size: int) -> None:
    """Square blocks; the last ones overlap with those before. If there are fewer columns, others are the last again."""
    type_ = register(dtype, size)
    short = f.emit(f"icmp slt i64 %inner, {size}")
    with f.when(short):
        _move(f, dtype, "0", "%inner")
    final = f.emit(f"sub i64 %inner, {size}")
    stop = f.emit(f"select i1 {short}, i64 0, i64 %columns")
    edge = f.most(f.sub("%columns", str(size)), "0")
    with f.looping("0", stop, size) as first:
        column = f.least(first, edge)
        sources = _clamped(f, dtype, "%a", column, size, "%columns", "%along")
        with f.looping("0", "%inner", size) as start:
            k = f.least(start, final)
            lines = [f.load(f.at(source, dtype, k), dtype, size) for source in sources]
            distance = size // 2
            while distance:
                exchanged = _exchanged(f, lines, type_, size, distance)
                lines = [""] * size
                for (low, high), i in zip(exchanged, (i for i in range(size) if not i & distance), strict=True):
                    lines[i], lines[i + distance] = low, high
                distance //= 2
            for i, line in enumerate(lines):
                place = f.add(f.mul(f.add(k, str(i)), "%c_down"), column)
                f.store(line, f.at("%c", dtype, place), dtype, size)


def _exchanged(f: Function, lines: list[str], type_: str, lanes: int, distance: int) -> list[tuple[str, str]]:
    """Of lines `distance` apart: the low halves of both, and the high halves, of each 2 * distance lanes."""
    result = []
    for i in range(len(lines)):
        if i & distance:
            continue
        low = [c if not c & distance else lanes + c - distance for c in range(lanes)]
        high = [c + distance if not c & distance else lanes + c for c in range(lanes)]
        pair = f"{type_} {lines[i]}, {type_} {lines[i + distance]}"
        low_, high_ = (
            f.emit(f"shufflevector {pair}, <{lanes} x i32> <{', '.join(f'i32 {p}' for p in picks)}>")
            for picks in (low, high)
        )
        result.append((low_, high_))
    return result


def _move(f: Function, dtype: DType, start: str, stop: str) -> None:
    with f.looping(start, stop, 1) as k, f.looping("0", "%columns", 1) as column:
        source = f.add(f.mul(k, "%down"), f.mul(column, "%along"))
        result = f.add(f.mul(k, "%c_down"), column)
        f.store(f.load(f.at("%a", dtype, source), dtype), f.at("%c", dtype, result), dtype)
