"""The graph that leads to some tensors, as an object to look at and to run again, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from amigrad.graph import recording
from amigrad.graph.gradients import backward_steps, topological_order
from amigrad.graph.operation import Operation, evaluate
from amigrad.graph.tensor import Tensor


class Graph:
    """What leads to some tensors. Its procedure is the lecture's: sort, forward, set the cost's gradient, backward.

    >>> graph = ag.graph(cost)
    >>> for variable in graph.order(): print(variable, variable.operation)
    >>> graph.forward()   # computes every variable again, from the present values of inputs and parameters
    >>> graph.backward()  # leaves its gradient at every variable: `variable.grad`
    """

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ValueError("graph(...) needs the tensor or tensors that it leads to")
        self.outputs = tensors
        self._order = topological_order(tensors)

    def order(self) -> list[Tensor]:
        """The variables, sorted topologically: each after those that it is made from."""
        return list(self._order)

    @property
    def inputs(self) -> list[Tensor]:
        """The variables that no operation makes: inputs, constants, parameters and states."""
        return [t for t in self._order if t.operation is None]

    @property
    def operations(self) -> list[Operation]:
        """The operations in topological order; each has the line of the program that made it (`.place`)."""
        return [t.operation for t in self._order if t.operation is not None]

    def forward_steps(self) -> Iterator[Tensor]:
        """Run forward, one operation at a time; gives each variable after its value was computed."""
        for tensor in self._order:
            operation = tensor.operation
            if operation is not None:
                tensor.set_value(evaluate(operation.operator, operation.inputs))
                yield tensor

    def forward(self) -> Graph:
        """Compute every variable again from the present values of the inputs and parameters.

        An operator without a gradient (a comparison, argmax, stop_gradient, random numbers) leaves no operation
        behind it: its result is a constant of the graph, and keeps its value.
        """
        for _ in self.forward_steps():
            pass
        return self

    def backward_steps(self) -> Iterator[Tensor]:
        """Run backward, one variable at a time from the cost; gives each after its gradient is complete."""
        cost = self._cost()
        for tensor in self._order:
            tensor.grad = None
        wrt = [t for t in self._order if t.tracked]
        with recording.no_gradients():
            steps = backward_steps(cost, wrt)
        while True:
            with recording.no_gradients():
                step = next(steps, None)
            if step is None:
                return
            step[0].grad = step[1]
            yield step[0]

    def backward(self) -> Graph:
        """Leave at every variable (`.grad`) the gradient of the cost with respect to it."""
        for _ in self.backward_steps():
            pass
        return self

    def _cost(self) -> Tensor:
        if len(self.outputs) != 1 or self.outputs[0].ndim:
            raise ValueError("backward needs a graph of one cost of shape ()")
        return self.outputs[0]

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._order)

    def __repr__(self) -> str:
        made = sum(t.operation is not None for t in self._order)
        return f"graph({len(self._order)} variables, {made} operations)"


def graph(*tensors: Tensor) -> Graph:
    """The graph that leads to these tensors."""
    return Graph(*tensors)
