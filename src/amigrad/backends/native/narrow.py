"""Sums of the last columns of a matrix where these are few: a quarter of a vector, or less.

One short vector for each row leaves most of the processor idle. If the first operand lies along the inner dimension,
several steps along it are done at once instead, in parts of a vector that are added up in the end; if it lies along
the rows, vectors go along these, one for each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.reductions import multiply_add
from amigrad.graph import DType, bool_

_STEPS = 4
"""So many steps along the inner dimension are done at once, with as many lanes for each column."""


def is_narrow(dtype: DType, widths: tuple[int, ...], lanes: int) -> bool:
    """Whether a tile with vectors of these lanes has few columns only, where whole vectors have so many."""
    return dtype.kind == "f" and widths == (_columns(dtype),) and lanes == _STEPS * widths[0]


def _columns(dtype: DType) -> int:
    return 16 // dtype.itemsize


def add_up(
    f: Function, dtype: DType, lanes: int, sums: list[str], lines: list[str], start: str, left: str, fewest: int
) -> str:
    """Add up in `sums`, a variable for each of these lines of a tile's first operand, and give the place along the
    inner dimension up to which this was done. start: where the columns of the second operand are, of which there are
    so many left, the fewest at least; lanes: of a whole vector.
    """
    reached = f.variable("i64", "0")
    along, half = f.compare("eq", "%a_along", "1"), _columns(dtype) // 2
    few = f.compare("sle", left, str(half)) if half > 1 and fewest <= half else "false"
    for columns, chosen in ((_columns(dtype), f.negated(few)), (half, few)):
        if chosen != "false":
            with f.when(f.both(along, chosen)):
                f.set(reached, "i64", _several_steps(f, dtype, lanes, columns, sums, lines, start, left))
    if len(lines) == 2 * _columns(dtype):
        with f.when(f.both(f.negated(along), f.compare("eq", "%a_down", "1"))):
            f.set(reached, "i64", _along_rows(f, dtype, sums, lines, start, left))
    return f.get(reached, "i64")


def _several_steps(
    f: Function, dtype: DType, lanes: int, columns: int, sums: list[str], lines: list[str], start: str, left: str
) -> str:
    """A line's vector has for each column the sums over every fourth step (every eighth for half as many columns), from
    the first one, the second one ...
    """
    mask = f.emit(f"freeze {register(bool_, columns)} {f.mask(left, columns)}")
    type_, steps = register(dtype, lanes), lanes // columns
    stop = f.sub("%inner", f.emit(f"urem i64 %inner, {steps}"))
    totals = [f.variable(type_, f.splat(literal(0, dtype), dtype, lanes)) for _ in lines]
    with f.looping("0", stop, steps) as k:
        places = [f.at(start, dtype, f.mul(f.add(k, str(step)), "%b_down")) for step in range(steps)]
        parts = [f.load(place, dtype, columns, mask) for place in places]
        while len(parts) > 1:
            size = lanes // len(parts)
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [_picked(f, a, b, dtype, size, range(2 * size)) for a, b in pairs]
        turned = [step * columns + column for column in range(columns) for step in range(steps)]
        vector = _picked(f, parts[0], "poison", dtype, lanes, turned)
        for total, line in zip(totals, lines, strict=True):
            few = f.load(f.at(line, dtype, k), dtype, steps)
            factor = _picked(f, few, "poison", dtype, steps, [*range(steps)] * columns)
            f.set(total, type_, multiply_add(f, dtype, lanes, factor, vector, f.get(total, type_)))
    values = [f.get(total, type_) for total in totals]
    while steps > _STEPS:
        steps, wide = steps // 2, columns * steps
        lanes = columns * steps
        halves = [[c * 2 * steps + h * steps + s for c in range(columns) for s in range(steps)] for h in (0, 1)]
        values = [
            f.emit(
                f"fadd {register(dtype, lanes)} " + ", ".join(_picked(f, v, "poison", dtype, wide, h) for h in halves)
            )
            for v in values
        ]
    short = _columns(dtype)
    for first in range(0, len(sums), _STEPS):
        group = (values[first : first + _STEPS] + values[-1:] * _STEPS)[:_STEPS]
        one, two, three, four = group
        low, high = (_added(f, a, b, dtype, lanes, (0, lanes, 1, lanes + 1)) for a, b in ((one, two), (three, four)))
        found = _added(f, low, high, dtype, lanes, (0, 1, lanes, lanes + 1))
        for row, result in enumerate(sums[first : first + _STEPS]):
            picks = [*range(row, lanes, _STEPS)]
            picks += picks[-1:] * (short - columns)
            f.set(result, register(dtype, short), _picked(f, found, "poison", dtype, lanes, picks))
    return stop


def _added(f: Function, a: str, b: str, dtype: DType, lanes: int, picks: Sequence[int]) -> str:
    """Of each four lanes of two vectors, taken together: these, and those two further on, added to them."""
    low, high = (
        _picked(
            f, a, b, dtype, lanes, [quarter + further + pick for quarter in range(0, lanes, _STEPS) for pick in picks]
        )
        for further in (0, 2)
    )
    return f.emit(f"fadd {register(dtype, lanes)} {low}, {high}")


def _along_rows(f: Function, dtype: DType, sums: list[str], lines: list[str], start: str, left: str) -> str:
    """A column has two vectors of the sums of all rows, over every second step: one alone would wait for itself. Rows
    and columns that do not exist are the last ones again.
    """
    height, columns = len(lines), _columns(dtype)
    stop = f.sub("%inner", f.emit(f"urem i64 %inner, {_STEPS}"))
    type_, short = register(dtype, height), register(dtype, columns)
    mask = f.mask(f.least("%rows", str(height)), height)
    zero = f.splat(literal(0, dtype), dtype, height)
    totals = [[f.variable(type_, zero) for _ in range(columns)] for _ in range(2)]
    places = [f.least(str(c), f.sub(left, "1")) for c in range(columns)]
    with f.looping("0", stop, 2) as first:
        for step, columns_totals in enumerate(totals):
            k = f.add(first, str(step))
            vector = f.load(f.at(lines[0], dtype, f.mul(k, "%a_along")), dtype, height, mask)
            line = f.at(start, dtype, f.mul(k, "%b_down"))
            for total, place in zip(columns_totals, places, strict=True):
                factor = f.splat(f.load(f.at(line, dtype, place), dtype), dtype, height)
                f.set(total, type_, multiply_add(f, dtype, height, factor, vector, f.get(total, type_)))
    room = f.room(columns * height, dtype)
    for c, pair in enumerate(zip(*totals, strict=True)):
        even, odd = (f.get(total, type_) for total in pair)
        f.store(f.emit(f"fadd {type_} {even}, {odd}"), f.at(room, dtype, str(c * height)), dtype, height)
    for r, result in enumerate(sums):
        row = f.least(str(r), f.sub("%rows", "1"))
        value = "poison"
        for c in range(columns):
            element = f.load(f.at(room, dtype, f.add(row, str(c * height))), dtype)
            value = f.emit(f"insertelement {short} {value}, {register(dtype)} {element}, i32 {c}")
        f.set(result, short, value)
    return stop


def _picked(f: Function, a: str, b: str, dtype: DType, lanes: int, picks: Iterable[int]) -> str:
    """These lanes of two vectors, those of the second counted after those of the first."""
    type_ = register(dtype, lanes)
    numbers = [f"i32 {pick}" for pick in picks]
    return f.emit(f"shufflevector {type_} {a}, {type_} {b}, <{len(numbers)} x i32> <{', '.join(numbers)}>")
