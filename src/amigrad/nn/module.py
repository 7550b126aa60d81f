"""Modules: parameters together with what is computed from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from amigrad.functions import Generator
from amigrad.graph import Parameter, State
from amigrad.graph.sizes import format_shape


class Module:
    """Parameters, and a call that computes with them.

    A subclass is an ordinary class or a `@dataclass(eq=False)`: its attributes are parameters, states, generators,
    other modules, lists, tuples and dicts of these, and plain settings. Each state gets the dotted name of
    the first path that leads to it, `hidden.weight` or `layers.0.bias`; what is shared is counted once.

    A module computes what it has learned. What only training needs, as dropout, is done between `train()`
    and `evaluate()`, or better inside `with model.training_mode():` in the training step itself: a compiled
    function keeps the mode that it was traced in.
    """

    training: bool = False
    """Whether calls do what only training needs."""

    def states(self) -> dict[str, State]:
        """Everything that training can change, by name: parameters, running figures, generators."""
        return {name: item for name, item in _walk(self) if isinstance(item, State)}

    def named_parameters(self) -> dict[str, Parameter]:
        """The parameters by name."""
        return {name: item for name, item in _walk(self) if isinstance(item, Parameter)}

    def parameters(self) -> list[Parameter]:
        """The parameters, in the order of their definition."""
        return list(self.named_parameters().values())

    def modules(self) -> dict[str, Module]:
        """This module, under the name "", and those inside it."""
        return {name: item for name, item in _walk(self) if isinstance(item, Module)}

    def train(self) -> Self:
        """Do what only training needs, here and in every module inside; returns the module."""
        return self._set_training(True)

    def evaluate(self) -> Self:
        """Do no longer what only training needs, as at the beginning; returns the module."""
        return self._set_training(False)

    @contextmanager
    def training_mode(self) -> Iterator[Self]:
        """Train within this context; each module is afterwards as it was before."""
        before = [(module, module.training) for module in self.modules().values()]
        try:
            yield self.train()
        finally:
            for module, training in before:
                module.training = training

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of all states' values, by name: what a file of this module holds."""
        return arrays_of(self.states())

    def load(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Set all states from arrays of the same names, shapes and dtypes; ValueError says what does not fit,
        and then nothing has been changed.
        """
        load_arrays(self.states(), arrays)

    def _set_training(self, training: bool) -> Self:
        for module in self.modules().values():
            module.training = training
        return self

    def __repr__(self) -> str:
        lines = [f"  {name}: {p.dtype.name}{format_shape(p.shape)}" for name, p in self.named_parameters().items()]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"]) if lines else f"{type(self).__name__}()"


def arrays_of(states: Mapping[str, State]) -> dict[str, npt.NDArray[Any]]:
    """Copies of the values of states, by name."""
    return {name: state.numpy() for name, state in states.items()}


def load_arrays(states: Mapping[str, State], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Set states from arrays of the same names, shapes and dtypes; ValueError (nothing changed) if they differ."""
    faults = [f"{name} is missing" for name in states if name not in arrays]
    faults += [f"{name} is not known" for name in arrays if name not in states]
    for name, state in states.items():
        if name in arrays and (arrays[name].shape != state.shape or arrays[name].dtype != state.dtype):
            found = f"{arrays[name].dtype.name}{format_shape(arrays[name].shape)}"
            faults.append(f"{name} is {found}, expected {state.spec}")
    if faults:
        more = f", and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise ValueError(f"these arrays do not fit: {'; '.join(faults[:5])}{more}")
    for name, state in states.items():
        np.copyto(state.value, arrays[name])


def _walk(root: Module) -> Iterator[tuple[str, Module | State]]:
    seen: set[int] = set()

    def visit(prefix: str, item: object) -> Iterator[tuple[str, Module | State]]:
        if isinstance(item, Module | State):
            if id(item) in seen:
                return
            seen.add(id(item))
            yield prefix, item
        if isinstance(item, Module):
            children: Any = vars(item).items()
        elif isinstance(item, Mapping):
            children = item.items()
        elif isinstance(item, list | tuple):
            children = enumerate(item)
        elif isinstance(item, Generator):
            children = [("state", item.state)]
        else:
            return
        for name, child in children:
            yield from visit(f"{prefix}.{name}" if prefix else str(name), child)

    return visit("", root)
