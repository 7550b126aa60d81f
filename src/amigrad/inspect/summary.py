"""Values in few words: numbers as they are, bigger tensors by their range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from amigrad.backends import Compiled
from amigrad.graph import Graph, Operation, Parameter, State, Tensor
from amigrad.graph.sizes import format_shape
from amigrad.graph.tensor import Array

FEW = 4


def number(value: Any, digits: int = 4) -> str:
    """A number in a few significant digits: 0.3333, -104, 1e-08, true."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    return f"{float(value):.{digits}g}"


def summary(array: Array, mean: bool = True) -> str:
    """What is in an array: its numbers if they are few, else how many are true, or its (mean and) range."""
    if array.size == 0:
        return "no elements"
    if array.size == 1:
        return number(array.reshape(())[()])
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(np.isnan(array).sum())
        infinite = array.size - int(np.isfinite(array).sum()) - bad
        found = [f"{count} {what}" for count, what in ((bad, "NaN"), (infinite, "infinite")) if count]
        return f"{' and '.join(found)} of {array.size}"
    if array.size <= FEW and array.ndim == 1:
        return _listed(array)
    if uniform(array):
        return f"all {number(array.flat[0])}"
    if array.size <= FEW:
        return _listed(array)
    if array.dtype.kind == "b":
        return f"{int(array.sum())} of {array.size} true"
    span = f"{number(array.min(), 3)} … {number(array.max(), 3)}"
    if array.dtype.kind == "i" or not mean:
        return span
    return f"mean {number(array.mean(dtype=np.float64), 3)}, {span}"


def uniform(array: Array) -> bool:
    """Whether all elements are one number."""
    return array.size > 0 and bool((array == array.flat[0]).all())


def _listed(array: Array) -> str:
    if array.ndim == 0:
        return number(array[()])
    return "[" + ", ".join(_listed(part) for part in array) + "]"


def value_of(tensor: Tensor) -> str:
    """A summary of a tensor's value; empty while it is traced."""
    return "" if tensor.traced else summary(tensor.value)


def gradient_of(tensor: Tensor) -> str:
    """A summary of the gradient that `backward` left at a tensor; empty if there is none."""
    gradient = tensor.grad
    return "" if gradient is None or gradient.traced else summary(gradient.value, mean=False)


def graph_of(what: Sequence[Tensor | Graph | Compiled]) -> Graph:
    """The graph that leads to some tensors, to what other graphs lead to, or to all that compiled functions do."""
    if len(what) == 1 and isinstance(what[0], Graph):
        return what[0]
    outputs: list[Tensor] = []
    for item in what:
        if isinstance(item, Compiled):
            outputs.extend(_effects(item))
        elif isinstance(item, Tensor | Graph):
            outputs.extend(item.outputs if isinstance(item, Graph) else [item])
        else:
            raise TypeError(f"a tensor, a graph or a compiled function can be looked at, not {type(item).__name__}")
    return Graph(*outputs)


def _effects(compiled: Compiled) -> list[Tensor]:
    """What the latest program of a compiled function computes: its results and the states' new values."""
    if not compiled.programs:
        raise ValueError(f"{compiled.function.__name__} was not called yet: its first call makes its graph")
    program = compiled.programs[-1]
    return [*program.outputs, *(value for _, value in program.assignments)]


def named(names: Mapping[str, object] | None, what: Sequence[object] = ()) -> dict[int, str]:
    """The names of tensors by their id: those of new values of states, and those given among names of anything."""
    found: dict[int, str] = {}
    for item in what:
        if isinstance(item, Compiled) and item.programs:
            found |= {id(value): f"new {state.name or 'state'}" for state, value in item.programs[-1].assignments}
    return found | {id(value): name for name, value in (names or {}).items() if isinstance(value, Tensor)}


def kind_of(tensor: Tensor) -> str:
    """What a variable is: parameter, state, result of an operation, input or constant."""
    if isinstance(tensor, Parameter):
        return "parameter"
    if isinstance(tensor, State):
        return "state"
    if tensor.operation is not None:
        return "variable"
    return "input" if tensor.tracked or tensor.name else "constant"


def spec_of(tensor: Tensor) -> str:
    """Type and shape: float32(3,), or float32 for one number."""
    return tensor.dtype.name + (format_shape(tensor.shape) if tensor.shape else "")


_IN_THE_RESULT = ("shape", "dtype", "size", "sizes", "value")


def attributes_of(operation: Operation) -> str:
    """What an operator's use is about and its result's shape does not show: `axis 0`."""
    found = dict(zip(operation.operator.attributes, operation.operator.attribute_values(), strict=True))
    shown = []
    for name, value in found.items():
        if name in _IN_THE_RESULT or _all_axes(name, value, operation) or _plain_steps(name, value):
            continue
        if isinstance(value, tuple) and len(value) == 1:
            name, value = {"axes": "axis", "starts": "start", "steps": "step"}.get(name, name), value[0]
        shown.append(f"{name} {format_shape(value) if isinstance(value, tuple) else value}")
    return ", ".join(shown)


def _all_axes(name: str, value: object, operation: Operation) -> bool:
    return name == "axes" and bool(operation.inputs) and value == tuple(range(operation.inputs[0].ndim))


def _plain_steps(name: str, value: object) -> bool:
    return name == "steps" and isinstance(value, tuple) and all(step == 1 for step in value)
