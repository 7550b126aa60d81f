"""AdamW."""

from __future__ import annotations

from amigrad.graph import Tensor
from amigrad.optim.adam import Adam
from amigrad.optim.optimizer import Parameters
from amigrad.optim.schedules import Schedule


class AdamW(Adam):
    """Adam with its weight decay λ apart from the gradient: w ← w - a λ w besides Adam's update
    (Loshchilov and Hutter 2019, algorithm 2; λ is multiplied by the learning rate).
    """

    decouples_decay = True

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float | Schedule = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        clip_norm: float | None = None,
        lookup: str = "exact",
    ) -> None:
        super().__init__(
            parameters,
            learning_rate,
            betas=betas,
            epsilon=epsilon,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            lookup=lookup,
        )

    def rule(self, rate: Tensor, value: Tensor, gradient: Tensor, moments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return super().rule(rate, value - rate * self.weight_decay * value, gradient, moments)
