"""Gradients: the operations' backward, in reverse topological order, recorded as a graph of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from amigrad.graph import recording
from amigrad.graph.dtypes import is_floating
from amigrad.graph.tensor import Parameter, Tensor


def topological_order(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Every tensor that leads to these, each after all that it is made from; equal calls give equal orders."""
    order: list[Tensor] = []
    done: set[int] = set()
    for root in tensors:
        stack: list[tuple[Tensor, Iterator[Tensor]]] = []
        if id(root) not in done:
            done.add(id(root))
            stack.append((root, iter(root.operation.inputs if root.operation else ())))
        while stack:
            tensor, inputs = stack[-1]
            for parent in inputs:
                if id(parent) not in done:
                    done.add(id(parent))
                    stack.append((parent, iter(parent.operation.inputs if parent.operation else ())))
                    break
            else:
                order.append(tensor)
                stack.pop()
    return order


def backward_steps(
    cost: Tensor, wrt: Sequence[Tensor], cost_gradient: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Each variable with its complete gradient, from the cost back to `wrt`."""
    if cost_gradient is None:
        cost_gradient = recording.namespace().ones(cost.shape, dtype=cost.dtype)
    return propagate(topological_order([cost]), [(cost, cost_gradient)], wrt)


def propagate(
    order: Sequence[Tensor],
    starts: Iterable[tuple[Tensor, Tensor]],
    wrt: Sequence[Tensor],
    leaves: Sequence[Tensor] = (),
) -> Iterator[tuple[Tensor, Tensor]]:
    """Each variable of a topological order with its complete gradient, from the starts with theirs back to `wrt`.

    The operations that made the `leaves` are not gone through.
    """
    inside = {id(t) for t in order if t.operation is not None and t.operation.differentiable}
    inside.difference_update(map(id, leaves))
    leads = {id(t) for t in wrt}
    for tensor in order:
        if id(tensor) in inside and tensor.operation and any(id(i) in leads for i in tensor.operation.inputs):
            leads.add(id(tensor))
    pending: dict[int, list[Tensor]] = {}
    _collect(pending, starts, leads)
    for tensor in reversed(order):
        parts = pending.pop(id(tensor), None)
        if parts is None:
            continue
        gradient = recording.namespace().complete(parts)
        yield tensor, gradient
        operation = tensor.operation
        if operation is None or id(tensor) not in inside or not any(id(i) in leads for i in operation.inputs):
            continue
        results = operation.operator.backward(*operation.inputs, tensor, gradient)
        _collect(pending, zip(operation.inputs, results, strict=True), leads)


def _collect(pending: dict[int, list[Tensor]], parts: Iterable[tuple[Tensor, Tensor | None]], leads: set[int]) -> None:
    for tensor, part in parts:
        if part is not None and id(tensor) in leads:
            pending[id(tensor)] = recording.namespace().accumulate(pending.get(id(tensor), []), part)


def gradients(cost: Tensor, wrt: Sequence[Tensor] | Tensor, cost_gradient: Tensor | None = None) -> list[Tensor]:
    """The gradients of `cost` with respect to each of `wrt`, as tensors that can be differentiated again.

    cost: a tensor of shape (), or of any shape if `cost_gradient` of the same shape is given.
    wrt: parameters, tracked inputs or intermediate tensors. One that does not lead to the cost gets zeros; ValueError
    if operations on one were not recorded.
    """
    if isinstance(wrt, Tensor):
        wrt = [wrt]
    if cost_gradient is None and cost.ndim:
        raise ValueError(f"gradients are of one number, but the cost has shape {cost.shape}: sum or mean it")
    if cost_gradient is not None and cost_gradient.spec != cost.spec:
        raise ValueError(f"the gradient of a cost of {cost.spec} is not {cost_gradient.spec}")
    for tensor in (cost, *wrt):
        if not is_floating(tensor.dtype):
            raise TypeError(f"gradients are of real numbers with respect to real numbers, not {tensor.dtype.name}")
    trace = recording.active_trace()
    targets = [trace.read(t) for t in wrt] if trace is not None else list(wrt)
    if trace is None:
        _require_tracked(targets)
    found: dict[int, Tensor] = {}
    wanted = {id(t) for t in targets}
    for tensor, gradient in backward_steps(cost, targets, cost_gradient):
        if id(tensor) in wanted:
            found[id(tensor)] = gradient
    xp = recording.namespace()
    return [found[id(t)] if id(t) in found else xp.zeros(t.shape, dtype=t.dtype) for t in targets]


def _require_tracked(wrt: Sequence[Tensor]) -> None:
    for place, tensor in enumerate(wrt):
        if not tensor.tracked:
            label = f"'{tensor.name}'" if tensor.name else f"number {place}"
            raise ValueError(
                f"there is no gradient with respect to tensor {label} ({tensor.spec}): operations on it are not"
                " recorded. Make it with tensor(..., tracked=True), or as a parameter, before it is used"
            )


def backward(cost: Tensor) -> None:
    """Fill `.grad` of every parameter and tracked input that leads to the cost; earlier gradients are replaced."""
    order = topological_order([cost])
    leaves = [t for t in order if t.operation is None and t.tracked and is_floating(t.dtype)]
    trace = recording.active_trace()
    if trace is not None:
        made = {id(t) for t in order}
        assigned = [state for state, value in trace.assignments.values() if id(value) in made]
        leaves = [t for t in dict.fromkeys([*leaves, *assigned]) if isinstance(t, Parameter)]
    if not leaves:
        raise ValueError("no parameter leads to this cost: there is nothing to differentiate with respect to")
    with recording.no_gradients():
        for leaf, gradient in zip(leaves, gradients(cost, leaves), strict=True):
            leaf.grad = gradient
