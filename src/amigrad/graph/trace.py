"""Tracing: a function run once with tensors that have no value, to get its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amigrad.graph.errors import TraceError
from amigrad.graph.recording import is_recording
from amigrad.graph.sizes import Scope
from amigrad.graph.tensor import Parameter, Spec, State, Tensor

if TYPE_CHECKING:
    from amigrad.graph.operation import Operator


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

    def known(self, operator: Operator, inputs: tuple[Tensor, ...]) -> Tensor | None:
        """The result of the same operation before, if this trace looks for one."""
        return None

    def record(self, tensor: Tensor) -> None:
        """Take note of an operation's result."""

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


class BodyTrace(Trace):
    """What a loop's body records, run once within a trace or in eager mode; it reads, but does not assign.

    An operation that was recorded before gives the result that there is: what a step computes once it keeps once.
    """

    def __init__(self, outer: Trace | None) -> None:
        """outer: the trace of the function that the loop is in, None in eager mode."""
        super().__init__()
        self.outer = outer
        self._results: dict[tuple[object, ...], Tensor] = {}
        if outer is not None:
            self.scope = outer.scope

    def placeholder(self, spec: Spec, name: str | None = None) -> Tensor:
        """A tensor that stands for something else at each step."""
        traced = Tensor(spec, None, tracked=True, name=name)
        self.inputs.append(traced)
        return traced

    def read(self, tensor: Tensor) -> Tensor:
        """What a tensor is outside of the body."""
        return tensor if self.outer is None else self.outer.read(tensor)

    def known(self, operator: Operator, inputs: tuple[Tensor, ...]) -> Tensor | None:
        """The result of the same operation before."""
        return self._results.get(_key(operator, inputs))

    def record(self, tensor: Tensor) -> None:
        """Take note of an operation's result."""
        if tensor.operation is not None:
            self._results[_key(tensor.operation.operator, tensor.operation.inputs)] = tensor

    def assign(self, state: State, value: Tensor) -> None:
        """A body computes; what it should change goes through the loop's state."""
        raise TraceError(
            f"the body of a scan cannot assign {state.name or 'a state'}: give it to the scan as a part of its state"
            " (random numbers, which count their draws, are drawn before the scan)"
        )


def _key(operator: Operator, inputs: tuple[Tensor, ...]) -> tuple[object, ...]:
    # By its text: sizes that are compared would leave guards.
    return (repr(operator), is_recording(), *map(id, inputs))
