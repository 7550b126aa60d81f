"""Predicting tags for much text: what words add to the hidden layer is computed once for each word type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amigrad.backends import compile
from amigrad.functions import argmax
from amigrad.graph import Tensor
from amigrad.tasks.tagging.decode import Decoder, Scores
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.features import Indices
from amigrad.tasks.tagging.model import WindowTagger

_PART_TOKENS = 1 << 13
_STEP_TOKENS = 1 << 10


class Predictor:
    """The best tags of sentences, by a model whose parameters may change between calls.

    These are the best for each token alone; with a decoder, the best legal ones for each sentence.
    """

    def __init__(self, model: WindowTagger, decoder: Decoder | None = None) -> None:
        self._window = model.window
        self._decoder = decoder
        self._size = model.output.weight.shape[1]

        def best(parts: Tensor, index: Tensor) -> tuple[Tensor, Tensor | None]:
            scores = model.scores_of_parts(parts, index)
            return argmax(scores, axis=1), None if decoder is None else scores

        self._parts = compile(model.parts)
        self._best = compile(best)

    def __call__(self, windows: Windows, table: Indices, lengths: Sequence[int]) -> Indices:
        """The tags of all tokens of these windows, by index. table: (columns, types); lengths: of sentences. (N,)"""
        found = np.empty(len(windows), np.int32)
        scores = np.empty((len(windows) if self._decoder is not None else 0, self._size), np.float32)
        for start in range(0, len(windows), _PART_TOKENS):
            end = min(start + _PART_TOKENS, len(windows))
            self._predict_part(windows, table, start, found[start:end], scores[start:end])
        if self._decoder is not None:
            self._decoder.correct(found, scores, lengths)
        return found

    def _predict_part(self, windows: Windows, table: Indices, start: int, found: Indices, kept: Scores) -> None:
        """Write the tags from one token on, each the best alone, and their scores where there is room for them."""
        types = windows.cut(slice(start, start + len(found)))
        occurs = np.zeros(table.shape[1], bool)
        occurs[types] = True
        distinct = np.flatnonzero(occurs)
        number = np.empty(table.shape[1], np.int32)
        number[distinct] = np.arange(0, len(distinct) * self._window, self._window, dtype=np.int32)
        index = number[types] + np.arange(self._window, dtype=np.int32)
        parts: Tensor = self._parts(list(table[:, distinct]))
        for first in range(0, len(found), _STEP_TOKENS):
            step = slice(first, first + _STEP_TOKENS)
            tags, scores = self._best(parts, index[step])
            found[step] = tags.value
            if scores is not None:
                kept[step] = scores.value
