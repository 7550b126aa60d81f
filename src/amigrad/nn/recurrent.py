"""Recurrent layers: a state that goes from row to row of a sequence, by `amigrad.scan`."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.functions.convert import as_tensor
from amigrad.graph import DType, Parameter, Tensor, TensorLike, float32
from amigrad.graph.dtypes import as_dtype
from amigrad.graph.sizes import format_shape
from amigrad.nn.initializers import Initializer, glorot, initial
from amigrad.nn.module import Module

States = tuple[Tensor, ...]


class Recurrent(Module):
    """What recurrent layers share: a step from the state and x W + b to the next state.

    x: (T, inputs), one sequence; (T, B, inputs), B sequences of one length; or (N, inputs) with `lengths` (B,): rows of
    sequences of different lengths one after another, which cost no more than their own rows. -> outputs (..., size).
    A `reverse` layer goes from the last row to the first.
    """

    gates: ClassVar[int] = 1
    states_count: ClassVar[int] = 1

    def __init__(
        self,
        inputs: int,
        size: int,
        *,
        generator: Generator,
        reverse: bool = False,
        initializer: Initializer | None = None,
        dtype: object = float32,
    ) -> None:
        """weight: (inputs, gates * size), hidden_weight: (size, gates * size), each gate's part drawn by itself
        (by default uniform, Glorot and Bengio 2010); bias: (gates * size,).
        """
        if inputs < 1 or size < 1:
            raise ValueError(f"a recurrent layer of {inputs} inputs and size {size}: both must be at least 1")
        kind = as_dtype(dtype)
        draw = initializer or glorot()
        self.size = size
        self.reverse = reverse
        parts = [[initial(draw, generator, (n, size), kind) for _ in range(self.gates)] for n in (inputs, size)]
        self.weight = Parameter(np.concatenate(parts[0], axis=1), name="weight")
        self.hidden_weight = Parameter(np.concatenate(parts[1], axis=1), name="hidden_weight")
        self.bias = Parameter(np.zeros(self.gates * size, kind), name="bias")
        self.prepare(kind)

    def prepare(self, dtype: DType) -> None:
        """What a layer has or sets beside the weights and the bias."""

    @abstractmethod
    def step(self, states: States, z: Tensor) -> States:
        """The next states, the first of them the output. states: (..., size) each; z: x W + b, (..., gates * size)"""

    def __call__(
        self, x: TensorLike, lengths: TensorLike | None = None, initial: tuple[TensorLike, ...] | None = None
    ) -> Tensor:
        """The output at each row of x: (..., inputs) -> (..., size)."""
        return self.run(x, lengths, initial)[1]

    def run(
        self, x: TensorLike, lengths: TensorLike | None = None, initial: tuple[TensorLike, ...] | None = None
    ) -> tuple[States, Tensor]:
        """The last states, (B, size) each (or (size,)), and the outputs. initial: the first states; zeros for None."""
        inputs = as_tensor(x)
        if inputs.ndim not in (2, 3) or (lengths is not None and inputs.ndim != 2):
            kind = "(rows, inputs)" if lengths is not None else "(steps, inputs) or (steps, batch, inputs)"
            raise ValueError(f"{type(self).__name__} takes x of shape {kind}, not {format_shape(inputs.shape)}")
        if initial is None:
            initial = self._zeros(inputs, lengths)
        elif len(initial) != self.states_count:
            raise ValueError(f"{type(self).__name__} has {self.states_count} states, not {len(initial)}")

        def body(states: States, row: Tensor) -> tuple[States, Tensor]:
            new = self.step(states, row @ self.weight + self.bias)
            return new, new[0]

        last, outputs = xp.scan(body, tuple(initial), inputs, lengths=lengths, reverse=self.reverse)
        return last, outputs

    def from_products(self, z: TensorLike, lengths: TensorLike | None = None) -> Tensor:
        """The outputs, where z = x W + b has been computed already: (..., gates * size), rows as x -> (..., size)."""
        rows = as_tensor(z)

        def body(states: States, row: Tensor) -> tuple[States, Tensor]:
            new = self.step(states, row)
            return new, new[0]

        outputs: Tensor = xp.scan(body, self._zeros(rows, lengths), rows, lengths=lengths, reverse=self.reverse)[1]
        return outputs

    def _zeros(self, rows: Tensor, lengths: TensorLike | None) -> States:
        batch = rows.shape[1:-1] if lengths is None else as_tensor(lengths).shape
        return (xp.zeros((*batch, self.size), dtype=rows.dtype),) * self.states_count

    def _gates(self, z: Tensor) -> list[Tensor]:
        return [z[..., i * self.size : (i + 1) * self.size] for i in range(self.gates)]


class Elman(Recurrent):
    """h = tanh(x W + h U + b) (Elman 1990, "Finding structure in time")."""

    def step(self, states: States, z: Tensor) -> States:
        (h,) = states
        return (xp.tanh(z + h @ self.hidden_weight),)


class GRU(Recurrent):
    """r, u = sigmoid(z_r), sigmoid(z_u); n = tanh(x W_n + b_n + r (h U_n + c)); h = (1 - u) n + u h, where z is
    x W + b + h U (Cho et al. 2014, equations 5 to 8, with the reset after the product). Gates in the order r, u, n.
    """

    gates = 3

    def prepare(self, dtype: DType) -> None:
        """hidden_bias c: (size,)."""
        self.hidden_bias = Parameter(np.zeros(self.size, dtype), name="hidden_bias")

    def step(self, states: States, z: Tensor) -> States:
        (h,) = states
        reset, update, new = self._gates(z)
        from_reset, from_update, from_new = self._gates(h @ self.hidden_weight)
        r, u = xp.sigmoid(reset + from_reset), xp.sigmoid(update + from_update)
        n = xp.tanh(new + r * (from_new + self.hidden_bias))
        return (n + u * (h - n),)


class LSTM(Recurrent):
    """i, f, o = sigmoid(z), g = tanh(z_g); c = f c + i g; h = o tanh(c), where z is x W + b + h U (Hochreiter and
    Schmidhuber 1997, with the forget gate of Gers et al. 2000). Gates in the order i, f, g, o; states h and c.
    The forget gate's bias starts at 1 (Jozefowicz et al. 2015).
    """

    gates = 4
    states_count = 2

    def prepare(self, dtype: DType) -> None:
        """The forget gate lets everything pass."""
        self.bias.value[self.size : 2 * self.size] = 1.0

    def step(self, states: States, z: Tensor) -> States:
        h, c = states
        i, f, g, o = (a + b for a, b in zip(self._gates(z), self._gates(h @ self.hidden_weight), strict=True))
        c = xp.sigmoid(f) * c + xp.sigmoid(i) * xp.tanh(g)
        return xp.sigmoid(o) * xp.tanh(c), c


class Bidirectional(Module):
    """Two layers side by side, the second one `reverse`: outputs (..., size of the first + size of the second)."""

    def __init__(self, forward: Recurrent, backward: Recurrent) -> None:
        """ValueError unless just the second layer goes backward."""
        if forward.reverse or not backward.reverse:
            raise ValueError("of a pair of layers the first goes forward, the second is made with reverse=True")
        self.forward = forward
        self.backward = backward

    def __call__(self, x: TensorLike, lengths: TensorLike | None = None) -> Tensor:
        """x as the layers take it -> (..., both sizes)."""
        return xp.concat([self.forward(x, lengths), self.backward(x, lengths)], axis=-1)
