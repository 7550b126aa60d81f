"""Operators (primitive functions) and operations (one use of one in a graph)."""

from __future__ import annotations

from collections.abc import Callable
from inspect import get_annotations
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from amigrad.graph import recording
from amigrad.graph.sizes import Size, map_sizes
from amigrad.graph.tensor import Array, Spec, State, Tensor


@dataclass_transform(frozen_default=True)
class Operator:
    """A primitive function of tensors, with its attributes (axes, sizes): what a subclass annotates, as in a frozen
    dataclass. Operators of one class with equal attributes are equal.

    `infer` gives shape and dtype of the result or raises an error that names what clashes; `forward` computes
    it in NumPy; `backward` says, in the graph's own operators, the gradient for each input (None where there is
    none) from the inputs, the result and the result's gradient.
    """

    # A decoration as a dataclass for each operator would double the time of `import amigrad`; and questions of the
    # class of an abstract one, of which a compilation asks thousands, would go through Python.
    name: ClassVar[str]
    differentiable: ClassVar[bool] = True
    attributes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        own = [name for name, kind in get_annotations(cls).items() if "ClassVar" not in str(kind)]
        cls.attributes = cls.__match_args__ = (*cls.attributes, *own)  # type: ignore[attr-defined, misc]
        if own:
            cls.__init__ = _initialize  # type: ignore[method-assign, assignment]

    def attribute_values(self) -> tuple[Any, ...]:
        """The attributes' values, in their order."""
        return tuple([getattr(self, name) for name in self.attributes])

    def changed(self, **attributes: Any) -> Self:
        """The same operator with other values of some attributes."""
        return type(self)(**{**dict(zip(self.attributes, self.attribute_values(), strict=True)), **attributes})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of an operator does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} of an operator does not change")

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and isinstance(other, Operator)
            and self.attribute_values() == other.attribute_values()
        )

    def __hash__(self) -> int:
        return hash((type(self), self.attribute_values()))

    def __repr__(self) -> str:
        pairs = zip(self.attributes, self.attribute_values(), strict=True)
        return f"{type(self).__qualname__}({', '.join([f'{name}={value!r}' for name, value in pairs])})"

    def infer(self, *inputs: Any) -> Spec:
        """Shape and dtype of the result from those of the inputs."""
        raise NotImplementedError(f"the operator {type(self).__name__} has no `infer`")

    def forward(self, *inputs: Any) -> Any:
        """The result, a NumPy array, from the inputs' values."""
        raise NotImplementedError(f"the operator {type(self).__name__} has no `forward`")

    def backward(self, *inputs_output_gradient: Any) -> Any:
        """Gradients for the inputs: `backward(x, y, z, dz) -> dx, dy`."""
        raise TypeError(f"{self.name} has no gradient")

    def map_sizes(self, function: Callable[[Size], object]) -> Operator:
        """The same operator with each run-time size among its attributes mapped."""
        mapped = {}
        for name, value in zip(self.attributes, self.attribute_values(), strict=True):
            new = map_sizes(value, function)
            if new is not value:
                mapped[name] = new
        return self.changed(**mapped) if mapped else self


def _initialize(operator: Operator, *values: Any, **named: Any) -> None:
    """The `__init__` of operators that have attributes."""
    names = operator.attributes
    if named or len(values) != len(names):
        given = {**dict(zip(names, values, strict=False)), **named}
        known = [name for name in names if name in given or hasattr(type(operator), name)]
        if len(known) < len(names) or len(given) < len(values) + len(named) or not given.keys() <= {*names}:
            raise TypeError(f"{type(operator).__name__} takes {', '.join(names)}, each once")
        values = tuple([given[name] if name in given else getattr(type(operator), name) for name in names])
    for name, value in zip(names, values, strict=True):
        object.__setattr__(operator, name, value)


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
