"""How native code finds the elements of an array, as quickly as Python can tell it.

An array is handed over as a token. That is where the array object itself lies (its id), in which the address of the
elements stands, `PLACE` bytes further on: native code reads it there. Where an interpreter lays objects out in
another way the token is the address of the elements, and PLACE is 0.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

from amigrad.graph.tensor import Array

_FIELD = object.__basicsize__
"""NumPy's C interface promises that the pointer to the elements is an array's first field."""


def _from_interface(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _field_is_right() -> bool:
    """Tried on arrays of several kinds before it is trusted."""
    if not hasattr(np, "_core") or ctypes.sizeof(ctypes.c_size_t) != 8:
        return False
    whole = np.arange(6.0).reshape(2, 3)
    return all(
        ctypes.c_size_t.from_address(id(array) + _FIELD).value == _from_interface(array)
        for array in (whole, whole[1:, 1:], np.zeros(()))
    )


PLACE = _FIELD if _field_is_right() else 0
token: Callable[[Array], int] = id if PLACE else _from_interface
"""What native code is told of an array, which must live as long as it is used."""
