"""The loops of a matrix product, which all products of a module share.

They go over blocks of rows, stretches of the inner dimension, panels of columns and tiles of rows, in one function for
each element type. What differs from product to product it is told: where operands lie, what packs a panel, the tiles
for some rows, for a few and for one, and the epilogue, which it calls where sums are complete.
"""

from __future__ import annotations

import math

from amigrad.backends.native.ir import Function, register
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.target import Target
from amigrad.backends.native.views import View, is_unit
from amigrad.graph import DType, int64

STRETCH = 1024
"""A longer inner dimension is cut into stretches of at most so many elements."""
GROUP = 4
"""A panel is used by so many tiles of rows, and what follows is done for them together, before the next panel is."""
BLOCK = 512
"""At most so many rows use packed panels before the next ones."""
SPAN = 1 << 19
"""A few rows use panels of so many bytes, or one panel, one after another, before the next rows do."""
DEEP = 32
"""A tile that adds up over so many elements has time to let come what follows it will need."""
MARGIN = 16
"""Lines of sums are so much longer than needed, lest they all fall on the same places of a cache."""
WORDS = {
    **dict.fromkeys(("a", "b", "pack", "panels", "sums", "result", "first_row"), "ptr"),
    **dict.fromkeys(("epilogue", "context", "follows", "followed"), "ptr"),
    **dict.fromkeys(("a_down", "a_along", "b_down", "b_along", "inner", "columns", "packed"), "i64"),
    **dict.fromkeys(("top", "bottom", "left", "right", "wide", "group", "block"), "i64"),
    **dict.fromkeys(("result_down", "adds", "count"), "i64"),
}
"""What `panels` is told of a product, a word each; then come a tile for each shape, and the matrices to prefetch.

Rows [top, bottom) and columns [left, right) of a b are computed, `group` rows at a time and `block` rows for panels
of `wide` columns. first_row: what is added to each row (null: nothing). pack: what packs panels of b, if they are
`packed`. panels, sums: room for panels, and for the sums of several stretches. result: where the tiles go (null: into
room of their own), added to what is there if it `adds`. epilogue: what follows (null: nothing), called with its
context, a part of the result and where its sums are; where it only turns the result, follows and followed: what follows
then, and its context, or null and the result. count: so many matrices are prefetched, of each of which there are the
address and the bytes from row to row and from column to column.
"""
EPILOGUE = ("ptr context", "i64 row", "i64 rows", "i64 column", "i64 columns", "ptr sums", "i64 line")
"""What an epilogue takes: its context, the part's first row and column, how many there are, and where its sums are."""


