"""Long chains of instructions written side by side.

A processor looks ahead at some hundred instructions. A function such as tanh is a chain of twenty of them that wait for
one another: of several that do not need each other, one after another, hardly more than one would be under way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_VALUE = re.compile(r"%[\w.]+")
_CYCLES = (("load", 8), ("fdiv", 12), ("sqrt", 16), ("call", 4), ("= f", 4))
"""How long results of such instructions take, about; the first that fits counts, and 1 is for all others."""


def interleaved(lines: Sequence[str]) -> list[str]:
    """Instructions in another order: first what the longest chains wait for. Each has a result, and none writes."""
    if not all(" = " in line for line in lines):
        return list(lines)
    waits: dict[str, int] = {}
    found: list[tuple[int, int, str]] = []
    for number, line in reversed(list(enumerate(lines))):
        name, *operands = _VALUE.findall(line)
        wait = waits.get(name, 0) + next((cycles for how, cycles in _CYCLES if how in line), 1)
        for operand in operands:
            waits[operand] = max(waits.get(operand, 0), wait)
        found.append((-wait, number, line))
    return [line for *_, line in sorted(found)]
