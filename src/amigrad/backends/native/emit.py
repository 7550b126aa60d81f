"""Fourth stage: LLVM IR. One internal function for each kernel, and one for each native stretch of the schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amigrad.backends.native.ir import Function, SizeTable
from amigrad.backends.native.kernels import Kernel, Schedule
from amigrad.backends.native.loops import LoopNest
from amigrad.backends.native.products import Product
from amigrad.backends.native.reductions import fill
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.target import Target
from amigrad.backends.native.views import View
from amigrad.graph import int32, int64
from amigrad.graph.sizes import product

_ARGUMENTS = "ptr noalias %buffers, ptr noalias %sizes, ptr noalias %error"


@dataclass
class Code:
    """The IR of a program: native stretches (names of functions) and, between them, kernels that Python runs."""

    text: str
    stretches: list[str | Kernel]
    sizes: SizeTable
    checks: list[Kernel]


class _Pointers:
    """Where buffers are: loaded once at a function's entry."""

    def __init__(self, places: dict[Node, int]) -> None:
        self.places = places
        self.known: dict[tuple[int, int], str] = {}

    def __call__(self, f: Function, node: Node) -> str:
        key = (id(f), self.places[node])
        if key not in self.known:
            slot, pointer = "%" + f.fresh("slot"), "%" + f.fresh("buffer")
            f.entry.append(f"  {slot} = getelementptr ptr, ptr %buffers, i64 {self.places[node]}")
            f.entry.append(f"  {pointer} = load ptr, ptr {slot}, !invariant.load !0")
            self.known[key] = pointer
        return self.known[key]


def emit(schedule: Schedule, places: dict[Node, int], target: Target) -> Code:
    """The IR of a schedule. places: the number of each buffer."""
    sizes = SizeTable()
    pointer = _Pointers(places)
    functions: list[Function] = []
    stretches: list[str | Kernel] = []
    checks: list[Kernel] = []
    calls: list[str] = []

    def end_stretch() -> None:
        if calls:
            name = f"run{len(stretches)}"
            run = Function(name, sizes, _ARGUMENTS, internal=False)
            for callee in calls:
                status = run.emit(f"call i32 @{callee}(ptr %buffers, ptr %sizes, ptr %error)")
                failed = run.emit(f"icmp ne i32 {status}, 0")
                bad, good = run.fresh("bad"), run.fresh("good")
                run.do(f"br i1 {failed}, label %{bad}, label %{good}")
                run.label(bad)
                run.do(f"ret i32 {status}")
                run.label(good)
            run.do("ret i32 0")
            functions.append(run)
            stretches.append(name)
            calls.clear()

    for kernel in schedule.kernels:
        if kernel.kind == "python":
            end_stretch()
            stretches.append(kernel)
            continue
        f = Function(f"kernel{kernel.number}", sizes, _ARGUMENTS)
        if kernel.kind == "product":
            for node, value in kernel.fills:
                fill(f, pointer(f, node), node, value)
            Product(f, kernel, target, pointer).emit()
        elif kernel.kind == "check":
            checks.append(kernel)
            _check(f, kernel, len(checks), pointer)
        elif kernel.kind == "first_same":
            _first_same(f, kernel, pointer)
        else:
            LoopNest(f, kernel, target, pointer).emit()
        f.do("ret i32 0")
        functions.append(f)
        calls.append(f.name)
    end_stretch()
    return Code(_module(functions, target), stretches, sizes, checks)


def _module(functions: list[Function], target: Target) -> str:
    declared = sorted(set().union(*[f.intrinsics for f in functions])) if functions else []
    head = [f'target triple = "{target.triple}"', *declared]
    tail = ["attributes #0 = { nounwind }", "!0 = !{}"]
    return "\n".join([*head, *[f.text() for f in functions], *tail]) + "\n"


def _over(f: Function, view: View, body: Callable[[str], None], axis: int = 0, offset: str | None = None) -> None:
    """Call `body` with the offset of each element of a view."""
    offset = f.size(view.offset) if offset is None else offset
    if axis == len(view.shape):
        body(offset)
        return
    with f.looping("0", f.size(view.shape[axis]), 1) as index:
        inner = f.add(offset, f.mul(index, f.size(view.strides[axis])))
        _over(f, view, body, axis + 1, inner)


def _check(f: Function, kernel: Kernel, number: int, pointer: _Pointers) -> None:
    """Return `number` and leave the index in the error if one is outside its table."""
    check = kernel.check
    assert check is not None
    size = f.size(check.size)
    dtype = check.index.base.dtype

    def element(offset: str) -> None:
        index = f.load(f.at(pointer(f, check.index.base), dtype, offset), dtype)
        if dtype != int64:
            index = f.emit(f"sext i32 {index} to i64")
        inside = f.emit(f"icmp ult i64 {index}, {size}")
        bad, good = f.fresh("bad"), f.fresh("good")
        f.do(f"br i1 {inside}, label %{good}, label %{bad}")
        f.label(bad)
        f.do(f"store i64 {index}, ptr %error")
        f.do(f"ret i32 {number}")
        f.label(good)

    _over(f, check.index, element)


def _first_same(f: Function, kernel: Kernel, pointer: _Pointers) -> None:
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
        slot = f.variable("i64", f.emit(f"lshr i64 {f.emit(f'mul i64 {mixed}, {capacity}')}, 32"))
        probe, empty, taken, same, different, done = (f.fresh(n) for n in ("probe", "e", "t", "s", "d", "done"))
        f.do(f"br label %{probe}")
        f.label(probe)
        at = f.get(slot, "i64")
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
        f.set(slot, "i64", f.emit(f"select i1 {past}, i64 0, i64 {following}"))
        f.do(f"br label %{probe}")
        f.label(done)
