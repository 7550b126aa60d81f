"""The sum of the gradients that reach one variable from several sides.

Parts of a variable (slices) send gradients that are zero but for their own part. Where such parts tile the variable
their sum is the parts joined: no zeros are written and added.
"""

from __future__ import annotations

from amigrad.functions.elementwise import add
from amigrad.graph import Dim, Tensor, apply
from amigrad.operators import movement


def accumulate(parts: list[Tensor], part: Tensor) -> list[Tensor]:
    """The summands with one more: padded ones as they are, all others added up in one."""
    if padded_axis(part) is None:
        for place, other in enumerate(parts):
            if padded_axis(other) is None:
                return [*parts[:place], add(other, part), *parts[place + 1 :]]
    return [*parts, part]


def complete(parts: list[Tensor]) -> Tensor:
    """The sum of all summands."""
    tiles = [p for p in parts if padded_axis(p) is not None]
    axes = {padded_axis(p) for p in tiles}
    total = _join(tiles, axes.pop() or 0) if len(tiles) > 1 and len(axes) == 1 else None
    rest = parts if total is None else [p for p in parts if all(p is not t for t in tiles)]
    for part in rest:
        total = part if total is None else add(total, part)
    assert total is not None
    return total


def padded_axis(part: Tensor) -> int | None:
    """The axis along which a tensor was padded with zeros, if it was along one only and without gaps."""
    operation = part.operation
    if operation is None or not isinstance(operation.operator, movement.Pad):
        return None
    operator, (inner,) = operation.operator, operation.inputs
    axes = [a for a, (d, whole) in enumerate(zip(inner.shape, operator.shape, strict=True)) if not _equal(d, whole)]
    return axes[0] if len(axes) == 1 and operator.steps[axes[0]] == 1 else None


def _join(tiles: list[Tensor], axis: int) -> Tensor | None:
    """The tiles in their order along the axis, None if they overlap or leave anything out."""
    whole = tiles[0].shape[axis]
    starts: list[tuple[Dim, Tensor]] = []
    for tile in tiles:
        assert tile.operation is not None
        assert isinstance(tile.operation.operator, movement.Pad)
        starts.append((tile.operation.operator.starts[axis], tile.operation.inputs[0]))
    end: Dim = 0
    ordered: list[Tensor] = []
    while starts:
        following = next((i for i, (start, _) in enumerate(starts) if _equal(start, end)), None)
        if following is None:
            return None
        inner = starts.pop(following)[1]
        ordered.append(inner)
        end = end + inner.shape[axis]
    return apply(movement.Concat(axis), *ordered) if _equal(end, whole) else None


def _equal(a: Dim, b: Dim) -> bool:
    """Whether two sizes are equal for sure, without a guard."""
    difference = a - b
    return isinstance(difference, int) and difference == 0
