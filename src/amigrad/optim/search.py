"""Step search: one number at a time, a step up or down, kept only if the cost falls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from amigrad.graph import Parameter, Tensor, no_gradients


@dataclass(frozen=True)
class Trial:
    """One step that was tried: which entry of which parameter, by how much, the cost there, and whether it fell."""

    parameter: Parameter
    place: tuple[int, ...]
    change: float
    cost: float
    kept: bool


class StepSearch:
    """The optimizer that needs no gradient: it moves one entry of one parameter by a fixed step.

    Each entry is tried upwards in turn, then each downwards; the first move that lowers the cost is kept. Where
    none does it is stuck; a smaller step may go on from there. One move costs up to two evaluations
    for each number, which is why gradients are wanted.
    """

    def __init__(self, parameters: Iterable[Parameter], step: float = 1.0) -> None:
        if not step > 0:
            raise ValueError(f"the step must be positive, not {step}")
        self.parameters = list(parameters)
        self.step_size = step

    def step(self, cost: Callable[[], Tensor | float]) -> list[Trial]:
        """Try moves until one lowers `cost()`; gives the trials, the last of which was kept unless it is stuck."""
        with no_gradients():
            return self._search(cost, float(cost()))

    def run(self, cost: Callable[[], Tensor | float], moves: int = 1_000_000) -> list[Trial]:
        """Move until stuck, or so many times; gives all trials."""
        trials: list[Trial] = []
        with no_gradients():
            current = float(cost())
            for _ in range(moves):
                found = self._search(cost, current)
                trials += found
                if not found or not found[-1].kept:
                    break
                current = found[-1].cost
        return trials

    def _search(self, cost: Callable[[], Tensor | float], current: float) -> list[Trial]:
        trials = []
        for change in (self.step_size, -self.step_size):
            for parameter in self.parameters:
                for flat in range(parameter.value.size):
                    before = parameter.value.flat[flat]
                    parameter.value.flat[flat] = before + change
                    kept = False
                    try:
                        there = float(cost())
                        kept = there < current
                    finally:
                        if not kept:
                            parameter.value.flat[flat] = before
                    place = tuple(int(i) for i in np.unravel_index(flat, parameter.value.shape))
                    trials.append(Trial(parameter, place, change, there, kept))
                    if kept:
                        return trials
        return trials
