"""Sums of the last columns of a matrix where these are few: a quarter of a vector, or less.

One short vector for each row leaves most of the processor idle. If the first operand lies along the inner dimension,
several steps along it are done at once instead, in parts of a vector that are added up in the end; if it lies along
the rows, vectors go along these, one for each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.reductions import multiply_add
from amigrad.graph import DType

_STEPS = 4
"""So many steps along the inner dimension are done at once, with as many lanes for each column."""


def is_narrow(dtype: DType, widths: tuple[int, ...], lanes: int) -> bool:
    """Whether a tile with vectors of these lanes has few columns only, where whole vectors have so many."""
    return dtype.kind == "f" and widths == (_columns(dtype),) and lanes == _STEPS * widths[0]


def _columns(dtype: DType) -> int:
    return 16 // dtype.itemsize


def add_up(
    f: Function, dtype: DType, lanes: int, sums: list[str], lines: list[str], start: str, mask: str, left: str
) -> str:
    """Add up in `sums`, a variable for each of these lines of a tile's first operand, and give the place along the
    inner dimension up to which this was done. start: where the columns of the second operand are, of which there are
    so many left, and the mask for them; lanes: of a whole vector.
    """
    stop = f.sub("%inner", f.emit(f"urem i64 %inner, {_STEPS}"))
    reached = f.variable("i64", "0")
    along = f.compare("eq", "%a_along", "1")
    with f.when(along):
        _several_steps(f, dtype, lanes, sums, lines, start, mask, stop)
        f.set(reached, "i64", stop)
    if len(lines) == 2 * _columns(dtype):
        with f.when(f.both(f.negated(along), f.compare("eq", "%a_down", "1"))):
            _along_rows(f, dtype, sums, lines, start, left, stop)
            f.set(reached, "i64", stop)
    return f.get(reached, "i64")


def _several_steps(
    f: Function, dtype: DType, lanes: int, sums: list[str], lines: list[str], start: str, mask: str, stop: str
) -> None:
    """A line's vector has for each column the sums over every fourth step, from the first one, the second one ..."""
    columns = _columns(dtype)
    type_ = register(dtype, lanes)
    totals = [f.variable(type_, f.splat(literal(0, dtype), dtype, lanes)) for _ in lines]
    with f.looping("0", stop, _STEPS) as k:
        places = [f.at(start, dtype, f.mul(f.add(k, str(step)), "%b_down")) for step in range(_STEPS)]
        one, two, three, four = (f.load(place, dtype, columns, mask) for place in places)
        low, high = (_picked(f, a, b, dtype, columns, range(2 * columns)) for a, b in ((one, two), (three, four)))
        turned = [step * columns + column for column in range(columns) for step in range(_STEPS)]
        vector = _picked(f, _picked(f, low, high, dtype, 2 * columns, range(lanes)), "poison", dtype, lanes, turned)
        for total, line in zip(totals, lines, strict=True):
            few = f.load(f.at(line, dtype, k), dtype, _STEPS)
            factor = _picked(f, few, "poison", dtype, _STEPS, [*range(_STEPS)] * columns)
            f.set(total, type_, multiply_add(f, dtype, lanes, factor, vector, f.get(total, type_)))
    values = [f.get(total, type_) for total in totals]
    for first in range(0, len(sums), _STEPS):
        group = (values[first : first + _STEPS] + values[-1:] * _STEPS)[:_STEPS]
        one, two, three, four = group
        low, high = (_added(f, a, b, dtype, lanes, (0, lanes, 1, lanes + 1)) for a, b in ((one, two), (three, four)))
        found = _added(f, low, high, dtype, lanes, (0, 1, lanes, lanes + 1))
        for row, result in enumerate(sums[first : first + _STEPS]):
            picks = range(row, lanes, _STEPS)
            f.set(result, register(dtype, columns), _picked(f, found, "poison", dtype, lanes, picks))


def _added(f: Function, a: str, b: str, dtype: DType, lanes: int, picks: Sequence[int]) -> str:
    """Of each four lanes of two vectors, taken together: these, and those two further on, added to them."""
    low, high = (
        _picked(
            f, a, b, dtype, lanes, [quarter + further + pick for quarter in range(0, lanes, _STEPS) for pick in picks]
        )
        for further in (0, 2)
    )
    return f.emit(f"fadd {register(dtype, lanes)} {low}, {high}")


def _along_rows(f: Function, dtype: DType, sums: list[str], lines: list[str], start: str, left: str, stop: str) -> None:
    """A column has two vectors of the sums of all rows, over every second step: one alone would wait for itself. Rows
    and columns that do not exist are the last ones again.
    """
    height, columns = len(lines), _columns(dtype)
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


def _picked(f: Function, a: str, b: str, dtype: DType, lanes: int, picks: Iterable[int]) -> str:
    """These lanes of two vectors, those of the second counted after those of the first."""
    type_ = register(dtype, lanes)
    numbers = [f"i32 {pick}" for pick in picks]
    return f.emit(f"shufflevector {type_} {a}, {type_} {b}, <{len(numbers)} x i32> <{', '.join(numbers)}>")
