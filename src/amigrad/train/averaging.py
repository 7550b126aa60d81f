"""Averaged parameters: the mean of a model along the end of its training, often better than its last state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from amigrad.graph import State
from amigrad.nn import Module


class Average:
    """A running mean of a model's parameters, taken every so many steps (Polyak and Juditsky 1992).

    The first `count` samples weigh the same; from then on older ones fade, each sample having the weight 1 / count. A
    sample costs a pass over all parameters, tables too, so it is not to be taken at each step.
    """

    def __init__(self, model: Module, *, every: int, count: int) -> None:
        """ValueError if `every` or `count` is less than 1."""
        if every < 1 or count < 1:
            raise ValueError(f"an average of {count} samples, every {every} steps: both must be at least 1")
        self.every, self.count = every, count
        self._parameters = model.named_parameters()
        self._means = {name: State(p.numpy(), name=f"mean.{name}") for name, p in self._parameters.items()}
        self._steps = State(np.array(0, np.int64), name="averaged_steps")

    def states(self) -> dict[str, State]:
        """What a checkpoint has to keep, by name."""
        return {"steps": self._steps, **{f"mean.{name}": state for name, state in self._means.items()}}

    def advance(self) -> None:
        """A step has been done: take a sample if it is time for one."""
        self._steps.value[...] += 1
        taken, rest = divmod(int(self._steps.value), self.every)
        if rest:
            return
        for name, parameter in self._parameters.items():
            mean = self._means[name].value
            mean += (parameter.value - mean) / mean.dtype.type(min(taken, self.count))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within this context the model has the averaged parameters, and afterwards its own again."""
        if int(self._steps.value) < self.every:
            yield
            return
        own = {name: parameter.numpy() for name, parameter in self._parameters.items()}
        try:
            for name, parameter in self._parameters.items():
                parameter.value[...] = self._means[name].value
            yield
        finally:
            for name, parameter in self._parameters.items():
                parameter.value[...] = own[name]
