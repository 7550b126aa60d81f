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
BLOCK = 512
"""At most so many rows use packed panels before the next ones."""
SPAN = 1 << 19
"""A few rows use panels of so many bytes, or one panel, one after another, before the next rows do."""
DEEP = 32
"""A tile that adds up over so many elements has time to let come what follows it will need."""
MARGIN = 16
"""Lines of sums are so much longer than needed, lest they all fall on the same places of a cache."""
COMING = 3
"""The words that say which matrix is to come into the caches: its address, the bytes from row to row and from column to
column.
"""

PANELS = (
    *("ptr a", "i64 a_down", "i64 a_along", "ptr b", "i64 b_down", "i64 b_along", "i64 inner", "i64 columns"),
    *("i64 top", "i64 bottom", "i64 left", "i64 right", "i64 wide", "i64 group", "i64 block"),
    *("ptr pack", "i1 packed", "ptr panels", "ptr sums"),
    *("ptr result", "i64 result_down", "i1 adds", "ptr coming", "i64 count", "ptr epilogue", "ptr context"),
)
"""What `panels` takes, besides a `scale` and a tile for each shape.

Rows [top, bottom) and columns [left, right) of a b are computed, `group` rows at a time and `block` rows for panels
of `wide` columns. pack: what packs panels of b, if they are `packed`. panels, sums: room for panels, and for the sums
of several stretches. result: where the tiles go (null: into room of their own), added to what is there if it `adds`.
coming: so many matrices to prefetch. epilogue: what follows (null: nothing), called with its context, a part of the
result and where its sums are.
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
    panels = Node((threads, max(depth, SPAN // (panel * dtype.itemsize)), panel), dtype, number=-1)
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


def panels_arguments(dtype: DType, shapes: int) -> tuple[str, ...]:
    """What `panels` takes, with tiles of so many shapes."""
    return (*PANELS, f"{register(dtype)} scale", *(f"ptr tile{number}" for number in range(shapes)))


def panels(f: Function, target: Target, dtype: DType, shapes: tuple[tuple[int, int], ...]) -> None:
    """Write the function."""
    tall, vectors = shapes[0]
    most, _ = at_a_time(tall, vectors * target.lanes(dtype), True)
    buffer = f.room(max(most * vectors, *(t * v for t, v in shapes)) * target.lanes(dtype), dtype)
    several = f.compare("sgt", "%inner", str(STRETCH))
    length = f.variable("i64", f.most("%inner", "1"))
    with f.when(several):
        stretches = f.quotient(f.add("%inner", str(STRETCH - 1)), STRETCH)
        f.set(length, "i64", f.quotient(f.add("%inner", f.sub(stretches, "1")), stretches))
    stretch = f.get(length, "i64")
    direct, follows = (f.emit(f"icmp ne ptr %{name}, null") for name in ("result", "epilogue"))
    placed = f.either(direct, several)
    base = f.select(direct, "%result", f.select(several, "%sums", buffer, "ptr"), "ptr")
    down = f.select(direct, "%result_down", f.select(several, f.add("%columns", str(MARGIN)), "%wide"))
    together = f.quotient(str(SPAN // dtype.itemsize), f.mul("%wide", stretch))
    span = f.mul("%wide", f.most(together, "1"))
    with (
        f.looping("%top", "%bottom", "%block") as first,
        f.looping("0", f.most("%inner", "1"), stretch) as k,
        f.looping("%left", "%right", span) as start,
    ):
        end = f.least(f.add(first, "%block"), "%bottom")
        depth = f.least(stretch, f.sub("%inner", k))
        final = f.compare("sge", f.add(k, stretch), "%inner")
        more = f.either("%adds", f.compare("sgt", k, "0"))
        origin = f.select(direct, "0", first)
        a = f.at("%a", dtype, f.add(f.mul(first, "%a_down"), f.mul(k, "%a_along")))
        stop = f.least(f.add(start, span), "%right")
        with f.looping(first, end, "%group") as row, f.looping(start, stop, "%wide") as column:
            count = f.least("%wide", f.sub(stop, column))
            b = f.at("%b", dtype, f.add(f.mul(k, "%b_down"), f.mul(column, "%b_along")))
            panel = f.at("%panels", dtype, f.mul(f.sub(column, start), depth))
            copied = "%packed"
            if not target.masks:
                copied = f.either(copied, f.compare("ne", f.emit(f"urem i64 {count}, {target.lanes(dtype)}"), "0"))
            with f.when(f.both(copied, f.compare("eq", row, first))):
                _pack(f, "%pack", b, "%b_down", "%b_along", depth, count, panel, "%wide")
            b, b_down = f.select(copied, panel, b, "ptr"), f.select(copied, "%wide", "%b_down")
            height = f.least("%group", f.sub(end, row))
            place = f.add(f.mul(f.sub(row, origin), down), column)
            sums = f.at(base, dtype, f.select(placed, place, "0"))
            _prefetch(f, target, final, depth, row, height, column, dtype)
            with f.looping("0", height, tall) as part:
                tile = f.least(str(tall), f.sub(height, part))
                c = f.at(sums, dtype, f.mul(part, down))
                lines = f.at(a, dtype, f.mul(f.add(f.sub(row, first), part), "%a_down"))
                f.invoke(
                    _chosen(f, tile, shapes),
                    f"ptr {lines}, i64 %a_down, i64 %a_along, ptr {b}, i64 {b_down}, i64 {depth}, ptr {c}, "
                    f"i64 {down}, i64 {tile}, i64 {count}, i1 {more}, {register(dtype)} %scale",
                )
            with f.when(f.both(final, follows)):
                f.invoke("%epilogue", given(EPILOGUE, {
                    "context": "%context", "row": row, "rows": height, "column": column, "columns": count,
                    "sums": sums, "line": down,
                }))  # fmt: skip


def turn(f: Function, dtype: DType, tall: int, width: int, pack: str) -> None:
    """Write an epilogue for a product whose result is the transposed one of what is wanted: it turns a part, and calls
    what follows. Its context: that, and that one's context.
    """
    group, _ = at_a_time(tall, width, True)
    turned = f.room(group * width, dtype)
    epilogue = f.emit("load ptr, ptr %context, align 8")
    context = f.emit(f"load ptr, ptr {f.at('%context', int64, '1')}, align 8")
    _pack(f, pack, "%sums", "1", "%line", "%columns", "%rows", turned, str(group))
    f.invoke(epilogue, given(EPILOGUE, {
        "context": context, "row": "%column", "rows": "%columns", "column": "%row", "columns": "%rows",
        "sums": turned, "line": str(group),
    }))  # fmt: skip


def at_a_time(tall: int, width: int, turned: bool) -> tuple[int, int]:
    """How many rows are computed at a time, and for each panel, with tiles of so many rows and columns. If the result
    is turned, tiles and vectors of it are whole.
    """
    group = math.lcm(tall, width) if turned else tall
    return group, BLOCK // group * group


def _chosen(f: Function, height: str, shapes: tuple[tuple[int, int], ...]) -> str:
    """The tile for so many rows: that of the fewest rows that is tall enough."""
    chosen = "%tile0"
    for place, (rows, _) in enumerate(shapes[1:], 1):
        chosen = f.select(f.compare("sle", height, str(rows)), f"%tile{place}", chosen, "ptr")
    return chosen


def _pack(f: Function, how: str, a: str, down: str, along: str, inner: str, columns: str, c: str, c_down: str) -> None:
    f.invoke(how, f"ptr {a}, i64 {down}, i64 {along}, i64 {inner}, i64 {columns}, ptr {c}, i64 {c_down}")


def _prefetch(
    f: Function, target: Target, final: str, depth: str, row: str, rows: str, column: str, dtype: DType
) -> None:
    """Let what follows will need of large matrices come into the caches while a tile adds up."""
    f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    wanted = f.both(final, f.compare("sge", depth, str(DEEP)))
    with f.when(wanted), f.looping("0", "%count", 1) as matrix:
        words = f.at("%coming", int64, f.mul(matrix, str(COMING)))
        start = f.emit(f"load ptr, ptr {words}, align 8")
        down, along = (f.load(f.at(words, int64, str(word)), int64) for word in (1, 2))
        first = f.add(f.mul(row, down), f.mul(column, along))
        with f.looping("0", rows, 1) as line:
            address = f.emit(f"getelementptr i8, ptr {start}, i64 {f.add(first, f.mul(line, down))}")
            for vector in range(target.tiles[0][1]):
                place = f.emit(f"getelementptr i8, ptr {address}, i64 {vector * target.vector_bytes}")
                f.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")
