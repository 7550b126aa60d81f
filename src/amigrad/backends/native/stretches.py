"""The function of a native stretch: it calls the functions of its kernels, one after the other, for one batch or many,
and has threads share the large ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from amigrad.backends.native.frame import BATCH, ERROR, FIRST, HEAD, POOL, SHARE, STOP, THREADS, TOKEN_PLACE
from amigrad.backends.native.ir import Function, SizeTable, argument_type
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.scans import names
from amigrad.graph import Dim, Size
from amigrad.graph.sizes import terms_of

_OF_PIECE = ("piece", "pieces", "thread")
_GRAIN = 18
"""A piece of a kernel has 2 to this power of multiplications at least: about 5 microseconds."""
_PIECES = 4
"""At most so many pieces for each thread: one that comes late, or is slow, takes fewer."""


class Run(Function):
    """A step of a native stretch: calls its kernels one after the other with the buffers and sizes that they ask for.

    If it is parallel, those that are large enough are shared among threads, in pieces.
    """

    def __init__(self, name: str, sizes: SizeTable, layout: Layout, parallel: bool) -> None:
        arguments = "ptr noalias %frame, i64 %batch" + (", i64 %threads" if parallel else "")
        super().__init__(name, sizes, arguments, internal=True)
        self.arrays = len(layout.inputs) + len(layout.outputs)
        self.buffers = layout.buffers
        self.parallel = parallel
        self.bound: dict[int, str] = {}
        self._varying: dict[str, str] = {}

    def argument(self, kind: str, place: int = 0) -> str:
        """A buffer or a size, found in the frame once; in a loop over time, that of the present step."""
        if kind == "buffer" and place < 0:
            return self.bound[place]
        if kind == "size" and names(self.sizes.expressions[place]) & self._varying.keys():
            return self._of_step(self.sizes.expressions[place])
        if (kind, place) not in self.asked:
            match kind:
                case "size":
                    found = self._load("i64", self._word(HEAD + self.buffers + self.arrays + place))
                case "error":
                    found = self._word(ERROR)
                case "piece" | "thread":
                    return "0"
                case "pieces":
                    return "1"
                case _ if place < self.arrays:
                    found = self._batch(place)
                case _:  # Read where it is needed: there are many, and registers are few.
                    return self.emit(f"load ptr, ptr {self.emit(self._place(HEAD + place))}, !invariant.load !0")
            self.asked[kind, place] = found
        return self.asked[kind, place]

    def _batch(self, array: int) -> str:
        """The elements of this step's batch of an input or output, from the array's token."""
        token = self._word(HEAD + array)
        place = self._load("i64", self._word(TOKEN_PLACE))
        in_object = self._first(f"getelementptr i8, ptr {self._load('ptr', token)}, i64 {place}")
        direct = self._first(f"icmp eq i64 {place}, 0")
        elements = self._load("ptr", self._first(f"select i1 {direct}, ptr {token}, ptr {in_object}"))
        apart = self._load("i64", self._word(HEAD + self.buffers + array))
        return self._first(f"getelementptr i8, ptr {elements}, i64 {self._first(f'mul i64 %batch, {apart}')}")

    def _place(self, number: int) -> str:
        return f"getelementptr i64, ptr %frame, i64 {number}"

    def _word(self, number: int) -> str:
        return self._first(self._place(number))

    def _load(self, type_: str, pointer: str) -> str:
        return self._first(f"load {type_}, ptr {pointer}, !invariant.load !0")

    def _first(self, text: str) -> str:
        """Append an instruction to those before the first kernel."""
        name = "%" + self.fresh()
        self.entry.append(f"  {name} = {text}")
        return name

    @property
    def in_loop(self) -> bool:
        """Whether a loop over time is being written, whose sizes vary from step to step."""
        return bool(self._varying)

    @contextmanager
    def varying(self, sizes: dict[str, str]) -> Iterator[None]:
        """Within this context these symbols of sizes are i64 values."""
        self._varying = sizes
        yield
        self._varying = {}

    def _of_step(self, size: Dim) -> str:
        total = "0"
        for monomial, coefficient in terms_of(size).items():
            value = str(coefficient)
            for name in monomial:
                assert isinstance(size, Size)
                symbol = self._varying.get(name) or self.size(Size(size.scope, {(name,): 1}))
                value = self.mul(value, symbol)
            total = self.add(total, value)
        return total

    def run(self, kernel: Function, failure: int = 0) -> None:
        """Call a kernel. If it is one that can fail, the step then ends with the number of the failure."""
        values = ", ".join(f"{argument_type(kind)} {self.argument(kind, place)}" for kind, place in kernel.asked)
        status = self.emit(f"call i32 @{kernel.name}({values})")
        if failure:
            bad, good = self.fresh("bad"), self.fresh("good")
            self.do(f"br i1 {self.emit(f'icmp ne i32 {status}, 0')}, label %{bad}, label %{good}")
            self.label(bad)
            self.do(f"ret i32 {failure}")
            self.label(good)

    def share(self, kernel: Function, piece: Function, work: Dim) -> None:
        """Call a kernel, shared among threads if there is work enough for several pieces."""
        most = self.select(self.compare("eq", "%threads", "1"), "1", self.mul("%threads", str(_PIECES)))
        pieces = self.least(self.emit(f"lshr i64 {self.size(work)}, {_GRAIN}"), most)
        several, alone, done = self.fresh("several"), self.fresh("alone"), self.fresh("done")
        self.do(f"br i1 {self.emit(f'icmp sgt i64 {pieces}, 1')}, label %{several}, label %{alone}")
        self.label(several)
        given = [(kind, place) for kind, place in kernel.asked if kind not in _OF_PIECE]
        arguments = "%" + self.fresh("given")
        self.entry.append(f"  {arguments} = alloca [{max(len(given), 1)} x i64]")
        for number, (kind, place) in enumerate(given):
            value = f"{argument_type(kind)} {self.argument(kind, place)}"
            self.do(f"store {value}, ptr {self.emit(f'getelementptr i64, ptr {arguments}, i64 {number}')}")
        pool, function = self._load("ptr", self._word(POOL)), self._load("ptr", self._word(SHARE))
        self.do(f"call void {function}(ptr {pool}, ptr @{piece.name}, ptr {arguments}, i64 {pieces}, i64 %threads)")
        self.do(f"br label %{done}")
        self.label(alone)
        self.run(kernel)
        self.do(f"br label %{done}")
        self.label(done)


def taker(kernel: Function) -> Function:
    """What does a piece of a kernel: a thread calls it with a pointer to what the kernel asks for."""
    f = Function(
        f"{kernel.name}_piece", kernel.sizes, "ptr %given, i64 %piece, i64 %pieces, i64 %thread", internal=True
    )
    values, number = [], 0
    for kind, _ in kernel.asked:
        value = "%" + kind
        if kind not in _OF_PIECE:
            value = f.emit(f"load {argument_type(kind)}, ptr {f.emit(f'getelementptr i64, ptr %given, i64 {number}')}")
            number += 1
        values.append(f"{argument_type(kind)} {value}")
    status = f.emit(f"call i32 @{kernel.name}({', '.join(values)})")
    f.do(f"ret i32 {status}")
    return f


def over_batches(name: str, step: Run, tries: bool) -> Function:
    """What Python calls: the step for one batch after the other. Gives the number of the check that failed, or 0.

    tries: whether it is tried how many threads are best for a step.
    """
    f = Function(name, step.sizes, "ptr %frame")
    f.hasty = step.hasty and not tries
    word = {n: f.emit(f"getelementptr i64, ptr %frame, i64 {n}") for n in (FIRST, STOP, BATCH, THREADS)}
    threads = f.emit(f"load i64, ptr {word[THREADS]}")
    with f.looping(f.emit(f"load i64, ptr {word[FIRST]}"), f.emit(f"load i64, ptr {word[STOP]}"), 1) as batch:
        start = ""
        if tries:
            threads, start = f.emit("call i64 @choose(ptr %frame)"), f.emit("call i64 @now()")
        given = f", i64 {threads}" if step.parallel else ""
        status = f.emit(f"call i32 @{step.name}(ptr %frame, i64 {batch}{given})")
        bad, good = f.fresh("bad"), f.fresh("good")
        f.do(f"br i1 {f.emit(f'icmp eq i32 {status}, 0')}, label %{good}, label %{bad}")
        f.label(bad)
        f.do(f"store i64 {batch}, ptr {word[BATCH]}")
        f.do(f"ret i32 {status}")
        f.label(good)
        if tries:
            end = f.emit("call i64 @now()")
            f.do(f"call void @note(ptr %frame, i64 {f.emit(f'sub i64 {end}, {start}')})")
    f.do("ret i32 0")
    return f
