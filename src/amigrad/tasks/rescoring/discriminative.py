"""A discriminative lexicon: which words and pairs of words the translation of a whole sentence has.

Mauser, Hasan and Ney (2009), "Extending Statistical Machine Translation with Discriminative and Trigger-Based Lexicon
Models"; as a neural network Ha, Niehues and Waibel (2014), "Lexical Translation Model Using a Deep Neural Network
Architecture". The joint model sees a window, IBM Model 1 one word; this sees the sentence, but not where its words are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import Vocabulary
from amigrad.functions import Generator, matmul, matrix_transpose, mean, reshape, softplus, sum, take, tanh
from amigrad.graph import Parameter, Tensor, TensorLike
from amigrad.nn import Dropout, LookupTable, Module, arrays_of
from amigrad.nn.initializers import normal
from amigrad.tasks.folder import (
    MODEL,
    PARAMETERS,
    VOCABULARIES,
    Folder,
    SavedModel,
    assign_parameters,
    load_folder,
    read_options,
    require_keys,
    save_folder,
)
from amigrad.tasks.options import Options
from amigrad.tasks.rescoring.nbest_list import NBestList

KIND, VERSION = "amigrad.discriminative", 1
NAMES = ("discriminative-words", "discriminative-pairs")

MARKS = ("<s>", "</s>")
PADDING = "<pad>"
UNKNOWN_WORD = -9.0
"""The score of words and pairs that were not seen often enough to be known."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
Words = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscriminativeOptions(Options):
    """Everything that can be chosen about a discriminative lexicon. Raises OptionsError for what makes no sense.

    size: of the layer that stands for a sentence. Source words and pairs of neighbours are looked at, target words and
    pairs predicted, if they are in `minimum_count`, `source_pair_count` and `target_pair_count` sentences.
    dropout: the share of that layer left out in training; item_dropout: of the source items. noise: of the target items
    that no sentence of a batch has, so many are drawn to stand for all.
    """

    size: int = 256
    dropout: float = 0.4
    item_dropout: float = 0.2
    noise: int = 1024
    minimum_count: int = 2
    source_pair_count: int = 4
    target_pair_count: int = 5
    learning_rate: float = 0.003
    batch_size: int = 128
    epochs: int = 8
    seed: int = 1

    def __post_init__(self) -> None:
        self.require_at_least(1, "size", "minimum_count", "source_pair_count", "target_pair_count")
        self.require_at_least(1, "noise", "batch_size", "epochs")
        self.require_shares("dropout", "item_dropout")
        self.require_positive("learning_rate")
        self.require_seed()


class DiscriminativeNetwork(Module):
    """The log odds of target items (K,) to be in the translation: (N, K), of source items (N, L), 0 being padding.

    Rows of a lookup table, summed -> tanh -> a row of numbers for each target item.
    """

    def __init__(self, options: DiscriminativeOptions, source: int, target: int) -> None:
        """`source` and `target` are the numbers of items."""
        generator = Generator(options.seed)
        self.source = LookupTable(source, options.size, generator=generator, initializer=normal(0.1))
        self.offset = Parameter(np.zeros(options.size, np.float32), name="offset")
        self.target = LookupTable(target, options.size, generator=generator, initializer=normal(0.05))
        self.bias = Parameter(np.zeros((target, 1), np.float32), name="bias")
        self.dropout = Dropout(options.dropout, generator=generator)

    def __call__(self, items: TensorLike, there: TensorLike, which: TensorLike) -> Tensor:
        """items: (N, L) int; there: (N, L, 1), 0 for what is left out and else 1; which: (K,) target items -> (N, K)"""
        top = self.dropout(tanh(sum(self.source(items) * there, 1) + self.offset))
        bias = take(self.bias, which)
        return matmul(top, matrix_transpose(self.target(which))) + reshape(bias, (bias.shape[0],))

    def cost(self, items: Tensor, there: Tensor, which: Tensor, weights: Tensor, present: Tensor) -> Tensor:
        """-log p of what is present and what is not, a mean over sentences.

        weights: (K,), how many items each one stands for. present: (N, K), 1 or 0.
        """
        scores = self(items, there, which)
        return mean(sum(weights * softplus(scores) - present * scores, -1))


