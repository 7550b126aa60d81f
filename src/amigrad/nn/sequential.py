"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.functions.convert import as_tensor
from amigrad.graph import Tensor, TensorLike, float32
from amigrad.nn.dropout import Dropout
from amigrad.nn.initializers import Initializer
from amigrad.nn.linear import Linear
from amigrad.nn.module import Module

Layer = Callable[[Any], Tensor]


class Sequential(Module):
    """Each layer computes with what the one before it gave; a layer is a module or a function like `ag.tanh`."""

    def __init__(self, *layers: Layer) -> None:
        self.layers = list(layers)

    def __call__(self, x: TensorLike) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return as_tensor(x)


class MLP(Module):
    """A multi-layer perceptron: linear layers with an activation, and dropout if wanted, after each but the last.

    x: (..., sizes[0]) -> (..., sizes[-1]).
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        generator: Generator,
        activation: Layer = xp.hardtanh,
        dropout: float = 0.0,
        initializer: Initializer | None = None,
        dtype: object = float32,
    ) -> None:
        """`sizes` from inputs to outputs, two at least; parameters and dropout masks are drawn from `generator`."""
        if len(sizes) < 2:
            raise ValueError(f"a perceptron needs sizes of inputs and outputs, not {list(sizes)}")
        self.layers = [
            Linear(a, b, generator=generator, initializer=initializer, dtype=dtype) for a, b in pairwise(sizes)
        ]
        self.activation = activation
        self.dropout = Dropout(dropout, generator=generator)

    def __call__(self, x: TensorLike) -> Tensor:
        """x: (..., inputs) -> (..., outputs)."""
        for layer in self.layers[:-1]:
            x = self.dropout(self.activation(layer(x)))
        return self.layers[-1](x)
