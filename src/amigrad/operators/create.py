"""Operators without inputs: one number, and a range of numbers. (Larger constants are broadcast.)"""

from __future__ import annotations

import numpy as np

from amigrad.graph import Dim, DType, Operator, Spec
from amigrad.graph.tensor import Array


class Full(Operator):
    """One number, which may be a run-time size. -> ()"""

    value: Dim | float | bool
    dtype: DType
    name = "full"

    def infer(self) -> Spec:
        return Spec((), self.dtype)

    def forward(self) -> Array:
        return np.array(self.value, dtype=self.dtype)

    def backward(self, *_: object) -> tuple[()]:
        return ()


class Arange(Operator):
    """The numbers 0, 1, ... size - 1. -> (size,)"""

    size: Dim
    dtype: DType
    name = "arange"

    def infer(self) -> Spec:
        if self.dtype.kind not in "fi":
            raise TypeError(f"arange is of numbers, not {self.dtype.name}")
        return Spec((self.size,), self.dtype)

    def forward(self) -> Array:
        return np.arange(self.size, dtype=self.dtype)  # type: ignore[arg-type]

    def backward(self, *_: object) -> tuple[()]:
        return ()
