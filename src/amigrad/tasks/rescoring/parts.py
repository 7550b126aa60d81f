"""What words add to the first layer at each place, computed once for each word (Devlin et al. 2014, section 2.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.backends import compile
from amigrad.functions import matmul, take
from amigrad.graph import Tensor, tensor
from amigrad.nn import LookupTable

_MEMORY = 64 << 20
"""Bytes that the parts of words are kept in; when they are full, they are dropped."""

_LEAST_WORDS = 256

Indices = NDArray[np.int32]


class Parts:
    """Sums of the rows that words of a context add to the first layer, one place after another.

    A word's parts are kept until the memory for them is full.
    """

    def __init__(self, table: LookupTable | None, weight: NDArray[Any], places: int) -> None:
        """weight: (places · word size, outputs), the part of the first layer that these places have."""
        self._places = places
        if table is None:
            return
        outputs = weight.shape[1]
        by_place = weight.reshape(places, -1, outputs).transpose(1, 0, 2)
        joined = tensor(np.ascontiguousarray(by_place.reshape(-1, places * outputs)))
        self._room = max(_MEMORY // (4 * places * outputs), _LEAST_WORDS)
        self._rows = np.empty((0, outputs), np.float32)
        self._known = 0
        self._outputs = outputs
        self._number = np.full(table.table.shape[0], -1, np.int32)
        self._compute = compile(lambda words: matmul(table(words), joined))

        def total(rows: Tensor, index: Tensor) -> Tensor:
            found = take(rows, index[:, 0])
            for place in range(1, places):
                found = found + take(rows, index[:, place])
            return found

        self._total = compile(total)

    def sums(self, contexts: Indices) -> Tensor | None:
        """The sum of the parts of each context's words. (N, places) -> (N, outputs); None if there are no places."""
        if not self._places:
            return None
        index = self._numbers(contexts) * np.int32(self._places) + np.arange(self._places, dtype=np.int32)
        found: Tensor = self._total(self._rows[: self._known * self._places], index)
        return found

    def _numbers(self, contexts: Indices) -> Indices:
        """The number that each word's parts have, after those that were missing are computed."""
        missing = self._missing(contexts)
        if self._known + len(missing) > self._room:
            self._number[:] = -1
            self._known = 0
            missing = self._missing(contexts)
        if len(missing):
            known = self._known + len(missing)
            if known * self._places > len(self._rows):
                larger = np.empty((max(2 * known, 256) * self._places, self._outputs), np.float32)
                larger[: self._known * self._places] = self._rows[: self._known * self._places]
                self._rows = larger
            new: Tensor = self._compute(missing)
            self._rows[self._known * self._places : known * self._places] = new.value.reshape(-1, self._outputs)
            self._number[missing] = np.arange(self._known, known, dtype=np.int32)
            self._known = known
        return self._number[contexts]

    def _missing(self, contexts: Indices) -> Indices:
        occurs = np.zeros(len(self._number), bool)
        occurs[contexts] = True
        occurs &= self._number < 0
        return np.flatnonzero(occurs).astype(np.int32)
