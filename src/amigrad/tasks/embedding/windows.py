"""Examples for ranking: windows of text, each with a word that could stand in its middle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data.encoded import Ids
from amigrad.graph import state
from amigrad.tasks.embedding.options import EmbeddingOptions
from amigrad.tasks.embedding.text import PADDING, UNKNOWN, WORDS, Choice, Draws, Text

WINDOWS = 32
"""Windows in a step."""

_ORDER, _OTHERS = 0, 1


class WindowExamples:
    """Stretches of a text as batches of many steps, in the order in which the trainer asks for them.

    Around each known word there is a window, padded at the ends of its sentence. The known words are at first the
    most frequent ones, as many as the first of the dictionaries has; then those of the next, and at last all: each for
    an equal part of all stretches (Collobert et al. 2011, section 4.3). All others are the unknown word.
    """

    def __init__(self, text: Text, options: EmbeddingOptions) -> None:
        self.text, self.options = text, options
        most = len(text.vocabulary) - WORDS
        self.dictionaries = (*(size for size in options.dictionaries if size < most), most)
        """How many words are known in each part of the training."""
        weights = text.vocabulary.counts[WORDS:].astype(np.float64) ** options.noise_power
        self._others = {size: Choice(weights[:size], WORDS) for size in self.dictionaries}
        self.step_size = WINDOWS
        """Windows in a step."""
        self.taken = state(0, name="taken")
        """How many stretches were taken so far; saved and loaded again, so that a resumed run draws the same."""

    def __len__(self) -> int:
        return len(self.text)

    def known(self, taken: int) -> int:
        """How many words are known after so many stretches."""
        part = taken * len(self.dictionaries) // (len(self) * self.options.epochs)
        return self.dictionaries[min(part, len(self.dictionaries) - 1)]

    def batch(self, indices: NDArray[np.integer[Any]]) -> tuple[Ids, Ids, Ids]:
        """One stretch as the arguments of steps S over windows B, in random order: (S, B, 2 window), (S, B) twice."""
        taken = int(self.taken.value)
        draws, known = Draws(self.options.seed, taken), self.known(taken)
        self.taken.value[...] += 1
        window = self.options.window
        words = self.text.indices(int(indices[0]))
        words[words >= WORDS + known] = UNKNOWN
        padded = _padded(words, window)
        middles = np.flatnonzero(padded >= WORDS)
        middles = middles[np.argsort(draws.bits(len(middles), _ORDER), kind="stable")]
        steps = len(middles) // WINDOWS
        if steps == 0:  # a last stretch that is too short for a step
            middles = np.resize(middles, WINDOWS) if len(middles) else np.full(WINDOWS, window)
            steps = 1
        middles = middles[: steps * WINDOWS]
        places = np.array([place for place in range(-window, window + 1) if place])
        around: Ids = padded.take(middles[:, None] + places)
        others = self._others[known].draw(draws, len(middles), _OTHERS)
        shape = (steps, WINDOWS)
        return around.reshape(*shape, -1), padded[middles].reshape(shape), others.reshape(shape)


def _padded(words: Ids, window: int) -> Ids:
    """Sentences with as much padding between them, and at the ends, as a window needs."""
    boundaries = np.cumsum(words == PADDING)
    places = np.arange(len(words)) + window + boundaries * (window - 1)
    padded: Ids = np.full(len(words) + 2 * window + int(boundaries[-1]) * (window - 1), PADDING, np.int32)
    padded[places] = words
    return padded
