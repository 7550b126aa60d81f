"""Objectives of embeddings as modules: each has a lookup table of words, and a cost of a batch of text."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from amigrad import functions as xp
from amigrad.functions import Generator
from amigrad.graph import Parameter, Tensor, float32
from amigrad.nn import LookupTable, Module
from amigrad.nn.initializers import uniform
from amigrad.tasks.embedding.spans import SPAN, drawn_words


class SpanModel(Module):
    """What skip-gram models and the bag of words share: a table of words, and one of outputs that begins at 0.

    Their cost, for each true pair of an input h and an output word o, is
    -log sigma(u_o · h) - k E[log sigma(-u_n · h)], n drawn by counts^0.75 (Mikolov et al. 2013, equation 4). The
    expectation is estimated by words that all inputs of a span share, weighted so that they stand for k a pair
    (so do Ji et al. 2016, "Parallelizing word2vec in shared and distributed memory"). The cost of a batch is the sum
    over its pairs, as if each were a step of its own.
    """

    objective: ClassVar[str]
    """What it is called among the options."""

    def __init__(self, vocabulary: int, size: int, window: int, negatives: int, generator: Generator) -> None:
        limit = 0.5 / size
        self.words = LookupTable(vocabulary, size, generator=generator, initializer=uniform(-limit, limit))
        self.outputs = Parameter(np.zeros((vocabulary * self.tables(window), size), np.float32), name="outputs")
        self.window, self.negatives = window, negatives
        self.drawn = drawn_words(self.objective, negatives)

    @staticmethod
    def tables(window: int) -> int:
        """How many tables of outputs there are."""
        return 1

    def cost(self, tokens: Tensor, sentences: Tensor, reach: Tensor, drawn: Tensor) -> Tensor:
        """The cost of spans G, see `SpanExamples.batch`: (G, SPAN + 2 window) twice, (G, SPAN), (G, drawn) -> ()."""
        # Slices tell the compiler that these sizes are constants.
        around = SPAN + 2 * self.window
        return self.cost_of(tokens[:, :around], sentences[:, :around], reach[:, :SPAN], drawn)

    def cost_of(self, tokens: Tensor, sentences: Tensor, reach: Tensor, drawn: Tensor) -> Tensor:
        """The cost of spans, all sizes but their number constant."""
        raise NotImplementedError

    def _inner(self, around: Tensor) -> Tensor:
        """What belongs to the words of the spans themselves. (G, SPAN + 2 window) -> (G, SPAN)"""
        return around[:, self.window : self.window + SPAN]

    def _pairs(self, sentences: Tensor, reach: Tensor) -> Tensor:
        """1 where a word is in the window of a word of the span, else 0. (G, SPAN + 2 window, SPAN) float32"""
        near = xp.expand_dims(reach, 1) >= _distances(self.window)
        together = xp.expand_dims(self._inner(sentences), 1) == xp.expand_dims(sentences, 2)
        return xp.astype(near & together, "float32")


class SkipGram(SpanModel):
    """Each word predicts the words around it, wherever they are in its window (Mikolov et al. 2013)."""

    objective = "skipgram"

    def cost_of(self, tokens: Tensor, sentences: Tensor, reach: Tensor, drawn: Tensor) -> Tensor:
        around = SPAN + 2 * self.window
        inputs = self.words(self._inner(tokens))
        outputs = xp.take(self.outputs, xp.concat([tokens, drawn[:, : self.drawn]], 1))
        scores = xp.matmul(outputs, xp.matrix_transpose(inputs))
        pairs = self._pairs(sentences, reach)
        weight = xp.sum(pairs, 1, keepdims=True) * (self.negatives / self.drawn)
        return xp.sum(_surprise(-scores[:, :around]) * pairs) + xp.sum(_surprise(scores[:, around:]) * weight)


class BagOfWords(SpanModel):
    """The mean of the words around it predicts each word (CBOW, Mikolov et al. 2013).

    As in word2vec, each of these words gets the whole gradient of the mean, not its share: else they hardly move.
    """

    objective = "cbow"

    def cost_of(self, tokens: Tensor, sentences: Tensor, reach: Tensor, drawn: Tensor) -> Tensor:
        pairs = self._pairs(sentences, reach)
        count = xp.sum(pairs, 1, keepdims=True)
        total = xp.matmul(xp.matrix_transpose(pairs), self.words(tokens))
        mean = total / xp.matrix_transpose(xp.maximum(count, 1.0))
        inputs = total + xp.stop_gradient(mean - total)
        weight = xp.minimum(count, 1.0)
        true = xp.sum(inputs * xp.take(self.outputs, self._inner(tokens)), 2)
        false = xp.matmul(xp.take(self.outputs, drawn[:, : self.drawn]), xp.matrix_transpose(inputs))
        return xp.sum(_surprise(-true) * xp.squeeze(weight, 1)) + xp.sum(
            _surprise(false) * (weight * (self.negatives / self.drawn))
        )


class StructuredSkipGram(SpanModel):
    """Each word predicts the words around it, each place of the window with a table of its own (Ling et al. 2015,
    "Two/too simple adaptations of word2vec for syntax problems", section 3.1): its vectors know more of syntax.
    """

    objective = "structured"

    @staticmethod
    def tables(window: int) -> int:
        return 2 * window

    def cost_of(self, tokens: Tensor, sentences: Tensor, reach: Tensor, drawn: Tensor) -> Tensor:
        places = [place for place in range(-self.window, self.window + 1) if place]
        count, table = len(places), np.arange(len(places), dtype=np.int32)
        beside = [slice(self.window + place, self.window + place + SPAN) for place in places]
        near = xp.expand_dims(reach, 1) >= np.abs(np.array(places, np.int32))[:, None]
        theirs = xp.stack([sentences[:, part] for part in beside], axis=1)
        pairs = xp.astype(near & (xp.expand_dims(self._inner(sentences), 1) == theirs), "float32")
        inputs = self.words(self._inner(tokens))
        neighbours = xp.stack([tokens[:, part] for part in beside], axis=1) * count + table[:, None]
        true = xp.sum(xp.expand_dims(inputs, 1) * xp.take(self.outputs, neighbours), 3)
        spans, width = drawn.shape[0], count * self.drawn
        others = xp.reshape(drawn[:, :width], (spans, count, self.drawn)) * count + table[:, None]
        outputs = xp.take(self.outputs, xp.reshape(others, (spans, width)))
        false = xp.matmul(outputs, xp.matrix_transpose(inputs))
        false = xp.reshape(false, (spans, count, self.drawn, SPAN))
        weight = xp.expand_dims(pairs, 2) * (self.negatives / self.drawn)
        return xp.sum(_surprise(-true) * pairs) + xp.sum(_surprise(false) * weight)


class Ranking(Module):
    """A window scores more than the same window with another word in its middle: lookup table, linear, hardtanh,
    score (Collobert et al. 2011, section 4.2, equation 17).

    Both windows of a pair have the same words but for the middle one, so what these contribute to the hidden layer is
    computed once.
    """

    def __init__(self, vocabulary: int, size: int, window: int, hidden_size: int, generator: Generator) -> None:
        # Small at first, so that what is learned soon outweighs what was drawn.
        self.words = LookupTable(vocabulary, size, generator=generator, initializer=uniform(-1 / size, 1 / size))
        fan_in = (2 * window + 1) * size
        draw = uniform(-((3.0 / fan_in) ** 0.5), (3.0 / fan_in) ** 0.5)
        self.around = Parameter(draw(generator, (2 * window * size, hidden_size), float32).numpy(), name="around")
        self.middle = Parameter(draw(generator, (size, hidden_size), float32).numpy(), name="middle")
        self.bias = Parameter(np.zeros(hidden_size, np.float32), name="bias")
        limit = (3.0 / hidden_size) ** 0.5
        self.score = Parameter(uniform(-limit, limit)(generator, (hidden_size,), float32).numpy(), name="score")

    def cost(self, around: Tensor, middle: Tensor, other: Tensor) -> Tensor:
        """The sum of max(0, 1 - true + other) over windows. around: (B, 2 window); middle, other: (B,) -> ()"""
        inputs = xp.reshape(self.words(around), (around.shape[0], self.around.shape[0]))
        shared = xp.matmul(inputs, self.around) + self.bias
        true, false = (
            xp.matmul(xp.hardtanh(shared + xp.matmul(self.words(word), self.middle)), self.score)
            for word in (middle, other)
        )
        return xp.margin_ranking_loss(true, false, reduction="sum")


def _surprise(score: Tensor) -> Tensor:
    """log(1 + e^score) = -log sigma(-score), for scores up to 60: it rises no more from there on, and needs half the
    time of the exact function. Scores of vectors in training are seldom above 10.
    """
    return xp.log(1.0 + xp.exp(xp.minimum(score, 60.0)))


def _distances(window: int) -> NDArray[np.int32]:
    """How far each word of a span is from each word around it; far more than any window for the word itself."""
    places = np.arange(SPAN + 2 * window) - window
    found: NDArray[np.int32] = np.abs(places[:, None] - np.arange(SPAN)).astype(np.int32)
    found[found == 0] = np.iinfo(np.int32).max
    return found
