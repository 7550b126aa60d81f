"""Third stage: buffers. Each is given by the caller (inputs, outputs, states) or a part of one arena.

Buffers of the arena whose lives do not overlap share a slot; a slot is as large as the largest buffer in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from amigrad.backends.native.simplify import Node, dim_key
from amigrad.graph import Dim
from amigrad.graph.sizes import evaluate, product
from amigrad.graph.tensor import Tensor

if TYPE_CHECKING:
    from amigrad.backends.native.kernels import Schedule

_ALIGNMENT = 64


class Layout(NamedTuple):
    """The buffers' numbers: inputs first, outputs, then sources (states, constant arrays), then arena slots.

    What a loop's body reads and writes outside of it has a negative number: the loop says at each step where it lies.
    """

    places: dict[Node, int]
    inputs: list[Node]
    outputs: list[Node]
    sources: list[Tensor]
    slots: list[list[tuple[Dim, int]]]

    @property
    def first_slot(self) -> int:
        """The number of the first buffer of the arena."""
        return len(self.inputs) + len(self.outputs) + len(self.sources)

    @property
    def buffers(self) -> int:
        """How many buffers there are."""
        return self.first_slot + len(self.slots)

    def slot_bytes(self, sizes: Mapping[str, int]) -> list[int]:
        """How large each slot is for data of these sizes, aligned."""
        result = []
        for members in self.slots:
            largest = max(evaluate(count, sizes) * width for count, width in members)
            result.append(-(-(largest + _ALIGNMENT) // _ALIGNMENT) * _ALIGNMENT)
        return result


def plan(schedule: Schedule) -> Layout:
    """A place for every buffer of a schedule."""
    inputs = schedule.graph.inputs
    places: dict[Node, int] = {node: i for i, node in enumerate(inputs)}
    for i, node in enumerate(schedule.outputs):
        places[node] = len(inputs) + i
    first_source = len(inputs) + len(schedule.outputs)
    sources: list[Tensor] = []
    lives: dict[Node, tuple[int, int]] = {}
    bound = 0
    for number, outer in enumerate(schedule.kernels):
        for kernel in outer.inside():
            for node in kernel.steps.bound if kernel.steps else ():
                bound += 1
                places[node] = -bound
            for node in [*(view.base for view in kernel.reads()), *kernel.writes()]:
                _touch(node, number, schedule, places, sources, first_source, lives)
    slots: list[list[tuple[Dim, int]]] = []
    free_from: list[int] = []
    for node, (start, end) in sorted(lives.items(), key=lambda item: item[1][0]):
        member = (product(node.shape), node.dtype.itemsize)
        same = [s for s, until in enumerate(free_from) if until < start and _key(slots[s][0]) == _key(member)]
        free = same or [s for s, until in enumerate(free_from) if until < start]
        if free:
            slot = free[0]
        else:
            slot = len(slots)
            slots.append([])
            free_from.append(-1)
        if _key(member) not in {_key(m) for m in slots[slot]}:
            slots[slot].append(member)
        free_from[slot] = end
        places[node] = first_source + len(sources) + slot
    return Layout(places, inputs, schedule.outputs, sources, slots)


def _key(member: tuple[Dim, int]) -> object:
    return dim_key(member[0]), member[1]


def _touch(
    node: Node,
    number: int,
    schedule: Schedule,
    places: dict[Node, int],
    sources: list[Tensor],
    first_source: int,
    lives: dict[Node, tuple[int, int]],
) -> None:
    """Note that a kernel uses a buffer: a place for a source, a longer life for one of the arena."""
    owner = schedule.aliases.get(node, node)
    if owner.source is not None:
        if owner not in places:
            places[owner] = first_source + len(sources)
            sources.append(owner.source)
        places[node] = places[owner]
    elif node not in places:
        start, _ = lives.get(node, (number, number))
        lives[node] = (start, number)
