"""Fourth stage: LLVM IR. One internal function for each kernel, and one for each native stretch of the schedule."""

from __future__ import annotations

from dataclasses import dataclass

from amigrad.backends.native import trial
from amigrad.backends.native.copies import MOST_TURNED
from amigrad.backends.native.indices import check_indices, first_same
from amigrad.backends.native.ir import Function, SizeTable
from amigrad.backends.native.kernels import Copy, Kernel, LengthsCheck, Schedule, Store
from amigrad.backends.native.loops import LoopNest
from amigrad.backends.native.modules import modules
from amigrad.backends.native.passes import Pass
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.products import Product
from amigrad.backends.native.reductions import fill
from amigrad.backends.native.scans import names
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.steps import address, check_lengths, only_states, pack, stepping
from amigrad.backends.native.stretches import Run, over_batches, taker
from amigrad.backends.native.target import Target
from amigrad.backends.native.tiles import Tiles
from amigrad.backends.native.views import is_number
from amigrad.graph import Dim
from amigrad.graph.sizes import product
from amigrad.operators import elementwise

_MUCH = 2**30
"""What a loop over time is taken to have to do."""
_FEW = 5
"""Estimates take multiplications: where there are more of them than this, the processor's other units are quicker."""


@dataclass
class Code:
    """The IR of a program: native stretches (names of functions) and, between them, kernels that Python runs."""

    text: str
    stretches: list[str | Kernel]
    sizes: SizeTable
    checks: list[Kernel]


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
        runs: list[Run] = []
        stretches: list[str | Kernel] = []
        run: Run | None = None
        for kernel in schedule.kernels:
            if kernel.kind == "python":
                run = None
                stretches.append(kernel)
                continue
            if run is None:
                run = Run(f"step{len(stretches)}", self.sizes, self.layout, self.parallel)
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
        entries = [over_batches(name, run, tries) for name, run in zip(names, runs, strict=True)]
        functions = [*self.tiles.functions(), *self.kernels.values(), *self.takers.values(), *runs, *entries]
        more = self.tiles.constants() | ({"@choose": trial.code()} if tries else {})
        return Code(modules(functions, self.target, more), stretches, self.sizes, self.checks)

    def _pointer(self, f: Function, node: Node) -> str:
        return f.argument("buffer", self.layout.places[node])

    def _pass(self, run: Run, product: Kernel, update: Kernel) -> None:
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

    def _kernel(self, run: Run, kernel: Kernel) -> None:
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
                check_indices(f, kernel, pointer)
        elif kernel.kind == "first_same":
            first_same(f, kernel, pointer)
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
            piece = self.takers.setdefault(f.name, taker(f))
            run.share(f, piece, work(kernel))
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

    def _scan(self, run: Run, kernel: Kernel) -> None:
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
