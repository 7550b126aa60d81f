"""The lookup table."""

from __future__ import annotations

import math

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.graph import Parameter, Tensor, TensorLike, float32
from amigrad.graph.dtypes import as_dtype
from amigrad.nn.initializers import Initializer, initial, uniform
from amigrad.nn.module import Module


class LookupTable(Module):
    """A row of numbers for each index. index: (...) int in [0, rows) -> (..., columns); table: (rows, columns).

    An optimizer updates only the rows that were looked up, see `amigrad.optim.rows`. IndexError for an index
    outside the table.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        *,
        generator: Generator,
        initializer: Initializer | None = None,
        dtype: object = float32,
    ) -> None:
        """Drawn from `generator` by `initializer` (by default uniform, rows of expected squared length 1)."""
        if rows < 1 or columns < 1:
            raise ValueError(f"a lookup table of {rows} rows and {columns} columns: both must be at least 1")
        limit = math.sqrt(3.0 / columns)
        draw = initializer or uniform(-limit, limit)
        self.table = Parameter(initial(draw, generator, (rows, columns), as_dtype(dtype)), name="table")

    def __call__(self, index: TensorLike) -> Tensor:
        """index: (...) int -> (..., columns)."""
        return xp.take(self.table, index)
