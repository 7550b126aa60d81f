"""The linear layer."""

from __future__ import annotations

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.graph import Parameter, Tensor, TensorLike, float32
from amigrad.graph.dtypes import as_dtype
from amigrad.nn.initializers import Initializer, fan_in, initial
from amigrad.nn.module import Module


class Linear(Module):
    """y = x W + b. x: (..., inputs) -> (..., outputs); weight: (inputs, outputs), bias: (outputs,), zeros at first."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        generator: Generator,
        bias: bool = True,
        initializer: Initializer | None = None,
        dtype: object = float32,
    ) -> None:
        """The weight is drawn from `generator` by `initializer` (by default uniform, variance 1 / inputs)."""
        if inputs < 1 or outputs < 1:
            raise ValueError(f"a linear layer of {inputs} inputs and {outputs} outputs: both must be at least 1")
        kind = as_dtype(dtype)
        draw = initializer or fan_in()
        self.weight = Parameter(initial(draw, generator, (inputs, outputs), kind), name="weight")
        self.bias = Parameter(xp.zeros((outputs,), dtype=kind).numpy(), name="bias") if bias else None

    def __call__(self, x: TensorLike) -> Tensor:
        """x: (..., inputs) -> (..., outputs)."""
        y = xp.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias
