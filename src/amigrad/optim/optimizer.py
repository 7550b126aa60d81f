"""What all gradient methods share: states, the learning rate, decay, clipping, and how a rule meets a lookup table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np

from amigrad import functions as xp
from amigrad.graph import Parameter, State, Tensor, TensorLike, apply, float64, no_gradients
from amigrad.operators.lookup import Take
from amigrad.optim.rows import Gradient, RowGradient, find_gradients, rows_of, set_rows
from amigrad.optim.schedules import Schedule

Parameters = Iterable[Parameter] | Mapping[str, Parameter]


class Optimizer(ABC):
    """Updates parameters from the gradients of a cost.

    All that changes from step to step is a state, and each update is made of the graph's own operations: so a step
    is the same eagerly and compiled, and `states()` is all that a checkpoint needs.

    parameters: a list of parameters, or `module.named_parameters()` for states with speaking names.
    learning_rate: a number, which may be set anew between steps, or a schedule (see `amigrad.optim.schedules`).
    weight_decay: times the parameter is added to its gradient (L2 regularisation).
    clip_norm: gradients are scaled down together so that their common norm is at most this (Pascanu et al. 2013).
    lookup: "exact" gives lookup tables the update that their dense gradient would give; it costs the touched rows
    only where all others would stay as they are (SGD without momentum, Adagrad; both without weight decay),
    else the whole table. "lazy" updates only the rows that were looked up, their moments and their decay too.
    """

    moments: tuple[str, ...] = ()
    """The names of the running figures that are kept for each parameter."""

    decouples_decay: ClassVar[bool] = False
    """Whether the rule itself applies the weight decay."""

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float | Schedule,
        *,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        lookup: str = "exact",
    ) -> None:
        self.parameters = _named(parameters)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter")
        if not callable(learning_rate):
            require("learning_rate", learning_rate, learning_rate >= 0)
        require("weight_decay", weight_decay, weight_decay >= 0)
        require("clip_norm", clip_norm, clip_norm is None or clip_norm > 0)
        if lookup not in ("exact", "lazy"):
            raise ValueError(f'lookup is "exact" or "lazy", not {lookup!r}')
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.lookup = lookup
        self.schedule = learning_rate if callable(learning_rate) else None
        self._first_rate = None if callable(learning_rate) else float(learning_rate)
        self.steps = State(np.array(0, dtype=np.int64), name="steps")
        self._rate = State(np.array(0.0 if callable(learning_rate) else learning_rate), name="learning_rate")
        self._moments = {
            name: [State(self.initial(parameter), name=f"{moment}.{name}") for moment in self.moments]
            for name, parameter in self.parameters.items()
        }

    @abstractmethod
    def rule(self, rate: Tensor, value: Tensor, gradient: Tensor, moments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The new value and the new moments, element by element. rate: (); all others of one shape and dtype."""

    def initial(self, parameter: Parameter) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
        """What a moment of this parameter is before the first step."""
        return np.zeros_like(parameter.value)

    def leaves_untouched(self) -> bool:
        """Whether a parameter whose gradient is zero stays as it is, and its moments too."""
        return False

    @property
    def learning_rate(self) -> State:
        """The learning rate, float64 of shape (): that of the last step if it follows a schedule."""
        return self._rate

    @learning_rate.setter
    def learning_rate(self, rate: float | TensorLike) -> None:
        if self.schedule is not None:
            raise ValueError("the learning rate follows a schedule; it cannot be set")
        self._rate.assign(rate)

    def states(self) -> dict[str, State]:
        """All that a step changes besides the parameters, by name."""
        found = {"steps": self.steps, "learning_rate": self._rate}
        for name, states in self._moments.items():
            found |= {f"{moment}.{name}": state for moment, state in zip(self.moments, states, strict=True)}
        return found

    def settings(self) -> dict[str, object]:
        """The method and what it was made with, as JSON values; a schedule as null."""
        hidden = ("schedule", "moments")
        own = {n: v for n, v in vars(self).items() if not n.startswith("_") and n not in hidden}
        plain = {n: v for n, v in own.items() if v is None or isinstance(v, bool | int | float | str | tuple)}
        return {"method": type(self).__name__, "learning_rate": self._first_rate, **plain}

    def minimize(self, cost: Tensor) -> None:
        """One step: the gradients of the cost (), then the update of every parameter that leads to it.

        Leaves each parameter's gradient in `.grad`, but None for a table of which only rows were looked up.
        """
        with no_gradients():
            found = find_gradients(cost, list(self.parameters.values()))
            if all(gradient is None for gradient in found):
                raise ValueError("no parameter of this optimizer leads to the cost")
            for parameter, gradient in zip(self.parameters.values(), found, strict=True):
                parameter.grad = gradient if isinstance(gradient, Tensor) else None
            self._step(dict(zip(self.parameters, found, strict=True)))

    def step(self) -> None:
        """Update every parameter from its `.grad`, which `cost.backward()` left; one without is left alone."""
        with no_gradients():
            found: dict[str, Gradient | None] = {}
            for name, parameter in self.parameters.items():
                gradient = parameter.grad
                found[name] = None if gradient is None else rows_of(gradient) or gradient
            self._step(found)

    def _step(self, found: Mapping[str, Gradient | None]) -> None:
        gradients = {name: gradient for name, gradient in found.items() if gradient is not None}
        if self.clip_norm is not None:
            gradients = _clipped(gradients, self.clip_norm)
        if self.schedule is not None:
            self._rate.assign(self.schedule(self.steps))
        self.steps.assign(self.steps + 1)
        for name, gradient in gradients.items():
            parameter = self.parameters[name]
            rate = xp.astype(self._rate, parameter.dtype)
            if isinstance(gradient, RowGradient) and (self.lookup == "lazy" or self._untouched_stay()):
                self.update_rows(rate, parameter, gradient, self._moments[name])
            else:
                dense = gradient.dense() if isinstance(gradient, RowGradient) else gradient
                self.update(rate, parameter, dense, self._moments[name])

    def update(self, rate: Tensor, parameter: Parameter, gradient: Tensor, moments: list[State]) -> None:
        """Update a whole parameter."""
        new = self.rule(rate, parameter, self._decayed(gradient, parameter), tuple(moments))
        for state, value in zip([parameter, *moments], new, strict=True):
            state.assign(value)

    def update_rows(self, rate: Tensor, table: Parameter, gradient: RowGradient, moments: list[State]) -> None:
        """Update the rows of a table that were looked up, each once, by its whole gradient."""
        states = [table, *moments]
        value, *rows = [apply(Take(), state, gradient.index) for state in states]
        new = self.rule(rate, value, self._decayed(gradient.total(), value), tuple(rows))
        for state, changed in zip(states, new, strict=True):
            set_rows(state, gradient.index, changed)

    def _decayed(self, gradient: Tensor, value: Tensor) -> Tensor:
        return gradient + value * self.weight_decay if self.weight_decay and not self.decouples_decay else gradient

    def _untouched_stay(self) -> bool:
        return self.weight_decay == 0 and self.leaves_untouched()


