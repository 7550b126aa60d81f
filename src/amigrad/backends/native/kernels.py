"""Kernels: what the scheduler makes of a graph, and the later stages place, emit and run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from amigrad.backends.native.simplify import Node, Simplified
from amigrad.backends.native.views import View
from amigrad.graph import Dim, Shape
from amigrad.graph.tensor import Array
from amigrad.operators import create, lookup, movement, random
from amigrad.operators.elementwise import Elementwise, Unary

if TYPE_CHECKING:
    from amigrad.backends.native.scans import Loop

BODY = (Elementwise, lookup.Take, lookup.OneHot, create.Arange, random.Uniform)
MOVEMENT = (
    movement.Reshape,
    movement.PermuteDims,
    movement.BroadcastTo,
    movement.Slice,
    movement.Flip,
)
ROWS = (lookup.ScatterRows, lookup.AddRows, lookup.SetRows)


class Copy(Unary):
    """The elements as they are, in a buffer of their own."""

    name = "copy"
    kinds = "fib"

    def forward(self, x: Array) -> Array:
        return x


@dataclass(eq=False)
class Store:
    """Each element of a value stored in a view of a buffer."""

    value: Node
    target: View


@dataclass(eq=False)
class Reduce:
    """A value reduced over axes of the domain, into the buffer of the reduction's node."""

    node: Node
    value: Node
    axes: tuple[int, ...]


@dataclass(eq=False)
class Scatter:
    """Rows added to, or set in, the buffer of `target` where an index says."""

    target: Node
    value: Node
    index: View
    adds: bool


Sink = Store | Reduce | Scatter


@dataclass(eq=False)
class Check:
    """An index that must be in [0, size) before anything may use it; the rows of `tables` that it names are fetched
    into the caches meanwhile.
    """

    index: View
    size: Dim
    node: Node
    tables: list[View] = field(default_factory=list)


@dataclass(eq=False)
class LengthsCheck:
    """Lengths of sequences that must each be at least 1, and together `rows`."""

    index: View
    rows: Dim


@dataclass(eq=False)
class Steps:
    """A loop over time: the schedule of its body, and where the nodes that come from outside lie.

    bound: for each such node the view that it has outside (of all rows, if it is one of those that move).
    """

    loop: Loop
    schedule: Schedule
    bound: dict[Node, View]


Kind = Literal["loop", "product", "first_same", "check", "packing", "scan", "python"]


@dataclass(eq=False)
class Kernel:
    """One loop nest, product, or other unit of work; see the module's docstring."""

    domain: Shape
    kind: Kind = "loop"
    body: list[Node] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    loads: dict[Node, View] = field(default_factory=dict)
    fills: list[tuple[Node, object]] = field(default_factory=list)
    scratch: list[Node] = field(default_factory=list)
    check: Check | LengthsCheck | None = None
    steps: Steps | None = None
    update: Kernel | None = None
    """The next kernel, if both can be one pass over a matrix, see `passes.py`."""
    continues: Kernel | None = None
    """The kernel after whose update of a matrix this one updates it once more, see `updates.py`."""
    needs: set[Kernel] = field(default_factory=set)
    number: int = 0

    def reads(self) -> Iterable[View]:
        """Every view that the kernel reads."""
        yield from self.loads.values()
        for sink in self.sinks:
            if isinstance(sink, Scatter):
                yield sink.index
        if self.check is not None:
            yield self.check.index

    def writes(self) -> Iterable[Node]:
        """Every buffer that the kernel writes."""
        for sink in self.sinks:
            yield (
                sink.target.base
                if isinstance(sink, Store)
                else (sink.node if isinstance(sink, Reduce) else sink.target)
            )
        for node, _ in self.fills:
            yield node
        if self.kind in ("first_same", "packing", "scan", "python"):
            yield from self.body
        yield from self.scratch

    def goes_on_after(self, earlier: Kernel) -> bool:
        """Whether this kernel updates a matrix once more that an earlier one updated."""
        return self.continues is not None and (self.continues is earlier or self.continues.goes_on_after(earlier))

    def checks(self) -> bool:
        """Whether data may be found wrong here: then nothing may have been overwritten yet."""
        return self.kind == "check" or (self.steps is not None and any(k.checks() for k in self.steps.schedule.kernels))

    def inside(self) -> Iterable[Kernel]:
        """This kernel, and those of the loop that it is."""
        yield self
        if self.steps is not None:
            for kernel in self.steps.schedule.kernels:
                yield from kernel.inside()

    def __repr__(self) -> str:
        body = ", ".join(repr(n) for n in self.body)
        return f"kernel {self.number} {self.kind} {self.domain}: {body}; {len(self.sinks)} sinks"


@dataclass
class Schedule:
    """The kernels in the order in which they run, and the buffer that each output node has."""

    kernels: list[Kernel]
    outputs: list[Node]
    graph: Simplified
    aliases: dict[Node, Node]
