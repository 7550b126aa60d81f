"""Examples for skip-grams and bags of words: spans of text, with the words around them and drawn words beside them.

A step takes some spans of consecutive words. All words of a span are compared with the words around them and with the
drawn words in one matrix product; which of these pairs count is told by small numbers, from which the step makes masks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data.encoded import Ids
from amigrad.graph import state
from amigrad.tasks.embedding.options import EmbeddingOptions
from amigrad.tasks.embedding.text import PADDING, UNKNOWN, WORDS, Choice, Draws, Text

SPAN = 16
"""Words in a span."""

SPANS = 4
"""Spans in a step, at most."""

LOAD, STABLE = 32.0, 4.0
"""How many pairs of a step may meet in a row before a step gets fewer spans, and the largest rate times this number."""

_LEFT_OUT, _REACH, _NEGATIVES = 0, 1, 2


DRAWN = {"skipgram": 64, "structured": 4, "cbow": 16}
"""How many words are drawn for a span for up to 5 negatives a pair: the more, the steadier its gradient. Structured
skip-gram draws so many for each place of its windows.
"""


def drawn_words(objective: str, negatives: int) -> int:
    """How many words are drawn for a span, or for each place of its windows where these have tables of their own.

    Each counts as much as it takes to stand for the negatives of all pairs; with more negatives there are more.
    """
    return DRAWN[objective] * -(-negatives // 5)


class SpanExamples:
    """Stretches of a text as batches of many steps, in the order in which the trainer asks for them.

    For structured skip-gram, words are drawn for each place of the window apart.
    """

    def __init__(self, text: Text, options: EmbeddingOptions) -> None:
        self.text, self.options, self._places = text, options, options.objective == "structured"
        counts = text.vocabulary.counts[WORDS:].astype(np.float64)
        self._negatives = Choice(counts**options.noise_power, WORDS)
        self._kept = np.full(len(text.vocabulary), 1.0)
        if options.sample:
            ratio = options.sample * counts.sum() / counts
            self._kept[WORDS:] = np.minimum(1.0, np.sqrt(ratio) + ratio)
        self._kept[UNKNOWN] = 0.0
        self._limit = (self._kept * (2.0**32 - 1)).astype(np.uint32)
        self.drawn = drawn_words(options.objective, options.negatives)
        """How many words are drawn for a span, or for each place of its windows."""
        self.spans, self.highest_rate = self._stable()
        """Spans in a step, and the largest learning rate of gradient descent."""
        self.step_size = SPAN * self.spans
        """Words in a step."""
        self.taken = state(0, name="taken")
        """How many stretches were taken so far; saved and loaded again, so that a resumed run draws the same."""

    def __len__(self) -> int:
        return len(self.text)

    def batch(self, indices: NDArray[np.integer[Any]]) -> tuple[Ids, Ids, Ids, Ids]:
        """One stretch as the arguments of steps S over spans G.

        tokens, sentences: (S, G, SPAN + 2 window), the words of each span and those around it, and numbers of their
        sentences; reach: (S, G, SPAN), how far the window of each word goes; negatives: (S, G, drawn).
        """
        draws = Draws(self.options.seed, int(self.taken.value))
        self.taken.value[...] += 1
        window = self.options.window
        words = self.text.indices(int(indices[0]))
        words = words[draws.bits(len(words), _LEFT_OUT) <= self._limit.take(words)]
        boundary = words == PADDING
        sentences = np.cumsum(boundary, dtype=np.int32)[~boundary]
        words = words[~boundary]
        steps = max(1, -(-len(words) // self.step_size))
        size = steps * self.step_size
        # Beyond the ends there are sentences of their own, each of one word that is in no window.
        tokens = np.full(size + 2 * window, WORDS, np.int32)
        numbers = np.arange(-1, -1 - len(tokens), -1, dtype=np.int32)
        tokens[window : window + len(words)] = words
        numbers[window : window + len(words)] = sentences
        if self.options.fixed_window:
            reach = np.full(size, window, np.int32)
        else:
            reach = draws.below(window, size, _REACH) + np.int32(1)
        drawn = self.drawn * (2 * window if self._places else 1)
        negatives = self._negatives.draw(draws, steps * self.spans * drawn, _NEGATIVES)
        shape = (steps, self.spans)
        return (
            _overlapping(tokens, window).reshape(*shape, -1),
            _overlapping(numbers, window).reshape(*shape, -1),
            reach.reshape(*shape, SPAN),
            negatives.reshape(*shape, -1),
        )

    def _stable(self) -> tuple[int, float]:
        """How many spans a step has, and the largest rate at which it is stable, from how many pairs are expected to
        meet in a row of a table: their gradients are summed. Few different words make short steps.
        """
        options, counts = self.options, self.text.vocabulary.counts[WORDS:].astype(np.float64)
        pairs = 2 * options.window if options.fixed_window else options.window + 1
        kept, chance = self._kept[WORDS:] * counts, counts**options.noise_power
        inputs = SPAN * pairs * (1 + options.negatives) * kept.max() / kept.sum()
        spans = int(np.clip(LOAD / inputs, 1, SPANS))
        each = SPAN * options.negatives * (1 if self._places else pairs) / self.drawn
        drawn = each * (1 + spans * self.drawn * chance.max() / chance.sum())
        return spans, STABLE / max(inputs * spans, drawn)


def _overlapping(values: Ids, window: int) -> Ids:
    """Each span's values with those of `window` words to both sides. (spans, SPAN + 2 window)"""
    spans: Ids = np.lib.stride_tricks.sliding_window_view(values, SPAN + 2 * window)[::SPAN]
    return np.ascontiguousarray(spans)
