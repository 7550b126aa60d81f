"""Copies of parts of a matrix as panels, which a tile reads from the front to the back."""

from __future__ import annotations

from amigrad.backends.native.ir import Function, register
from amigrad.backends.native.target import Target
from amigrad.graph import DType

MOST_TURNED = 8
"""The rows and columns, at most, of the blocks in which a matrix is turned."""


def copy(f: Function, target: Target, dtype: DType) -> None:
    """The columns of a line are adjacent: vectors of them."""
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


def transpose(f: Function, dtype: DType, size: int) -> None:
    """Square blocks; the last ones overlap with those before. What is smaller than one goes element by element."""
    type_ = register(dtype, size)
    short = f.either(f.compare("slt", "%inner", str(size)), f.compare("slt", "%columns", str(size)))
    with f.when(short):
        move(f, dtype, "0", "%inner")
    final = f.emit(f"sub i64 %inner, {size}")
    stop = f.emit(f"select i1 {short}, i64 0, i64 %columns")
    edge = f.sub("%columns", str(size))
    with f.looping("0", stop, size) as first:
        column = f.least(first, edge)
        sources = [f.at("%a", dtype, f.mul(f.add(column, str(i)), "%along")) for i in range(size)]
        with f.looping("0", "%inner", size) as start:
            k = f.least(start, final)
            lines = [f.load(f.at(source, dtype, k), dtype, size) for source in sources]
            distance = size // 2
            while distance:
                pairs = exchanged(f, lines, type_, size, distance)
                lines = [""] * size
                for (low, high), i in zip(pairs, (i for i in range(size) if not i & distance), strict=True):
                    lines[i], lines[i + distance] = low, high
                distance //= 2
            for i, line in enumerate(lines):
                place = f.add(f.mul(f.add(k, str(i)), "%c_down"), column)
                f.store(line, f.at("%c", dtype, place), dtype, size)


def exchanged(f: Function, lines: list[str], type_: str, lanes: int, distance: int) -> list[tuple[str, str]]:
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


def move(f: Function, dtype: DType, start: str, stop: str) -> None:
    """Lines from start to stop, one element after another."""
    with f.looping(start, stop, 1) as k, f.looping("0", "%columns", 1) as column:
        source = f.add(f.mul(k, "%down"), f.mul(column, "%along"))
        result = f.add(f.mul(k, "%c_down"), column)
        f.store(f.load(f.at("%a", dtype, source), dtype), f.at("%c", dtype, result), dtype)
