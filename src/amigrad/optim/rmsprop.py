"""RMSprop."""

from __future__ import annotations

from amigrad import functions as xp
from amigrad.graph import Tensor
from amigrad.optim.optimizer import Optimizer, Parameters, require
from amigrad.optim.schedules import Schedule


class RMSprop(Optimizer):
    """s ← ρ s + (1 - ρ) g², w ← w - a g / (√s + ε) (Tieleman and Hinton 2012, lecture 6.5)."""

    moments: tuple[str, ...] = ("squares",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float | Schedule = 0.001,
        *,
        decay: float = 0.9,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        lookup: str = "exact",
    ) -> None:
        require("decay", decay, 0 <= decay < 1)
        require("epsilon", epsilon, epsilon > 0)
        self.decay = decay
        self.epsilon = epsilon
        super().__init__(parameters, learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, lookup=lookup)

    def rule(self, rate: Tensor, value: Tensor, gradient: Tensor, moments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        squares = self.decay * moments[0] + (1 - self.decay) * (gradient * gradient)
        return value - rate * gradient / (xp.sqrt(squares) + self.epsilon), squares
