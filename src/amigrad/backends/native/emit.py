"""Fourth stage: LLVM IR. One internal function for each kernel, and one for each native stretch of the schedule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from amigrad.backends.native import elf, trial
from amigrad.backends.native.copies import MOST_TURNED
from amigrad.backends.native.frame import BATCH, ERROR, FIRST, HEAD, POOL, SHARE, STOP, THREADS, TOKEN_PLACE
from amigrad.backends.native.ir import Function, SizeTable, argument_type
from amigrad.backends.native.kernels import Check, Copy, Kernel, LengthsCheck, Schedule, Store
from amigrad.backends.native.load import SEPARATOR
from amigrad.backends.native.loops import LoopNest, Pointer
from amigrad.backends.native.passes import Pass
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.products import Product
from amigrad.backends.native.reductions import fill
from amigrad.backends.native.scans import names
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.steps import address, check_lengths, only_states, pack, stepping
from amigrad.backends.native.target import Target
from amigrad.backends.native.tiles import Tiles
from amigrad.backends.native.values import fetch_row
from amigrad.backends.native.views import View, is_number
from amigrad.backends.workers import cores
from amigrad.graph import Dim, Size, int32, int64
from amigrad.graph.sizes import product, terms_of
from amigrad.operators import elementwise

_OF_PIECE = ("piece", "pieces", "thread")
_GRAIN = 18
"""A piece of a kernel has 2 to this power of multiplications at least: about 5 microseconds."""
_MUCH = 2**30
"""What a loop over time is taken to have to do."""
_PIECES = 4
"""At most so many pieces for each thread: one that comes late, or is slow, takes fewer."""
_FEW = 5
"""Estimates take multiplications: where there are more of them than this, the processor's other units are quicker."""
_FEW_ROWS = 1024
"""As many rows of a table stay in the caches from where indices are checked to where the rows are read."""

_LINES = 1000
"""A module has so many lines at least: below that a second one takes longer than it gains."""
_MOST_MODULES = 4
_NAME = re.compile(r"@[\w.]+")


@dataclass
class Code:
    """The IR of a program: native stretches (names of functions) and, between them, kernels that Python runs."""

    text: str
    stretches: list[str | Kernel]
    sizes: SizeTable
    checks: list[Kernel]


class _Run(Function):
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

    def share(self, kernel: Function, taker: Function, work: Dim) -> None:
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
        self.do(f"call void {function}(ptr {pool}, ptr @{taker.name}, ptr {arguments}, i64 {pieces}, i64 %threads)")
        self.do(f"br label %{done}")
        self.label(alone)
        self.run(kernel)
        self.do(f"br label %{done}")
        self.label(done)


def _taker(kernel: Function) -> Function:
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


def _over_batches(name: str, step: _Run, tries: bool) -> Function:
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


def emit(schedule: Schedule, layout: Layout, target: Target, parallel: bool = False) -> Code:
    """The IR of a schedule with the buffers of a layout."""
    return _Emitter(layout, target, parallel).emit(schedule)


