"""Loops over time in IR: the order of rows from the lengths of sequences, and what moves from step to step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from amigrad.backends.native.ir import Function
from amigrad.backends.native.kernels import Kernel, LengthsCheck, Steps, Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.reductions import fill
from amigrad.backends.native.scans import COUNTS, Place
from amigrad.backends.native.views import View
from amigrad.graph import DType, int32, int64
from amigrad.operators.packing import Packed, Packing


@dataclass(frozen=True)
class Step:
    """What a step of a loop knows: how many rows it has, the first of them, where rows of states lie, and whether it is
    the last one.
    """

    active: str
    row: str
    entering: str
    result: str
    last: str


@contextmanager
def stepping(f: Function, steps: Steps, packing: str | None) -> Iterator[Step]:
    """A loop over time. packing: the address of the packing if the scan has one."""
    scan = steps.loop.scan
    rows, batch = f.size(scan.rows), f.size(steps.loop.batch)
    if packing is None:
        with f.looping("0", rows, 1) as index:
            row = f.emit(f"sub i64 {f.add(rows, '-1')}, {index}") if scan.reverse else index
            after = f.add(row, "1")
            last = f.compare("eq", index, f.sub(rows, "1"))
            yield Step("1", row, after if scan.reverse else row, row if scan.reverse else after, last)
        return
    counts = f.at(packing, int32, f.mul(rows, str(COUNTS)))
    total = f.variable("i64", "0")
    with f.looping("0", rows, 1) as index:
        more = f.emit(f"icmp sgt i64 {_read(f, counts, index)}, 0")
        f.set(total, "i64", f.add(f.get(total, "i64"), f.emit(f"zext i1 {more} to i64")))
    count = f.get(total, "i64")
    first = f.variable("i64", rows if scan.reverse else "0")
    entering = f.variable("i64", "0")
    with f.looping("0", count, 1) as index:
        number = f.emit(f"sub i64 {f.add(count, '-1')}, {index}") if scan.reverse else index
        active = _read(f, counts, number)
        last = f.compare("eq", index, f.sub(count, "1"))
        if scan.reverse:
            f.set(first, "i64", f.emit(f"sub i64 {f.get(first, 'i64')}, {active}"))
            row = f.get(first, "i64")
            yield Step(active, row, "0", row, last)
        else:
            row = f.get(first, "i64")
            result = f.add(row, batch)
            yield Step(active, row, f.get(entering, "i64"), result, last)
            f.set(entering, "i64", result)
            f.set(first, "i64", f.add(row, active))


def address(f: Function, base: str, dtype: DType, view: View, place: Place | None, step: Step) -> str:
    """Where the elements of an input of the body (of its result for None) lie in this step."""
    moves = {"rows": step.row, "index": step.row, "state": step.entering, None: step.result}
    offset = f.size(view.offset)
    if place in moves:
        offset = f.add(offset, f.mul(moves[place], f.size(view.strides[0])))
    return f.at(base, dtype, offset)


def only_states(kernel: Kernel, steps: Steps) -> bool:
    """Whether it is known that all that a kernel of the body does is to store parts of the state, which no other one
    reads.
    """
    width, row = steps.loop.scan.body.state.shape[0], steps.schedule.outputs[0]
    targets = [sink.target for sink in kernel.sinks if isinstance(sink, Store)]
    if not isinstance(width, int) or not targets or len(targets) < len(kernel.sinks):
        return False
    if not all(view.base is row and isinstance(view.offset, int) and view.offset < width for view in targets):
        return False
    others = (other for other in steps.schedule.kernels if other is not kernel)
    read = [view.offset for other in others for view in other.reads() if view.base is row]
    return all(isinstance(offset, int) and offset >= width for offset in read)


def check_lengths(f: Function, kernel: Kernel, pointer: Pointer) -> None:
    """Return 1, and leave what was found in the error, unless all lengths are at least 1 and add up to the rows."""
    check = kernel.check
    assert isinstance(check, LengthsCheck)
    base, rows = check.index.base, f.size(check.rows)
    lengths = pointer(f, base)
    total, wrong = f.variable("i64", "0"), f.variable("i64", "1")
    with f.looping("0", f.size(check.index.shape[0]), 1) as index:
        length = _read(f, lengths, index, base.dtype)
        f.set(total, "i64", f.add(f.get(total, "i64"), length))
        least = f.get(wrong, "i64")
        f.set(wrong, "i64", f.emit(f"select i1 {f.emit(f'icmp slt i64 {length}, {least}')}, i64 {length}, i64 {least}"))
    least, sum_ = f.get(wrong, "i64"), f.get(total, "i64")
    too_short = f.emit(f"icmp slt i64 {least}, 1")
    bad = f.emit(f"or i1 {too_short}, {f.emit(f'icmp ne i64 {sum_}, {rows}')}")
    found = f.emit(f"select i1 {too_short}, i64 {least}, i64 {sum_}")
    with f.when(bad):
        f.do(f"store i64 {found}, ptr {f.argument('error')}")
        stop, further = f.fresh("stop"), f.fresh("further")
        f.do(f"br i1 {bad}, label %{stop}, label %{further}")
        f.label(stop)
        f.do("ret i32 1")
        f.label(further)


def pack(f: Function, kernel: Kernel, pointer: Pointer) -> None:
    """The order of rows, see `operators.packing`: sequences are sorted by their lengths in one pass over these."""
    (node,) = kernel.body
    assert isinstance(node.operator, Packing)
    (lengths_node,) = node.inputs
    kind = lengths_node.dtype
    rows, batch = f.size(node.operator.rows), f.size(lengths_node.shape[0])
    lengths, whole = pointer(f, kernel.loads[lengths_node].base), pointer(f, node)
    fill(f, whole, node, 0)
    for scratch in kernel.scratch:
        fill(f, pointer(f, scratch), scratch, 0)
    longer, offsets, starts, ranks, taken = (pointer(f, scratch) for scratch in kernel.scratch)
    packed = Packed(*[f.at(whole, int32, f.mul(rows, str(i))) for i in range(len(Packed._fields))])

    # longer[t]: how many sequences have more than t rows; offsets[t]: the packed row that step t begins with.
    start = f.variable("i64", "0")
    with f.looping("0", batch, 1) as i:
        length = _read(f, lengths, i, kind)
        _write(f, starts, i, f.get(start, "i64"))
        f.set(start, "i64", f.add(f.get(start, "i64"), length))
        last = f.add(length, "-1")
        _write(f, longer, last, f.add(_read(f, longer, last), "1"))
    with f.looping("0", rows, 1) as i:
        step = f.emit(f"sub i64 {f.add(rows, '-1')}, {i}")
        _write(f, longer, step, f.add(_read(f, longer, step), _read(f, longer, f.add(step, "1"))))
    with f.looping("0", rows, 1) as step:
        count = _read(f, longer, step)
        _write(f, packed.counts, step, count)
        _write(f, offsets, f.add(step, "1"), f.add(_read(f, offsets, step), count))

    # A sequence's rank: those longer than it, and those before it of its length (counted where the longer ones end).
    with f.looping("0", batch, 1) as i:
        above = _read(f, longer, _read(f, lengths, i, kind))
        seen = _read(f, taken, above)
        _write(f, ranks, i, f.add(above, seen))
        _write(f, taken, above, f.add(seen, "1"))
    with f.looping("0", batch, 1) as i:
        rank, length, begin = _read(f, ranks, i), _read(f, lengths, i, kind), _read(f, starts, i)
        _write(f, packed.order, rank, i)
        _write(f, packed.first, i, rank)
        with f.looping("0", length, 1) as step:
            source, row = f.add(begin, step), f.add(_read(f, offsets, step), rank)
            _write(f, packed.source, row, source)
            _write(f, packed.place, source, row)
            is_first = f.emit(f"icmp eq i64 {step}, 0")
            before = f.emit(f"select i1 {is_first}, i64 0, i64 {f.add(step, '-1')}")
            earlier = f.add(batch, f.add(_read(f, offsets, before), rank))
            _write(f, packed.previous, row, f.emit(f"select i1 {is_first}, i64 {rank}, i64 {earlier}"))
            is_last = f.emit(f"icmp eq i64 {f.add(step, '1')}, {length}")
            later = f.emit(f"select i1 {is_last}, i64 {rows}, i64 {_read(f, offsets, f.add(step, '1'))}")
            _write(f, packed.following, row, f.add(later, rank))
        final = f.add(_read(f, offsets, f.add(length, "-1")), rank)
        _write(f, packed.last, i, final)


def _read(f: Function, pointer: str, index: str, dtype: DType = int32) -> str:
    value = f.load(f.at(pointer, dtype, index), dtype)
    return value if dtype == int64 else f.emit(f"sext i32 {value} to i64")


def _write(f: Function, pointer: str, index: str, value: str) -> None:
    short = f.emit(f"trunc i64 {value} to i32") if value.startswith("%") else value
    f.store(short, f.at(pointer, int32, index), int32)
