"""The native backend: a program simplified, scheduled, planned, emitted, loaded, and then called."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from amigrad.backends.executor import Direct, Executor, name_batch
from amigrad.backends.native.address import token
from amigrad.backends.native.build import Build
from amigrad.backends.native.frame import Frame
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.results import LARGE, Results
from amigrad.backends.native.simplify import Node, simplify
from amigrad.backends.program import Program
from amigrad.backends.workers import cores, threads
from amigrad.graph import DType
from amigrad.graph.sizes import evaluate
from amigrad.graph.tensor import Array
from amigrad.operators.lookup import index_error
from amigrad.operators.packing import lengths_error

if TYPE_CHECKING:
    from amigrad.backends.native.emit import Code
    from amigrad.backends.native.kernels import Kernel, Schedule
    from amigrad.backends.native.pool import Pool

_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
_empty = np.empty
_LARGE_PAGE = 1 << 21
"""The bytes of a page of memory that NumPy asks for from two of them on. In smaller ones, what goes from row to row
waits for the processor to find each.
"""
_LONG = 200_000
"""A step with less work is over in about 10 microseconds: other threads of Python may as well wait."""


class Plan(NamedTuple):
    """What depends on the sizes of the data only."""

    sizes: Mapping[str, int]
    frame: Frame
    address: int
    give: Callable[..., None]
    slot_bytes: list[int]
    outputs: list[tuple[tuple[int, ...], DType]]
    large: list[tuple[int, tuple[int, ...], DType]]


def _pool() -> Pool | None:
    from amigrad.backends.native.pool import pool

    return pool()


class NativeExecutor(Executor):
    """Runs a program as native code.

    `graph`, `schedule`, `layout` and `code` are the compiler's stages, to look at; `library.assembly()` is the last.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph = simplify(program)
        count = min(threads(), cores())
        self._pool = _pool() if count > 1 else None
        self._threads = 1 if self._pool is None else count
        self._build = build = Build(self.graph, program.scope, self._threads)
        self.library, self._need = build.library, build.need
        self._stretches = [
            _FUNCTION(self.library.address(s)) if isinstance(s, str) else s for s in build.need.stretches
        ]
        whole = self._stretches[0] if len(self._stretches) == 1 else None
        self._whole = whole if callable(whole) else None
        self._results = [Results() for _ in program.outputs]
        self._arena = np.empty(0, dtype=np.uint8)
        self._arena_start = self._arena_end = 0
        self._arena_version = 0
        self._present_arena = np.zeros(1, dtype=np.int64)
        # A state's buffer is always in C order; a constant may be a view, but it never changes.
        self._sources = [np.asarray(source.value, order="C") for source in self._need.layout.sources]
        if wanted := os.environ.get("AMIGRAD_DUMP", ""):
            self.dump(wanted)

    def dump(self, folder: str | Path) -> Path:
        """Write the stages of the compilation into a new folder in this one, a file each; gives the new folder."""
        from amigrad.backends.native.dump import dump

        return dump(self.program, self._build, folder)

    @property
    def schedule(self) -> Schedule:
        """The kernels."""
        return self._build.schedule

    @property
    def layout(self) -> Layout:
        """The buffers."""
        return self._build.layout

    @property
    def code(self) -> Code:
        """The LLVM IR."""
        return self._build.code

    def plan(self, sizes: Mapping[str, int]) -> Plan:
        """Sizes and buffers for data of these sizes."""
        layout = self._need.layout
        sizes = self.program.scope.with_limits(sizes)
        table = [evaluate(e, sizes) for e in self._need.sizes]
        outputs = [(tuple(evaluate(d, sizes) for d in t.shape), t.dtype) for t in self.program.outputs]
        first = len(layout.inputs) + len(layout.outputs)
        frame = Frame(first, layout.buffers, table)
        for i, source in enumerate(self._sources):
            frame.place(first + i, source.ctypes.data)
        if self._pool is not None:
            self._pool.start(self._threads)
            frame.use(self._threads, self._pool.address, self._pool.share)
        large = [(i, *spec) for i, spec in enumerate(outputs) if math.prod(spec[0]) * spec[1].itemsize >= LARGE]
        for i, _, dtype in large:
            outputs[i] = (0,), dtype
        return Plan(sizes, frame, frame.address, frame.give, layout.slot_bytes(sizes), outputs, large)

    def _place_arena(self, plan: Plan) -> None:
        total = sum(plan.slot_bytes)
        if self._arena_start + total > self._arena_end:
            page = _LARGE_PAGE if total >= _LARGE_PAGE // 2 else 64
            self._arena = np.empty(max(total + page, 2 * page), dtype=np.uint8)
            self._arena_end = self._arena.ctypes.data + self._arena.size
            self._arena_start = -(-self._arena.ctypes.data // page) * page
            self._arena_version += 1
            self._present_arena[0] = self._arena_version
        place = self._arena_start
        for i, size in enumerate(plan.slot_bytes):
            plan.frame.place(self._need.layout.first_slot + i, place)
            place += size
        plan.frame.use_arena(self._arena_version)

    def run(self, plan: Plan, arrays: list[Array]) -> list[Array]:
        """The outputs, after the assignments were made."""
        if plan.frame.arena_version != self._arena_version:
            self._place_arena(plan)
        outputs = []
        for shape, dtype in plan.outputs:
            outputs.append(_empty(shape, dtype))
        for number, shape, dtype in plan.large:
            outputs[number] = self._results[number].array(shape, dtype)
        plan.give(*map(token, arrays + outputs))
        if self._whole is not None:
            if status := self._whole(plan.address):
                raise self._failure(status, plan)
            return outputs
        for stretch in self._stretches:
            if not callable(stretch):
                self._run_in_python(stretch, plan, [*arrays, *outputs])
            elif status := stretch(plan.address):
                raise self._failure(status, plan)
        return outputs

    def direct(self, plan: Plan) -> Direct | None:
        """How native code runs a plan, if all of it is native and its outputs are small."""
        if self._whole is None or plan.large:
            return None
        (step,) = [self.library.address(name) for name in self._need.stretches if isinstance(name, str)]
        is_long = evaluate(self._need.work, plan.sizes) >= _LONG
        return Direct(step, plan.address, plan.frame.tokens, plan.frame.arena, self._present_arena.ctypes.data, is_long)

    def run_batches(self, plan: Plan, arrays: list[Array], outputs: list[Array], first: int, stop: int) -> None:
        """Run on the batches from first to stop, in one native call if all of the step is native."""
        if self._whole is None:
            super().run_batches(plan, arrays, outputs, first, stop)
            return
        if plan.frame.arena_version != self._arena_version:
            self._place_arena(plan)
        plan.frame.give_batches([*arrays, *outputs], first, stop)
        try:
            status = self._whole(plan.address)
        finally:
            plan.frame.give_one()
        if status:
            error = self._failure(status, plan)
            name_batch(error, plan.frame.error[1])
            raise error

    def _failure(self, status: int, plan: Plan) -> IndexError | ValueError:
        """The error for what a native stretch returned."""
        node, size = self._need.checks[status - 1]
        if node is None:
            return lengths_error(plan.frame.error[0], evaluate(size, plan.sizes))
        assert node.operator is not None
        error = index_error(node.operator.name, plan.frame.error[0], evaluate(size, plan.sizes))
        if node.place is not None:
            error.add_note(f"in the operation at {node.place}")
        return error

    def _run_in_python(self, kernel: Kernel, plan: Plan, arrays: list[Array]) -> None:
        """An operator without a lowering: through its `forward`, on the same buffers."""
        (node,) = kernel.body
        assert node.operator is not None
        operator = node.operator.map_sizes(lambda size: evaluate(size, plan.sizes))
        loads = kernel.loads
        inputs = [
            self._array(loads[i].base, i, plan, arrays) if i in loads else np.array(i.constant, dtype=i.dtype)
            for i in node.inputs
        ]
        with np.errstate(all="ignore"):
            result = operator.forward(*inputs)
        np.copyto(self._array(node, node, plan, arrays), result)

    def _array(self, base: Node, like: Node, plan: Plan, arrays: list[Array]) -> Array:
        """The buffer of a node, one of the run's arrays perhaps, as an array of another node's shape."""
        shape = tuple(evaluate(d, plan.sizes) for d in like.shape)
        place = self.layout.places[base]
        if place < len(arrays):
            return arrays[place].reshape(shape)
        address = plan.frame.buffer(place)
        count = int(np.prod(shape, dtype=np.int64))
        if not count:
            return np.empty(shape, dtype=like.dtype)
        memory = memoryview((ctypes.c_char * (count * like.dtype.itemsize)).from_address(address)).cast("B")
        found: Array = np.frombuffer(memory, dtype=like.dtype, count=count)
        return found.reshape(shape)
