"""How a kernel's emitter computes the nodes of its body: constants, loads, and operators in registers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.simplify import Node
from amigrad.graph import Dim, DType, Size
from amigrad.operators import elementwise as e

_LINE = 64
_MOST_LINES = 8
_LONG = 16
_MANY = (e.Exp, e.Expm1, e.Log, e.Log1p, e.Tanh, e.Sigmoid, e.Erf, e.Power, e.Sin, e.Cos)
"""Operators that take many instructions."""


@dataclass(eq=False)
class Access:
    """Where a kernel reads or writes: an element's offset is `offset` + the sum of indices times strides.

    An access without a buffer (`base`) is a position: the offset itself is the value.
    """

    base: Node | None
    dtype: DType
    strides: list[Dim]
    offset: Dim = 0

    def depth(self) -> int:
        """How many of the outer loops must be open before the offset is known."""
        used = [i for i, s in enumerate(self.strides) if not (isinstance(s, int) and s == 0)]
        return used[-1] + 1 if used else 0


def is_costly(node: Node) -> bool:
    """Whether an operator takes many instructions, most of which wait for the one before."""
    return isinstance(node.operator, _MANY)


def is_long(body: Iterable[Node]) -> bool:
    """Whether a mask for each vector costs little beside computing these nodes."""
    return sum(_LONG if is_costly(node) else 1 for node in body) >= _LONG


def constant(f: Function, node: Node, lanes: int) -> str:
    """A number in each lane."""
    value = node.constant
    assert value is not None
    if isinstance(value, Size):
        size = f.size(value)
        kind = node.dtype.kind
        if kind == "f":
            size = f.emit(f"sitofp i64 {size} to {register(node.dtype)}")
        elif node.dtype.itemsize == 4:
            size = f.emit(f"trunc i64 {size} to i32")
        return f.splat(size, node.dtype, lanes)
    return f.splat(literal(value, node.dtype), node.dtype, lanes)


def lower(f: Function, node: Node, arguments: list[str], lanes: int) -> str:
    """One elementwise operator."""
    from amigrad.backends.native.scalar import LOWERINGS

    assert node.operator is not None
    kinds = node.inputs[-1].dtype if node.inputs else node.dtype
    return LOWERINGS[type(node.operator)](f, lanes, kinds, arguments, node.operator, node.dtype)


def gather(f: Function, pointer: str, dtype: DType, offsets: str, lanes: int, mask: str | None) -> str:
    """Elements at a vector of offsets (i64)."""
    from amigrad.backends.native.ir import memory, memory_bytes, suffix
    from amigrad.graph import bool_

    type_ = memory(dtype, lanes)
    pointers = f.emit(f"getelementptr {memory(dtype)}, ptr {pointer}, <{lanes} x i64> {offsets}")
    every = f"<{', '.join(['i1 true'] * lanes)}>"
    name = suffix(dtype, lanes) if dtype != bool_ else f"v{lanes}i8"
    value = f.call(
        f"llvm.masked.gather.{name}.v{lanes}p0",
        type_,
        (f"<{lanes} x ptr>", pointers),
        ("i32", str(memory_bytes(dtype))),
        (f"<{lanes} x i1>", mask or every),
        (type_, "zeroinitializer"),
    )
    return f.emit(f"icmp ne {type_} {value}, zeroinitializer") if dtype == bool_ else value


def scatter(f: Function, value: str, pointer: str, dtype: DType, offsets: str, lanes: int, mask: str | None) -> None:
    """Store elements at a vector of offsets (i64)."""
    from amigrad.backends.native.ir import memory, memory_bytes, suffix
    from amigrad.graph import bool_

    type_ = memory(dtype, lanes)
    if dtype == bool_:
        value = f.emit(f"zext {register(dtype, lanes)} {value} to {type_}")
    pointers = f.emit(f"getelementptr {memory(dtype)}, ptr {pointer}, <{lanes} x i64> {offsets}")
    every = f"<{', '.join(['i1 true'] * lanes)}>"
    kind = suffix(dtype, lanes) if dtype != bool_ else f"v{lanes}i8"
    name = f"llvm.masked.scatter.{kind}.v{lanes}p0"
    f.intrinsics.add(f"declare void @{name}({type_}, <{lanes} x ptr>, i32, <{lanes} x i1>)")
    f.do(
        f"call void @{name}({type_} {value}, <{lanes} x ptr> {pointers}, i32 {memory_bytes(dtype)},"
        f" <{lanes} x i1> {mask or every})"
    )


def read(f: Function, pointer: str, access: Access, offset: str, stride: str, lanes: int, mask: str | None) -> str:
    """A vector of elements from an offset on, `stride` apart."""
    if lanes == 1 or stride == "1":
        return f.load(f.at(pointer, access.dtype, offset), access.dtype, lanes, mask)
    return gather(f, pointer, access.dtype, _lane_offsets(f, offset, stride, lanes), lanes, mask)


def write(
    f: Function,
    value: str,
    pointer: str,
    access: Access,
    offset: str,
    stride: str,
    lanes: int,
    mask: str | None,
    past_caches: bool = False,
) -> None:
    """Store a vector of elements from an offset on, `stride` apart."""
    if lanes == 1 or stride == "1":
        f.store(value, f.at(pointer, access.dtype, offset), access.dtype, lanes, mask, past_caches)
    else:
        scatter(f, value, pointer, access.dtype, _lane_offsets(f, offset, stride, lanes), lanes, mask)


def fetch_row(f: Function, start: str, length: Dim, dtype: DType) -> None:
    """Let a row of so many elements come into the caches, its first lines at least."""
    lines = length * dtype.itemsize // _LINE + 1 if isinstance(length, int) else 1
    f.intrinsics.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    for line in range(min(lines, _MOST_LINES)):
        address = f.emit(f"getelementptr i8, ptr {start}, i64 {line * _LINE}")
        f.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 3, i32 1)")


def _lane_offsets(f: Function, offset: str, stride: str, lanes: int) -> str:
    from amigrad.graph import int64

    steps = f.emit(f"mul nsw <{lanes} x i64> {f.lane_numbers(lanes)}, {f.splat(stride, int64, lanes)}")
    return f.emit(f"add nsw <{lanes} x i64> {steps}, {f.splat(offset, int64, lanes)}")
