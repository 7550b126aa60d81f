"""Tiles of inner products, where both operands of a matrix product lie along the inner dimension."""

from __future__ import annotations

from amigrad.backends.native.copies import exchanged
from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.reductions import across, multiply_add
from amigrad.backends.native.sums import clamped
from amigrad.backends.native.target import Target
from amigrad.graph import DType
from amigrad.operators import reduce


def dots(f: Function, target: Target, dtype: DType, row: str, column: str, one: str) -> None:
    """A tile of inner products, as many as a vector has lanes, which add up in a vector each: of `one` row (i1) and as
    many columns, or of a few rows and of fewer columns.
    """
    lanes = target.lanes(dtype)
    type_ = register(dtype, lanes)
    zero = f.splat(literal(0, dtype), dtype, lanes)
    sums = [f.variable(type_, zero) for _ in range(lanes)]

    def add_up(rows: int, columns: int) -> None:
        firsts = clamped(f, dtype, "%a", row, rows, "%rows", "%a_down")
        seconds = clamped(f, dtype, "%b", column, columns, "%columns", "%b_down")

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

    rows, columns = shape(lanes)
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


def shape(lanes: int) -> tuple[int, int]:
    """The rows and columns of a tile of inner products, where there are several rows."""
    rows = max(1, lanes // 4)
    return rows, lanes // rows


def sums_across(f: Function, lines: list[str], dtype: DType, lanes: int) -> str:
    """A vector of the sums of the lanes of each of these vectors, of which there are at most as many as lanes."""
    if len(lines) == 1:
        return across(f, reduce.Sum(()), lines[0], dtype, lanes)
    type_, count, adds = register(dtype, lanes), len(lines), "fadd" if dtype.kind == "f" else "add"
    while len(lines) > 1:
        pairs = exchanged(f, lines, type_, lanes, len(lines) // 2)
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
