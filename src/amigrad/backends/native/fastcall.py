"""A call of a compiled function from Python, made by native code.

What takes Python some microseconds takes native code a tenth of one: see that the arguments are like those of an
earlier call, make the tensors of the result, tell the frame where all arrays lie, run the step. One function does it
for all compiled functions; a call that it was not told of goes the way that is written in Python, and so do errors.

Three kinds of memory, each of words of 64 bits: the *world* (what is the same for the whole process), a *card* for
each compiled function, and *records*, one for each kind of arguments that a function was called with.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from amigrad.backends.executor import Direct, tell_native
from amigrad.backends.native import fastcall_code as at
from amigrad.backends.native.build import library
from amigrad.backends.native.load import InvalidCodeError
from amigrad.backends.native.objects import array_maker, is_all_slots, layout_is_known, slots_of
from amigrad.backends.structure import LEAF, is_leaf, unflatten
from amigrad.graph import Spec, Tensor
from amigrad.graph.recording import TRACES
from amigrad.graph.tensor import Array

_RECORDS = 64
"""How many kinds of arguments native code knows of a function at most; each combination of sizes is one."""
_IMMUTABLE = (type(None), bool, str, bytes)
_FASTCALL, _KEYWORDS = 0x80, 0x02
"""METH_FASTCALL and METH_KEYWORDS."""


class Card:
    """What native code knows of a compiled function.

    words: an array that the compiled function has in a slot, where native code finds it. As long as `words[BUSY]` is
    not 0, calls are made in Python.
    """

    def __init__(self, words: Array, lock: Any) -> None:
        self._words = words
        self._turns = lock.acquire, lock.release
        words[[at.TAKE, at.GIVE_BACK]] = [id(turn) for turn in self._turns]
        self._end = words[at.FIRST :]
        self._records: set[tuple[int, ...]] = set()
        self._kept: list[Any] = []

    def learn(
        self,
        arguments: Sequence[Any],
        named: Mapping[str, Any],
        inputs: Sequence[Array],
        outputs: Sequence[Spec],
        structure: Hashable,
        direct: Direct,
        owner: object,
    ) -> None:
        """Let calls with arguments like these, some by name, be made by native code, if it can tell them from others.

        inputs: the arrays that the step took. outputs and structure: what tensors the function gives, and how they
        are put together. owner: what lives as long as the plan is used.
        """
        wanted = _Wanted()
        everything = [*([tuple(named)] if named else []), *arguments, *named.values()]
        if len(self._records) >= _RECORDS or not all([wanted.add(argument) for argument in everything]):
            return
        key = (len(arguments), len(named), *wanted.words)
        if key in self._records or max(len(inputs), len(outputs)) > at.MOST:
            return
        if any(found is not None and found is not used for found, used in zip(wanted.arrays, inputs, strict=True)):
            return
        kept, finish = [owner, *wanted.kept], at.ONE
        words = wanted.words
        for spec in outputs:
            template = Tensor(spec, None)
            del template._value
            kept += [template, spec.dtype]
            words += [id(template), id(spec.dtype), len(spec.shape), *spec.shape]  # type: ignore[list-item]
        if structure == ("tuple", (LEAF,) * len(outputs)):
            finish = at.ALL
        elif structure != LEAF:
            kept.append(lambda *tensors: unflatten(structure, iter(tensors).__next__))
            finish = id(kept[-1])
        head = [0, len(arguments), len(named), len(inputs), len(outputs), *direct, finish]
        record = np.array([*head, *words], dtype=np.int64)
        kept.append(record)
        self._kept.append(kept)
        self._records.add(key)
        self._end[0] = record.ctypes.data
        self._end = record


class _Wanted:
    """What native code looks for in the places of arguments; `kept` must live as long as it does.

    arrays: those that it finds, None for a number.
    """

    def __init__(self) -> None:
        self.words: list[int] = []
        self.arrays: list[Array | None] = []
        self.kept: list[Any] = []

    def add(self, value: Any) -> bool:
        """Want a value like this; False if native code cannot tell such values from others."""
        kind = type(value)
        if kind is list or kind is tuple:
            functions = _functions(*[f"Py{kind.__name__.title()}_{name}" for name in ("Size", "GetItem")])
            self.words += [at.SEQUENCE, id(kind), *functions, len(value)]
            return all([self.add(item) for item in value])
        if kind is Tensor:
            value = value._value
            kind = type(value)
        if kind is np.ndarray:
            self.arrays.append(value)
            self.words += [at.ARRAY, id(value.dtype), value.ndim, *value.shape]
            self.kept.append(value.dtype)
            return True
        if kind is float or kind is int:
            self.arrays.append(None)
            self.words += [at.REAL if kind is float else at.INTEGER, id(kind)]
            return True
        if is_leaf(value) or not (kind in _IMMUTABLE or _equals_itself_only(kind)):
            return False
        self.words += [at.CONSTANT, id(value)]
        self.kept.append(value)
        return True


def _equals_itself_only(kind: type) -> bool:
    """Whether objects of a type are equal only if they are the same."""
    return all(getattr(kind, name) is getattr(object, name) for name in ("__eq__", "__hash__"))


def _functions(*names: str) -> list[int]:
    """The addresses of functions of CPython's C interface."""
    return [ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0 for name in names]


class _Definition(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("documentation", ctypes.c_char_p),
    )


@cache
def method(owner: type, slot: str, other_way: str) -> Any | None:
    """A method for the class `owner` by which its objects are called; None where it would not be safe.

    slot: the name of the slot with the words of an object's card; other_way: the name of the method for calls that
    native code was not told of.
    """
    if os.environ.get("AMIGRAD_FASTCALL", "") == "0" or not layout_is_known():
        return None
    card, value, maker = slots_of(owner).get(slot), slots_of(Tensor).get("_value"), array_maker()
    if card is None or value is None or not maker or not is_all_slots(Tensor):
        return None
    try:
        native = library(at.code(card, value, Tensor.__basicsize__))
        functions = _functions(*at.API)
    except (InvalidCodeError, AttributeError):
        return None
    name = sys.intern(other_way)
    words = [id(Tensor), id(np.ndarray), maker, TRACES.ctypes.data, id(name), id(False), *functions]
    world = np.array(words, dtype=np.int64)
    tell_native(world.ctypes.data)
    text = (owner.__call__.__doc__ or "").encode()
    definition = _Definition(b"__call__", native.address("call"), _FASTCALL | _KEYWORDS, text)
    # All this is never given back: native code may be called until the process ends.
    kept = (native, world, definition, name, Tensor, np.ndarray, TRACES)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    make = ctypes.pythonapi.PyDescr_NewMethod
    make.restype, make.argtypes = ctypes.py_object, [ctypes.py_object, ctypes.c_void_p]
    return make(owner, ctypes.addressof(definition))
