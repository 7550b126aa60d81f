"""The role labeller: a trained network with its features and tags, to label sentences with, to save and to load."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from amigrad.backends import compile
from amigrad.data import Proposition, PropositionSentence, split_sentences, tokenize
from amigrad.functions import Generator
from amigrad.graph import Tensor
from amigrad.tasks.roles.examples import Group, Sentences
from amigrad.tasks.roles.model import ConvolutionNetwork, LSTMNetwork, RoleNetwork
from amigrad.tasks.roles.once import Once, Scores
from amigrad.tasks.roles.options import RoleOptions
from amigrad.tasks.roles.predicates import PredicateFinder
from amigrad.tasks.roles.scores import EXCLUDED
from amigrad.tasks.roles.tags import spans_of
from amigrad.tasks.tagging.decode import Decoder
from amigrad.tasks.tagging.features import Features, Indices

BLOCK_TOKENS = 1 << 13


class RoleLabeller:
    """Finds the arguments of predicates, in several threads at once if need be. Made by `train_labeller` or `load`.

    >>> labeller = RoleLabeller.load("model")
    >>> labeller.label_text("She gave him a book.")[0].propositions[0].spans
    (Span('A0', 0, 1), Span('V', 1, 2), Span('A2', 2, 3), Span('A1', 3, 5))
    """

    def __init__(
        self,
        options: RoleOptions,
        features: Features,
        tags: Sequence[str],
        parts_of_speech: Sequence[str],
        model: RoleNetwork,
        finder: PredicateFinder | None,
    ) -> None:
        """Take the model's IOBES tags by index, the parts of speech that it learns beside them, and what finds
        predicates, unless they are always given.
        """
        self.options = options
        self.features = features
        self.tags = tuple(tags)
        self.parts_of_speech = tuple(parts_of_speech)
        self.model = model
        self.finder = finder
        self._lock = threading.Lock()
        self._pairs = _GROUP_PAIRS if isinstance(model, ConvolutionNetwork) else None
        legal = Decoder(self.tags).legal
        own = np.array([tag[2:] == EXCLUDED for tag in self.tags])

        def best(columns: list[Tensor], sentence: Tensor, predicate: Tensor) -> tuple[Tensor, Tensor]:
            scores = model.possible_scores(columns, sentence, predicate, own)
            return model.best(scores, legal), scores

        self._best = compile(best)
        self._decode = compile(lambda scores: model.best(scores, legal))
        self._once = Once(self.tags)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> RoleLabeller:
        """The labeller saved in a folder. Raises ModelError if something there is not as it was saved."""
        from amigrad.tasks.roles.storage import load_labeller

        return load_labeller(folder)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the labeller into a folder, which is made if it is missing."""
        from amigrad.tasks.roles.storage import save_labeller

        save_labeller(self, folder)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that training saw, sorted."""
        return tuple(sorted({tag[2:] for tag in self.tags if tag != "O"}))

    def find(self, sentences: Sequence[PropositionSentence]) -> list[PropositionSentence]:
        """The sentences with the predicates that are found in them, and no arguments.

        Raises ValueError if the labeller was trained without a finder of predicates.
        """
        if self.finder is None:
            raise ValueError("this labeller was trained to be given predicates, not to find them")
        with self._lock:
            return self.finder.find(sentences)

    def label(self, sentences: Sequence[PropositionSentence]) -> list[PropositionSentence]:
        """The same sentences and predicates with the arguments that the model finds."""
        return list(self.label_blocks(sentences))

    def label_text(self, text: str) -> list[PropositionSentence]:
        """The sentences of plain text, with the predicates and arguments found in them."""
        lines = map(tokenize, text.splitlines())
        words = [[token.word for token in tokens] for line in lines for tokens in split_sentences(line)]
        return self.label(self.find([PropositionSentence(tuple(sentence)) for sentence in words]))

    def label_blocks(
        self, sentences: Iterable[PropositionSentence], *, find: bool = False, block_tokens: int = BLOCK_TOKENS
    ) -> Iterator[PropositionSentence]:
        """Sentences labelled at least so many words at a time, in their order; `find` finds their predicates first."""
        block: list[PropositionSentence] = []
        tokens = 0
        for sentence in sentences:
            block.append(sentence)
            tokens += len(sentence)
            if tokens >= block_tokens:
                yield from self._label(self.find(block) if find else block)
                block, tokens = [], 0
        if block:
            yield from self._label(self.find(block) if find else block)

    def _label(self, sentences: Sequence[PropositionSentence]) -> list[PropositionSentence]:
        found: list[list[Proposition]] = [[] for _ in sentences]
        words = list(chain.from_iterable(sentence.words for sentence in sentences))
        predicates = [[p.predicate for p in sentence.propositions] for sentence in sentences]
        lengths = list(map(len, sentences))
        with self._lock:
            types, table = self.features.encode(words, lengths)
        groups = Sentences(types, lengths, predicates, self.options.margin)
        for group in groups.groups(_GROUP_WORDS, pairs=self._pairs):
            tags = self._tags(group, table)
            for row, (sentence, which) in enumerate(zip(group.sentence.tolist(), group.which.tolist(), strict=True)):
                place = int(group.rows[sentence])
                proposition = sentences[place].propositions[which]
                names = [self.tags[tag] for tag in tags[row].tolist()]
                found[place].append(replace(proposition, spans=spans_of(names, proposition.predicate)))
        return [replace(s, propositions=tuple(ps)) for s, ps in zip(sentences, found, strict=True)]

    def _tags(self, group: Group, table: Indices) -> Indices:
        best, scores = self._best(list(table.take(group.types, axis=1)), group.sentence, group.predicate)
        tags: Indices = best.numpy().copy()
        self._once.correct(tags, scores.numpy().copy(), self._decoded)
        return tags

    def _decoded(self, scores: Scores) -> tuple[Indices, Scores]:
        """The best tags by these scores, (A, T, tags), and what they add up to with those of transitions, (A,)."""
        tags = self._decode(scores).numpy()
        crf = self.model.crf
        chosen = np.take_along_axis(scores, tags[:, :, None], axis=2)[:, :, 0].sum(axis=1)
        moves = crf.transitions.value[tags[:, :-1], tags[:, 1:]].sum(axis=1)
        return tags, chosen + moves + crf.start.value[tags[:, 0]]


def create_network(options: RoleOptions, features: Features, tags: int, parts_of_speech: int) -> RoleNetwork:
    """The network that these options ask for, with its initial parameters."""
    kind = ConvolutionNetwork if options.network == "convolution" else LSTMNetwork
    return kind(options, features.columns, features.sizes, tags, parts_of_speech, Generator(options.seed))


_GROUP_WORDS = 8192
_GROUP_PAIRS = 1 << 15
"""The convolution has a row of numbers for each pair of words, of which only the greatest count."""
