"""Sample uses of every operator: what the tests of values, gradients and backends loop over.

    for sample in samples():
        value = sample.operator.forward(*sample.inputs)

Inputs come in all shapes that matter: no axes, empty, of size 1, small, large, and as views (strided, transposed,
broadcast). They are read-only, and every call gives the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from amigrad.graph import DType, Operator, float32, float64
from amigrad.operators import OPERATORS
from samples import create, elementwise, lookup, loops, movement, reduce
from samples.arrays import Array, Use, Wild

SMALL = 40
"""An input of at most this many elements is small enough for finite differences."""


@dataclass(frozen=True)
class Sample:
    """One use of an operator. `smooth`: finite differences of it make sense (float64, small, no pole or kink near)."""

    name: str
    operator: Operator
    inputs: tuple[Array, ...]
    dtype: DType
    smooth: bool
    number: int

    def __str__(self) -> str:
        shapes = " ".join(f"{x.dtype.name}{list(x.shape)}" for x in self.inputs)
        return f"{self.name}-{self.number}-{shapes}"


def samples(*names: str) -> Iterator[Sample]:
    """Samples of these operators, or of all."""
    for name in names or OPERATORS:
        yield from _of(name)


@cache
def _of(name: str) -> tuple[Sample, ...]:
    found = []
    for number, item in enumerate(SAMPLES[name]()):
        operator, inputs = item.use if isinstance(item, Wild) else item
        dtype = getattr(operator, "dtype", None) or inputs[0].dtype
        real = [x for x in inputs if x.dtype.kind == "f"]
        small = all(x.size <= SMALL for x in inputs)
        smooth = (
            operator.differentiable
            and not isinstance(item, Wild)
            and small
            and bool(real)
            and all(x.dtype == float64 for x in real)
            and dtype != float32
        )
        for x in inputs:
            x.flags.writeable = False
        found.append(Sample(name, operator, inputs, dtype, smooth, number))
    return tuple(found)


UNARY = [
    *["negative", "abs", "sign", "floor", "round", "exp", "expm1", "log", "log1p", "sqrt", "tanh", "sigmoid", "erf"],
    *["sin", "cos", "logical_not"],
]
BINARY = [
    *["add", "subtract", "multiply", "divide", "floor_divide", "remainder", "pow", "maximum", "minimum"],
    *["equal", "not_equal", "less", "less_equal", "logical_and", "logical_or", "logical_xor"],
]
REDUCTIONS = ["sum", "prod", "max", "min", "any", "all"]

SAMPLES: dict[str, Callable[[], Iterator[Use | Wild]]] = {
    **{name: partial(elementwise.unary_uses, name) for name in UNARY},
    **{name: partial(elementwise.binary_uses, name) for name in BINARY},
    **{name: partial(reduce.reduction_uses, name) for name in REDUCTIONS},
    "where": elementwise.where_uses,
    "cast": elementwise.cast_uses,
    "stop_gradient": elementwise.stop_gradient_uses,
    "argmax": reduce.argmax_uses,
    "matmul": reduce.matmul_uses,
    "reshape": movement.reshape_uses,
    "permute_dims": movement.permute_dims_uses,
    "broadcast_to": movement.broadcast_to_uses,
    "concat": movement.concat_uses,
    "slice": movement.slice_uses,
    "pad": movement.pad_uses,
    "flip": movement.flip_uses,
    "take": lookup.take_uses,
    "scatter_rows": lookup.scatter_rows_uses,
    "sum_same_rows": lookup.sum_same_rows_uses,
    "add_rows": lookup.add_rows_uses,
    "set_rows": lookup.set_rows_uses,
    "one_hot": lookup.one_hot_uses,
    "full": create.full_uses,
    "arange": create.arange_uses,
    "uniform": create.uniform_uses,
    "packing": loops.packing_uses,
    "reorder": loops.reorder_uses,
    "scan": loops.scan_uses,
}
"""How to make the samples of each operator."""
