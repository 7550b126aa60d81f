"""Views: how the elements of a node lie in a buffer. Movement operators are views as long as strides can say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from amigrad.backends.native.simplify import Node, dim_key
from amigrad.graph import Dim, Operator, Shape
from amigrad.graph.sizes import divide, hint, product
from amigrad.operators import movement as m


@dataclass(frozen=True)
class View:
    """A node's elements in the buffer of `base`: element (i, j, ...) is at offset + i * strides[0] + ..."""

    base: Node
    shape: Shape
    strides: Shape
    offset: Dim = 0

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells a view from others."""
        return (
            id(self.base),
            tuple(map(dim_key, self.shape)),
            tuple(map(dim_key, self.strides)),
            dim_key(self.offset),
        )

    def is_whole(self) -> bool:
        """Whether this is the buffer as it lies, in the base's own shape."""
        return self.key == whole(self.base).key


def contiguous_strides(shape: Shape) -> Shape:
    """The strides of C order, in elements."""
    strides: list[Dim] = []
    step: Dim = 1
    for dim in reversed(shape):
        strides.insert(0, step)
        step = step * dim
    return tuple(strides)


def whole(base: Node) -> View:
    """The view of a buffer in C order."""
    return View(base, base.shape, contiguous_strides(base.shape))


def whole_of(node: Node, base: Node) -> View:
    """The view in C order of a buffer that holds a node's elements in the node's shape."""
    return View(base, node.shape, contiguous_strides(node.shape))


def is_number(dim: Dim, number: int) -> bool:
    """Whether a size or a stride is this number as a constant."""
    return isinstance(dim, int) and dim == number


def is_unit(dim: Dim) -> bool:
    """Whether a size is 1 as a constant."""
    return is_number(dim, 1)


def move(operator: Operator, view: View, shape: Shape) -> View | None:
    """The view after a movement operator; None if it needs a copy or is not a movement of one tensor."""
    match operator:
        case m.PermuteDims(axes):
            return replace(view, shape=shape, strides=tuple(view.strides[a] for a in axes))
        case m.BroadcastTo():
            missing = len(shape) - len(view.shape)
            kept = tuple(
                # A size may be 1 by a guard that cannot be solved for a symbol: then only the hints tell.
                0 if (is_unit(dim) and not is_unit(wanted)) or (hint(dim) == 1 and hint(wanted) != 1) else stride
                for dim, wanted, stride in zip(view.shape, shape[missing:], view.strides, strict=True)
            )
            return replace(view, shape=shape, strides=(0,) * missing + kept)
        case m.Slice(starts, steps, _):
            offset = view.offset
            for start, stride in zip(starts, view.strides, strict=True):
                offset = offset + start * stride
            strides = tuple(s * step for s, step in zip(view.strides, steps, strict=True))
            return View(view.base, shape, strides, offset)
        case m.Flip(axes):
            offset = view.offset
            strides_ = list(view.strides)
            for axis in axes:
                offset = offset + (view.shape[axis] - 1) * strides_[axis]
                strides_[axis] = -1 * strides_[axis]
            return View(view.base, shape, tuple(strides_), offset)
        case m.Reshape():
            strides_found = reshape_strides(view.shape, view.strides, shape)
            return None if strides_found is None else replace(view, shape=shape, strides=strides_found)
    return None


def reshape_strides(old: Shape, strides: Shape, new: Shape) -> Shape | None:
    """The strides of the same elements in another shape, None if strides cannot say it.

    Goes through both shapes from the front, taking groups of axes with equal products.
    """
    source = [(d, s) for d, s in zip(old, strides, strict=True) if not is_unit(d)]
    result: list[Dim] = []
    position = 0
    pending = [d for d in new if not is_unit(d)]
    while pending:
        if position >= len(source):
            return None
        group_new = [pending.pop(0)]
        group_old = [source[position]]
        position += 1
        while True:
            left, right = product(d for d, _ in group_old), product(group_new)
            if dim_key(left) == dim_key(right):
                break
            if divide(right, left) is not None and position < len(source):
                group_old.append(source[position])
                position += 1
            elif divide(left, right) is not None and pending:
                group_new.append(pending.pop(0))
            elif position < len(source):
                group_old.append(source[position])
                position += 1
            else:
                return None
        for (_, outer), (size, inner) in pairwise(group_old):
            if dim_key(outer) != dim_key(inner * size):
                return None
        step = group_old[-1][1]
        group_strides: list[Dim] = []
        for dim in reversed(group_new):
            group_strides.insert(0, step)
            step = step * dim
        result.extend(group_strides)
    if position != len(source):
        return None
    rest = iter(result)
    return tuple(0 if is_unit(d) else next(rest) for d in new)
