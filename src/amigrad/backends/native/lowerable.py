"""Which operators the compiler can lower; a node with another one runs in Python, between native stretches."""

from __future__ import annotations

from amigrad.backends.native.kernels import BODY, MOVEMENT, ROWS
from amigrad.backends.native.scans import Loop
from amigrad.backends.native.simplify import FirstSame, Node
from amigrad.operators import linear, movement, reduce
from amigrad.operators.elementwise import Elementwise
from amigrad.operators.packing import Packing


def is_native(node: Node) -> bool:
    """Whether the compiler can lower this node's operator."""
    from amigrad.backends.native.scalar import LOWERINGS

    operator = node.operator
    if isinstance(operator, Elementwise):
        return type(operator) in LOWERINGS
    return isinstance(
        operator,
        (
            *BODY,
            *MOVEMENT,
            *ROWS,
            reduce.Reduction,
            reduce.ArgMax,
            linear.MatMul,
            movement.Concat,
            movement.Pad,
            FirstSame,
            Packing,
            Loop,
        ),
    )
