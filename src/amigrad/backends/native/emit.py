"""Fourth stage: LLVM IR. One internal function for each kernel, and one for each native stretch of the schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from amigrad.backends.native.ir import Function, SizeTable
from amigrad.backends.native.kernels import Kernel, Schedule
from amigrad.backends.native.loops import LoopNest, Pointer
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


class _Run(Function):
    """A native stretch: calls its kernels one after the other with the buffers and sizes that they ask for."""

    def __init__(self, name: str, sizes: SizeTable) -> None:
        super().__init__(name, sizes, "ptr noalias %buffers, ptr noalias %sizes, ptr noalias %error")

    def argument(self, kind: str, place: int = 0) -> str:
        """A buffer or a size, read from the caller's tables once."""
        if kind == "error":
            return "%error"
        if (kind, place) not in self.asked:
            type_, table = ("i64", "%sizes") if kind == "size" else ("ptr", "%buffers")
            pointer, value = "%" + self.fresh(), "%" + self.fresh()
            self.entry.append(f"  {pointer} = getelementptr {type_}, ptr {table}, i64 {place}")
            self.entry.append(f"  {value} = load {type_}, ptr {pointer}, !invariant.load !0")
            self.asked[kind, place] = value
        return self.asked[kind, place]

    def run(self, kernel: Function, failure: int) -> None:
        """Call a kernel; end with the number of its failure if it fails."""
        arguments = ", ".join(
            f"{'i64' if kind == 'size' else 'ptr'} {self.argument(kind, place)}" for kind, place in kernel.asked
        )
        status = self.emit(f"call i32 @{kernel.name}({arguments})")
        if failure:
            bad, good = self.fresh("bad"), self.fresh("good")
            self.do(f"br i1 {self.emit(f'icmp ne i32 {status}, 0')}, label %{bad}, label %{good}")
            self.label(bad)
            self.do(f"ret i32 {failure}")
            self.label(good)


def emit(schedule: Schedule, places: dict[Node, int], target: Target) -> Code:
    """The IR of a schedule. places: the number of each buffer. Kernels with the same code share a function."""
    sizes = SizeTable()
    kernels: dict[str, Function] = {}
    runs: list[_Run] = []
    stretches: list[str | Kernel] = []
    checks: list[Kernel] = []
    run: _Run | None = None

    def pointer(f: Function, node: Node) -> str:
        return f.argument("buffer", places[node])

    for kernel in schedule.kernels:
        if kernel.kind == "python":
            run = None
            stretches.append(kernel)
            continue
        if run is None:
            run = _Run(f"run{len(stretches)}", sizes)
            runs.append(run)
            stretches.append(run.name)
        f = Function("kernel", sizes)
        if kernel.kind == "product":
            for node, value in kernel.fills:
                fill(f, pointer(f, node), node, value)
            Product(f, kernel, target, pointer).emit()
        elif kernel.kind == "check":
            checks.append(kernel)
            _check(f, kernel, pointer)
        elif kernel.kind == "first_same":
            _first_same(f, kernel, pointer)
        else:
            LoopNest(f, kernel, target, pointer).emit()
        f.do("ret i32 0")
        shared = kernels.setdefault(f.text(), f)
        if shared is f:
            f.name = f"kernel{kernel.number}"
        f.name = shared.name
        run.run(f, len(checks) if kernel.kind == "check" else 0)
    for run in runs:
        run.do("ret i32 0")
    return Code(_module([*kernels.values(), *runs], target), stretches, sizes, checks)


def _module(functions: Sequence[Function], target: Target) -> str:
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


def _check(f: Function, kernel: Kernel, pointer: Pointer) -> None:
    """Return 1 and leave the index in the error if one is outside its table."""
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
        f.do(f"store i64 {index}, ptr {f.argument('error')}")
        f.do("ret i32 1")
        f.label(good)

    _over(f, check.index, element)


def _first_same(f: Function, kernel: Kernel, pointer: Pointer) -> None:
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
