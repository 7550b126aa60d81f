"""A program's code, and what running it takes: found in the cache where the same program was compiled before, else
made by all stages.
"""

from __future__ import annotations

import marshal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from amigrad.backends.native import cache as disk
from amigrad.backends.native.fingerprint import fingerprint, fingerprint_of, nodes_of, sources_of
from amigrad.backends.native.load import Library
from amigrad.backends.native.plan import Layout
from amigrad.backends.native.simplify import Node, Simplified
from amigrad.graph import Dim, Size
from amigrad.graph.sizes import Scope, terms_of

if TYPE_CHECKING:
    from amigrad.backends.native.emit import Code
    from amigrad.backends.native.kernels import Kernel, Schedule
    from amigrad.backends.native.target import Target


class Need(NamedTuple):
    """What a step that is native throughout needs to be run.

    sizes: the run-time sizes that the code reads, in its order. checks: for each the node whose index it is (None
    for lengths of sequences) and the size that it must fit. work: how much there is to do, roughly in multiplications.
    """

    layout: Layout
    stretches: list[str | Kernel]
    sizes: list[Dim]
    checks: list[tuple[Node | None, Dim]]
    work: Dim


def library(ir: str) -> Library:
    """The code of some IR for this machine: without LLVM where it is in the cache."""
    name = fingerprint_of(ir)
    key = None if name is None else disk.read(name)
    found = None if key is None else Library.find(key.decode(), lambda: ir, _host)
    if found is None:
        found = Library.compile(ir, _host())
        if name is not None:
            disk.write(name, found.key.encode())
    return found


def _host() -> Target:
    from amigrad.backends.native.target import host

    return host()


class Build:
    """The code of a graph and, made when they are asked for, the stages that lead to it."""

    def __init__(self, graph: Simplified, scope: Scope, threads: int) -> None:
        self.graph = graph
        self.scope = scope
        self.threads = threads
        name = fingerprint(graph, scope, threads)
        found = None if name is None else self._find(name)
        if found is None:
            asked = len(scope.guards), len(scope.quotients)
            self.library = Library.compile(self.code.text, self.target)
            self.need = self._needed()
            if name is not None and asked == (len(scope.guards), len(scope.quotients)):
                self._keep(name)
        else:
            self.library, self.need = found

    @cached_property
    def target(self) -> Target:
        """The machine that the code is for."""
        return _host()

    @cached_property
    def schedule(self) -> Schedule:
        """The kernels."""
        from amigrad.backends.native.schedule import schedule

        return schedule(self.graph)

    @cached_property
    def layout(self) -> Layout:
        """The buffers."""
        from amigrad.backends.native.plan import plan

        return plan(self.schedule)

    @cached_property
    def code(self) -> Code:
        """The LLVM IR."""
        from amigrad.backends.native.emit import emit

        return emit(self.schedule, self.layout, self.target, self.threads > 1)

    def _needed(self) -> Need:
        from amigrad.backends.native.emit import work
        from amigrad.backends.native.kernels import LengthsCheck

        code, checks = self.code, []
        for kernel in code.checks:
            check = kernel.check
            assert check is not None
            lengths = isinstance(check, LengthsCheck)
            checks.append((None, check.rows) if lengths else (check.node, check.size))  # type: ignore[union-attr]
        total: Dim = 0
        for kernel in self.schedule.kernels:
            total = total + work(kernel)
        return Need(self.layout, code.stretches, code.sizes.expressions, checks, total)

    # The cache

    def _keep(self, name: str) -> None:
        """Write down what is needed beside the code. What Python runs stands in no file."""
        need = self.need
        if not all(isinstance(s, str) for s in need.stretches):
            return
        nodes = {id(node): number for number, node in enumerate(nodes_of(self.graph))}
        sources = {id(source): number for number, source in enumerate(sources_of(self.graph))}
        written = {
            "code": self.library.key,
            "stretches": need.stretches,
            "sources": [sources[id(source)] for source in need.layout.sources],
            "slots": [[[_written(count), width] for count, width in slot] for slot in need.layout.slots],
            "sizes": [_written(size) for size in need.sizes],
            "checks": [[None if node is None else nodes[id(node)], _written(size)] for node, size in need.checks],
            "work": _written(need.work),
        }
        disk.write(name, marshal.dumps(written))

    def _find(self, name: str) -> tuple[Library, Need] | None:
        text = disk.read(name)
        if text is None:
            return None
        found = marshal.loads(text)
        library = Library.find(found["code"], lambda: self.code.text, lambda: self.target)
        if library is None:
            return None
        nodes, sources = list(nodes_of(self.graph)), sources_of(self.graph)
        slots = [[(self._read(count), width) for count, width in slot] for slot in found["slots"]]
        chosen = [sources[number] for number in found["sources"]]
        layout = Layout({}, self.graph.inputs, self.graph.outputs, chosen, slots)
        checks = [(None if n is None else nodes[n], self._read(size)) for n, size in found["checks"]]
        sizes = [self._read(size) for size in found["sizes"]]
        return library, Need(layout, found["stretches"], sizes, checks, self._read(found["work"]))

    def _read(self, size: Any) -> Dim:
        return size if isinstance(size, int) else Size(self.scope, {tuple(names): factor for names, factor in size})


def _written(size: Dim) -> Any:
    return [[list(names), factor] for names, factor in terms_of(size).items()] if isinstance(size, Size) else size
