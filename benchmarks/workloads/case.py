"""A case: a row of the table, what all programs do in it and what is hoped for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import amigrad as ag
from amigrad.optim import SGD, Adagrad, Adam, Optimizer

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Case:
    """A workload with its settings.

    `goal` is how many times the speed of the fastest peer is wanted, None if nothing was said; `limits` are the parts
    of what the machine can do, by the name of its program's form. `examples` is how many examples a call takes,
    `steps` how many training steps it makes.
    """

    workload: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    goal: float | None = None
    examples: int = 1
    steps: int = 1
    limits: Mapping[str, float] = field(default_factory=dict)


def drawn(random: np.random.Generator, *shape: int, scale: float | None = None) -> NDArray[np.float32]:
    """Normal parameters; by default of variance 1 / inputs."""
    scale = shape[0] ** -0.5 if scale is None else scale
    return random.standard_normal(shape, np.float32) * np.float32(scale)


def words(random: np.random.Generator, vocabulary: int, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Words as often as text has them: that of rank r with a probability proportional to 1 / r."""
    drawn = np.exp(random.random(shape) * np.log(vocabulary + 1)).astype(np.int32) - 1
    return drawn.clip(0, vocabulary - 1)


def optimizer(settings: Mapping[str, Any], parameters: Mapping[str, ag.Parameter]) -> Optimizer:
    """The optimizer that a case asks for."""
    rate = settings["rate"]
    match settings["optimizer"]:
        case "sgd":
            return SGD(parameters, rate)
        case "adagrad":
            return Adagrad(parameters, rate)
        case "lazy adam":
            return Adam(parameters, rate, lookup="lazy")
        case "adam":
            return Adam(parameters, rate)
        case name:
            raise ValueError(name)


def assign(module: ag.nn.Module, arrays: Arrays, names: Mapping[str, str]) -> None:
    """Give a module's parameters their initial values. names: the module's name of each -> the array's."""
    states = module.states()
    for ours, theirs in names.items():
        states[ours].assign(arrays[theirs])


def minimizing(cost: Callable[..., ag.Tensor], method: Optimizer) -> Any:
    """The compiled training step of a cost."""

    @ag.compile
    def step(*batch: Any) -> ag.Tensor:
        value = cost(*batch)
        method.minimize(value)
        return value

    return step


def batches(arrays: Arrays, *names: str) -> list[tuple[NDArray[Any], ...]]:
    """What each call takes: slices of these arrays along their first axis."""
    return list(zip(*(arrays[name] for name in names), strict=True))
