"""Memory for large outputs, used again once nobody has the output any more.

Memory that the system gives is slow the first time it is written: it comes page by page, and is filled with zeros.
"""

from __future__ import annotations

import sys

import numpy as np

from amigrad.graph import DType
from amigrad.graph.tensor import Array

LARGE = 1 << 20
"""Bytes from which an output's memory is kept."""
_KEPT = 2
_PAGE = 4096

_Pair = tuple[Array, Array]


def _made(shape: tuple[int, ...], dtype: DType) -> _Pair:
    """Memory, and an array in it that begins in the middle of a page: with a cache line, and far from where large
    arrays begin. A processor that has loads wait for stores to the same place looks at the place in the page only.
    """
    return _placed(np.empty(_bytes(shape, dtype) + _PAGE, dtype=np.uint8), shape, dtype)


def _placed(memory: Array, shape: tuple[int, ...], dtype: DType) -> _Pair:
    start = (_PAGE // 2 - memory.ctypes.data) % _PAGE
    return memory, memory[start : start + _bytes(shape, dtype)].view(dtype).reshape(shape)


def _bytes(shape: tuple[int, ...], dtype: DType) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize


def _references(pair: _Pair) -> tuple[int, int]:
    return sys.getrefcount(pair[0]), sys.getrefcount(pair[1])


_ALONE = _references(_made((1,), np.dtype(np.float32))) if hasattr(sys, "getrefcount") else None


class Results:
    """The memory of one output, that of its last few arrays."""

    def __init__(self) -> None:
        self._pairs: list[_Pair] = []

    def array(self, shape: tuple[int, ...], dtype: DType) -> Array:
        """An array whose memory nobody else has, not even a view of it."""
        free: list[_Pair] = []
        for number in range(len(self._pairs) if _ALONE else 0):
            if _references(self._pairs[number]) == _ALONE:
                if self._pairs[number][1].shape == shape:
                    return self._pairs[number][1]
                free.append(self._pairs[number])
        self._pairs = [pair for pair in self._pairs if not any(pair is other for other in free)]
        while free:  # of another size: the memory is used if it is large enough, and given back if not
            memory = free.pop()[0]
            if memory.size >= _bytes(shape, dtype) + _PAGE:
                pair = _placed(memory, shape, dtype)
                break
        else:
            pair = _made(shape, dtype)
        self._pairs = [*self._pairs[1 - _KEPT :], *free, pair][-_KEPT:]
        return pair[1]
