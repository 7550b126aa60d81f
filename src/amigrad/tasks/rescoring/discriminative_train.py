"""Training a discriminative lexicon on bitext."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.backends import compile
from amigrad.data import DataError, Vocabulary
from amigrad.data.bitext import Bitext
from amigrad.graph import Tensor, state
from amigrad.optim import Adam
from amigrad.optim.schedules import linear
from amigrad.tasks.folder import training_folder
from amigrad.tasks.rescoring.discriminative import (
    KIND,
    PADDING,
    DiscriminativeLexicon,
    DiscriminativeNetwork,
    DiscriminativeOptions,
    items_of,
    known,
)
from amigrad.tasks.rescoring.train import fingerprint, hold_out
from amigrad.train.trainer import Trainer

Items = list[NDArray[np.int32]]
Batch = tuple[NDArray[Any], ...]


class Examples:
    """Pairs of sentences as what the cost of a network takes.

    With `options`, for training: target items that a sentence of the batch has, and some that stand for all others;
    some source items are left out. Which ones depends on the seed and the number of the batch only. Without, all.
    """

    def __init__(self, source: Items, target: Items, size: int, options: DiscriminativeOptions | None = None) -> None:
        """size: the number of target items."""
        self.source, self.target, self.size, self._options = source, target, size, options
        self.batches = state(0, name="batches")
        """How many batches were taken so far; saved and loaded again, so that a resumed run draws the same items."""

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, indices: NDArray[np.integer[Any]]) -> Batch:
        """These pairs as the next batch."""
        chosen = [self.source[place] for place in indices]
        targets = [self.target[place] for place in indices]
        items = np.zeros((len(chosen), max(1, *map(len, chosen))), np.int32)
        for row, source in enumerate(chosen):
            items[row, : len(source)] = source
        there = items > 0
        which = np.arange(self.size, dtype=np.int32)
        weights = np.ones(self.size, np.float32)
        if self._options is not None:
            number = int(self.batches.value)
            self.batches.value[...] += 1
            random = np.random.default_rng([self._options.seed, number])
            which, weights = self._drawn(np.concatenate(targets), random)
            there &= random.random(there.shape) >= self._options.item_dropout
        present = np.zeros((len(chosen), len(which)), np.float32)
        rows = np.repeat(np.arange(len(targets)), [len(target) for target in targets])
        present[rows, np.searchsorted(which, np.concatenate(targets))] = 1.0
        return items, there.astype(np.float32)[:, :, None], which, weights, present

    def _drawn(
        self, present: NDArray[np.int32], random: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Target items, sorted, and how many each one stands for: those present, 1, and some of the others."""
        assert self._options is not None
        absent = np.ones(self.size, bool)
        absent[present] = False
        others = np.flatnonzero(absent)
        drawn = random.choice(others, min(self._options.noise, len(others)), replace=False)
        weights = np.ones(self.size, np.float32)
        weights[drawn] = len(others) / max(len(drawn), 1)
        absent[drawn] = False
        which = np.flatnonzero(~absent).astype(np.int32)
        return which, weights[which]


def train_discriminative(
    train: Bitext,
    dev: Bitext | None = None,
    options: DiscriminativeOptions | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> DiscriminativeLexicon:
    """Train on bitext; the epoch is kept that has the lowest cost on other bitext. Links are not needed.

    Without `dev`, every thirtieth pair is kept back for that. With `output`, the model is saved in this folder, and a
    training that was stopped goes on when it is started again. Raises DataError for bitext without pairs.
    """
    options = options or DiscriminativeOptions()
    if dev is None:
        train, dev = hold_out(train)
    for what, bitext in (("the training data", train), ("the data to choose the model by", dev)):
        if not len(bitext):
            raise DataError(what, None, "there are no pairs of sentences", "Give some bitext")
    source = _vocabulary(train.source, options.minimum_count, options.source_pair_count, (PADDING,))
    target = _vocabulary(train.target, options.minimum_count, options.target_pair_count, ())
    if not len(target):
        problem = "no target word comes often enough to be known"
        raise DataError("the training data", None, problem, "Give more bitext, or a lower minimum count")
    examples = _examples(train, source, target, options)
    others = _examples(dev, source, target)
    network = DiscriminativeNetwork(options, len(source), len(target))
    shares = (np.bincount(np.concatenate(examples.target), minlength=len(target)) + 0.5) / (len(examples) + 1.0)
    network.bias.assign((np.log(shares) - np.log1p(-shares)).astype(np.float32)[:, None])
    steps = options.epochs * -(-len(examples) // options.batch_size)
    optimizer = Adam(network.named_parameters(), learning_rate=linear(options.learning_rate, 0.0, steps), lookup="lazy")

    @compile
    def step(items: Tensor, there: Tensor, which: Tensor, weights: Tensor, present: Tensor) -> Tensor:
        with network.training_mode():
            cost = network.cost(items, there, which, weights, present)
        optimizer.minimize(cost)
        return cost

    compiled = compile(network.cost)

    def measure() -> dict[str, float]:
        total = 0.0
        for start in range(0, len(others), options.batch_size):
            which = np.arange(start, min(start + options.batch_size, len(others)))
            total += float(compiled(*others.batch(which)).item()) * len(which)
        return {"cost_dev": total / len(others)}

    def evaluate() -> Mapping[str, float]:
        figures = measure()
        return {"score": -figures["cost_dev"], **figures}

    Trainer(
        step,
        examples,
        model=network,
        optimizer=optimizer,
        batch_size=options.batch_size,
        epochs=options.epochs,
        seed=options.seed,
        evaluate=evaluate,
        folder=training_folder(output, KIND),
        settings={**options.to_json(), "train": fingerprint(train), "dev": fingerprint(dev)},
        states={"batches": examples.batches},
        resume=resume,
        progress=progress,
        unit=("pairs", 1.0),
    ).run()
    model = DiscriminativeLexicon(options, source, target, network, measure())
    if output is not None:
        model.save(output)
    return model


def _vocabulary(sentences: Sequence[Sequence[str]], words: int, pairs: int, specials: tuple[str, ...]) -> Vocabulary:
    """The words and pairs that are in so many sentences."""
    counts = Counter(chain.from_iterable(set(items_of(sentence)) for sentence in sentences))
    kept = {item: count for item, count in counts.items() if count >= (pairs if " " in item else words)}
    return Vocabulary.build(kept, specials=specials)


def _examples(
    bitext: Bitext, source: Vocabulary, target: Vocabulary, options: DiscriminativeOptions | None = None
) -> Examples:
    return Examples(
        [source.indices(known(items_of(words), source)) for words in bitext.source],
        [target.indices(sorted(set(known(items_of(words), target)))) for words in bitext.target],
        len(target),
        options,
    )
