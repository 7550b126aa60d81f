"""A program: the graph of a traced function, with its inputs, results and assignments to states."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NamedTuple

from amigrad.backends.structure import LEAF, flatten, unflatten
from amigrad.graph import Spec, State, Tensor, Trace
from amigrad.graph.gradients import topological_order
from amigrad.graph.recording import tracing
from amigrad.graph.sizes import Scope
from amigrad.graph.tensor import tensor


class Program(NamedTuple):
    """What a backend runs: from the inputs' values, the outputs and the states' new values."""

    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    structure: Hashable
    assignments: list[tuple[State, Tensor]]
    order: list[Tensor]
    scope: Scope

    def leaves(self) -> list[Tensor]:
        """The constants and states that the graph reads, in topological order."""
        inputs = {id(t) for t in self.inputs}
        return [t for t in self.order if t.operation is None and id(t) not in inputs]

    def symbols(self) -> list[tuple[str, int, int]]:
        """Each run-time size with the input and the axis that has it."""
        return [
            (dim_name, position, axis)
            for position, source in enumerate(self.inputs)
            for axis, dim_name in enumerate(self._names[position])
        ]

    @property
    def _names(self) -> list[list[str]]:
        names, count = [], 0
        for source in self.inputs:
            names.append([f"s{count + axis}" for axis in range(source.ndim)])
            count += source.ndim
        return names

    def guards_hold(self, sizes: Mapping[str, int]) -> bool:
        """Whether this program serves data of these sizes."""
        return all(guard.check(sizes) for guard in self.scope.guards)


def trace(function: Callable[..., Any], arguments: Hashable, examples: list[Spec]) -> Program:
    """Run `function` once with traced tensors in the place of its data, and take its graph."""
    name = getattr(function, "__name__", "function")
    recorded = Trace()
    for example, input_name in zip(examples, _input_names(function, arguments), strict=True):
        recorded.input(example, input_name)
    remaining = iter(recorded.inputs)
    with tracing(recorded):
        args, kwargs = unflatten(arguments, lambda: next(remaining))
        result = function(*args, **kwargs)
        leaves: list[Any] = []
        structure = flatten(result, leaves)
        outputs = [recorded.read(v) if isinstance(v, Tensor) else tensor(v) for v in leaves]
    assignments = list(recorded.assignments.values())
    order = topological_order([*outputs, *(value for _, value in assignments)])
    return Program(name, recorded.inputs, outputs, structure, assignments, order, recorded.scope)


def _input_names(function: Callable[..., Any], arguments: Any) -> Iterator[str]:
    """What the function calls each tensor among its arguments: x, and inside of x: x[0], x.key."""
    _, ((_, positional), (_, by_name)) = arguments
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "arguments")
    for place, structure in enumerate(positional):
        yield from _leaf_names(structure, names[place] if place < len(names) else f"{rest}[{place - len(names)}]")
    for name, structure in by_name:
        yield from _leaf_names(structure, name)


def _leaf_names(structure: Any, name: str) -> Iterator[str]:
    if structure == LEAF:
        yield name
        return
    kind, content = structure
    if kind == "dict":
        for key, inner in content:
            yield from _leaf_names(inner, f"{name}.{key}")
    elif kind != "constant":
        for place, inner in enumerate(content):
            yield from _leaf_names(inner, f"{name}[{place}]")
