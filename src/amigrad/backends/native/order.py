"""In which order kernels run: each after those that make what it reads, and nothing is overwritten too early."""

from __future__ import annotations

from amigrad.backends.native.kernels import Kernel
from amigrad.backends.native.passes import matrix_of, updates
from amigrad.backends.native.simplify import Node
from amigrad.graph import State


def ordered(kernels: list[Kernel], assigned_rows: dict[Node, State]) -> list[Kernel] | None:
    """Kernels in an order in which each has what it needs, states are read before they are overwritten, and
    nothing is overwritten before every index was checked. None if there is no such order.
    """
    writers: dict[int, list[Kernel]] = {}
    for kernel in kernels:
        for node in kernel.writes():
            state = node.source if node.source is not None else assigned_rows.get(node)
            if state is not None:
                writers.setdefault(id(state), []).append(kernel)
    before: dict[Kernel, set[Kernel]] = {k: set(k.needs) for k in kernels}
    every_writer = {k for found in writers.values() for k in found}
    checks = [k for k in kernels if k.checks()]
    for kernel in kernels:
        for view in kernel.reads():
            if view.base.source is not None:
                for writer in writers.get(id(view.base.source), ()):
                    if writer is not kernel and not kernel.goes_on_after(writer):
                        before[writer].add(kernel)
    for writer in every_writer:
        before[writer].update(c for c in checks)
    order: list[Kernel] = []
    done: set[Kernel] = set()
    waiting = list(kernels)
    while waiting:
        ready = next((k for k in waiting if before[k] <= done and k not in every_writer), None)
        ready = ready or next((k for k in waiting if before[k] <= done), None)
        if ready is None:
            return None
        waiting.remove(ready)
        done.add(ready)
        order.append(ready)
    _pair(order, before)
    for number, kernel in enumerate(order):
        kernel.number = number
    return order


def _pair(order: list[Kernel], before: dict[Kernel, set[Kernel]]) -> None:
    """Let the update of a matrix follow the product with its transpose, and what it waits for come before both."""
    for kernel in list(order):
        matrix = matrix_of(kernel)
        if matrix is None:
            continue
        place = order.index(kernel)
        for update in order[place + 1 :]:
            if updates(update, matrix, kernel.domain[0]):
                waits = _closure(before[update], before) - set(order[: place + 1])
                if not any(kernel in before[k] or k.update for k in waits):
                    moved = [k for k in order if k in waits]
                    rest = [k for k in order if k not in waits and k is not update]
                    after = rest.index(kernel)
                    order[:] = [*rest[:after], *moved, kernel, update, *rest[after + 1 :]]
                    kernel.update = update
                break


def _closure(kernels: set[Kernel], before: dict[Kernel, set[Kernel]]) -> set[Kernel]:
    """Kernels, and all that have to run before them."""
    found: set[Kernel] = set()
    waiting = list(kernels)
    while waiting:
        kernel = waiting.pop()
        if kernel not in found:
            found.add(kernel)
            waiting.extend(before[kernel])
    return found
