"""LLVM IR as text: types, constants, and one function being written."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from amigrad.backends.native.simplify import dim_key
from amigrad.graph import Dim, DType, Size, bool_, float32, float64, int32, int64

_SCALARS = {float32: "float", float64: "double", int32: "i32", int64: "i64", bool_: "i1"}


_REAL = re.compile(r"\b0x([0-9A-F]{16})\b")


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


def literal_value(text: str) -> float | None:
    """The real number that a literal is, in each lane of a vector; None for what is computed."""
    found = _REAL.search(text)
    return struct.unpack(">d", bytes.fromhex(found[1]))[0] if found else None


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


class _Scope:
    """A part of a function that is left as a whole: the function itself, a loop's body, a branch."""

    def __init__(self, is_loop: bool = False) -> None:
        self.is_loop = is_loop
        self.written: list[str] = []
        self.values: dict[str, str] = {}
        self.phis: dict[str, tuple[str, str, str]] = {}
        self.declared: set[str] = set()
        self.changed: dict[str, str] = {}


_ON_CONSTANTS = re.compile(
    r"(add(?: nsw)?|sub|mul(?: nsw)?|udiv|urem|icmp (?:slt|sle|sgt|sge|eq|ne)) i64 (-?\d+), (-?\d+)"
)
_REPEATED = ("load", "call", "phi", "alloca")
"""Instructions whose result may differ each time."""


