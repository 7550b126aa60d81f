"""Lookup tables: rows taken, gradients and updates of the rows that were, one-hot vectors.

An index outside its table raises IndexError with the operator, the index and the size; nothing wraps around.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from amigrad.graph import Dim, Operator, Spec, Tensor, apply, bool_
from amigrad.graph.sizes import format_shape, same
from amigrad.graph.tensor import Array
from amigrad.operators.elementwise import require_kind


def index_error(name: str, index: int, size: int) -> IndexError:
    """The error for an index outside a table."""
    allowed = f" (0 to {size - 1})" if size else ""
    return IndexError(f"{name}: index {index} is outside a table of {size} rows{allowed}")


def check_index(name: str, index: Array, size: int) -> None:
    """IndexError if any index is outside [0, size)."""
    outside = (index < 0) | (index >= size)
    if outside.any():
        raise index_error(name, int(index[outside][0]), size)


def _require_rows(name: str, table: Spec, index: Spec, rows: Spec) -> None:
    require_kind(f"the index of {name}", index, "i")
    expected = (*index.shape, *table.shape[1:])
    if len(rows.shape) != len(expected) or not all(map(same, rows.shape, expected)):
        raise ValueError(f"{name}: rows of shape {format_shape(rows.shape)}, expected {format_shape(expected)}")
    if rows.dtype != table.dtype:
        raise TypeError(f"{name}: rows of {rows.dtype.name} for a table of {table.dtype.name}")


class Take(Operator):
    """Lookup rows. table: (V, ...), index: (...) int -> (..., ...). IndexError if an index is outside [0, V)."""

    name = "take"

    def infer(self, table: Spec, index: Spec) -> Spec:
        require_kind("the index of take", index, "i")
        if not table.shape:
            raise ValueError("take needs a table with at least one axis")
        return Spec((*index.shape, *table.shape[1:]), table.dtype)

    def forward(self, table: Array, index: Array) -> Array:
        check_index(self.name, index, len(table))
        return table[index]

    def backward(self, table: Tensor, index: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, None]:
        return apply(ScatterRows(table.shape[0]), index, dz), None


class ScatterRows(Operator):
    """Rows added up where they belong: what undoes a lookup. index: (...) int, rows: (..., ...) -> (size, ...)"""

    size: Dim
    name = "scatter_rows"

    def infer(self, index: Spec, rows: Spec) -> Spec:
        table = Spec((self.size, *rows.shape[len(index.shape) :]), rows.dtype)
        _require_rows(self.name, table, index, rows)
        return table

    def forward(self, index: Array, rows: Array) -> Array:
        check_index(self.name, index, int(self.size))
        table = np.zeros((int(self.size), *rows.shape[index.ndim :]), dtype=rows.dtype)
        np.add.at(table, index, rows)
        return table

    def backward(self, index: Tensor, rows: Tensor, z: Tensor, dz: Tensor) -> tuple[None, Tensor]:
        return None, apply(Take(), dz, index)


class SumSameRows(Operator):
    """Each row replaced by the sum of all rows with its index, so that a row's whole gradient stands wherever
    its index does. index: (...) int in [0, size), rows: (..., ...) -> (..., ...)
    """

    size: Dim
    name = "sum_same_rows"

    def infer(self, index: Spec, rows: Spec) -> Spec:
        _require_rows(self.name, Spec((self.size, *rows.shape[len(index.shape) :]), rows.dtype), index, rows)
        return rows

    def forward(self, index: Array, rows: Array) -> Array:
        check_index(self.name, index, int(self.size))
        found, where = np.unique(index.ravel(), return_inverse=True)
        sums = np.zeros((len(found), *rows.shape[index.ndim :]), dtype=rows.dtype)
        np.add.at(sums, where, rows.reshape(index.size, *rows.shape[index.ndim :]))
        return sums[where].reshape(rows.shape)

    def backward(self, index: Tensor, rows: Tensor, z: Tensor, dz: Tensor) -> tuple[None, Tensor]:
        return None, apply(SumSameRows(self.size), index, dz)


class RowUpdate(Operator):
    """A table with some of its rows changed. table: (V, ...), index: (...) int in [0, V), rows: (..., ...)"""

    def infer(self, table: Spec, index: Spec, rows: Spec) -> Spec:
        _require_rows(self.name, table, index, rows)
        return table

    def forward(self, table: Array, index: Array, rows: Array) -> Array:
        return self.forward_into(table.copy(), index, rows)

    def forward_into(self, table: Array, index: Array, rows: Array) -> Array:
        """The same, into the table itself."""
        check_index(self.name, index, len(table))
        self.change(table, index, rows)
        return table

    @abstractmethod
    def change(self, table: Array, index: Array, rows: Array) -> None:
        """Change the rows of the table that a checked index names."""


class AddRows(RowUpdate):
    """Rows added to those of the table."""

    name = "add_rows"

    def change(self, table: Array, index: Array, rows: Array) -> None:
        np.add.at(table, index, rows)

    def backward(
        self, table: Tensor, index: Tensor, rows: Tensor, z: Tensor, dz: Tensor
    ) -> tuple[Tensor, None, Tensor]:
        return dz, None, apply(Take(), dz, index)


class SetRows(RowUpdate):
    """Rows of the table replaced; those of one index must be equal."""

    name = "set_rows"
    differentiable = False

    def change(self, table: Array, index: Array, rows: Array) -> None:
        table[index] = rows


class OneHot(Operator):
    """Whether each class is the one indexed. index: (...) int in [0, size) -> (..., size) bool"""

    size: Dim
    name = "one_hot"
    differentiable = False

    def infer(self, index: Spec) -> Spec:
        require_kind("the index of one_hot", index, "i")
        return Spec((*index.shape, self.size), bool_)

    def forward(self, index: Array) -> Array:
        check_index(self.name, index, int(self.size))
        result: Array = index[..., None] == np.arange(self.size)  # type: ignore[arg-type]
        return result
