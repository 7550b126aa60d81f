"""Where nodes lie that have no buffer of their own: in their part of a concatenation, into which they are computed."""

from __future__ import annotations

from typing import cast

from amigrad.backends.native.lowerable import is_native
from amigrad.backends.native.simplify import Node, Simplified
from amigrad.backends.native.views import View, reshape_strides, whole
from amigrad.graph import Dim
from amigrad.operators import linear, movement
from amigrad.operators.elementwise import Elementwise


def unshaped(value: Node, target: View) -> tuple[Node, View]:
    """A value that is to lie in a view; for a reshape what it is made from, and the view in that shape."""
    source, place = value, target
    while isinstance(source.operator, movement.Reshape):
        (source,) = source.inputs
        strides = reshape_strides(place.shape, place.strides, source.shape)
        if strides is None:
            return value, target
        place = View(place.base, source.shape, strides, place.offset)
    return source, place


def places_in_concats(graph: Simplified) -> dict[Node, View]:
    """Where nodes lie that are computed into their part of a concatenation at once, and have no buffer of their own."""
    found: dict[Node, View] = {}
    for node in reversed(graph.nodes):
        if not isinstance(node.operator, movement.Concat):
            continue
        place = found.get(node) or whole(node)
        axis, start = node.operator.axis, cast(Dim, 0)
        for part in node.inputs:
            offset = place.offset + start * place.strides[axis]
            inner, lies = unshaped(part, View(place.base, part.shape, place.strides, offset))
            computed = isinstance(inner.operator, Elementwise | linear.MatMul | movement.Concat) and is_native(inner)
            if computed and inner not in found and inner not in graph.outputs:
                found[inner] = lies
            start = start + part.shape[axis]
    return found