@dataclass(frozen=True, slots=True)
class DiscriminativeLexicon:
    """What a sentence's words say of the words and pairs of its translation, all at once.

    figures: the cost per sentence on the data that the epoch was chosen by.
    """

    options: DiscriminativeOptions
    source: Vocabulary
    target: Vocabulary
    network: DiscriminativeNetwork
    figures: dict[str, float]

    def features(self, found: NBestList, source: Words) -> Floats:
        """The log odds of each hypothesis's distinct words, and of its pairs of neighbours, summed: (N, 2).

        What absent words add is the same for all hypotheses but for their own log odds, so it is left out.
        """
        network = self.network
        rows = network.source.table.value[self.source.indices(known(items_of(source), self.source))]
        top = np.tanh(rows.sum(axis=0) + network.offset.value)

        def odds(items: Words) -> NDArray[np.float64]:
            places = self.target.indices(items, missing=-1)
            scores = np.einsum("if,f->i", network.target.table.value[places], top) + network.bias.value[places, 0]
            return np.where(places < 0, UNKNOWN_WORD, scores).astype(np.float64)

        words: dict[str, int] = {mark: place for place, mark in enumerate(MARKS)}
        hypotheses = [
            [0, *(words.setdefault(word, len(words)) for word in hypothesis), 1] for hypothesis in found.hypotheses
        ]
        lengths = np.fromiter(map(len, hypotheses), np.int64, len(hypotheses))
        flat = np.fromiter(chain.from_iterable(hypotheses), np.int64, int(lengths.sum()))
        number = np.repeat(np.arange(len(hypotheses)), lengths)
        inner = flat >= len(MARKS)
        names, size = list(words), len(words)
        last = np.cumsum(lengths) - 1
        first = np.delete(np.arange(len(flat)), last)
        pairs, codes = np.unique(flat[first] * size + flat[first + 1], return_inverse=True)
        pair_names = [f"{names[code // size]} {names[code % size]}" for code in pairs.tolist()]
        return np.column_stack(
            [
                _sums(number[inner], flat[inner], odds(names), len(found)),
                _sums(number[first], codes, odds(pair_names), len(found)),
            ]
        )

    def save(self, folder: Folder) -> None:
        """Write the model into a folder. Raises OSError if it cannot be written."""
        configuration = {"options": self.options.to_json(), "figures": self.figures}
        vocabularies = {"source": self.source, "target": self.target}
        saved = SavedModel(configuration, vocabularies, arrays_of(self.network.named_parameters()))
        save_folder(folder, KIND, VERSION, saved)

    @classmethod
    def load(cls, folder: Folder) -> DiscriminativeLexicon:
        """The model that a folder holds. Raises ModelError if it holds none."""
        saved, path = load_folder(folder, KIND, VERSION), Path(folder)
        require_keys(path / MODEL, "the configuration", saved.configuration, {"options", "figures"})
        require_keys(path / VOCABULARIES, "the set of vocabularies", saved.vocabularies, {"source", "target"})
        options = read_options(path / MODEL, DiscriminativeOptions, saved.configuration["options"])
        source, target = saved.vocabularies["source"], saved.vocabularies["target"]
        network = DiscriminativeNetwork(options, len(source), len(target))
        assign_parameters(path / PARAMETERS, network.named_parameters(), saved.parameters)
        return cls(options, source, target, network, dict(saved.configuration["figures"]))


def items_of(words: Words) -> list[str]:
    """The words of a sentence and its pairs of neighbours, ends included, which have a blank between them."""
    return [*words, *(f"{first} {second}" for first, second in pairwise((MARKS[0], *words, MARKS[1])))]


def known(items: Iterable[str], vocabulary: Vocabulary) -> list[str]:
    """Those of the items that a vocabulary has."""
    return [item for item in items if item in vocabulary]


def _sums(rows: NDArray[Any], items: NDArray[Any], scores: Floats, count: int) -> Floats:
    """The sum of the scores (K,) of the distinct items of each row: (count,)."""
    cells = np.unique(rows * len(scores) + items)
    return np.asarray(np.bincount(cells // len(scores), scores[cells % len(scores)], count), dtype=np.float64)
