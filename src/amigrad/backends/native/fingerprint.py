"""What a program's code depends on, as one text: equal texts get equal code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from typing import Any

import numpy as np

import amigrad
from amigrad.backends.native.cache import digest
from amigrad.backends.native.scans import Loop
from amigrad.backends.native.simplify import Node, Simplified
from amigrad.graph import Operator, Size, State, Tensor
from amigrad.graph.sizes import Scope
from amigrad.operators.scan import Scan

_ROOMS = ("graph", "operators", "backends", os.path.join("backends", "native"))
_PROCESSOR = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ")
_PLAIN = (int, float, bool, str, type(None))


class _UnknownError(Exception):
    """Something that has no text."""


def fingerprint(graph: Simplified, scope: Scope, threads: int) -> str | None:
    """A digest of all that the code of a graph depends on; None if something in it has no name of its own."""
    try:
        parts = [_surroundings(), str(threads), _scope(scope), *_graph(graph)]
    except _UnknownError:
        return None
    return digest("\n".join(parts).encode()).hex()


def fingerprint_of(text: str) -> str | None:
    """The same of code that stands in a text."""
    try:
        return digest(f"{_surroundings()}\n{text}".encode()).hex()
    except _UnknownError:
        return None


def nodes_of(graph: Simplified) -> Iterator[Node]:
    """The nodes of a graph and of the loops in it."""
    for node in graph.nodes:
        yield node
        if isinstance(node.operator, Loop):
            yield from nodes_of(node.operator.body)


def sources_of(graph: Simplified) -> list[Tensor]:
    """The buffers that a graph reads or assigns, in the order of the graph."""
    found: dict[int, Tensor] = {}
    for node in graph.nodes:
        if node.source is not None:
            found.setdefault(id(node.source), node.source)
    for state, _ in graph.assignments:
        found.setdefault(id(state), state)
    return list(found.values())


def _scope(scope: Scope) -> str:
    # Of the sizes in the example only those matter that could broadcast or have no elements.
    hints = {name: min(size, 2) for name, size in scope.hints.items()}
    return f"{hints} {scope.limits} {scope.quotients} {scope.known}"


def _graph(graph: Simplified) -> Iterator[str]:
    places = {id(node): str(place) for place, node in enumerate(graph.nodes)}
    sources = {id(source): place for place, source in enumerate(sources_of(graph))}
    for node in graph.nodes:
        if node.operator is not None:
            made = _text(node.operator)
        elif node.source is not None:
            made = f"buffer {sources[id(node.source)]} {isinstance(node.source, State)}"
        else:
            made = f"number {node.constant!r}"
        inputs = " ".join([places[id(i)] for i in node.inputs])
        yield f"{made} ({inputs}) {node.dtype.str} {node.shape} {node.trusted}"
    yield " ".join([places[id(node)] for node in (*graph.inputs, *graph.outputs)])
    yield f"{len(graph.inputs)} " + " ".join([f"{sources[id(s)]}={places[id(n)]}" for s, n in graph.assignments])


def _text(value: Any) -> str:
    """An operator or an attribute of one."""
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    if kind is Size:
        return str(value)
    if kind is tuple:
        return f"({','.join([_text(v) for v in value])})"
    if isinstance(value, Loop):
        scan = value.scan
        inputs = [(place, node.shape) for node, place in value.inputs]
        body = "\n".join(_graph(value.body))
        return f"loop {scan.rows} {scan.packed} {scan.reverse} {value.active} {value.batch} {inputs}\n{body}\nend"
    if isinstance(value, Operator) and kind.__module__.startswith("amigrad.") and kind is not Scan:
        return f"{kind.__module__}.{kind.__qualname__}({','.join([_text(v) for v in value.attribute_values()])})"
    if isinstance(value, np.dtype):
        return str(value.str)
    raise _UnknownError


@cache
def _surroundings() -> str:
    """amigrad, LLVM, and the processor."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    folders = [os.path.join(root, room) for room in _ROOMS]
    found = PathFinder.find_spec("llvmlite")
    if found is not None and found.origin is not None:
        folders.append(os.path.dirname(found.origin))
    try:
        stamps = [stamp for folder in folders for stamp in _stamps(folder)]
    except OSError:
        raise _UnknownError from None
    python, level = sys.implementation.cache_tag, os.environ.get("AMIGRAD_CPU", "")
    return f"{amigrad.__version__} {python} {sys.platform} {stamps} {_processor()} {level}"


def _stamps(folder: str) -> Iterator[str]:
    """The sizes and times of change of the Python files in a folder."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.endswith(".py"):
            state = entry.stat()
            yield f"{entry.name} {state.st_size} {state.st_mtime_ns}"


def _processor() -> str:
    """What the system says of the first processor; where it says nothing, what LLVM does."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = file.read(8192).partition("\n\n")[0]
        lines = [line for line in first.splitlines() if line.startswith(_PROCESSOR)]
    except OSError:
        lines = []
    if lines:
        return f"{os.uname().machine} {lines}"
    from amigrad.backends.native.target import host

    return str(host())
