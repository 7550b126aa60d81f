"""The joint model's network (Devlin et al. 2014, section 2): lookup tables, two tanh layers, a softmax."""

from __future__ import annotations

import math

import numpy as np

from amigrad.functions import (
    Generator,
    concat,
    logsumexp,
    matmul,
    matrix_transpose,
    mean,
    one_hot,
    reshape,
    softplus,
    sum,
    take,
    tanh,
    where,
)
from amigrad.graph import Parameter, Tensor, TensorLike
from amigrad.nn import Dropout, Linear, LookupTable, Module
from amigrad.nn.initializers import glorot, normal
from amigrad.tasks.rescoring.options import JointOptions


class JointNetwork(Module):
    """Scores of the words that may come next, from a window of the other language and the words before.

    windows: (N, window) int, histories: (N, history) int -> (N, words). Rows of the lookup tables side by side, the
    window's first -> linear -> tanh -> linear -> tanh -> linear. The last layer has a row for each word, so that the
    score of one word needs only its row. Training starts with a bias of log frequencies, so that Z is near 1.
    """

    def __init__(self, options: JointOptions, others: int, words: int, *, generator: Generator) -> None:
        """`others` and `words` are the sizes of the other language's vocabulary and the predicted one's."""
        self.options = options
        size, places = options.word_size, options.window + options.history
        draw = normal(0.1)
        self.others = LookupTable(others, size, generator=generator, initializer=draw) if options.window else None
        self.words = LookupTable(words, size, generator=generator, initializer=draw) if options.history else None
        self.first = Linear(places * size, options.first_size, generator=generator, initializer=glorot())
        self.second = Linear(options.first_size, options.second_size, generator=generator, initializer=glorot())
        self.output = LookupTable(words, options.second_size, generator=generator, initializer=normal(0.05))
        self.bias = Parameter(np.full((words, 1), -math.log(words), np.float32), name="bias")
        self.inputs = Dropout(options.dropout, generator=generator)
        self.hidden = Dropout(options.hidden_dropout, generator=generator)

    def top(self, windows: TensorLike, histories: TensorLike) -> Tensor:
        """The second layer's output. windows: (N, window) int, histories: (N, history) int -> (N, second_size)"""
        rows = []
        for table, index in ((self.others, windows), (self.words, histories)):
            if table is not None:
                looked_up = table(index)
                rows.append(reshape(looked_up, (looked_up.shape[0], looked_up.shape[1] * looked_up.shape[2])))
        first = tanh(self.first(self.inputs(concat(rows, axis=1))))
        return self.hidden(tanh(self.second(self.hidden(first))))

    def scores(self, top: Tensor) -> Tensor:
        """The scores of all words: log p + log Z. top: (N, second_size) -> (N, words)"""
        return matmul(top, matrix_transpose(self.output.table)) + reshape(self.bias, (self.bias.shape[0],))

    def scores_of(self, top: Tensor, words: TensorLike) -> Tensor:
        """The scores of some words for each example. top: (N, second_size), words: (N,) int -> (N,)"""
        return sum(top * self.output(words), -1) + reshape(take(self.bias, words), (top.shape[0],))

    def __call__(self, windows: TensorLike, histories: TensorLike) -> Tensor:
        """windows: (N, window) int, histories: (N, history) int -> (N, words)."""
        return self.scores(self.top(windows, histories))

    def cost(self, windows: TensorLike, histories: TensorLike, targets: Tensor) -> Tensor:
        """The mean of -log p(target) + alpha · log² Z (Devlin et al. 2014, equation 4). targets: (N,) int."""
        scores = self(windows, histories)
        normaliser = logsumexp(scores, -1)
        chosen = sum(where(one_hot(targets, scores.shape[-1]), scores, 0.0), -1)
        if self.options.smoothing:
            chosen = (1.0 - self.options.smoothing) * chosen + self.options.smoothing * mean(scores, -1)
        cost = mean(normaliser - chosen)
        if self.options.objective == "self-normalised" and self.options.alpha:
            cost = cost + self.options.alpha * mean(normaliser * normaliser)
        return cost

    def contrast(
        self, windows: TensorLike, histories: TensorLike, targets: Tensor, noise: Tensor, shares: Tensor
    ) -> Tensor:
        """The cost of noise-contrastive estimation: telling the target from words drawn by their frequency.

        noise: (K,) int, drawn for the whole batch; shares: (words, 1), log(K · frequency) of each word. Gutmann and
        Hyvärinen 2010; Mnih and Teh 2012, equation 11, with Z taken for 1.
        """
        top = self.top(windows, histories)
        good = self.scores_of(top, targets) - reshape(take(shares, targets), (top.shape[0],))
        drawn = matmul(top, matrix_transpose(self.output(noise))) + reshape(
            take(self.bias, noise) - take(shares, noise), (noise.shape[0],)
        )
        return mean(softplus(-good)) + mean(sum(softplus(drawn), -1))

    def measure(self, windows: TensorLike, histories: TensorLike, targets: Tensor) -> tuple[Tensor, Tensor]:
        """log p(target) and log Z of each example: (N,) and (N,)."""
        top = self.top(windows, histories)
        scores = self.scores(top)
        normaliser = logsumexp(scores, -1)
        return self.scores_of(top, targets) - normaliser, normaliser
