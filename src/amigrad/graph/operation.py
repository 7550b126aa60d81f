"""Operators (primitive functions) and operations (one use of one in a graph)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from amigrad.graph import recording
from amigrad.graph.sizes import Size, map_sizes
from amigrad.graph.tensor import Array, Spec, State, Tensor


@dataclass(frozen=True)
class Operator(ABC):
    """A primitive function of tensors, with its attributes (axes, sizes): the fields of a frozen dataclass.

    A subclass that adds fields is decorated `@dataclass(frozen=True)`; those that add none are not, because each
    decoration makes `import amigrad` slower by a third of a millisecond.

    `infer` gives shape and dtype of the result or raises an error that names what clashes; `forward` computes
    it in NumPy; `backward` says, in the graph's own operators, the gradient for each input (None where there is
    none) from the inputs, the result and the result's gradient.
    """

    name: ClassVar[str]
    differentiable: ClassVar[bool] = True

    @abstractmethod
    def infer(self, *inputs: Any) -> Spec:
        """Shape and dtype of the result from those of the inputs."""

    @abstractmethod
    def forward(self, *inputs: Any) -> Any:
        """The result, a NumPy array, from the inputs' values."""

    def backward(self, *inputs_output_gradient: Any) -> Any:
        """Gradients for the inputs: `backward(x, y, z, dz) -> dx, dy`."""
        raise TypeError(f"{self.name} has no gradient")

    def map_sizes(self, function: Callable[[Size], object]) -> Operator:
        """The same operator with each run-time size among its attributes mapped."""
        changed = {}
        for field in fields(self):
            value = getattr(self, field.name)
            mapped = map_sizes(value, function)
            if mapped is not value:
                changed[field.name] = mapped
        return replace(self, **changed) if changed else self


class Operation:
    """One use of an operator: its inputs, and the line of the user's program that made it.

    `differentiable` is False where the operator is not, and for what is computed within `no_gradients`.
    """

    __slots__ = ("differentiable", "inputs", "operator", "place")

    def __init__(self, operator: Operator, inputs: tuple[Tensor, ...], place: recording.Place | None) -> None:
        self.operator = operator
        self.inputs = inputs
        self.place = place
        self.differentiable = operator.differentiable and recording.is_recording()

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.operator.name

    def __repr__(self) -> str:
        shapes = ", ".join(str(i.spec) for i in self.inputs)
        return f"{self.operator.name}({shapes})" + (f" at {self.place}" if self.place else "")


def evaluate(operator: Operator, inputs: tuple[Tensor, ...]) -> Array:
    """The value of an operator's result. It shares no memory with a state, whose value may change later."""
    with np.errstate(all="ignore"):
        value: Array = np.asarray(operator.forward(*[i.value for i in inputs]))
    for i in inputs:
        if isinstance(i, State) and np.may_share_memory(value, i.value):
            return value.copy()
    return value


def apply(operator: Operator, *inputs: Tensor) -> Tensor:
    """The result of an operator: computed at once, or only recorded while a function is being traced."""
    trace = recording.active_trace()
    if trace is not None:
        inputs = tuple(trace.read(i) for i in inputs)
        known = trace.known(operator, inputs)
        if known is not None:
            return known
    spec = operator.infer(*[i.spec for i in inputs])
    if trace is not None:
        result = Tensor(spec, None, Operation(operator, inputs, recording.caller()))
        trace.record(result)
        return result
    value = evaluate(operator, inputs)
    if operator.differentiable and recording.is_recording() and any(i.tracked for i in inputs):
        return Tensor(spec, value, Operation(operator, inputs, recording.caller()))
    return Tensor(spec, value)