class _Emitter:
    """Writes the functions of a program. Kernels with the same code share one."""

    def __init__(self, layout: Layout, target: Target, parallel: bool) -> None:
        self.layout = layout
        self.target = target
        self.parallel = parallel
        self.sizes = SizeTable()
        self.tiles = Tiles(target, self.sizes)
        self.kernels: dict[str, Function] = {}
        self.takers: dict[str, Function] = {}
        self.checks: list[Kernel] = []
        self.final: set[Node] = set()

    def emit(self, schedule: Schedule) -> Code:
        """The IR of a schedule."""
        read = {view.base for outer in schedule.kernels for kernel in outer.inside() for view in kernel.reads()}
        self.final = {node for node in schedule.outputs if node not in read}
        runs: list[_Run] = []
        stretches: list[str | Kernel] = []
        run: _Run | None = None
        for kernel in schedule.kernels:
            if kernel.kind == "python":
                run = None
                stretches.append(kernel)
                continue
            if run is None:
                run = _Run(f"step{len(stretches)}", self.sizes, self.layout, self.parallel)
                runs.append(run)
                stretches.append(f"run{len(stretches)}")
            if kernel.update is not None:
                self._pass(run, kernel, kernel.update)
            elif not any(other.update is kernel for other in schedule.kernels):
                self._kernel(run, kernel)
        for run in runs:
            run.do("ret i32 0")
            run.hasty = not any(kernel.kind == "scan" for kernel in schedule.kernels)
        names = [name for name in stretches if isinstance(name, str)]
        tries = self.parallel and len(stretches) == 1
        entries = [_over_batches(name, run, tries) for name, run in zip(names, runs, strict=True)]
        functions = [*self.tiles.functions(), *self.kernels.values(), *self.takers.values(), *runs, *entries]
        more = self.tiles.constants() | ({"@choose": trial.code()} if tries else {})
        return Code(_modules(functions, self.target, more), stretches, self.sizes, self.checks)

    def _pointer(self, f: Function, node: Node) -> str:
        return f.argument("buffer", self.layout.places[node])

    def _pass(self, run: _Run, product: Kernel, update: Kernel) -> None:
        """Two kernels: one pass over their matrix if there is one row, each by itself if there are more."""
        one_row = run.emit(f"icmp eq i64 {run.size(product.domain[0])}, 1")
        with run.when(one_row):
            f = self._function(update)
            Pass(f, product, update, self.target, self._pointer, self.tiles).emit()
            run.run(self._finished(f))
        with run.when(run.emit(f"xor i1 {one_row}, true")):
            self._kernel(run, product)
            self._kernel(run, update)

    def _function(self, kernel: Kernel) -> Function:
        f = Function("kernel", self.sizes)
        multiplications = sum(isinstance(node.operator, elementwise.Multiply) for node in kernel.body)
        f.scales = self.target.vector_bytes == 64
        f.estimates = f.scales and multiplications <= _FEW
        return f

    def _finished(self, f: Function) -> Function:
        """A kernel's function, ended; one that was written before has its name."""
        f.do("ret i32 0")
        same = self.kernels.setdefault(f.text(), f)
        if same is f:
            f.name = f"kernel{len(self.kernels)}"
        f.name = same.name
        return f

    def _kernel(self, run: _Run, kernel: Kernel) -> None:
        """Write a kernel's function and the call of it."""
        if kernel.kind == "scan":
            self._scan(run, kernel)
            return
        f = self._function(kernel)
        pointer = self._pointer
        shared = run.parallel and kernel.kind == "product" and not kernel.fills and len(kernel.domain) == 2
        if kernel.kind == "product":
            for node, value in kernel.fills:
                fill(f, pointer(f, node), node, value)
            Product(f, kernel, self.target, pointer, self.tiles, parallel=shared, in_loop=run.in_loop).emit()
        elif kernel.kind == "check":
            self.checks.append(kernel)
            if isinstance(kernel.check, LengthsCheck):
                check_lengths(f, kernel, pointer)
            else:
                _check(f, kernel, pointer)
        elif kernel.kind == "first_same":
            _first_same(f, kernel, pointer)
        elif kernel.kind == "packing":
            pack(f, kernel, pointer)
        elif _is_transposition(kernel):
            self._transpose(f, kernel)
        else:
            nest = LoopNest(f, kernel, self.target, pointer, self.final)
            shared = run.parallel and nest.divides()
            nest.emit(shared)
        f = self._finished(f)
        if shared:
            taker = self.takers.setdefault(f.name, _taker(f))
            run.share(f, taker, work(kernel))
        else:
            run.run(f, len(self.checks) if kernel.kind == "check" else 0)

    def _transpose(self, f: Function, kernel: Kernel) -> None:
        """Copy a matrix into C order that lies transposed: as panels of products are packed."""
        (source,), (sink,) = kernel.loads.values(), kernel.sinks
        assert isinstance(sink, Store)
        dtype, target = source.base.dtype, sink.target
        a, c = (f.at(self._pointer(f, view.base), dtype, f.size(view.offset)) for view in (source, target))
        rows, columns, down, along = (f.size(d) for d in (*kernel.domain, target.strides[0], source.strides[1]))
        arguments = f"ptr {a}, i64 1, i64 {along}, i64 {rows}, i64 {columns}, ptr {c}, i64 {down}"
        f.invoke(self.tiles.pack(dtype, "inner"), arguments)

    def _scan(self, run: _Run, kernel: Kernel) -> None:
        """A loop over time: the kernels of its body, with the rows of each step, in one thread."""
        steps = kernel.steps
        assert steps is not None
        loop, places = steps.loop, dict(steps.loop.inputs)
        packing = kernel.body[0].inputs[0] if loop.scan.packed else None
        order = None if packing is None else self._pointer(run, packing)
        parallel, run.parallel = run.parallel, False
        with stepping(run, steps, order) as step:
            for node, view in steps.bound.items():
                base = self._pointer(run, view.base)
                run.bound[self.layout.places[node]] = address(run, base, node.dtype, view, places.get(node), step)
            with run.varying(dict.fromkeys(names(loop.active), step.active)):
                for inner in steps.schedule.kernels:
                    needed = run.negated(step.last) if loop.ends_unread and only_states(inner, steps) else "true"
                    with run.when(needed):
                        self._kernel(run, inner)
        run.parallel = parallel


