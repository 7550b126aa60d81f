"""How reductions start, combine and end, in vectors."""

from __future__ import annotations

import numpy as np

from amigrad.backends.native.ir import Function, literal, register, suffix
from amigrad.backends.native.simplify import Node
from amigrad.graph import DType
from amigrad.graph.sizes import product
from amigrad.operators import reduce


def identity(operator: reduce.Reduction, dtype: DType) -> float | int | bool:
    """What a reduction starts from."""
    match operator:
        case reduce.Sum() | reduce.Any():
            return 0
        case reduce.Prod() | reduce.All():
            return 1
        case reduce.Max():
            return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)
    return np.inf if dtype.kind == "f" else int(np.iinfo(dtype).max)


def combine(f: Function, operator: reduce.Reduction, a: str, b: str, dtype: DType, lanes: int) -> str:
    """Two partial results of a reduction as one."""
    type_ = register(dtype, lanes)
    real = dtype.kind == "f"
    match operator:
        case reduce.Sum():
            return f.emit(f"{'fadd' if real else 'add'} {type_} {a}, {b}")
        case reduce.Prod():
            return f.emit(f"{'fmul' if real else 'mul'} {type_} {a}, {b}")
        case reduce.Any():
            return f.emit(f"or {type_} {a}, {b}")
        case reduce.All():
            return f.emit(f"and {type_} {a}, {b}")
    larger = isinstance(operator, reduce.Max)
    if real:
        # A new value that is NaN is taken, and once taken it stays: nothing compares greater.
        better = f.emit(f"fcmp {'ugt' if larger else 'ult'} {type_} {b}, {a}")
        stays = f.emit(f"fcmp uno {type_} {a}, {a}")
        taken = f.emit(f"select {_mask_type(lanes)} {better}, {type_} {b}, {type_} {a}")
        return f.emit(f"select {_mask_type(lanes)} {stays}, {type_} {a}, {type_} {taken}")
    better = f.emit(f"icmp {'sgt' if larger else 'slt'} {type_} {b}, {a}")
    return f.emit(f"select {_mask_type(lanes)} {better}, {type_} {b}, {type_} {a}")


def _mask_type(lanes: int) -> str:
    return "i1" if lanes == 1 else f"<{lanes} x i1>"


def across(f: Function, operator: reduce.Reduction, value: str, dtype: DType, lanes: int) -> str:
    """The lanes of a vector reduced to one value, in halves."""
    while lanes > 1:
        half = lanes // 2
        parts = []
        for start in (0, half):
            places = ", ".join(f"i32 {start + i}" for i in range(half))
            vector = register(dtype, lanes)
            if half == 1:
                parts.append(f.emit(f"extractelement {vector} {value}, i32 {start}"))
            else:
                parts.append(f.emit(f"shufflevector {vector} {value}, {vector} poison, <{half} x i32> <{places}>"))
        value = combine(f, operator, parts[0], parts[1], dtype, half)
        lanes = half
    return value


def fill(f: Function, pointer: str, node: Node, value: object) -> None:
    """Fill a node's buffer with one value."""
    text = literal(value, node.dtype)  # type: ignore[arg-type]
    count = f.size(product(node.shape))
    lanes = 64 // max(node.dtype.itemsize, 4)
    rest = f.emit(f"urem i64 {count}, {lanes}")
    whole = f.emit(f"sub i64 {count}, {rest}")
    with f.looping("0", whole, lanes) as index:
        f.store(f.splat(text, node.dtype, lanes), f.at(pointer, node.dtype, index), node.dtype, lanes)
    with f.looping(whole, count, 1) as index:
        f.store(text, f.at(pointer, node.dtype, index), node.dtype)


def multiply_add(f: Function, dtype: DType, lanes: int, a: str, b: str, c: str) -> str:
    """a * b + c."""
    type_ = register(dtype, lanes)
    if dtype.kind == "f":
        return f.call(f"llvm.fmuladd.{suffix(dtype, lanes)}", type_, (type_, a), (type_, b), (type_, c))
    return f.emit(f"add {type_} {f.emit(f'mul {type_} {a}, {b}')}, {c}")
