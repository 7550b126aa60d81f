"""Training a tagger on tagged sentences."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amigrad.backends import compile
from amigrad.data import DataError, Sentence, is_chunk_tag
from amigrad.graph import Tensor
from amigrad.optim import SGD, Adagrad, Adam, Optimizer
from amigrad.optim.schedules import Schedule, linear
from amigrad.tasks.tagging.evaluate import evaluate
from amigrad.tasks.tagging.examples import Examples, word_counts
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.model import WindowTagger
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.tagger import Tagger, create_model
from amigrad.tasks.tagging.tags import prepare_tags
from amigrad.train import Trainer

TRAINING_FOLDER = "training"


def train_tagger(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    options: TaggerOptions | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> Tagger:
    """Train on some sentences; the epoch is chosen that is best on others, by F1 of chunks or token accuracy.

    With `output`, the tagger is saved in this folder, and a training that was stopped goes on when it is started
    again with the same sentences and options (unless `resume` is False); it ends with the same tagger. More
    epochs than before may be asked for, if the learning rate is constant.
    Raises OptionsError for tags that do not encode chunks well, DataError for sentences without tags, TrainingError
    if the training cannot begin or go on.
    """
    options = options or TaggerOptions()
    _require_tags("the training data", train)
    _require_tags("the data to choose the model by", dev)
    prepared, tag_set = prepare_tags(train, options.scheme)
    if tag_set.scheme is not None:
        _require_chunks("the data to choose the model by", dev)
    features = Features.build(options, word_counts(prepared))
    examples = Examples(features, prepared, tag_set.index, options)
    model = create_model(options, features, len(tag_set))
    optimizer = create_optimizer(options, model, options.epochs * examples.batches_per_epoch)
    tagger = Tagger(options, features, tag_set, model)

    @compile
    def step(columns: list[Tensor], targets: Tensor) -> Tensor:
        with model.training_mode():
            cost = model.cost(columns, targets)
        optimizer.minimize(cost)
        return cost

    def score() -> Mapping[str, float]:
        found = evaluate(tagger, dev)
        if found.chunks is not None:
            return {"score": found.score, "accuracy": found.accuracy.value}
        return {"score": found.score, "unknown": found.unknown.value}

    folder = None if output is None else Path(output) / TRAINING_FOLDER
    Trainer(
        step,
        examples,
        model=model,
        optimizer=optimizer,
        batch_size=options.batch_size,
        epochs=options.epochs,
        seed=options.seed,
        evaluate=score,
        patience=options.patience,
        folder=folder,
        settings={**_settings(options), "train": _fingerprint(train), "dev": _fingerprint(dev)},
        states={"batches": examples.batches},
        resume=resume,
        progress=progress,
    ).run()
    if output is not None:
        tagger.save(output)
    return tagger


def create_optimizer(options: TaggerOptions, model: WindowTagger, steps: int) -> Optimizer:
    """The optimizer that these options ask for, for a training of so many steps at most.

    Rows of lookup tables are updated when they are looked up only, their decay and their moments too.
    """
    kinds: dict[str, Callable[..., Optimizer]] = {"adagrad": Adagrad, "sgd": SGD, "adam": Adam}
    rate: float | Schedule = options.rate if options.schedule == "constant" else linear(options.rate, 0.0, steps)
    return kinds[options.optimizer](
        model.named_parameters(), learning_rate=rate, weight_decay=options.weight_decay, lookup="lazy"
    )


def _settings(options: TaggerOptions) -> dict[str, Any]:
    """The options that a training cannot go on with if they were others."""
    free = {"patience"} if options.schedule != "constant" else {"patience", "epochs"}
    return {name: value for name, value in options.to_json().items() if name not in free}


def _require_tags(what: str, sentences: Sequence[Sentence]) -> None:
    if not any(map(len, sentences)):
        raise DataError(what, None, "there are no sentences", "Give some tagged sentences")
    for number, sentence in enumerate(sentences, 1):
        if len(sentence.tags) != len(sentence.words):
            raise DataError(what, None, f"sentence {number} has no tags", "Give tagged sentences")


def _require_chunks(what: str, sentences: Sequence[Sentence]) -> None:
    for tag in {tag for sentence in sentences for tag in sentence.tags}:
        if not is_chunk_tag(tag):
            raise DataError(what, None, f"'{tag}' is no tag of a chunk, as the training data have", "Give such data")


def _fingerprint(sentences: Sequence[Sentence]) -> str:
    """What tells these sentences from all others."""
    found = hashlib.sha256()
    for sentence in sentences:
        found.update("\t".join((*sentence.words, *sentence.tags, "\n")).encode("utf-8", "surrogatepass"))
    return found.hexdigest()
