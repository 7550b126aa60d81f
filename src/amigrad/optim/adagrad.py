"""Adagrad."""

from __future__ import annotations

import numpy as np

from amigrad import functions as xp
from amigrad.graph import Parameter, Tensor
from amigrad.optim.optimizer import Optimizer, Parameters, require
from amigrad.optim.schedules import Schedule


class Adagrad(Optimizer):
    """G ← G + g², w ← w - a g / (√G + ε) (Duchi et al. 2011, "Adaptive subgradient methods", figure 1, diagonal).

    Without weight decay only the rows of a lookup table that were looked up are touched, exactly: a row whose
    gradient is zero stays as it is.
    """

    moments: tuple[str, ...] = ("squares",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float | Schedule,
        *,
        epsilon: float = 1e-10,
        initial_squares: float = 0.0,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        lookup: str = "exact",
    ) -> None:
        require("epsilon", epsilon, epsilon > 0)
        require("initial_squares", initial_squares, initial_squares >= 0)
        self.epsilon = epsilon
        self.initial_squares = initial_squares
        super().__init__(parameters, learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, lookup=lookup)

    def initial(self, parameter: Parameter) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
        return np.full_like(parameter.value, self.initial_squares)

    def rule(self, rate: Tensor, value: Tensor, gradient: Tensor, moments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        squares = moments[0] + gradient * gradient
        return value - rate * gradient / (xp.sqrt(squares) + self.epsilon), squares

    def leaves_untouched(self) -> bool:
        return True
