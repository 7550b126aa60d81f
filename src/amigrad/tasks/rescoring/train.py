"""Training a joint model on bitext."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from amigrad.backends import compile
from amigrad.data import DataError
from amigrad.data.bitext import Bitext
from amigrad.graph import Tensor, tensor
from amigrad.optim import Adagrad, Adam, Optimizer
from amigrad.optim.schedules import Schedule, linear
from amigrad.tasks.folder import training_folder
from amigrad.tasks.rescoring.contexts import Contexts
from amigrad.tasks.rescoring.examples import Examples, contexts_of, pairs_of
from amigrad.tasks.rescoring.joint import JointModel, create_network
from amigrad.tasks.rescoring.lexicon import Lexicon
from amigrad.tasks.rescoring.model import JointNetwork
from amigrad.tasks.rescoring.normalise import normalise
from amigrad.tasks.rescoring.options import JointOptions
from amigrad.tasks.rescoring.storage import FORMAT
from amigrad.tasks.rescoring.words import Words
from amigrad.train import Trainer

_DEV_BATCH = 512


def train_joint(
    train: Bitext,
    dev: Bitext | None = None,
    options: JointOptions | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> JointModel:
    """Train on bitext with links; the epoch is kept that gives other bitext the highest probability.

    Without `dev`, every thirtieth pair is kept back for that. If dev has no links, they are guessed by the lexical
    table of train. With `output`, the model is saved in this folder, and a training that was stopped goes on when it
    is started again with the same bitext and options (unless `resume` is False); it ends with the same model.
    Raises DataError for bitext without pairs or links, TrainingError if the training cannot begin or go on.
    """
    options = options or JointOptions()
    if dev is None:
        train, dev = hold_out(train)
    for what, bitext in (("the training data", train), ("the data to choose the model by", dev)):
        if not len(bitext):
            raise DataError(what, None, "there are no pairs of sentences", "Give some bitext")
    if train.links is None and options.window:
        raise DataError("the training data", None, "there is no word alignment", "Give one, or let --align make it")
    source, target = _words(options, train)
    pairs = pairs_of(train, source, target)
    lexicon = Lexicon.build(pairs, len(source))
    predicted = source if options.to_source else target
    examples = Examples(contexts_of(pairs, options), len(predicted), options)
    network = create_network(options, source, target)
    network.bias.assign(examples.frequencies)
    steps = options.epochs * -(-len(examples) // options.batch_size)
    optimizer = create_optimizer(options, network, steps)
    measure = measured(network, dev_contexts(dev, source, target, lexicon, options))

    def evaluate() -> Mapping[str, float]:
        figures = measure()
        return {"score": -math.log(figures["perplexity"]), **figures}

    folder = training_folder(output, FORMAT)
    Trainer(
        compiled_step(network, optimizer, examples),
        examples,
        model=network,
        optimizer=optimizer,
        batch_size=options.batch_size,
        epochs=options.epochs,
        seed=options.seed,
        evaluate=evaluate,
        patience=options.patience,
        folder=folder,
        settings={**_settings(options), "train": fingerprint(train), "dev": fingerprint(dev)},
        states={"batches": examples.batches},
        resume=resume,
        progress=progress,
    ).run()
    normalise(network, examples.contexts)
    model = JointModel(options, source, target, lexicon, network, measure())
    if output is not None:
        model.save(output)
    return model


def create_optimizer(options: JointOptions, network: JointNetwork, steps: int) -> Optimizer:
    """The optimizer that these options ask for, for a training of so many steps at most."""
    kinds: dict[str, Callable[..., Optimizer]] = {"adagrad": Adagrad, "adam": Adam}
    rate: float | Schedule = options.rate if options.schedule == "constant" else linear(options.rate, 0.0, steps)
    return kinds[options.optimizer](
        network.named_parameters(), learning_rate=rate, weight_decay=options.weight_decay, lookup="lazy"
    )


def hold_out(bitext: Bitext, every: int = 30) -> tuple[Bitext, Bitext]:
    """Bitext in two: all but each thirtieth pair, and these. A bitext of one pair is both."""
    if len(bitext) < 2:
        return bitext, bitext
    every = min(every, len(bitext))

    def chosen(inside: Callable[[int], bool]) -> Bitext:
        sides: list[Any] = [
            None if side is None else [item for place, item in enumerate(side) if inside(place)]
            for side in (bitext.source, bitext.target, bitext.links)
        ]
        return Bitext(*sides)

    return chosen(lambda place: place % every != every - 1), chosen(lambda place: place % every == every - 1)


def compiled_step(network: JointNetwork, optimizer: Optimizer, examples: Examples) -> Callable[..., Tensor]:
    """The training step that the options ask for, compiled."""
    if network.options.objective == "nce":
        shares = tensor(examples.frequencies + np.float32(math.log(network.options.noise)))

        @compile
        def contrast(windows: Tensor, histories: Tensor, targets: Tensor, noise: Tensor) -> Tensor:
            with network.training_mode():
                cost = network.contrast(windows, histories, targets, noise, shares)
            optimizer.minimize(cost)
            return cost

        return contrast

    @compile
    def step(windows: Tensor, histories: Tensor, targets: Tensor) -> Tensor:
        with network.training_mode():
            cost = network.cost(windows, histories, targets)
        optimizer.minimize(cost)
        return cost

    return step


def dev_contexts(dev: Bitext, source: Words, target: Words, lexicon: Lexicon, options: JointOptions) -> Contexts:
    """The predictions of bitext that a model is measured on; without links it gets those of the lexical table."""
    pairs = pairs_of(dev, source, target)
    if dev.links is None and options.window:
        pairs = type(pairs)(
            pairs.source, pairs.target, pairs.mates, lexicon.links(pairs.source, pairs.target, pairs.mates)
        )
    return contexts_of(pairs, options)


def measured(network: JointNetwork, contexts: Contexts) -> Callable[[], dict[str, float]]:
    """A function that gives perplexity and mean |log Z| of a network, as it is then, on some predictions."""
    compiled = compile(network.measure)

    def measure() -> dict[str, float]:
        total, deviation = 0.0, 0.0
        for start in range(0, len(contexts), _DEV_BATCH):
            which = slice(start, start + _DEV_BATCH)
            logarithms, normalisers = compiled(
                contexts.windows(which), contexts.histories(which), contexts.targets(which)
            )
            total += float(np.sum(logarithms.value, dtype=np.float64))
            deviation += float(np.sum(np.abs(normalisers.value), dtype=np.float64))
        return {"perplexity": math.exp(min(-total / len(contexts), 700.0)), "log_z": deviation / len(contexts)}

    return measure


def _words(options: JointOptions, train: Bitext) -> tuple[Words, Words]:
    source, target = (
        Words.build(side, minimum_count=options.minimum_count, maximum_size=size, classes=options.unknown == "class")
        for side, size in ((train.source, options.source_words), (train.target, options.target_words))
    )
    return source, target


def _settings(options: JointOptions) -> dict[str, Any]:
    """The options that a training cannot go on with if they were others."""
    free = {"patience"} if options.schedule != "constant" else {"patience", "epochs"}
    return {name: value for name, value in options.to_json().items() if name not in free}


def fingerprint(bitext: Bitext) -> str:
    """What tells this bitext from all others."""
    found = hashlib.sha256()
    for source, target in zip(bitext.source, bitext.target, strict=True):
        found.update(f"{' '.join(source)}\n{' '.join(target)}\n".encode("utf-8", "surrogatepass"))
    for links in bitext.links or ():
        found.update(links.tobytes() + b"\n")
    return found.hexdigest()
