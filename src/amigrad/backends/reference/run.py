"""The reference backend: a program run operation by operation in NumPy. The truth the others are held against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from amigrad.backends.executor import Executor
from amigrad.backends.program import Program
from amigrad.graph.sizes import evaluate
from amigrad.graph.tensor import Array


class ReferenceExecutor(Executor):
    """Runs a program through the operators' `forward`."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def plan(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        """What a run with data of these sizes needs to know: the sizes."""
        return dict(sizes)

    def run(self, plan: Mapping[str, int], arrays: list[Array]) -> list[Array]:
        """The outputs, after the assignments were made."""
        program = self.program
        values: dict[int, Array] = {id(t): a for t, a in zip(program.inputs, arrays, strict=True)}
        with np.errstate(all="ignore"):
            for tensor in program.order:
                operation = tensor.operation
                if operation is None:
                    values.setdefault(id(tensor), tensor.value if not tensor.traced else None)  # type: ignore[arg-type]
                else:
                    operator = operation.operator.map_sizes(lambda size: evaluate(size, plan))
                    value = operator.forward(*[values[id(i)] for i in operation.inputs])
                    values[id(tensor)] = np.asarray(value)
        outputs = [np.array(values[id(t)], order="C") for t in program.outputs]
        new = [(state, values[id(value)].copy()) for state, value in program.assignments]
        for state, value in new:
            np.copyto(state.value, value)
        return outputs
