"""The address of an array's elements, quickly: a step of a small model takes less time than NumPy's own ways."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

from amigrad.graph.tensor import Array

_PLACE = object.__basicsize__
"""NumPy's C interface promises that the pointer to the elements is an array's first field."""


def _from_field(array: Array) -> int:
    return ctypes.c_size_t.from_address(id(array) + _PLACE).value


def _from_interface(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _field_is_right() -> bool:
    """Tried on arrays of both kinds before it is trusted: an interpreter may lay objects out in another way."""
    if not hasattr(np, "_core") or ctypes.sizeof(ctypes.c_size_t) != 8:
        return False
    whole = np.arange(6.0).reshape(2, 3)
    return all(_from_field(array) == _from_interface(array) for array in (whole, whole[1:, 1:], np.zeros(())))


address: Callable[[Array], int] = _from_field if _field_is_right() else _from_interface
"""The address of an array's first element."""
