"""LLVM IR as text: types, constants, and one function being written."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from amigrad.backends.native.simplify import dim_key
from amigrad.graph import Dim, DType, Size, bool_, float32, float64, int32, int64

_SCALARS = {float32: "float", float64: "double", int32: "i32", int64: "i64", bool_: "i1"}


def register(dtype: DType, lanes: int = 1) -> str:
    """The type of a value in registers: of one element, or of a vector of them."""
    return _SCALARS[dtype] if lanes == 1 else f"<{lanes} x {_SCALARS[dtype]}>"


def memory(dtype: DType, lanes: int = 1) -> str:
    """The type of a value in memory: truth values are bytes."""
    scalar = "i8" if dtype == bool_ else _SCALARS[dtype]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def literal(value: float | int | bool, dtype: DType) -> str:
    """A constant of an element type; real numbers by their bits."""
    if dtype.kind == "f":
        number = float(np.array(value, dtype=dtype))
        return f"0x{struct.unpack('>Q', struct.pack('>d', number))[0]:016X}"
    if dtype == bool_:
        return "true" if value else "false"
    return str(int(np.array(value).astype(dtype)))


class SizeTable:
    """The run-time sizes that native code reads: each expression has a place in an array of int64."""

    def __init__(self) -> None:
        self.places: dict[object, int] = {}
        self.expressions: list[Dim] = []

    def place(self, size: Size) -> int:
        """Where native code finds this size."""
        key = dim_key(size)
        if key not in self.places:
            self.places[key] = len(self.expressions)
            self.expressions.append(size)
        return self.places[key]


class Function:
    """One function of IR, written from the top to the bottom.

    Values are strings (`%v7`, or a constant); `emit` appends an instruction and gives its value. Without a list of
    `arguments` the function takes what it asks for (`argument`) in the order of asking, and is internal.
    """

    def __init__(self, name: str, sizes: SizeTable, arguments: str | None = None, *, internal: bool = False) -> None:
        self.name = name
        self.sizes = sizes
        self.arguments = arguments
        self.internal = internal or arguments is None
        self.asked: dict[tuple[str, int], str] = {}
        self.lines: list[str] = []
        self.entry: list[str] = []
        self.intrinsics: set[str] = set()
        self._count = 0

    def fresh(self, prefix: str = "v") -> str:
        """A new name."""
        self._count += 1
        return f"{prefix}{self._count}"

    def emit(self, text: str) -> str:
        """Append an instruction with a result."""
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Append an instruction without a result."""
        self.lines.append("  " + text)

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{name}:")

    def call(self, name: str, result: str, *arguments: tuple[str, str]) -> str:
        """Call an intrinsic or a function of the C library: arguments are (type, value)."""
        types = ", ".join(t for t, _ in arguments)
        self.intrinsics.add(f"declare {result} @{name}({types})")
        return self.emit(f"call {result} @{name}({', '.join(f'{t} {v}' for t, v in arguments)})")

    def variable(self, type_: str, initial: str) -> str:
        """A variable on the stack (LLVM makes registers of them)."""
        name = "%" + self.fresh("var")
        self.entry.append(f"  {name} = alloca {type_}, align 64")
        self.set(name, type_, initial)
        return name

    def get(self, name: str, type_: str) -> str:
        """What a variable holds."""
        return self.emit(f"load {type_}, ptr {name}")

    def set(self, name: str, type_: str, value: str) -> None:
        """Change a variable."""
        self.do(f"store {type_} {value}, ptr {name}")

    # Sizes and addresses

    def size(self, dim: Dim) -> str:
        """A size as an i64 value."""
        if not isinstance(dim, Size):
            return str(dim)
        return self.argument("size", self.sizes.place(dim))

    def argument(self, kind: str, place: int = 0) -> str:
        """What the caller gives: a "size" (i64), a "buffer" or the "error" (pointers), by its place in the tables;
        and the number of this "thread" of so many "threads" (i64).
        """
        return self.asked.setdefault((kind, place), f"%{kind}{len(self.asked)}")

    def mul(self, a: str, b: str) -> str:
        """The product of two i64."""
        if "0" in (a, b):
            return "0"
        if a == "1":
            return b
        if b == "1":
            return a
        if not a.startswith("%") and not b.startswith("%"):
            return str(int(a) * int(b))
        return self.emit(f"mul nsw i64 {a}, {b}")

    def add(self, a: str, b: str) -> str:
        """The sum of two i64."""
        if a == "0":
            return b
        if b == "0":
            return a
        if not a.startswith("%") and not b.startswith("%"):
            return str(int(a) + int(b))
        return self.emit(f"add nsw i64 {a}, {b}")

    def at(self, pointer: str, dtype: DType, offset: str) -> str:
        """The address of an element."""
        if offset == "0":
            return pointer
        return self.emit(f"getelementptr {memory(dtype)}, ptr {pointer}, i64 {offset}")

    # Elements

    def load(self, pointer: str, dtype: DType, lanes: int = 1, mask: str | None = None) -> str:
        """One element, or a vector of adjacent ones; with a mask only those that it names are read."""
        type_ = memory(dtype, lanes)
        if mask is None:
            value = self.emit(f"load {type_}, ptr {pointer}, align {memory_bytes(dtype)}")
        else:
            value = self.call(
                f"llvm.masked.load.v{lanes}{_suffix(dtype)}.p0",
                type_,
                ("ptr", pointer),
                ("i32", str(memory_bytes(dtype))),
                (f"<{lanes} x i1>", mask),
                (type_, "zeroinitializer"),
            )
        if dtype == bool_:
            return self.emit(f"icmp ne {type_} {value}, {'0' if lanes == 1 else 'zeroinitializer'}")
        return value

    def store(self, value: str, pointer: str, dtype: DType, lanes: int = 1, mask: str | None = None) -> None:
        """Store one element, or a vector of adjacent ones; with a mask only those that it names."""
        type_ = memory(dtype, lanes)
        if dtype == bool_:
            value = self.emit(f"zext {register(dtype, lanes)} {value} to {type_}")
        if mask is None:
            self.do(f"store {type_} {value}, ptr {pointer}, align {memory_bytes(dtype)}")
            return
        name = f"llvm.masked.store.v{lanes}{_suffix(dtype)}.p0"
        self.intrinsics.add(f"declare void @{name}({type_}, ptr, i32, <{lanes} x i1>)")
        self.do(f"call void @{name}({type_} {value}, ptr {pointer}, i32 {memory_bytes(dtype)}, <{lanes} x i1> {mask})")

    def splat(self, value: str, dtype: DType, lanes: int) -> str:
        """A vector with one value in each lane."""
        if lanes == 1:
            return value
        scalar, vector = register(dtype), register(dtype, lanes)
        if not value.startswith("%"):
            return f"<{', '.join([f'{scalar} {value}'] * lanes)}>"
        one = self.emit(f"insertelement {vector} poison, {scalar} {value}, i32 0")
        return self.emit(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def lane_numbers(self, lanes: int) -> str:
        """The vector <0, 1, 2, ...> of i64."""
        return f"<{', '.join(f'i64 {i}' for i in range(lanes))}>"

    def mask(self, count: str, lanes: int) -> str:
        """The mask of the first `count` (i64) lanes."""
        if not count.startswith("%"):
            return f"<{', '.join(f'i1 {int(i < int(count))}' for i in range(lanes))}>"
        wide = self.splat(count, int64, lanes)
        return self.emit(f"icmp slt <{lanes} x i64> {self.lane_numbers(lanes)}, {wide}")

    # Control

    def loop(self, start: str, stop: str, step: int, body: Callable[[str], None]) -> None:
        """for index in range(start, stop, step): body(index)."""
        with self.looping(start, stop, step) as index:
            body(index)

    @contextmanager
    def looping(self, start: str, stop: str, step: int) -> Iterator[str]:
        """The same as a context."""
        head, inside, done, before = (self.fresh(n) for n in ("head", "body", "done", "before"))
        index, following = "%" + self.fresh("i"), "%" + self.fresh("n")
        latch = self.fresh("latch")
        self.do(f"br label %{before}")
        self.label(before)
        self.do(f"br label %{head}")
        self.label(head)
        self.lines.append(f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{latch} ]")
        going = self.emit(f"icmp slt i64 {index}, {stop}")
        self.do(f"br i1 {going}, label %{inside}, label %{done}")
        self.label(inside)
        yield index
        self.do(f"br label %{latch}")
        self.label(latch)
        self.lines.append(f"  {following} = add nsw i64 {index}, {step}")
        self.do(f"br label %{head}")
        self.label(done)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do what is inside only if the condition (i1) holds."""
        inside, done = self.fresh("then"), self.fresh("end")
        self.do(f"br i1 {condition}, label %{inside}, label %{done}")
        self.label(inside)
        yield
        self.do(f"br label %{done}")
        self.label(done)

    def text(self) -> str:
        """The function's definition. It returns i32."""
        arguments = self.arguments
        if arguments is None:
            arguments = ", ".join(f"{argument_type(kind)} {name}" for (kind, _), name in self.asked.items())
        linkage = "internal " if self.internal else ""
        head = f"define {linkage}i32 @{self.name}({arguments}) #0 {{"
        return "\n".join([head, "entry:", *self.entry, "  br label %start", "start:", *self.lines, "}"])


def argument_type(kind: str) -> str:
    """The type of what a function asks its caller for."""
    return "ptr" if kind in ("buffer", "error") else "i64"


def memory_bytes(dtype: DType) -> int:
    """The bytes of an element in memory."""
    return dtype.itemsize


def _suffix(dtype: DType) -> str:
    return {float32: "f32", float64: "f64", int32: "i32", int64: "i64", bool_: "i8"}[dtype]


def suffix(dtype: DType, lanes: int) -> str:
    """How intrinsics call a type: f32, v16f32."""
    name = "i1" if dtype == bool_ else _suffix(dtype)
    return name if lanes == 1 else f"v{lanes}{name}"