def scratch(left: View, right: View, target: Target, threads: int) -> list[Node]:
    """The buffers of a product: packed panels and, if there may be several stretches, the sums of a block."""
    rows, columns, inner, dtype = left.shape[-2], right.shape[-1], left.shape[-1], left.base.dtype
    panel = target.tiles[0][1] * target.lanes(dtype)
    if not target.masks:
        panel = max(vectors for _, vectors in target.tiles) * target.lanes(dtype)
    several = not (isinstance(inner, int) and inner <= STRETCH)
    depth = STRETCH if several else inner
    panels = Node((threads, max(depth, -(-SPAN // (panel * dtype.itemsize))), panel), dtype, number=-1)
    result = [panels]
    if several:
        line = (rows if is_unit(columns) else columns) + MARGIN
        result.append(Node((threads, BLOCK, line), dtype, number=-1))
    return result


def named(arguments: tuple[str, ...]) -> str:
    """A list of arguments as a function's definition has it: "ptr %a, i64 %a_down"."""
    return ", ".join(argument.replace(" ", " %") for argument in arguments)


def given(arguments: tuple[str, ...], values: dict[str, str]) -> str:
    """The same as a call has it, with these values."""
    return ", ".join(f"{type_} {values[name]}" for type_, name in (argument.split() for argument in arguments))


def panels(f: Function, target: Target, dtype: DType, shapes: tuple[tuple[int, int], ...]) -> None:
    """Write the function. It takes a pointer to the words and the scale of the product."""
    tall, vectors = shapes[0]
    most = max(at_a_time(tall, vectors * target.lanes(dtype), turned)[0] for turned in (True, False))
    buffer = f.room(max(most * vectors, *(t * v for t, v in shapes)) * target.lanes(dtype), dtype)
    inner = _word(f, "inner")
    several = f.compare("sgt", inner, str(STRETCH))
    length = f.variable("i64", f.most(inner, "1"))
    with f.when(several):
        stretches = f.quotient(f.add(inner, str(STRETCH - 1)), STRETCH)
        f.set(length, "i64", f.quotient(f.add(inner, f.sub(stretches, "1")), stretches))
    stretch = f.get(length, "i64")
    result = _word(f, "result")
    direct = f.emit(f"icmp ne ptr {result}, null")
    placed = f.either(direct, several)
    base = f.select(direct, result, f.select(several, _word(f, "sums"), buffer, "ptr"), "ptr")
    line = f.add(_word(f, "columns"), str(MARGIN))
    wide = _word(f, "wide")
    down = f.select(direct, _word(f, "result_down"), f.select(several, line, wide))
    together = f.quotient(str(SPAN // dtype.itemsize), f.mul(wide, stretch))
    span = f.mul(wide, f.most(together, "1"))
    with (
        f.looping(_word(f, "top"), _word(f, "bottom"), _word(f, "block")) as first,
        f.looping("0", f.most(inner, "1"), stretch) as k,
        f.looping(_word(f, "left"), _word(f, "right"), span) as start,
    ):
        end = f.least(f.add(first, _word(f, "block")), _word(f, "bottom"))
        depth = f.least(stretch, f.sub(inner, k))
        final = f.compare("sge", f.add(k, stretch), inner)
        more = f.either(_holds(f, "adds"), f.compare("sgt", k, "0"))
        origin = f.select(direct, "0", first)
        a_down, a_along = _word(f, "a_down"), _word(f, "a_along")
        a = f.at(_word(f, "a"), dtype, f.add(f.mul(first, a_down), f.mul(k, a_along)))
        stop = f.least(f.add(start, span), _word(f, "right"))
        with f.looping(first, end, _word(f, "group")) as row, f.looping(start, stop, _word(f, "wide")) as column:
            wide, b_down, b_along = _word(f, "wide"), _word(f, "b_down"), _word(f, "b_along")
            count = f.least(wide, f.sub(stop, column))
            b = f.at(_word(f, "b"), dtype, f.add(f.mul(k, b_down), f.mul(column, b_along)))
            panel = f.at(_word(f, "panels"), dtype, f.mul(f.sub(column, start), depth))
            few = str(target.short_lanes(dtype))
            packed_down = f.select(f.compare("sle", count, few), few, wide)
            copied = _holds(f, "packed")
            if not target.masks:
                copied = f.either(copied, f.compare("ne", f.emit(f"urem i64 {count}, {target.lanes(dtype)}"), "0"))
            with f.when(f.both(copied, f.compare("eq", row, first))):
                _pack(f, _word(f, "pack"), b, b_down, b_along, depth, count, panel, packed_down)
            # The first tile of a panel lets the next panel come, those of the first panel the next rows.
            new = f.both(f.compare("eq", row, first), f.compare("eq", b_along, "1"))
            right, right_down = f.at(b, dtype, str(vectors * target.lanes(dtype))), b_down
            ahead = f.compare("eq", column, start)
            b, b_down = f.select(copied, panel, b, "ptr"), f.select(copied, packed_down, b_down)
            first_row = _word(f, "first_row")
            starts = f.both(f.negated(more), f.emit(f"icmp ne ptr {first_row}, null"))
            initial = f.select(starts, f.at(first_row, dtype, column), b, "ptr")
            height = f.least(_word(f, "group"), f.sub(end, row))
            place = f.add(f.mul(f.sub(row, origin), down), column)
            sums = f.at(base, dtype, f.select(placed, place, "0"))
            with f.looping("0", height, tall) as part:
                tile = f.least(str(tall), f.sub(height, part))
                c = f.at(sums, dtype, f.mul(part, down))
                lines = f.at(a, dtype, f.mul(f.add(f.sub(row, first), part), a_down))
                beside = f.select(f.both(new, f.compare("eq", part, "0")), right, "null", "ptr")
                with f.when(f.both(final, f.compare("sge", depth, str(DEEP)))):
                    next_row = f.add(f.add(row, part), str(tall))
                    _prefetch(f, target, dtype, len(shapes), next_row, tile, column, count)
                f.invoke(
                    _chosen(f, tile, shapes),
                    f"ptr {lines}, i64 {a_down}, i64 {a_along}, ptr {b}, i64 {b_down}, i64 {depth}, ptr {c}, "
                    f"i64 {down}, i64 {tile}, i64 {count}, i1 {more}, i1 {ahead}, ptr {beside}, i64 {right_down}, "
                    f"ptr {initial}, i1 {starts}, {register(dtype)} %scale",
                )
            epilogue = _word(f, "epilogue")
            with f.when(f.both(final, f.emit(f"icmp ne ptr {epilogue}, null"))):
                part_of = {"row": row, "rows": height, "column": column, "columns": count}
                where = {"context": _word(f, "context"), "sums": sums, "line": down}
                f.invoke(epilogue, given(EPILOGUE, part_of | where))


def _word(f: Function, name: str, pointer: str = "%given") -> str:
    """A word that a product is told; it is read where it is needed: there are many, and registers are few."""
    return _load(f, pointer, list(WORDS).index(name), WORDS[name])


def _holds(f: Function, name: str) -> str:
    return f.compare("ne", _word(f, name), "0")


def _load(f: Function, pointer: str, place: int, type_: str) -> str:
    address = "%" + f.fresh()
    f.do(f"{address} = getelementptr i64, ptr {pointer}, i64 {place}")
    return f.emit(f"load {type_}, ptr {address}, align 8")


def turn(f: Function, dtype: DType, tall: int, width: int, pack: str) -> None:
    """Write an epilogue for a product whose result is the transposed one of what is wanted: it turns a part, and calls
    what follows; if nothing does, it turns it into the result. Its context are the words of the product.
    """
    group, _ = at_a_time(tall, width, True)
    turned = f.room(group * width, dtype)
    follows, followed, down = (_word(f, name, "%context") for name in ("follows", "followed", "result_down"))
    last = f.emit(f"icmp eq ptr {follows}, null")
    place = f.at(followed, dtype, f.add(f.mul("%column", down), "%row"))
    target, line = f.select(last, place, turned, "ptr"), f.select(last, down, str(group))
    _pack(f, pack, "%sums", "1", "%line", "%columns", "%rows", target, line)
    part_of = {"row": "%column", "rows": "%columns", "column": "%row", "columns": "%rows"}
    with f.when(f.negated(last)):
        f.invoke(follows, given(EPILOGUE, part_of | {"context": followed, "sums": turned, "line": str(group)}))


def at_a_time(tall: int, width: int, turned: bool) -> tuple[int, int]:
    """How many rows are computed at a time, and for each panel, with tiles of so many rows and columns. If the result
    is turned, tiles and vectors of it are whole.
    """
    group = math.lcm(tall, width) if turned else GROUP * tall
    return group, BLOCK // group * group


def _chosen(f: Function, height: str, shapes: tuple[tuple[int, int], ...]) -> str:
    """The tile for so many rows: that of the fewest rows that is tall enough."""
    chosen = _load(f, "%given", len(WORDS), "ptr")
    for place, (rows, _) in enumerate(shapes[1:], len(WORDS) + 1):
        fits = f.compare("sle", height, str(rows))
        chosen = f.select(fits, _load(f, "%given", place, "ptr"), chosen, "ptr")
    return chosen


def _pack(f: Function, how: str, a: str, down: str, along: str, inner: str, columns: str, c: str, c_down: str) -> None:
    f.invoke(how, f"ptr {a}, i64 {down}, i64 {along}, i64 {inner}, i64 {columns}, ptr {c}, i64 {c_down}")


def _prefetch(
    f: Function, target: Target, dtype: DType, shapes: int, row: str, rows: str, column: str, columns: str
) -> None:
    """Let what will be needed of large matrices come into the second cache while a tile adds up for rows before."""
    f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    with f.looping("0", _word(f, "count"), 1) as matrix:
        words = f.at("%given", int64, f.add(f.mul(matrix, "3"), str(len(WORDS) + shapes)))
        start = f.emit(f"load ptr, ptr {words}, align 8")
        down, along = (_load(f, words, place, "i64") for place in (1, 2))
        first = f.add(f.mul(row, down), f.mul(column, along))
        with f.looping("0", rows, 1) as line:
            address = f.emit(f"getelementptr i8, ptr {start}, i64 {f.add(first, f.mul(line, down))}")
            vectors = target.tiles[0][1]
            with f.looping("0", columns, vectors * target.lanes(dtype)) as first_column:
                begin = f.emit(f"getelementptr i8, ptr {address}, i64 {f.mul(first_column, along)}")
                for vector in range(vectors):
                    place = f.emit(f"getelementptr i8, ptr {begin}, i64 {vector * target.vector_bytes}")
                    f.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 2, i32 1)")
