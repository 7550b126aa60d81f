"""Tracing: a function run once with tensors that have no value, to get its graph."""

from __future__ import annotations

from amigrad.graph.sizes import Scope
from amigrad.graph.tensor import Parameter, Spec, State, Tensor


class Trace:
    """What one traced run of a function records: inputs, assignments to states, and gradients."""

    def __init__(self) -> None:
        self.scope = Scope()
        self.inputs: list[Tensor] = []
        self.assignments: dict[int, tuple[State, Tensor]] = {}
        self.gradients: dict[int, Tensor | None] = {}
        self._kept: list[Tensor] = []

    def input(self, example: Spec, name: str | None = None) -> Tensor:
        """A traced input like `example`, each of whose axes has a run-time size."""
        shape = tuple(self.scope.symbol(int(dim)) for dim in example.shape)
        traced = Tensor(Spec(shape, example.dtype), None, tracked=True, name=name)
        self.inputs.append(traced)
        return traced

    def read(self, tensor: Tensor) -> Tensor:
        """What a tensor is at this point of the function: a state may have been assigned before."""
        if isinstance(tensor, State) and id(tensor) in self.assignments:
            return self.assignments[id(tensor)][1]
        return tensor

    def assign(self, state: State, value: Tensor) -> None:
        """Remember that the state has this value from here on."""
        self.assignments[id(state)] = (state, self.read(value))

    def set_gradient(self, tensor: Tensor, gradient: Tensor | None) -> None:
        """Remember the gradient of a parameter for the rest of the function."""
        self._kept.append(tensor)
        self.gradients[id(tensor)] = gradient

    def parameters(self) -> list[Parameter]:
        """The parameters that gradients were asked for."""
        return [t for t in self._kept if isinstance(t, Parameter)]
