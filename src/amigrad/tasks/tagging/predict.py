"""Predicting tags for much text: what words add to the first products is computed once for each word type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from amigrad.backends import compile
from amigrad.functions import argmax
from amigrad.graph import Tensor
from amigrad.tasks.tagging.decode import Decoder, Scores
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.features import Indices
from amigrad.tasks.tagging.model import TaggerNetwork
from amigrad.tasks.tagging.spelling import used

_PART_TOKENS = 1 << 13
_STEP_TOKENS = 1 << 10
_STEP_TYPES = 1 << 8


class Predictor:
    """The best tags of sentences, by a model whose parameters may change between calls.

    These are the best for each token alone; with a decoder, the best legal ones for each sentence; and with the
    sentence-level cost, the best for the sentence by its scores of transitions too (legal ones with a decoder).
    """

    def __init__(self, model: TaggerNetwork, decoder: Decoder | None = None) -> None:
        self._window = model.window
        self._columns = len(model.tables)
        self._decoder = decoder
        self._size = model.output.weight.shape[1]
        self._width = model.window * sum(int(weight.shape[1]) for weight in model.first_weights())
        self._chained = hasattr(model, "crf")
        self._whole = model.whole
        scored = decoder is not None or self._chained
        legal = None if decoder is None else decoder.legal

        def best(parts: Tensor, index: Tensor, lengths: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
            scores = model.scores_of_parts(parts, index, lengths)
            return None if self._chained else argmax(scores, axis=1), scores if scored else None

        self._scored = scored
        self._parts = compile(model.parts)
        self._best = compile(best)
        self._decode = compile(lambda scores, lengths: model.crf.decode(scores, lengths, legal))

    def __call__(self, windows: Windows, table: Indices, lengths: Sequence[int]) -> Indices:
        """The tags of all tokens of these windows, by index. table: (columns, types); lengths: of sentences. (N,)"""
        found = np.empty(len(windows), np.int32)
        scores = np.empty((len(windows) if self._scored else 0, self._size), np.float32)
        due = np.array([length for length in lengths if length], np.int32)
        for start, end, inside in self._pieces(len(windows), due, _PART_TOKENS):
            self._predict_part(windows, table, start, inside, found[start:end], scores[start:end])
        if self._chained:
            if len(found):
                found[:] = self._decode(scores, due).value
        elif self._decoder is not None:
            self._decoder.correct(found, scores, lengths)
        return found

    def _predict_part(
        self, windows: Windows, table: Indices, start: int, lengths: Indices, found: Indices, kept: Scores
    ) -> None:
        """Write the tags from one token on, each the best alone, and their scores where there is room for them."""
        types = windows.cut(slice(start, start + len(found)))
        occurs = np.zeros(table.shape[1], bool)
        occurs[types] = True
        distinct = np.flatnonzero(occurs)
        number = np.empty(table.shape[1], np.int32)
        number[distinct] = np.arange(0, len(distinct) * self._window, self._window, dtype=np.int32)
        index = number[types] + np.arange(self._window, dtype=np.int32)
        parts = self._parts_of(table[:, distinct])
        for first, end, inside in self._pieces(len(found), lengths, _STEP_TOKENS):
            tags, scores = self._best(parts, index[first:end], inside if self._whole else None)
            if tags is not None:
                found[first:end] = tags.value
            if scores is not None:
                kept[first:end] = scores.value

    def _parts_of(self, entries: Indices) -> Scores:
        """What word types add to the first products, some types at a time: what is computed on the way takes much more
        memory. entries: (columns, U) -> (U, window * products)
        """
        found = np.empty((entries.shape[1], self._width), np.float32)
        for start in range(0, len(found), _STEP_TYPES):
            piece = entries[:, start : start + _STEP_TYPES]
            letters = piece[self._columns :]
            parts = self._parts(list(piece[: self._columns]), used(letters) if len(letters) else None)
            found[start : start + _STEP_TYPES] = parts.value
        return found

    def _pieces(self, tokens: int, lengths: Indices, size: int) -> Iterator[tuple[int, int, Indices]]:
        """Pieces of at most so many tokens, from where to where; or of whole sentences, one at least, and their
        lengths, for a network that sees these whole.
        """
        if not self._whole:
            for start in range(0, tokens, size):
                yield start, min(start + size, tokens), lengths
            return
        ends = np.cumsum(lengths)
        first = start = 0
        while first < len(lengths):
            last = max(first + 1, int(np.searchsorted(ends, start + size, side="right")))
            yield start, int(ends[last - 1]), lengths[first:last]
            first, start = last, int(ends[last - 1])
