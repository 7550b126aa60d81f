"""How CPython and NumPy lay out objects, for native code that is called with objects: tried before it is trusted.

All of this is promised by their C interfaces, but for what Python makes of a class with slots.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from functools import cache
from typing import Any

import numpy as np

from amigrad.backends.native.address import PLACE
from amigrad.graph.tensor import Array

TYPE = 8
"""Where an object says its type."""
HEADER = TYPE + 8
"""How many bytes each object has before its own."""
AXES, DIMENSIONS, DESCR, FLAGS = (PLACE + n for n in (8, 16, 40, 48))
"""Where an array says its number of axes (int), their sizes (a pointer), its dtype and its flags (int)."""
WELL = 0x101
"""The flags of an array in C order whose elements are aligned (NPY_ARRAY_CARRAY_RO)."""

_NEW_FROM_DESCR, _ARRAY_TYPE, _ABI = 94, 2, 0
"""The places of PyArray_NewFromDescr, PyArray_Type and PyArray_GetNDArrayCVersion in NumPy's C interface."""


@cache
def layout_is_known() -> bool:
    """Whether objects and arrays are laid out as this file has it."""
    if sys.implementation.name != "cpython" or not PLACE:
        return False
    if object.__basicsize__ != HEADER:  # Without the lock of all threads CPython's objects have more.
        return False
    whole = np.arange(6.0).reshape(2, 3)
    return all(
        _array_is_right(array)
        for array in (whole, whole[1:, 1:], whole.T, np.zeros((), np.int32), np.zeros((3, 0, 2), np.bool_))
    )


def _array_is_right(array: Array) -> bool:
    start = id(array)
    axes, flags = (ctypes.c_int.from_address(start + place).value for place in (AXES, FLAGS))
    return (
        (axes, flags & WELL) == (array.ndim, array.flags.num & WELL)
        and (_word(start + TYPE), _word(start + DESCR)) == (id(np.ndarray), id(array.dtype))
        and [_word(_word(start + DIMENSIONS) + 8 * axis) for axis in range(axes)] == list(array.shape)
    )


def slots_of(owner: type) -> dict[str, int]:
    """Where objects of a class have what is in each of its slots, as far as that is in words of their own."""
    thing: Any = object.__new__(owner)
    marks = {name: object() for name in vars(owner)["__slots__"] if name not in ("__dict__", "__weakref__")}
    for name, mark in marks.items():
        vars(owner)[name].__set__(thing, mark)
    names = {id(mark): name for name, mark in marks.items()}
    words = {place: _word(id(thing) + place) for place in range(HEADER, owner.__basicsize__, 8)}
    return {names[word]: place for place, word in words.items() if word in names}


def is_all_slots(owner: type) -> bool:
    """Whether objects of a class are a header, the words of its slots, and a word for weak references at most."""
    words = (owner.__basicsize__ - HEADER) // 8
    return not owner.__itemsize__ and not owner.__dictoffset__ and words - len(slots_of(owner)) in (0, 1)


@cache
def array_maker() -> int:
    """The address of NumPy's PyArray_NewFromDescr; 0 if the interface is another one."""
    try:
        interface = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    except (ImportError, AttributeError):
        return 0
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_size_t, [ctypes.py_object, ctypes.c_char_p]
    table: int = pointer(interface, None)
    if _word(table + 8 * _ARRAY_TYPE) != id(np.ndarray):
        return 0
    version: int = ctypes.CFUNCTYPE(ctypes.c_uint)(_word(table + 8 * _ABI))()
    return _word(table + 8 * _NEW_FROM_DESCR) if version >> 24 == 2 else 0


def _word(place: int) -> int:
    return ctypes.c_size_t.from_address(place).value
