"""Which predictions are the same: found by hashes of the words that they are made from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.rescoring.contexts import Contexts, Indices

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


class Distinct:
    """The distinct predictions of some contexts, and the distinct windows and histories that these are made from.

    Two are taken for the same if their hashes are, sums of 64 bits for each word and place: among a million distinct
    ones, any two are mixed up with a probability of about 1 in 30 million.
    """

    def __init__(self, contexts: Contexts) -> None:
        windows = _hashes(contexts.others, contexts.window_offsets, _WINDOW)[contexts.centres]
        histories = _hashes(contexts.words, contexts.history_offsets, _HISTORY)[contexts.places]
        both = windows + histories
        examples, inverse = _unique(both + _hashes(contexts.words, _ITSELF, _TARGET)[contexts.places])
        context_examples, context = _unique(both[examples])
        order = np.argsort(context, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        self.inverse: Places = rank[inverse]
        """Which of the distinct predictions each prediction is: (N,)."""
        self.predictions: Places = examples[order]
        """An example of each distinct prediction, in the order of their contexts: (predictions,)."""
        self.contexts = context[order].astype(np.int32)
        """Which distinct context each of them has: (predictions,), never falling."""
        examples = examples[context_examples]
        window_examples, window = _unique(windows[examples])
        history_examples, history = _unique(histories[examples])
        self.windows: Places = examples[window_examples]
        """An example of each distinct window: (windows,)."""
        self.histories: Places = examples[history_examples]
        """An example of each distinct history: (histories,)."""
        self.pairs = np.column_stack([window, history]).astype(np.int32)
        """The window and the history of each distinct context: (contexts, 2)."""


def _unique(keys: Hashes) -> tuple[Places, Places]:
    """The place of an example of each distinct key, in the order of the keys, and the number of each key."""
    order = np.argsort(keys)
    ordered = keys[order]
    new = np.empty(len(keys), bool)
    new[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    number = np.empty(len(keys), np.int64)
    number[order] = np.cumsum(new) - 1
    return order[new], number


def _hashes(words: Indices, offsets: Indices, kind: int) -> Hashes:
    """The hash of the words at these offsets from each place; wrong at places that have no such neighbours. (N,)"""
    factors = np.random.Philox(np.random.SeedSequence([kind, _SEED])).random_raw(len(offsets)) | np.uint64(1)
    mixed = words.astype(np.uint64) + np.uint64(1)
    for multiplier in _MULTIPLIERS:
        mixed ^= mixed >> np.uint64(33)
        mixed *= multiplier
    found = np.zeros(len(words), np.uint64)
    for offset, factor in zip(offsets.tolist(), factors, strict=True):
        found += np.roll(mixed, -offset) * factor
    return found


_WINDOW, _HISTORY, _TARGET = range(3)
_SEED = 1
_ITSELF = np.zeros(1, np.int32)
_MULTIPLIERS: tuple[Any, ...] = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))  # MurmurHash3's
