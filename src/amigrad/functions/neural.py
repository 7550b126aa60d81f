"""Functions of neural networks: activations, softmax, and costs. All are composites of primitives."""

from __future__ import annotations

import functools
import math

from amigrad.functions.convert import as_tensor, cast
from amigrad.functions.elementwise import (
    abs,
    add,
    clip,
    erf,
    exp,
    isfinite,
    log,
    log1p,
    maximum,
    sigmoid,
    stop_gradient,
    where,
)
from amigrad.functions.manipulation import one_hot
from amigrad.functions.reduce import max, mean, sum
from amigrad.graph import Tensor, TensorLike, float32
from amigrad.graph.dtypes import is_floating
from amigrad.graph.sizes import format_shape, same

# Activations


def relu(x: TensorLike) -> Tensor:
    """max(0, x); its gradient at 0 is 0."""
    return maximum(0.0, x)


def hardtanh(x: TensorLike) -> Tensor:
    """x within [-1, 1] (Collobert et al. 2011, section 3.1)."""
    return clip(x, -1.0, 1.0)


def gelu(x: TensorLike) -> Tensor:
    """x times the probability that a standard normal is below x."""
    t = as_tensor(x)
    return t * 0.5 * (erf(t * math.sqrt(0.5)) + 1.0)


def silu(x: TensorLike) -> Tensor:
    """x * sigmoid(x)."""
    t = as_tensor(x)
    return t * sigmoid(t)


def softplus(x: TensorLike) -> Tensor:
    """log(1 + e^x) without overflow."""
    t = as_tensor(x)
    positive = t > 0
    return where(positive, t, 0.0) + log1p(exp(where(positive, -t, t)))


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    powers = exp(_below_largest(as_tensor(x), axis))
    return powers / sum(powers, axis, keepdims=True)


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """The logarithm of softmax along an axis."""
    t = _below_largest(as_tensor(x), axis)
    return t - log(sum(exp(t), axis, keepdims=True))


def _below_largest(x: Tensor, axis: int) -> Tensor:
    """x less its largest element along an axis: what softmax and its logarithm are the same of, and exp is safe for."""
    largest = stop_gradient(max(x, axis, keepdims=True))
    return x - where(isfinite(largest), largest, 0.0)


# Costs: `reduction` says what becomes of the costs of the examples: "mean", "sum" or "none"


def _reduced(costs: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return mean(costs)
    if reduction == "sum":
        return sum(costs)
    if reduction == "none":
        return costs
    raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')


def _real(x: TensorLike) -> Tensor:
    t = as_tensor(x)
    return t if is_floating(t.dtype) else cast(t, float32)


def _examples(name: str, x: TensorLike, target: TensorLike) -> tuple[Tensor, Tensor]:
    """Outputs of a model and their targets, of one type and shape: (32, 1) beside (32,) would be 32 x 32 costs."""
    outputs, targets = _real(x), as_tensor(target)
    if targets.ndim and not (targets.ndim == outputs.ndim and all(map(same, outputs.shape, targets.shape))):
        raise ValueError(
            f"{name} needs a target for each output: their shapes are {format_shape(targets.shape)} and"
            f" {format_shape(outputs.shape)}"
        )
    return outputs, cast(targets, outputs.dtype)


def square_loss(prediction: TensorLike, target: TensorLike, reduction: str = "mean") -> Tensor:
    """(prediction - target)^2. The lecture's cost is reduction="sum"."""
    x, t = _examples("square_loss", prediction, target)
    difference = x - t
    return _reduced(difference * difference, reduction)


def cross_entropy(logits: TensorLike, target: TensorLike, reduction: str = "mean") -> Tensor:
    """-log softmax(logits)[target], the word-level log-likelihood's cost.

    logits: (..., classes); target: (...) int in [0, classes), else IndexError.
    """
    x, y = _real(logits), as_tensor(target)
    if not x.ndim or y.ndim != x.ndim - 1 or not all(map(same, x.shape[:-1], y.shape)):
        raise ValueError(
            f"cross_entropy needs logits (..., classes) and one class index for each, not shapes"
            f" {format_shape(x.shape)} and {format_shape(y.shape)}"
        )
    x = _below_largest(x, -1)
    chosen = sum(where(one_hot(y, x.shape[-1]), x, 0.0), -1)
    return _reduced(log(sum(exp(x), -1)) - chosen, reduction)


def binary_cross_entropy(logits: TensorLike, target: TensorLike, reduction: str = "mean") -> Tensor:
    """-(t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))) for targets between 0 and 1, without overflow."""
    x, t = _examples("binary_cross_entropy", logits, target)
    return _reduced(softplus(x) - x * t, reduction)


def hinge_loss(scores: TensorLike, target: TensorLike, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """max(0, margin - target * score) for targets -1 and 1."""
    x, t = _examples("hinge_loss", scores, target)
    return _reduced(relu(margin - x * t), reduction)


def margin_ranking_loss(better: TensorLike, worse: TensorLike, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """max(0, margin - better + worse) (Collobert et al. 2011, equation 17)."""
    return _reduced(relu(margin - _real(better) + _real(worse)), reduction)


# Regularisers: to be added to a cost, times their weight


def l1(*tensors: Tensor) -> Tensor:
    """The sum of absolute values of all elements."""
    return _total([sum(abs(t)) for t in tensors])


def l2(*tensors: Tensor) -> Tensor:
    """The sum of squares of all elements."""
    return _total([sum(t * t) for t in tensors])


def _total(sums: list[Tensor]) -> Tensor:
    if not sums:
        raise ValueError("a regulariser needs the tensors whose size it measures")
    return functools.reduce(add, sums)
