"""The arrays of a safetensors file, each read when it is wanted, into memory that is there already if need be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

_PART = 1 << 20
"""Bytes that are read at a time into memory that is there."""


class SavedArrays(Mapping[str, NDArray[Any]]):
    """Arrays by name. Raises SafetensorError if the file is none of this format."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._specs: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
        with safe_open(self._path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118
                shape = tuple(file.get_slice(name).get_shape())
                first = file.get_slice(name)[:0] if all(shape) and shape else file.get_tensor(name)
                self._specs[name] = shape, first.dtype

    def spec(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """The shape and the type of an array."""
        return self._specs[name]

    def read_into(self, name: str, array: NDArray[Any]) -> None:
        """Read an array into one of the same shape and type, without another as large."""
        shape, _ = self._specs[name]
        with safe_open(self._path, framework="numpy") as file:
            if not shape:
                array[...] = file.get_tensor(name)
                return
            rows = max(1, _PART * shape[0] // max(1, array.nbytes))
            for start in range(0, shape[0], rows):
                end = min(start + rows, shape[0])
                array[start:end] = file.get_slice(name)[start:end]

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._specs:
            raise KeyError(name)
        with safe_open(self._path, framework="numpy") as file:
            found: NDArray[Any] = file.get_tensor(name)
            return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)