class Function:
    """One function of IR, written from the top to the bottom.

    Values are strings (`%v7`, or a constant); `emit` appends an instruction and gives its value. Without a list of
    `arguments` the function takes what it asks for (`argument`) in the order of asking, and is internal.

    What is written is what LLVM's first passes would make of it, since they take longer: an instruction that was
    written before, here or around here, gives the value that it gave; variables are values, with phis where loops
    and branches meet; constants are added to offsets last, where the processor adds them for nothing.

    scales: whether AVX-512 is there, which multiplies by powers of two in one instruction. estimates: whether its
    estimates take less time here than what they stand for. hasty: whether LLVM shall take less time for it, since it
    does little by itself.
    """

    def __init__(self, name: str, sizes: SizeTable, arguments: str | None = None, *, internal: bool = False) -> None:
        self.name = name
        self.estimates = False
        self.scales = False
        self.hasty = False
        self.sizes = sizes
        self.arguments = arguments
        self.internal = internal or arguments is None
        self.asked: dict[tuple[str, int], str] = {}
        self.lines: list[str] = []
        self.entry: list[str] = []
        self.intrinsics: set[str] = set()
        self._count = 0
        self._block = "start"
        self._scopes = [_Scope()]
        self._known: dict[str, str] = {}
        self._sums: dict[str, tuple[str, int]] = {}

    def fresh(self, prefix: str = "v") -> str:
        """A new name."""
        self._count += 1
        return f"{prefix}{self._count}"

    def emit(self, text: str) -> str:
        """An instruction with a result: appended, unless its result is known here."""
        if text.startswith(_REPEATED):
            name = "%" + self.fresh()
            self.lines.append(f"  {name} = {text}")
            return name
        if "%" not in text and (folded := _folded(text)) is not None:
            return folded
        known = self._known.get(text)
        if known is not None:
            return known
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = {text}")
        self._known[text] = name
        self._scopes[-1].written.append(text)
        return name

    def do(self, text: str) -> None:
        """Append an instruction without a result."""
        self.lines.append("  " + text)

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self._begin(name)
        # Whoever sets labels branches freely: what was computed in this scope may not have been, on the way here.
        self._forget(self._scopes[-1])

    def _begin(self, block: str) -> None:
        self.lines.append(f"{block}:")
        self._block = block

    def call(self, name: str, result: str, *arguments: tuple[str, str]) -> str:
        """Call an intrinsic or a function of the C library: arguments are (type, value)."""
        types = ", ".join([t for t, _ in arguments])
        self.intrinsics.add(f"declare {result} @{name}({types})")
        return self.emit(f"call {result} @{name}({', '.join([f'{t} {v}' for t, v in arguments])})")

    def invoke(self, function: str, arguments: str) -> None:
        """Call a function of this module, by its name or its address."""
        self.do(f"call i32 {function if function.startswith(('%', '@')) else '@' + function}({arguments})")

    def room(self, count: int, dtype: DType) -> str:
        """Room for some elements on the stack."""
        name = "%" + self.fresh("room")
        self.entry.append(f"  {name} = alloca [{count} x {memory(dtype)}], align 64")
        return name

    # Variables

    def variable(self, type_: str, initial: str) -> str:
        """A variable; it is gone when the loop or branch in which it was made is left."""
        name = self.fresh(type_)
        self._scopes[-1].declared.add(name)
        self._scopes[-1].values[name] = initial
        return name

    def get(self, name: str, type_: str) -> str:
        """What a variable holds."""
        return self._value(name, type_, len(self._scopes) - 1)

    def set(self, name: str, type_: str, value: str) -> None:
        """Change a variable."""
        self.get(name, type_)
        self._scopes[-1].values[name] = value
        self._scopes[-1].changed[name] = type_

    def _value(self, name: str, type_: str, depth: int) -> str:
        scope = self._scopes[depth]
        if name not in scope.values:
            value = self._value(name, type_, depth - 1)
            if scope.is_loop:
                phi = "%" + self.fresh()
                scope.phis[name] = (phi, type_, value)
                value = phi
            scope.values[name] = value
        return scope.values[name]

    # Sizes and addresses

    def size(self, dim: Dim) -> str:
        """A size as an i64 value."""
        if not isinstance(dim, Size):
            return str(dim)
        return self.argument("size", self.sizes.place(dim))

    def argument(self, kind: str, place: int = 0) -> str:
        """What the caller gives: a "size" (i64), a "buffer" or the "error" (pointers), by its place in the tables; to a
        kernel that is shared the number of its "piece" of so many "pieces", and of the "thread" that works on it (i64).
        """
        return self.asked.setdefault((kind, place), f"%{kind}{len(self.asked)}")

    def mul(self, a: str, b: str) -> str:
        """The product of two i64."""
        if not b.startswith("%"):
            a, b = b, a
        if not a.startswith("%"):
            factor = int(a)
            if factor == 0 or not b.startswith("%"):
                return str(factor and factor * int(b))
            if factor == 1:
                return b
            base, constant = self._sums.get(b, (b, 0))
            return self._sum(self.emit(f"mul nsw i64 {base}, {factor}"), constant * factor)
        return self.emit(f"mul nsw i64 {a}, {b}")

    def add(self, a: str, b: str) -> str:
        """The sum of two i64."""
        base_a, constant_a = self._parts(a)
        base_b, constant_b = self._parts(b)
        if base_a and base_b:
            base_a = self.emit(f"add nsw i64 {base_a}, {base_b}")
        return self._sum(base_a or base_b, constant_a + constant_b)

    def _parts(self, value: str) -> tuple[str, int]:
        """A value (none: "") and a constant whose sum an i64 is."""
        return self._sums.get(value, (value, 0)) if value.startswith("%") else ("", int(value))

    def _sum(self, base: str, constant: int) -> str:
        if not base or not constant:
            return base or str(constant)
        name = self.emit(f"add nsw i64 {base}, {constant}")
        self._sums[name] = (base, constant)
        return name

    def sub(self, a: str, b: str) -> str:
        """The difference of two i64."""
        return self.add(a, str(-int(b))) if not b.startswith("%") else self.emit(f"sub i64 {a}, {b}")

    def quotient(self, a: str, b: str | int) -> str:
        """The quotient of two i64 that are not negative, rounded down."""
        return a if str(b) == "1" else self.emit(f"udiv i64 {a}, {b}")

    def compare(self, how: str, a: str, b: str) -> str:
        """Two i64 compared: an i1."""
        return self.emit(f"icmp {how} i64 {a}, {b}")

    def select(self, condition: str, yes: str, no: str, type_: str = "i64") -> str:
        """One of two values."""
        if condition in ("true", "false") or yes == no:
            return no if condition == "false" else yes
        return self.emit(f"select i1 {condition}, {type_} {yes}, {type_} {no}")

    def least(self, a: str, b: str) -> str:
        """The smaller of two i64."""
        return self.select(self.compare("slt", a, b), a, b)

    def most(self, a: str, b: str) -> str:
        """The larger of two i64."""
        return self.select(self.compare("sgt", a, b), a, b)

    def both(self, a: str, b: str) -> str:
        """Whether two i1 hold."""
        return self.select(a, b, "false", "i1")

    def either(self, a: str, b: str) -> str:
        """Whether one of two i1 holds."""
        return self.select(a, "true", b, "i1")

    def negated(self, a: str) -> str:
        """Whether an i1 does not hold."""
        return self.select(a, "false", "true", "i1")

    def at(self, pointer: str, dtype: DType, offset: str) -> str:
        """The address of an element."""
        base, constant = self._parts(offset)
        for part in (base, str(constant)):
            if part not in ("", "0"):
                pointer = self.emit(f"getelementptr {memory(dtype)}, ptr {pointer}, i64 {part}")
        return pointer

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

    def store(
        self, value: str, pointer: str, dtype: DType, lanes: int = 1, mask: str | None = None, past_caches: bool = False
    ) -> None:
        """Store one element, or a vector of adjacent ones; with a mask only those that it names. Past the caches go
        vectors that lie at multiples of their size.
        """
        type_ = memory(dtype, lanes)
        if dtype == bool_:
            value = self.emit(f"zext {register(dtype, lanes)} {value} to {type_}")
        if mask is None:
            how = f"{memory_bytes(dtype) * lanes}, !nontemporal !1" if past_caches else str(memory_bytes(dtype))
            self.do(f"store {type_} {value}, ptr {pointer}, align {how}")
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
            if has_splats():
                return f"splat ({scalar} {value})"
            return f"<{', '.join([f'{scalar} {value}'] * lanes)}>"
        one = self.emit(f"insertelement {vector} poison, {scalar} {value}, i32 0")
        return self.emit(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def lane_numbers(self, lanes: int) -> str:
        """The vector <0, 1, 2, ...> of i64."""
        return f"<{', '.join(f'i64 {i}' for i in range(lanes))}>"

    def mask(self, count: str, lanes: int) -> str:
        """The mask of the first `count` (i64, below 2**31) lanes."""
        if not count.startswith("%"):
            return f"<{', '.join(f'i1 {int(i < int(count))}' for i in range(lanes))}>"
        wide = self.splat(self.emit(f"trunc i64 {count} to i32"), int32, lanes)
        numbers = ", ".join(f"i32 {i}" for i in range(lanes))
        return self.emit(f"icmp slt <{lanes} x i32> <{numbers}>, {wide}")

    # Control

    def loop(self, start: str, stop: str, step: int | str, body: Callable[[str], None]) -> None:
        """for index in range(start, stop, step): body(index)."""
        with self.looping(start, stop, step) as index:
            body(index)

    @contextmanager
    def looping(self, start: str, stop: str, step: int | str) -> Iterator[str]:
        """The same as a context. A loop that is known to be done once is none."""
        if not any(str(part).startswith("%") for part in (start, stop, step)) and 0 < int(stop) - int(start) <= int(
            step
        ):
            yield start
            return
        head, inside, done = (self.fresh(n) for n in ("head", "body", "done"))
        index, following = "%" + self.fresh("i"), "%" + self.fresh("n")
        before = self._block
        self.do(f"br label %{head}")
        self._begin(head)
        place = len(self.lines)
        scope = self._enter(is_loop=True)
        going = self.emit(f"icmp slt i64 {index}, {stop}")
        self.do(f"br i1 {going}, label %{inside}, label %{done}")
        self._begin(inside)
        yield index
        self._leave()
        # What is expected means nothing here: an index that LLVM cannot follow spares its search for other ways
        # to count, which takes longer than all else and gains nothing.
        self.intrinsics.add("declare i64 @llvm.expect.i64(i64, i64)")
        self.do(f"{following}.sum = add nsw i64 {index}, {step}")
        self.do(f"{following} = call i64 @llvm.expect.i64(i64 {following}.sum, i64 0)")
        self.do(f"br label %{head}")
        phis = [f"  {index} = phi i64 [ {start}, %{before} ], [ {following}, %{self._block} ]"]
        for name, (phi, type_, initial) in scope.phis.items():
            phis.append(f"  {phi} = phi {type_} [ {initial}, %{before} ], [ {scope.values[name]}, %{self._block} ]")
            if name in scope.changed:
                self.set(name, type_, phi)
        self.lines[place:place] = phis
        self._begin(done)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do what is inside only if the condition (i1) holds."""
        if condition == "true":
            yield
            return
        inside, done = self.fresh("then"), self.fresh("end")
        before = self._block
        self.do(f"br i1 {condition}, label %{inside}, label %{done}")
        self._begin(inside)
        scope = self._enter()
        yield
        self._leave()
        self.do(f"br label %{done}")
        last = self._block
        self._begin(done)
        for name, type_ in scope.changed.items():
            if name not in scope.declared:
                here, there = scope.values[name], self.get(name, type_)
                self.set(name, type_, self.emit(f"phi {type_} [ {here}, %{last} ], [ {there}, %{before} ]"))

    def choose(self, condition: str, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """Do one thing or the other, of which neither changes a variable; only one is written if that is known."""
        if condition in ("true", "false"):
            (yes if condition == "true" else no)()
            return
        inside, otherwise, done = self.fresh("then"), self.fresh("else"), self.fresh("end")
        self.do(f"br i1 {condition}, label %{inside}, label %{otherwise}")
        for block, part in ((inside, yes), (otherwise, no)):
            self._begin(block)
            self._enter()
            part()
            self._leave()
            self.do(f"br label %{done}")
        self._begin(done)

    def _enter(self, is_loop: bool = False) -> _Scope:
        self._scopes.append(_Scope(is_loop))
        return self._scopes[-1]

    def _leave(self) -> None:
        self._forget(self._scopes.pop())

    def _forget(self, scope: _Scope) -> None:
        """What a scope computed is not known any more."""
        for text in scope.written:
            del self._known[text]
        scope.written.clear()

    def text(self) -> str:
        """The function's definition."""
        linkage = "internal" if self.internal else "dso_local"
        head = f"define {linkage} {self._signature()} #{int(self.hasty)} {{"
        return "\n".join([head, "entry:", *self.entry, "  br label %start", "start:", *self.lines, "}"])

    def declaration(self) -> str:
        """The function as other modules see it, if it is not internal."""
        return f"declare dso_local {self._signature()}"

    def _signature(self) -> str:
        arguments = self.arguments
        if arguments is None:
            arguments = ", ".join(f"{argument_type(kind)} {name}" for (kind, _), name in self.asked.items())
        return f"i32 @{self.name}({arguments})"


@cache
def has_splats() -> bool:
    """Whether this LLVM reads `splat (i32 1)` for a vector of equal constants."""
    from amigrad.backends.native.load import binding

    return bool(binding().llvm_version_info[0] >= 20)


def _folded(text: str) -> str | None:
    """The result of an instruction on two constants of type i64, if it is one that sizes are computed with."""
    found = _ON_CONSTANTS.fullmatch(text)
    if found is None:
        return None
    a, b = int(found[2]), int(found[3])
    match found[1]:
        case "add nsw" | "add":
            return str(a + b)
        case "sub":
            return str(a - b)
        case "mul nsw" | "mul":
            return str(a * b)
        case "udiv":
            return str(a // b) if a >= 0 and b > 0 else None
        case "urem":
            return str(a % b) if a >= 0 and b > 0 else None
    holds = {"slt": a < b, "sle": a <= b, "sgt": a > b, "sge": a >= b, "eq": a == b, "ne": a != b}
    return str(holds[found[1].removeprefix("icmp ")]).lower()


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
