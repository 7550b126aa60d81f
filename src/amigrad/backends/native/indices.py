"""Kernels about indices: whether all are within their tables, and which are the same."""

from __future__ import annotations

from collections.abc import Callable

from amigrad.backends.native.ir import Function
from amigrad.backends.native.kernels import Check, Kernel
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.reductions import fill
from amigrad.backends.native.values import fetch_row
from amigrad.backends.native.views import View
from amigrad.graph import int32, int64
from amigrad.graph.sizes import product

_FEW_ROWS = 1024
"""As many rows of a table stay in the caches from where indices are checked to where the rows are read."""


def _over(f: Function, view: View, body: Callable[[str], None], axis: int = 0, offset: str | None = None) -> None:
    """Call `body` with the offset of each element of a view."""
    offset = f.size(view.offset) if offset is None else offset
    if axis == len(view.shape):
        body(offset)
        return
    with f.looping("0", f.size(view.shape[axis]), 1) as index:
        inner = f.add(offset, f.mul(index, f.size(view.strides[axis])))
        _over(f, view, body, axis + 1, inner)


def check_indices(f: Function, kernel: Kernel, pointer: Pointer) -> None:
    """Return 1 and leave the index in the error if one is outside its table."""
    check = kernel.check
    assert isinstance(check, Check)
    size = f.size(check.size)
    dtype = check.index.base.dtype
    tables = {table.key: table for table in check.tables}.values()
    few = f.compare("sle", f.size(product(check.index.shape)), str(_FEW_ROWS)) if tables else "false"

    def element(offset: str) -> None:
        index = f.load(f.at(pointer(f, check.index.base), dtype, offset), dtype)
        if dtype != int64:
            index = f.emit(f"sext i32 {index} to i64")
        inside = f.emit(f"icmp ult i64 {index}, {size}")
        bad, good = f.fresh("bad"), f.fresh("good")
        f.do(f"br i1 {inside}, label %{good}, label %{bad}")
        f.label(bad)
        f.do(f"store i64 {index}, ptr {f.argument('error')}")
        f.do("ret i32 1")
        f.label(good)
        with f.when(few):
            for table in tables:
                place = f.add(f.size(table.offset), f.mul(index, f.size(table.strides[0])))
                fetch_row(f, f.at(pointer(f, table.base), table.base.dtype, place), table.strides[0], table.base.dtype)

    _over(f, check.index, element)


def first_same(f: Function, kernel: Kernel, pointer: Pointer) -> None:
    """For each place the first with the same index, through a table of hashes with open addresses."""
    (node,) = kernel.body
    index_node = node.inputs[0]
    view = kernel.loads[index_node]
    dtype = index_node.dtype
    count = f.size(product(node.shape))
    table_node = kernel.scratch[0]
    capacity = f.size(table_node.shape[0])
    index, table, result = pointer(f, view.base), pointer(f, table_node), pointer(f, node)
    fill(f, table, table_node, -1)
    with f.looping("0", count, 1) as place:
        wanted = f.load(f.at(index, dtype, place), dtype)
        wide = wanted if dtype == int64 else f.emit(f"sext i32 {wanted} to i64")
        mixed = f.emit(f"lshr i64 {f.emit(f'mul i64 {wide}, -7046029254386353131')}, 32")
        first = f.emit(f"lshr i64 {f.emit(f'mul i64 {mixed}, {capacity}')}, 32")
        start, probe, empty, taken, same, different, done = (f.fresh(n) for n in ("start", *"petsd", "done"))
        at, next_ = "%" + f.fresh(), "%" + f.fresh()
        f.do(f"br label %{start}")
        f.label(start)
        f.do(f"br label %{probe}")
        f.label(probe)
        f.do(f"{at} = phi i64 [ {first}, %{start} ], [ {next_}, %{different} ]")
        entry = f.load(f.at(table, int32, at), int32)
        f.do(f"br i1 {f.emit(f'icmp eq i32 {entry}, -1')}, label %{empty}, label %{taken}")
        f.label(empty)
        short = f.emit(f"trunc i64 {place} to i32")
        f.store(short, f.at(table, int32, at), int32)
        f.store(short, f.at(result, int32, place), int32)
        f.do(f"br label %{done}")
        f.label(taken)
        other = f.load(f.at(index, dtype, f.emit(f"sext i32 {entry} to i64")), dtype)
        equal = f.emit(f"icmp eq {'i64' if dtype == int64 else 'i32'} {other}, {wanted}")
        f.do(f"br i1 {equal}, label %{same}, label %{different}")
        f.label(same)
        f.store(entry, f.at(result, int32, place), int32)
        f.do(f"br label %{done}")
        f.label(different)
        following = f.emit(f"add i64 {at}, 1")
        past = f.emit(f"icmp eq i64 {following}, {capacity}")
        f.do(f"{next_} = select i1 {past}, i64 0, i64 {following}")
        f.do(f"br label %{probe}")
        f.label(done)
