"""Functions of neural networks: activations, softmax, and costs. All are composites of primitives."""

from __future__ import annotations

import math

from amigrad.functions.convert import as_tensor, cast
from amigrad.functions.elementwise import abs, clip, erf, exp, log1p, maximum, sigmoid, where
from amigrad.functions.manipulation import one_hot
from amigrad.functions.reduce import logsumexp, mean, sum
from amigrad.graph import Tensor, TensorLike
from amigrad.graph.sizes import format_shape

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
    return maximum(0.0, t) + log1p(exp(-abs(t)))


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    return exp(log_softmax(x, axis))


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """The logarithm of softmax along an axis."""
    t = as_tensor(x)
    return t - logsumexp(t, axis, keepdims=True)


# Costs: `reduction` says what becomes of the costs of the examples: "mean", "sum" or "none"


def _reduced(costs: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return mean(costs)
    if reduction == "sum":
        return sum(costs)
    if reduction == "none":
        return costs
    raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')


def square_loss(prediction: TensorLike, target: TensorLike, reduction: str = "mean") -> Tensor:
    """(prediction - target)^2. The lecture's cost is reduction="sum"."""
    difference = as_tensor(prediction) - as_tensor(target)
    return _reduced(difference * difference, reduction)


def cross_entropy(logits: TensorLike, target: TensorLike, reduction: str = "mean") -> Tensor:
    """-log softmax(logits)[target], the word-level log-likelihood's cost.

    logits: (..., classes); target: (...) int in [0, classes), else IndexError.
    """
    x, y = as_tensor(logits), as_tensor(target)
    if not x.ndim or y.ndim != x.ndim - 1:
        raise ValueError(
            f"cross_entropy needs logits (..., classes) and one class index for each, not shapes"
            f" {format_shape(x.shape)} and {format_shape(y.shape)}"
        )
    chosen = sum(where(one_hot(y, x.shape[-1]), x, 0.0), -1)
    return _reduced(logsumexp(x, -1) - chosen, reduction)


def binary_cross_entropy(logits: TensorLike, target: TensorLike, reduction: str = "mean") -> Tensor:
    """-(t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))) for targets between 0 and 1, without overflow."""
    x = as_tensor(logits)
    t = cast(as_tensor(target), x.dtype)
    return _reduced(softplus(x) - x * t, reduction)


def hinge_loss(scores: TensorLike, target: TensorLike, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """max(0, margin - target * score) for targets -1 and 1."""
    x = as_tensor(scores)
    return _reduced(relu(margin - x * cast(as_tensor(target), x.dtype)), reduction)


def margin_ranking_loss(better: TensorLike, worse: TensorLike, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """max(0, margin - better + worse) (Collobert et al. 2011, equation 17)."""
    return _reduced(relu(margin - as_tensor(better) + as_tensor(worse)), reduction)


# Regularisers: to be added to a cost, times their weight


def l1(*tensors: Tensor) -> Tensor:
    """The sum of absolute values of all elements."""
    total = sum(abs(tensors[0]))
    for t in tensors[1:]:
        total = total + sum(abs(t))
    return total


def l2(*tensors: Tensor) -> Tensor:
    """The sum of squares of all elements."""
    total = sum(tensors[0] * tensors[0])
    for t in tensors[1:]:
        total = total + sum(t * t)
    return total
