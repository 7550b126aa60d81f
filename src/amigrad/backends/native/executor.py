"""The native backend: a program simplified, scheduled, planned, emitted, loaded, and then called."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amigrad.backends.native.address import address
from amigrad.backends.native.emit import Code, emit
from amigrad.backends.native.kernels import Kernel, Schedule
from amigrad.backends.native.load import Library
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.plan import plan as lay_out
from amigrad.backends.native.schedule import schedule
from amigrad.backends.native.simplify import Node, simplify
from amigrad.backends.native.target import host
from amigrad.backends.program import Program
from amigrad.backends.workers import WORKERS, threads
from amigrad.graph import Dim
from amigrad.graph.sizes import evaluate, product
from amigrad.graph.tensor import Array
from amigrad.operators.lookup import index_error

_FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)
_SMALL = 4_000_000
"""A step whose products take fewer multiplications stays on one thread: waking another costs more."""


def _multiplications(schedule: Schedule) -> Dim:
    """How many multiplications the products of a schedule take."""
    total: Dim = 0
    for kernel in schedule.kernels:
        if kernel.kind == "product":
            total = total + product(kernel.domain) * kernel.body[0].inputs[0].shape[-1]
    return total


@dataclass
class Plan:
    """What depends on the sizes of the data only."""

    sizes: Mapping[str, int]
    table: Array
    slot_bytes: list[int]
    output_shapes: list[tuple[int, ...]]
    buffers: Array
    address: int
    table_address: int
    threads: int
    arena_version: int = -1
    views: dict[Node, Array] = field(default_factory=dict)


class NativeExecutor:
    """Runs a program as native code.

    `schedule`, `layout` and `code` are the compiler's stages, to look at; `library.assembly()` is the last.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph = simplify(program)
        self.schedule: Schedule = schedule(self.graph)
        self.layout: Layout = lay_out(self.schedule)
        target = host()
        self.code: Code = emit(self.schedule, self.layout.places, target, threads() > 1)
        self.library = Library.compile(self.code.text, target)
        self._stretches = [
            s if isinstance(s, Kernel) else _FUNCTION(self.library.address(s)) for s in self.code.stretches
        ]
        self._arena = np.empty(0, dtype=np.uint8)
        self._arena_start = 0
        self._arena_version = 0
        self._threads = threads()
        self._work = _multiplications(self.schedule)
        self._error = np.zeros(1, dtype=np.int64)
        self._error_address = self._error.ctypes.data
        self._barrier = np.zeros(16, dtype=np.int64)
        self._barrier_address = self._barrier.ctypes.data
        # A state's buffer is always in C order; a constant may be a view, but it never changes.
        self._sources = [np.asarray(source.value, order="C") for source in self.layout.sources]
        self._output_dtypes = [node.dtype for node in self.layout.outputs]

    def plan(self, sizes: Mapping[str, int]) -> Plan:
        """Sizes and buffers for data of these sizes."""
        layout = self.layout
        table = np.array([evaluate(e, sizes) for e in self.code.sizes.expressions] or [0], dtype=np.int64)
        shapes = [tuple(evaluate(d, sizes) for d in t.shape) for t in self.program.outputs]
        buffers = np.zeros(layout.first_slot + len(layout.slots) + 1, dtype=np.uintp)
        first = len(layout.inputs) + len(layout.outputs)
        for i, source in enumerate(self._sources):
            buffers[first + i] = source.ctypes.data
        return Plan(
            dict(sizes),
            table,
            layout.slot_bytes(sizes),
            shapes,
            buffers,
            buffers.ctypes.data,
            table.ctypes.data,
            self._threads if evaluate(self._work, sizes) >= _SMALL else 1,
        )

    def _place_arena(self, plan: Plan) -> None:
        total = sum(plan.slot_bytes)
        if total > self._arena.size - 64:
            self._arena = np.empty(total + 64, dtype=np.uint8)
            self._arena_start = -(-self._arena.ctypes.data // 64) * 64
            self._arena_version += 1
        place = self._arena_start
        for i, size in enumerate(plan.slot_bytes):
            plan.buffers[self.layout.first_slot + i] = place
            place += size
        plan.arena_version = self._arena_version

    def run(self, plan: Plan, arrays: list[Array]) -> list[Array]:
        """The outputs, after the assignments were made."""
        if plan.arena_version != self._arena_version or not self._arena.size:
            self._place_arena(plan)
        buffers = plan.buffers
        count = len(arrays)
        for i, array in enumerate(arrays):
            buffers[i] = address(array)
        outputs = []
        for shape, dtype in zip(plan.output_shapes, self._output_dtypes, strict=True):
            output = np.empty(shape, dtype=dtype)
            buffers[count] = address(output)
            outputs.append(output)
            count += 1
        for stretch in self._stretches:
            if isinstance(stretch, Kernel):
                self._run_in_python(stretch, plan)
            else:
                status = self._call(stretch, plan)
                if status:
                    self._fail(self.code.checks[status - 1], plan)
        return outputs

    def _call(self, function: Any, plan: Plan) -> int:
        """Run a native stretch, on several threads if the step is large and they are free."""
        addresses = plan.address, plan.table_address, self._error_address
        count = plan.threads
        if count > 1:
            status = WORKERS.run(lambda number: function(*addresses, number, count, self._barrier_address), count)
            if status is not None:
                return status
        return int(function(*addresses, 0, 1, self._barrier_address))

    def _fail(self, kernel: Kernel, plan: Plan) -> None:
        check = kernel.check
        assert check is not None
        assert check.node.operator is not None
        error = index_error(check.node.operator.name, int(self._error[0]), evaluate(check.size, plan.sizes))
        if check.node.place is not None:
            error.add_note(f"in the operation at {check.node.place}")
        raise error

    def _run_in_python(self, kernel: Kernel, plan: Plan) -> None:
        """An operator without a lowering: through its `forward`, on the same buffers."""
        (node,) = kernel.body
        assert node.operator is not None
        operator = node.operator.map_sizes(lambda size: evaluate(size, plan.sizes))
        inputs = [
            np.array(i.constant, dtype=i.dtype) if i not in kernel.loads else self._array(kernel.loads[i].base, i, plan)
            for i in node.inputs
        ]
        with np.errstate(all="ignore"):
            result = operator.forward(*inputs)
        np.copyto(self._array(node, node, plan), result)

    def _array(self, base: Node, like: Node, plan: Plan) -> Array:
        """The buffer of a node as an array of another node's shape."""
        shape = tuple(evaluate(d, plan.sizes) for d in like.shape)
        address = int(plan.buffers[self.layout.places[base]])
        count = int(np.prod(shape, dtype=np.int64))
        if not count:
            return np.empty(shape, dtype=like.dtype)
        memory = memoryview((ctypes.c_char * (count * like.dtype.itemsize)).from_address(address)).cast("B")
        found: Array = np.frombuffer(memory, dtype=like.dtype, count=count)
        return found.reshape(shape)
