"""Tiles that add up in registers: of some rows, of one row, and of products with a short inner dimension."""

from __future__ import annotations

from collections.abc import Callable

from amigrad.backends.native import narrow
from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.reductions import multiply_add
from amigrad.backends.native.target import Target
from amigrad.graph import DType, bool_

_AHEAD = 32
"""Where the rows of a tile's first operand are adjacent, what is fetched ahead is so many rows further down."""
_LINES = 8
"""So many lines of a matrix are read at a time where it is multiplied with one row."""


def clamped(f: Function, dtype: DType, pointer: str, first: str, count: int, limit: str, stride: str) -> list[str]:
    """The addresses of so many lines, `stride` apart; the last one again for those that do not exist."""
    lines = [f.at(pointer, dtype, f.mul(first, stride))]
    for number in range(1, count):
        exists = f.emit(f"icmp slt i64 {f.add(first, str(number))}, {limit}")
        lines.append(f.at(lines[-1], dtype, f.emit(f"select i1 {exists}, i64 {stride}, i64 0")))
    return lines


def sums(
    f: Function,
    target: Target,
    dtype: DType,
    rows: int,
    widths: tuple[int, ...],
    column: str,
    left: str | None,
    fetches: bool = False,
    fewest: int = 1,
) -> None:
    """A tile of sums: vectors of these lanes. left: how many columns are left, of which the last vector may have fewer
    (all vectors have the `fewest` at least).
    fetches: whether it lets come what the next tiles need.

    Rows that do not exist are the last one computed again.
    """
    types = [register(dtype, lanes) for lanes in widths]
    starts = [sum(widths[:v]) for v in range(len(widths))]
    vectors = range(len(widths))
    masks: list[str | None] = [None for _ in vectors]
    if left is not None:
        # Frozen, LLVM does not compute it anew in the loop.
        masks[-1] = f.emit(f"freeze {register(bool_, widths[-1])} {f.mask(f.sub(left, str(starts[-1])), widths[-1])}")
    initial = [_initial(f, target, dtype, f.add(column, str(starts[v])), widths[v], masks[v]) for v in vectors]
    is_narrow = left is not None and narrow.is_narrow(dtype, widths, target.lanes(dtype))
    zero = f.splat(literal(0, dtype), dtype, widths[0])
    sums = [[f.variable(types[v], zero if is_narrow else initial[v]) for v in vectors] for _ in range(rows)]
    firsts = clamped(f, dtype, "%a", "0", rows, "%rows", "%a_down")
    start = f.at("%b", dtype, column)
    results = [f.at(line, dtype, column) for line in clamped(f, dtype, "%c", "0", rows, "%rows", "%c_down")]
    if fetches:
        f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        ahead, beside = f.both("%ahead", f.compare("eq", column, "0")), f.emit("icmp ne ptr %beside, null")
        lines = f.compare("eq", "%a_along", "1")
        next_rows = f.at(firsts[0], dtype, f.select(lines, f.mul(str(rows), "%a_down"), str(_AHEAD)))
        next_columns, far = f.at("%beside", dtype, column), f.select(lines, str(rows), "%a_along")
    begin = "0"
    if left is not None and is_narrow:
        variables = [row[0] for row in sums]
        begin = narrow.add_up(f, dtype, target.lanes(dtype), variables, firsts, start, left, fewest)
        for name in variables:
            f.set(name, types[0], f.emit(f"fadd {types[0]} {f.get(name, types[0])}, {initial[0]}"))
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
        if fetches:  # In blocks of their own: LLVM lets no load pass these, and would need more registers than it has.
            with f.when(ahead):
                _fetch(f, f.at(next_rows, dtype, f.mul(k, far)))
            with f.when(beside):
                line = f.at(next_columns, dtype, f.mul(k, "%beside_down"))
                for v in vectors:
                    _fetch(f, f.at(line, dtype, str(starts[v])))
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


def _initial(f: Function, target: Target, dtype: DType, column: str, lanes: int, mask: str | None) -> str:
    """What sums start from, in each row."""
    if not target.masks:
        return f.splat(literal(0, dtype), dtype, lanes)
    every = f.mask(str(lanes), lanes) if mask is None else mask
    given = f.select("%starts", every, "zeroinitializer", register(bool_, lanes))
    return f.load(f.at("%first", dtype, column), dtype, lanes, given)


def outer(f: Function, dtype: DType, fewest: int, most: int, widths: tuple[int, ...], column: str, left: str) -> None:
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
    lines = (clamped(f, dtype, x, "0", most, "%inner", step) for x, step in (("%a", "%a_along"), ("%b", "%b_down")))
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


def row(f: Function, target: Target, dtype: DType) -> None:
    """One row, which adds up in memory: some lines of the second operand at a time, from the left to the right."""
    lanes = target.lanes(dtype)
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

    with f.when(f.negated("%more")):
        over(
            lambda column, mask: f.store(
                _initial(f, target, dtype, column, lanes, mask), f.at("%c", dtype, column), dtype, lanes, mask
            )
        )
    several = f.sub("%inner", f.emit(f"urem i64 %inner, {_LINES}"))
    with f.looping("0", several, _LINES) as k:
        add(k, _LINES)
    with f.looping(several, "%inner", 1) as k:
        add(k, 1)


def _fetch(f: Function, place: str) -> None:
    """Let a line of memory come into the second cache."""
    f.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 2, i32 1)")
