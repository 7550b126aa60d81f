"""The primitive functions, a family a file, and the table of all of them."""

from __future__ import annotations

from amigrad.graph import Operator
from amigrad.operators import create, elementwise, linear, lookup, movement, packing, random, reduce, scan

FAMILIES = (create, elementwise, reduce, linear, movement, lookup, random, packing, scan)


def _table() -> dict[str, type[Operator]]:
    found: dict[str, type[Operator]] = {}
    for family in FAMILIES:
        for item in vars(family).values():
            if (
                isinstance(item, type)
                and issubclass(item, Operator)
                and "name" in vars(item)
                and not item.__name__.startswith("_")
            ):
                found[item.name] = item
    return found


OPERATORS: dict[str, type[Operator]] = _table()
"""Every operator by its name."""

__all__ = ["FAMILIES", "OPERATORS"]
