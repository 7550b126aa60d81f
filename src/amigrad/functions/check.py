"""Gradients checked against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from amigrad.functions.reduce import sum
from amigrad.graph import Tensor, TensorLike, gradients, tensor
from amigrad.graph.tensor import Array


class GradientCheck(NamedTuple):
    """The worst entry of a comparison of gradients with central differences."""

    argument: int
    place: tuple[int, ...]
    gradient: float
    difference: float
    error: float

    def __str__(self) -> str:
        return (
            f"input {self.argument} at {self.place}: gradient {self.gradient:.10g}, finite difference"
            f" {self.difference:.10g} (relative error {self.error:.3g})"
        )


def check_gradients(
    function: Callable[..., Tensor],
    inputs: Sequence[TensorLike],
    *,
    step: float = 1e-6,
    tolerance: float = 1e-6,
) -> GradientCheck:
    """Compare the gradients of `function` with central differences in float64, and return the worst entry.

    function: takes as many tensors as there are inputs. A result that is not of shape () is weighted with fixed
    numbers and summed. Real inputs are varied, integer and bool ones are passed on. The error is
    |gradient - difference| / max(1, |gradient|, |difference|); NaN is the worst. Raises ValueError with the worst
    entry if its error is above `tolerance`.
    """
    arrays = [np.array(i, dtype=np.float64) if np.asarray(i).dtype.kind == "f" else np.asarray(i) for i in inputs]

    def cost(values: list[Tensor]) -> Tensor:
        result = function(*values)
        if not result.ndim:
            return result
        weights = np.cos(np.arange(result.value.size, dtype=np.float64)).reshape(result.value.shape) + 1.5
        return sum(result * tensor(weights))

    def tracked(values: Sequence[Array]) -> list[Tensor]:
        return [tensor(v, tracked=v.dtype.kind == "f") for v in values]

    leaves = tracked(arrays)
    varied = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    found = gradients(cost(leaves), [leaves[i] for i in varied])
    worst = GradientCheck(varied[0] if varied else 0, (), 0.0, 0.0, 0.0)
    for i, gradient in zip(varied, found, strict=True):
        for place in np.ndindex(arrays[i].shape):
            ends = []
            for sign in (1, -1):
                moved = arrays[i].copy()
                moved[place] += sign * step
                ends.append(float(cost(tracked([*arrays[:i], moved, *arrays[i + 1 :]]))))
            difference = (ends[0] - ends[1]) / (2 * step)
            exact = float(gradient.value[place])
            error = abs(exact - difference) / max(1.0, abs(exact), abs(difference))
            if not error <= worst.error and not math.isnan(worst.error):
                worst = GradientCheck(i, place, exact, difference, error)
    if not worst.error <= tolerance:
        raise ValueError(f"gradients disagree with finite differences, worst at {worst}")
    return worst