def _is_transposition(kernel: Kernel) -> bool:
    """Whether all that a kernel does is to copy a matrix whose columns are adjacent into one whose rows are."""
    if [type(node.operator) for node in kernel.body] != [Copy] or len(kernel.domain) != 2 or kernel.fills:
        return False
    columns, sources, sinks = kernel.domain[1], list(kernel.loads.values()), kernel.sinks
    if len(sources) != 1 or len(sinks) != 1 or not isinstance(sinks[0], Store) or sources[0].base.dtype.kind == "b":
        return False
    whole = isinstance(columns, int) and columns >= MOST_TURNED
    return whole and is_number(sources[0].strides[0], 1) and is_number(sinks[0].target.strides[1], 1)


def work(kernel: Kernel) -> Dim:
    """What a kernel has to do, roughly in multiplications of a matrix product."""
    if kernel.kind == "scan":
        return _MUCH
    elements = product(kernel.domain)
    if kernel.kind == "product":
        return elements * kernel.body[0].inputs[0].shape[-1]
    return elements * (4 * (len(kernel.body) + len(kernel.sinks) + len(kernel.loads)))


def _modules(functions: Sequence[Function], target: Target, more: Mapping[str, str]) -> str:
    """The functions, dealt out to as many modules as there are processors to compile them. more: by the name of each
    what else they may need. Where LLVM loads objects there is one: it does not link their large offsets to each other.
    """
    length = sum(len(f.lines) for f in functions)
    count = max(1, min(cores(), _MOST_MODULES, length // _LINES)) if elf.supported() else 1
    parts: list[list[Function]] = [[] for _ in range(count)]
    for f in sorted(functions, key=lambda f: len(f.lines), reverse=True) if count > 1 else functions:
        f.internal = f.internal and count == 1
        min(parts, key=lambda part: sum(len(other.lines) for other in part)).append(f)
    return SEPARATOR.join(_module(part, functions, target, more) for part in parts)


def _module(functions: Sequence[Function], every: Sequence[Function], target: Target, more: Mapping[str, str]) -> str:
    declared = sorted(set().union(*[f.intrinsics for f in functions])) if functions else []
    texts = [f.text() for f in functions]
    used = set(_NAME.findall("\n".join(texts)))
    texts += [text for name, text in more.items() if name in used]
    used.update(_NAME.findall("\n".join(texts)))
    called = [f.declaration() for f in every if f"@{f.name}" in used and f not in functions]
    head = [f'target triple = "{target.triple}"', *declared, *called]
    tuned = f' "tune-cpu"="{target.tune}"' if target.tune else ""
    tail = [
        f"attributes #0 = {{ nounwind{tuned} }}",
        f"attributes #1 = {{ nounwind noinline optnone{tuned} }}",
        "!0 = !{}",
        "!1 = !{i32 1}",
    ]
    return "\n".join([*head, *texts, *tail]) + "\n"


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
