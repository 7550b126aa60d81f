"""Predicting tags for much text: what words add to the hidden layer is computed once for each word type."""

from __future__ import annotations

import numpy as np

from amigrad.backends import compile
from amigrad.functions import argmax
from amigrad.graph import Tensor
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.features import Indices
from amigrad.tasks.tagging.model import WindowTagger

_PART_TOKENS = 8192
_STEP_TOKENS = 512


class Predictor:
    """The best tag of each token, by a model whose parameters may change between calls."""

    def __init__(self, model: WindowTagger) -> None:
        self._window = model.window
        self._parts = compile(model.parts)
        self._tags = compile(lambda parts, index: argmax(model.scores_of_parts(parts, index), axis=1))

    def __call__(self, windows: Windows, table: Indices) -> Indices:
        """The tags of all tokens of these windows, by index. table: (columns, types). (N,)"""
        found = np.empty(len(windows), np.int32)
        for start in range(0, len(windows), _PART_TOKENS):
            end = min(start + _PART_TOKENS, len(windows))
            self._predict_part(windows, table, start, found[start:end])
        return found

    def _predict_part(self, windows: Windows, table: Indices, start: int, found: Indices) -> None:
        types = windows.cut(slice(start, start + len(found)))
        occurs = np.zeros(table.shape[1], bool)
        occurs[types] = True
        distinct = np.flatnonzero(occurs)
        number = np.empty(table.shape[1], np.int32)
        number[distinct] = np.arange(0, len(distinct) * self._window, self._window, dtype=np.int32)
        index = number[types] + np.arange(self._window, dtype=np.int32)
        parts: Tensor = self._parts(list(table[:, distinct]))
        for first in range(0, len(found), _STEP_TOKENS):
            tags: Tensor = self._tags(parts, index[first : first + _STEP_TOKENS])
            found[first : first + _STEP_TOKENS] = tags.value
