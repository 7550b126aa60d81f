"""The stages of a compilation as files to read: one a stage, see docs/compiler.md."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from amigrad.backends.native.build import Build
from amigrad.backends.native.fingerprint import nodes_of
from amigrad.backends.native.kernels import Kernel, LengthsCheck, Reduce, Scatter, Schedule, Sink, Store
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.simplify import Node, Simplified
from amigrad.backends.native.views import View
from amigrad.backends.program import Program
from amigrad.graph.sizes import format_shape, product


def dump(program: Program, build: Build, folder: str | Path) -> Path:
    """Write the stages into a new folder, named by the function and the first number that is free."""
    for number in itertools.count(1):
        place = Path(folder, f"{program.name.strip('<>')}-{number}")
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            continue
        break
    names = _Names(build.graph)
    stages = {
        "1-graph.txt": _graph(program),
        "2-simplified.txt": _simplified(build.graph, names),
        "3-schedule.txt": _schedule(build.schedule, names),
        "4-plan.txt": _plan(build.layout, build.schedule, names),
    }
    for name, lines in stages.items():
        (place / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (place / "5-code.ll").write_text(build.code.text, encoding="utf-8")
    (place / "6-code.s").write_text(build.library.assembly(), encoding="utf-8")
    return place


class _Names(dict[Node, str]):
    """What nodes are called: %7 as in the simplified graph, those of loops and those that stages add after these."""

    def __init__(self, graph: Simplified) -> None:
        super().__init__({node: f"%{number}" for number, node in enumerate(nodes_of(graph))})

    def __missing__(self, node: Node) -> str:
        self[node] = f"%{len(self)}"
        return self[node]

    def all(self, nodes: Iterable[Node]) -> str:
        """Names in a row; numbers as they are."""
        return ", ".join(repr(n.constant) if n.is_constant else self[n] for n in nodes)

    def line(self, node: Node) -> str:
        """How a node is made."""
        if node.operator is not None:
            made = f"{node.operator.name}({self.all(node.inputs)})"
        elif node.is_constant:
            made = repr(node.constant)
        else:
            named = None if node.source is None else node.source.name
            made = f"buffer {named}" if named else "buffer"
        line = f"{self[node]} = {made} : {node.dtype.name} {format_shape(node.shape)}"
        return f"{line}    {node.place}" if node.place is not None else line

    def view(self, view: View) -> str:
        """Where a node is read or written."""
        if view.is_whole():
            return self[view.base]
        strides, offset = format_shape(view.strides), f" from {view.offset}" if str(view.offset) != "0" else ""
        return f"{self[view.base]} as {format_shape(view.shape)} in steps of {strides}{offset}"


def _graph(program: Program) -> Iterator[str]:
    numbers = {id(tensor): number for number, tensor in enumerate(program.order)}
    for tensor in program.inputs:
        yield f"input {tensor.name} : {tensor.spec}" + ("" if id(tensor) in numbers else " (not used)")
    for guard in program.scope.guards:
        yield f"guard {guard}"
    for number, tensor in enumerate(program.order):
        operation = tensor.operation
        if operation is None:
            yield f"{number} = {tensor.name or 'constant'} : {tensor.spec}"
        else:
            inputs = ", ".join(str(numbers[id(i)]) for i in operation.inputs)
            place = f"    {operation.place}" if operation.place is not None else ""
            yield f"{number} = {operation.name}({inputs}) : {tensor.spec}{place}"
    for tensor in program.outputs:
        yield f"output {numbers[id(tensor)]}"
    for state, tensor in program.assignments:
        yield f"assign {state.name or 'state'} = {numbers[id(tensor)]}"


def _simplified(graph: Simplified, names: _Names) -> Iterator[str]:
    yield from map(names.line, nodes_of(graph))
    yield f"inputs {names.all(graph.inputs)}"
    yield f"outputs {names.all(graph.outputs)}"
    for state, node in graph.assignments:
        yield f"assign {state.name or 'state'} = {names[node]}"


def _schedule(schedule: Schedule, names: _Names) -> Iterator[str]:
    made: dict[Node, Kernel] = {}
    for kernel in schedule.kernels:
        yield from _kernel(kernel, made, names)
        made.update(dict.fromkeys(kernel.writes(), kernel))


def _kernel(kernel: Kernel, made: dict[Node, Kernel], names: _Names) -> Iterator[str]:
    yield f"kernel {kernel.number}: {kernel.kind} over {format_shape(kernel.domain)}"
    for why in _reasons(kernel, made, names):
        yield f"  after {why}"
    for node, view in kernel.loads.items():
        yield f"  load {names[node]} : {names.view(view)}" if view.base is not node else f"  load {names.view(view)}"
    check = kernel.check
    if isinstance(check, LengthsCheck):
        yield f"  check that the lengths {names.view(check.index)} are at least 1 and add up to {check.rows}"
    elif check is not None:
        yield f"  check that {names.view(check.index)} is in [0, {check.size})"
    for node, value in kernel.fills:
        yield f"  fill {names[node]} with {value}"
    for node in kernel.body:
        yield f"  {names.line(node)}"
    if kernel.steps is not None:
        yield from (f"    {line}" for line in _schedule(kernel.steps.schedule, names))
    for sink in kernel.sinks:
        yield f"  {_sink(sink, names)}"
    yield ""


def _sink(sink: Sink, names: _Names) -> str:
    match sink:
        case Store(value, target):
            return f"store {names.all([value])} in {names.view(target)}"
        case Reduce(node, value, axes):
            assert node.operator is not None
            return f"reduce {names[node]} = {node.operator.name} of {names.all([value])} over axes {axes}"
        case Scatter(target, value, index, adds):
            how = "add to" if adds else "set in"
            return f"{how} {names[target]} the rows {names.all([value])} at {names.view(index)}"


def _reasons(kernel: Kernel, made: dict[Node, Kernel], names: _Names) -> Iterator[str]:
    """Why what an earlier kernel wrote is not computed here."""
    factors = {kernel.loads[i].base for i in kernel.body[0].inputs} if kernel.kind == "product" else set()
    for node in dict.fromkeys(view.base for view in kernel.reads()):
        earlier = made.get(node)
        if earlier is None:
            continue
        if any(isinstance(sink, Reduce) and sink.node is node for sink in earlier.sinks):
            why = "is complete only at its end"
        elif any(isinstance(sink, Scatter) and sink.target is node for sink in earlier.sinks):
            why = "has all its rows only at its end"
        elif node in factors:
            why = "is read many times"
        elif format_shape(earlier.domain) != format_shape(kernel.domain):
            why = f"goes over {format_shape(earlier.domain)}"
        else:
            why = "is stored there"
        yield f"kernel {earlier.number}: {names[node]} {why}"


def _plan(layout: Layout, schedule: Schedule, names: _Names) -> Iterator[str]:
    first: dict[Node, int] = {}
    last: dict[Node, int] = {}
    for kernel in schedule.kernels:
        for inner in kernel.inside():
            for node in (*(view.base for view in inner.reads()), *inner.writes()):
                first.setdefault(node, kernel.number)
                last[node] = kernel.number
    outputs = len(layout.inputs)
    sources = outputs + len(layout.outputs)
    for node, place in sorted(layout.places.items(), key=lambda item: item[1]):
        kinds = ("input", "output", "source", "slot")
        starts = (0, outputs, sources, layout.first_slot)
        kind = "bound by a loop" if place < 0 else kinds[sum(place >= start for start in starts) - 1]
        lives = f", kernels {first[node]} to {last[node]}" if node in first else ""
        yield f"buffer {place} ({kind}): {names[node]}, {product(node.shape)} x {node.dtype.itemsize} bytes{lives}"
