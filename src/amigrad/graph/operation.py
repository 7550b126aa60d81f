"""Operators (primitive functions) and operations (one use of one in a graph)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, ClassVar

import numpy as np

from amigrad.graph import recording
from amigrad.graph.sizes import Size, map_sizes
from amigrad.graph.tensor import Spec, Tensor


class Operator(ABC):
    """A primitive function of tensors. Subclasses are frozen dataclasses: their fields are its attributes.

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
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            mapped = map_sizes(value, function)
            if mapped is not value:
                changed[field.name] = mapped
        return replace(self, **changed) if changed else self  # type: ignore[type-var]


class Operation:
    """One use of an operator: its inputs, and the line of the user's program that made it."""

    __slots__ = ("inputs", "operator", "place")

    def __init__(self, operator: Operator, inputs: tuple[Tensor, ...], place: recording.Place | None) -> None:
        self.operator = operator
        self.inputs = inputs
        self.place = place

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.operator.name

    def __repr__(self) -> str:
        shapes = ", ".join(str(i.spec) for i in self.inputs)
        return f"{self.operator.name}({shapes})" + (f" at {self.place}" if self.place else "")


def apply(operator: Operator, *inputs: Tensor) -> Tensor:
    """The result of an operator: computed at once, or only recorded while a function is being traced."""
    trace = recording.active_trace()
    if trace is not None:
        inputs = tuple(trace.read(i) for i in inputs)
    spec = operator.infer(*[i.spec for i in inputs])
    if trace is not None:
        return Tensor(spec, None, Operation(operator, inputs, recording.caller()))
    with np.errstate(all="ignore"):
        value = operator.forward(*[i.value for i in inputs])
    if not isinstance(value, np.ndarray):
        value = np.asarray(value)
    if operator.differentiable and recording.is_recording() and any(i.tracked for i in inputs):
        return Tensor(spec, value, Operation(operator, inputs, recording.caller()))
    return Tensor(spec, value)
