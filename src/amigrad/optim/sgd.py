"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from amigrad.graph import Parameter, State, Tensor
from amigrad.optim.optimizer import Optimizer, Parameters, require
from amigrad.optim.rows import RowGradient, add_rows
from amigrad.optim.schedules import Schedule


class SGD(Optimizer):
    """w ← w - a g; with momentum μ (Polyak 1964): v ← μ v + g, w ← w - a v.

    nesterov: w ← w - a (g + μ v) instead (Sutskever et al. 2013, section 2). Without momentum and weight decay only
    the rows of a lookup table that were looked up are touched.
    """

    moments: tuple[str, ...] = ("momentum",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float | Schedule,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        lookup: str = "exact",
    ) -> None:
        require("momentum", momentum, 0 <= momentum < 1)
        require("nesterov without momentum", nesterov, momentum > 0 or not nesterov)
        self.momentum = momentum
        self.nesterov = nesterov
        self.moments = ("momentum",) if momentum else ()
        super().__init__(parameters, learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, lookup=lookup)

    def rule(self, rate: Tensor, value: Tensor, gradient: Tensor, moments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not moments:
            return (value - rate * gradient,)
        velocity = self.momentum * moments[0] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return value - rate * direction, velocity

    def update_rows(self, rate: Tensor, table: Parameter, gradient: RowGradient, moments: list[State]) -> None:
        if moments or self.weight_decay:
            super().update_rows(rate, table, gradient, moments)
        else:
            add_rows(table, gradient.index, gradient.rows * -rate)

    def leaves_untouched(self) -> bool:
        return self.momentum == 0
