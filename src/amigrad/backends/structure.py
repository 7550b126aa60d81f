"""Nested arguments and results: tuples, lists and dicts of tensors, flattened and put together again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from amigrad.graph import Tensor

LEAF = "*"


def is_leaf(value: object) -> bool:
    """Whether a value is passed as a tensor (numbers are; strings, bools and None are constants)."""
    return isinstance(value, Tensor | np.ndarray | np.generic) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    )


def flatten(value: Any, leaves: list[Any]) -> Hashable:
    """Append the leaves of `value` to a list; returns what remains: its structure, with constants."""
    if is_leaf(value):
        leaves.append(value)
        return LEAF
    if isinstance(value, dict):
        return ("dict", tuple((k, flatten(v, leaves)) for k, v in value.items()))
    if isinstance(value, tuple | list):
        name = "tuple" if isinstance(value, tuple) else "list"
        return (name, tuple(flatten(v, leaves) for v in value))
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"a compiled function takes tensors, arrays, numbers, and tuples, lists and dicts of them, not"
            f" {type(value).__name__}"
        ) from None
    return ("constant", value)


def unflatten(structure: Any, next_leaf: Callable[[], Any]) -> Any:
    """The value with this structure, its leaves taken one after the other."""
    if structure == LEAF:
        return next_leaf()
    kind, content = structure
    if kind == "dict":
        return {k: unflatten(v, next_leaf) for k, v in content}
    if kind == "constant":
        return content
    items = [unflatten(v, next_leaf) for v in content]
    return tuple(items) if kind == "tuple" else items
