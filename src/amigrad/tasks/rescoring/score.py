"""Scoring translations by a joint model: each distinct prediction once, from sums that are shared.

What a word adds to the first layer at each place is computed once (Devlin et al. 2014, section 2.4); so are the sums of
each distinct window and each distinct history, the second layer of each distinct pair of these, and each distinct
prediction. Of the output layer only the rows of predicted words are used, unless log Z is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from amigrad.backends import compile
from amigrad.functions import logsumexp, take, tanh
from amigrad.graph import Tensor
from amigrad.tasks.rescoring.contexts import Contexts, Links, Pairs, sentences_of
from amigrad.tasks.rescoring.distinct import Distinct
from amigrad.tasks.rescoring.examples import contexts_of
from amigrad.tasks.rescoring.joint import JointModel
from amigrad.tasks.rescoring.parts import Parts

Logarithms = NDArray[np.float32]
_STEP = 1024
"""Contexts whose second layer is computed at a time."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Translations of some sentences.

    mates: (hypotheses,), the sentence that each hypothesis translates. links: (n, 3), number of the hypothesis, source
    position, target position; None if there is no word alignment.
    """

    sources: Sequence[Sequence[str]]
    hypotheses: Sequence[Sequence[str]]
    mates: NDArray[np.int64]
    links: Links | None


class Scorer:
    """Log probabilities of translations by a joint model."""

    def __init__(self, model: JointModel, *, exact: bool | None = None) -> None:
        """`exact` takes log Z off the scores; without it Z is taken for 1, as self-normalised training makes it.

        By default, models that were trained with the plain softmax are scored exactly and others are not.
        """
        self.model = model
        self.exact = model.options.objective == "softmax" if exact is None else exact
        network, options = model.network, model.options
        size = options.word_size
        split = options.window * size
        weight = network.first.weight.value
        self._windows = Parts(network.others, weight[:split], options.window)
        self._histories = Parts(network.words, weight[split:], options.history)

        def scores(
            windows: Tensor | None, histories: Tensor | None, pairs: Tensor, contexts: Tensor, words: Tensor
        ) -> Tensor:
            first: Tensor | float = 0.0
            for sums, column in ((windows, 0), (histories, 1)):
                if sums is not None:
                    first = take(sums, pairs[:, column]) + first
            if network.first.bias is not None:
                first = first + network.first.bias
            top = tanh(network.second(tanh(first)))
            found = network.scores_of(take(top, contexts), words)
            if self.exact:
                found = found - take(logsumexp(network.scores(top), -1), contexts)
            return found

        self._scores = compile(scores)

    def log_probabilities(self, candidates: Candidates) -> NDArray[np.float64]:
        """The logarithm of each hypothesis's probability; the natural one. (hypotheses,)"""
        logarithms, lengths = self.predictions(candidates)
        if not len(lengths):
            return np.empty(0)
        return np.add.reduceat(logarithms, np.cumsum(lengths) - lengths, dtype=np.float64)

    def predictions(self, candidates: Candidates) -> tuple[Logarithms, NDArray[np.int64]]:
        """The logarithm of each prediction's probability, hypothesis by hypothesis, and how many each one has.

        These are the words of the predicted side and its end, in the order of the model: a model that goes from the
        right to the left predicts the last word first.
        """
        contexts = contexts_of(self._pairs(candidates), self.model.options)
        if not len(contexts):
            return np.empty(0, np.float32), contexts.lengths
        distinct = Distinct(contexts)
        return self._distinct_scores(contexts, distinct)[distinct.inverse], contexts.lengths

    def _pairs(self, candidates: Candidates) -> Pairs:
        model = self.model
        source, target = (
            sentences_of(words.indices(list(chain.from_iterable(side))), side)
            for words, side in ((model.source, candidates.sources), (model.target, candidates.hypotheses))
        )
        links = candidates.links
        if links is None:
            links = model.lexicon.links(source, target, candidates.mates)
        return Pairs(source, target, candidates.mates, links)

    def _distinct_scores(self, contexts: Contexts, distinct: Distinct) -> Logarithms:
        """The logarithm of each distinct prediction's probability. They are sorted by context."""
        windows = self._windows.sums(contexts.windows(distinct.windows))
        histories = self._histories.sums(contexts.histories(distinct.histories))
        words = contexts.targets(distinct.predictions)
        found = np.empty(len(words), np.float32)
        bounds = np.searchsorted(distinct.contexts, np.arange(0, len(distinct.pairs) + _STEP, _STEP))
        for number, (start, end) in enumerate(pairwise(bounds)):
            first = number * _STEP
            scores = self._scores(
                windows,
                histories,
                distinct.pairs[first : first + _STEP],
                distinct.contexts[start:end] - np.int32(first),
                words[start:end],
            )
            found[start:end] = scores.value
        return found
