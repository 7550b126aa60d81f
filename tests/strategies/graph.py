"""A random graph, and how it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt

import amigrad as ag
from amigrad.graph import Tensor, float64

Array = npt.NDArray[Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
LARGEST = 2.0
MOST_ELEMENTS = 240


@dataclass
class Step:
    """One line of a random graph: a function of values made before."""

    text: str
    function: Callable[..., Tensor]
    operands: tuple[int, ...]


@dataclass
class RandomGraph:
    """A function of tensors that returns a tuple of tensors; as text, its program."""

    inputs: int
    steps: list[Step] = field(default_factory=list)
    outputs: tuple[int, ...] = ()
    tolerance: float = 1e-12

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        values = [i if isinstance(i, Tensor) else ag.tensor(i) for i in inputs]
        for step in self.steps:
            values.append(step.function(*[values[i] for i in step.operands]))
        return tuple(values[i] for i in self.outputs)

    def with_gradients(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs, and the gradient of the mean of the real ones with respect to each real input."""
        results = self(*inputs)
        real = [ag.mean(ag.astype(r, float64)) for r in results if r.dtype.kind == "f" and 0 not in r.shape]
        wanted = [i for i in inputs if i.dtype.kind == "f"]
        if not real or not wanted:
            return results
        cost = real[0]
        for term in real[1:]:
            cost = cost + term
        return (*results, *ag.gradients(cost, wanted))

    def check(self, actual: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
        """AssertionError unless shapes, dtypes and, within the tolerance, values are equal (NaN equals NaN)."""
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert one.shape == other.shape
            assert one.dtype == other.dtype
            tolerance = self.tolerance if one.dtype.kind == "f" else 0.0
            # Values are of the order of 1, so an error is measured against at least 1.
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=tolerance, atol=tolerance, err_msg=repr(self))

    def __repr__(self) -> str:
        lines = [
            f"v{self.inputs + n} = {s.text}({', '.join(f'v{i}' for i in s.operands)})" for n, s in enumerate(self.steps)
        ]
        return "; ".join([*lines, "return " + ", ".join(f"v{i}" for i in self.outputs)])


@dataclass
class Value:
    """What is known of a value while a graph is drawn."""

    tensor: Tensor
    exact: bool

    @property
    def kind(self) -> str:
        return self.tensor.dtype.kind

    @property
    def largest(self) -> float:
        array = self.tensor.numpy()
        return float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0))


class Builder:
    """A graph being drawn: its values so far, and how to add to them."""

    def __init__(self, draw: Draw, inputs: list[Array], *, smooth: bool, special: bool) -> None:
        self.draw = draw
        self.values = [Value(ag.tensor(i), True) for i in inputs]
        self.graph = RandomGraph(len(inputs))
        self.smooth = smooth
        self.special = special

    def choose(self, options: Sequence[Any]) -> Any:
        """One of these."""
        return self.draw(st.sampled_from(options))

    def pick(
        self, kinds: str = "f", *, exact: bool = False, fits: Callable[[Tensor], bool] = lambda t: True
    ) -> int | None:
        """A value of one of these kinds, or None if there is none such."""
        found = [i for i, v in enumerate(self.values) if v.kind in kinds and (v.exact or not exact) and fits(v.tensor)]
        return self.choose(found[::-1]) if found else None

    def add(self, text: str, function: Callable[..., Tensor], *operands: int, exact: bool | None = None) -> int:
        """Append a step; `exact` says whether its result is if its operands are (integers and truth values are)."""
        result = function(*[self.values[i].tensor for i in operands])
        kept = all(self.values[i].exact for i in operands) and (
            exact if exact is not None else result.dtype.kind != "f"
        )
        self.graph.steps.append(Step(text, function, operands))
        self.values.append(Value(result, kept))
        return len(self.values) - 1

    def bounded(self, i: int | None) -> int | None:
        """A real value, through tanh if it is large."""
        if i is None or self.values[i].largest <= LARGEST:
            return i
        return self.add("tanh", ag.tanh, i)

    def partner(self, i: int, kinds: str = "f", *, exact: bool = False) -> int | None:
        """A value that broadcasts with another to something not large."""
        shape = self.values[i].tensor.shape

        def fits(t: Tensor) -> bool:
            try:
                return int(np.prod(np.broadcast_shapes(shape, t.shape))) <= MOST_ELEMENTS
            except ValueError:
                return False

        return self.pick(kinds, exact=exact, fits=fits)

    def axes(self, i: int) -> int | tuple[int, ...] | None:
        """Axes of a value to reduce: all, one or several."""
        ndim = self.values[i].tensor.ndim
        if not ndim:
            return None
        options = [None, *range(-ndim, ndim), *([(0, ndim - 1)] if ndim > 1 else [])]
        chosen: int | tuple[int, ...] | None = self.choose(options)
        return chosen
