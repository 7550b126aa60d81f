"""Packing: how rows of sequences of different lengths are ordered for a loop over time.

Sequences lie one after another; a scan takes them the longest first, and at each step all those that still have a
row. So rows are in packed order: those of step 0, those of step 1, ... and no row is there for nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from amigrad.graph import Dim, Operator, Spec, Tensor, apply, int32
from amigrad.graph.sizes import format_shape, same
from amigrad.graph.tensor import Array
from amigrad.operators import movement as m
from amigrad.operators.elementwise import require_kind
from amigrad.operators.lookup import Take


class Packed(NamedTuple):
    """The rows of a packing, each (N,) int32; of the last four only the first entries count."""

    source: Any
    """Where a packed row stands among the sentences' rows."""
    place: Any
    """Where a sentence's row stands in packed order."""
    previous: Any
    """The packed row of the word before, behind B initial rows; one of these for a first word."""
    following: Any
    """The packed row of the word after; one of the B initial rows, which stand last, for a last word."""
    counts: Any
    """How many sentences still have a row, for each step."""
    order: Any
    """The sentences, the longest first, (B,)."""
    first: Any
    """The packed row of each sentence's first word, (B,)."""
    last: Any
    """The packed row of each sentence's last word, (B,)."""


def require_lengths(lengths: Array, rows: int) -> None:
    """ValueError unless these are lengths, each at least 1, of sequences that have so many rows together."""
    least, total = int(lengths.min(initial=1)), int(lengths.sum())
    if least < 1 or total != rows:
        raise lengths_error(least if least < 1 else total, rows)


def lengths_error(found: int, rows: int) -> ValueError:
    """The error for a length below 1, or for lengths that add up to something else."""
    return ValueError(f"scan: lengths are at least 1 each and add up to the number of rows, {rows}; found {found}")


def counts_of(lengths: Array) -> Array:
    """How many sequences of these lengths still have a row, for each step."""
    if not lengths.size:
        return np.zeros(0, dtype=np.int64)
    return np.bincount(lengths)[::-1].cumsum()[::-1][1:]


class Packing(Operator):
    """How rows of sequences of these lengths are ordered for a scan, see `Packed`.

    lengths: (B,) int, each at least 1, together `rows` -> (8, rows) int32. ValueError if they are not.
    """

    rows: Dim
    name = "packing"
    differentiable = False

    def infer(self, lengths: Spec) -> Spec:
        require_kind("the lengths of a scan", lengths, "i")
        if len(lengths.shape) != 1:
            raise ValueError(f"scan: the lengths are one for each sequence, not of shape {format_shape(lengths.shape)}")
        return Spec((len(Packed._fields), self.rows), int32)

    def forward(self, lengths: Array) -> Array:
        require_lengths(lengths, int(self.rows))
        return np.stack([*packed(lengths, int(self.rows))])


def packed(lengths: Array, rows: int) -> Packed:
    """The packing of sequences of these lengths."""
    count = len(lengths)
    result = Packed(*np.zeros((len(Packed._fields), rows), dtype=np.int32))
    order = np.argsort(-lengths, kind="stable")
    starts = np.cumsum(lengths) - lengths
    sentence = np.repeat(np.arange(count), lengths)
    step = np.arange(rows) - starts[sentence]
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    counts = counts_of(lengths)
    offsets = np.concatenate([np.cumsum(counts) - counts, [rows]])
    place = offsets[step] + rank[sentence]
    result.place[:] = place
    result.source[place] = np.arange(rows)
    result.previous[place] = np.where(step, count + offsets[step - 1] + rank[sentence], rank[sentence])
    is_last = step == lengths[sentence] - 1
    result.following[place] = np.where(is_last, rows + rank[sentence], offsets[step + 1] + rank[sentence])
    result.counts[: len(counts)] = counts
    result.order[:count] = order
    result.first[:count] = rank
    result.last[:count] = place[starts + lengths - 1]
    return result


class Reorder(Operator):
    """Rows in another order. x: (N, ...), index: (N,) int, an order of the rows, inverse: what undoes it -> (N, ...)"""

    name = "reorder"

    def infer(self, x: Spec, index: Spec, inverse: Spec) -> Spec:
        for spec in (index, inverse):
            require_kind("the index of reorder", spec, "i")
            if not x.shape or len(spec.shape) != 1 or not same(spec.shape[0], x.shape[0]):
                raise ValueError(f"reorder: {format_shape(spec.shape)} is no order of rows of {format_shape(x.shape)}")
        return x

    def forward(self, x: Array, index: Array, inverse: Array) -> Array:
        return Take().forward(x, index)

    def backward(self, x: Tensor, index: Tensor, inverse: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, None, None]:
        return apply(Reorder(), dz, inverse, index), None, None


def packing_rows(lengths: Tensor, rows: Dim) -> Packed:
    """The packing of sequences of these lengths as tensors, each (N,) int32."""
    whole = apply(Packing(rows), lengths)
    parts = [apply(m.Slice((i, 0), (1, 1), (1, rows)), whole) for i in range(len(Packed._fields))]
    return Packed(*[apply(m.Reshape((rows,)), part) for part in parts])
