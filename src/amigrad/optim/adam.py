"""Adam."""

from __future__ import annotations

from amigrad import functions as xp
from amigrad.graph import Tensor, float64
from amigrad.optim.optimizer import Optimizer, Parameters, require
from amigrad.optim.schedules import Schedule

_NOTHING = 1e-30
"""A mean so close to 0 is 0, or those of units that get no gradient any more would fade into subnormal numbers, with
which processors take several times as long."""


class Adam(Optimizer):
    """m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², w ← w - a m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and
    v̂ = v / (1 - β₂ᵗ) (Kingma and Ba 2015, algorithm 1).

    t counts the optimizer's steps; in the lazy form too, where the moments of a row wait until it is looked up. A mean
    below 1e-30 becomes 0.
    """

    moments: tuple[str, ...] = ("mean", "squares")

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float | Schedule = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        lookup: str = "exact",
    ) -> None:
        require("betas", betas, 0 <= betas[0] < 1 and 0 <= betas[1] < 1)
        require("epsilon", epsilon, epsilon > 0)
        self.betas = betas
        self.epsilon = epsilon
        super().__init__(parameters, learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, lookup=lookup)

    def rule(self, rate: Tensor, value: Tensor, gradient: Tensor, moments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        first, second = self.betas
        mean = first * moments[0] + (1 - first) * gradient
        mean = xp.where(xp.abs(mean) < _NOTHING, 0.0, mean)
        squares = second * moments[1] + (1 - second) * (gradient * gradient)
        # The corrections are numbers of the step: as float64, because 1 - 0.999 has few digits left in float32.
        count = xp.astype(self.steps, float64)
        pace = xp.astype(self.learning_rate / (1.0 - xp.pow(first, count)), value.dtype)
        scale = xp.astype(1.0 / xp.sqrt(1.0 - xp.pow(second, count)), value.dtype)
        return value - pace * mean / (xp.sqrt(squares) * scale + self.epsilon), mean, squares
