"""Dropout."""

from __future__ import annotations

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.functions.convert import as_tensor
from amigrad.graph import Tensor, TensorLike
from amigrad.nn.module import Module


class Dropout(Module):
    """In training each element is 0 with a probability, else divided by what is left of it (Srivastava et al. 2014,
    section 10, "inverted"); otherwise x itself. x: any shape.
    """

    def __init__(self, probability: float, *, generator: Generator) -> None:
        """`probability` in [0, 1); the masks are drawn from `generator`, whose state is saved with the module."""
        if not 0.0 <= probability < 1.0:
            raise ValueError(f"dropout's probability is in [0, 1), not {probability}")
        self.probability = probability
        self.generator = generator

    def __call__(self, x: TensorLike) -> Tensor:
        return xp.dropout(x, self.probability, self.generator) if self.training else as_tensor(x)