def require(name: str, value: object, holds: bool) -> None:
    """ValueError that names a setting out of its range."""
    if not holds:
        raise ValueError(f"{name} cannot be {value}")


def _named(parameters: Parameters) -> dict[str, Parameter]:
    if isinstance(parameters, Mapping):
        pairs = list(parameters.items())
    else:
        pairs = [(str(place), parameter) for place, parameter in enumerate(parameters)]
    found: dict[str, Parameter] = {}
    seen: set[int] = set()
    for name, parameter in pairs:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"an optimizer updates parameters, not {type(parameter).__name__} ({name})")
        if id(parameter) not in seen:
            found[name] = parameter
            seen.add(id(parameter))
    return found


def _clipped(gradients: Mapping[str, Gradient], limit: float) -> dict[str, Gradient]:
    """All gradients times min(1, limit / their common norm)."""
    total = xp.zeros((), dtype=float64)
    for gradient in gradients.values():
        squares = gradient.squared_norm() if isinstance(gradient, RowGradient) else xp.sum(gradient * gradient)
        total = total + xp.astype(squares, float64)
    factor = xp.minimum(1.0, limit / xp.sqrt(total))
    result: dict[str, Gradient] = {}
    for name, gradient in gradients.items():
        if isinstance(gradient, RowGradient):
            result[name] = gradient.scaled(xp.astype(factor, gradient.rows.dtype))
        else:
            result[name] = gradient * xp.astype(factor, gradient.dtype)
    return result
