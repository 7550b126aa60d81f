"""Training a tagger on tagged sentences."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from amigrad.backends import compile
from amigrad.data import DataError, Sentence, WordVectors, is_chunk_tag
from amigrad.graph import Tensor
from amigrad.nn import Module
from amigrad.optim import SGD, Adagrad, Adam, Optimizer
from amigrad.optim.schedules import Schedule, linear, warm_up
from amigrad.tasks.folder import training_folder
from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.cascade import folded_tags, kept_tags, named_options
from amigrad.tasks.tagging.context import Cascade, Gazetteer, Source
from amigrad.tasks.tagging.evaluate import evaluate
from amigrad.tasks.tagging.examples import Examples, word_counts
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.pretrained import Pretrained
from amigrad.tasks.tagging.storage import FORMAT
from amigrad.tasks.tagging.tagger import Tagger, create_model, given_columns
from amigrad.tasks.tagging.tags import prepare_tags
from amigrad.train import Average, Trainer

WORDS, SENTENCES = 32, 8
"""How many examples a batch has, if the options do not say: words, or sentences."""


def train_tagger(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    options: TaggerOptions | None = None,
    *,
    vectors: WordVectors | None = None,
    gazetteers: Mapping[str, Gazetteer] | None = None,
    cascades: Mapping[str, Tagger] | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> Tagger:
    """Train on some sentences; the epoch is chosen that is best on others, by F1 of chunks or token accuracy.

    vectors: where the lookup table of words starts from; its width is then theirs, and their words are known to the
    tagger too. gazetteers, cascades: features of words in their sentences, by name, which the options need not name.

    With `output`, the tagger is saved in this folder, and a training that was stopped goes on when it is started
    again with the same sentences and options (unless `resume` is False); it ends with the same tagger. More
    epochs than before may be asked for, if the learning rate is constant.
    Raises OptionsError for tags that do not encode chunks well, DataError for sentences without tags, TrainingError
    if the training cannot begin or go on.
    """
    options = named_options(options or TaggerOptions(), list(gazetteers or {}), list(cascades or {}))
    if vectors is not None:
        options = replace(options, word_size=vectors.size)
    folder = training_folder(output, FORMAT)
    require_tags("the training data", train)
    require_tags("the data to choose the model by", dev)
    prepared, tag_set = prepare_tags(train, options.scheme)
    if tag_set.scheme is not None:
        require_chunks("the data to choose the model by", dev)
    say = _printer(progress)
    chained = options.chained(tag_set.scheme is not None)
    whole = options.whole(chained)
    batch_size = options.batch_size or (SENTENCES if whole else WORDS)
    values = _values(prepared, options, gazetteers or {}, cascades or {}, vectors, say, folder=folder, resume=resume)
    sources: dict[str, Source] = {**(gazetteers or {})}
    sources |= {name: Cascade(tagger) for name, tagger in (cascades or {}).items()}
    pretrained = None if vectors is None else Pretrained(vectors, options)
    features = Features.build(
        options,
        word_counts(prepared),
        pretrained=pretrained.words if pretrained else (),
        values=values,
        sources=sources,
    )
    examples = Examples(
        features,
        prepared,
        tag_set.index,
        options,
        batch_size=batch_size,
        whole=whole,
        pretrained=pretrained or (),
        given=values,
    )
    model = create_model(options, features, len(tag_set), sentences=chained)
    if pretrained is not None:
        pretrained.write(model.tables["word"].table.value, features.vocabularies["word"])
        say(str(pretrained.coverage(features.vocabularies["word"])))
    epochs = options.passes(whole, examples.batches_per_epoch)
    optimizer = create_optimizer(options, model, epochs * examples.batches_per_epoch)
    tagger = Tagger(options, features, tag_set, model)

    @compile
    def step(columns: list[Tensor], targets: Tensor, lengths: Tensor | None, spelling: Any) -> Tensor:
        with model.training_mode():
            cost = model.cost(columns, targets, lengths, spelling)
        optimizer.minimize(cost)
        return cost

    def score() -> Mapping[str, float]:
        found = evaluate(tagger, dev)
        if found.chunks is not None:
            return {"score": found.score, "accuracy": found.accuracy.value}
        return {"score": found.score, "unknown": found.unknown.value}

    data = {
        "train": fingerprint(train),
        "dev": fingerprint(dev),
        "values": _digest(values),
        "vectors": fingerprint_of(vectors),
    }
    Trainer(
        step,
        examples,
        model=model,
        optimizer=optimizer,
        batch_size=batch_size,
        epochs=epochs,
        seed=options.seed,
        evaluate=score,
        patience=options.patience,
        folder=folder,
        settings={**fixed_settings(options), **data},
        states={"batches": examples.batches},
        average=create_average(options, model, examples.batches_per_epoch),
        resume=resume,
        progress=progress,
    ).run()
    if output is not None:
        tagger.save(output)
    return tagger


def create_average(options: TaggerOptions, model: Module, steps: int) -> Average | None:
    """The mean of the parameters over so many epochs as the options say, of this number of steps."""
    if not options.average:
        return None
    every = max(1, steps // _SAMPLES)
    return Average(model, every=every, count=max(1, round(options.average * steps / every)))


def _values(
    sentences: Sequence[Sentence],
    options: TaggerOptions,
    gazetteers: Mapping[str, Gazetteer],
    cascades: Mapping[str, Tagger],
    vectors: WordVectors | None,
    say: Callable[[str], None],
    *,
    folder: Path | None,
    resume: bool,
) -> dict[str, list[str]]:
    """The values that features of words in their sentences have in the training set."""
    flat = list(chain.from_iterable(sentence.words for sentence in sentences))
    lengths = list(map(len, sentences))
    values = given_columns(options.given, lengths, [sentence.columns for sentence in sentences])
    for name, gazetteer in gazetteers.items():
        values[name] = gazetteer(flat, lengths)
    for name, tagger in cascades.items():
        if tagger.options.given:
            raise OptionsError(f"'{name}': a tagger that reads columns beside the words cannot be a feature")

        def report(line: str, name: str = name) -> None:
            say(f"tags of the training sentences for the feature {name}: {line}")

        values[name] = folded_tags(
            train_tagger,
            tagger,
            sentences,
            options.folds,
            vectors=vectors,
            report=report,
            kept=kept_tags(folder, name, resume=resume),
        )
    return values


_SAMPLES = 10
"""How often an epoch's parameters are added to their mean."""


def create_optimizer(options: TaggerOptions, model: Module, steps: int) -> Optimizer:
    """The optimizer that these options ask for, for a training of so many steps at most.

    Rows of lookup tables are updated when they are looked up only, their decay and their moments too.
    """
    kinds: dict[str, Callable[..., Optimizer]] = {"adagrad": Adagrad, "sgd": SGD, "adam": Adam}
    rate: float | Schedule = options.rate
    if options.schedule == "linear":
        rising = int(options.rising * steps)
        rate = linear(options.rate, 0.0, steps - rising)
        rate = warm_up(rising, rate) if rising else rate
    return kinds[options.optimizer](
        model.named_parameters(), learning_rate=rate, weight_decay=options.weight_decay, lookup="lazy"
    )


def fixed_settings(options: TaggerOptions) -> dict[str, Any]:
    """The options that a training cannot go on with if they were others."""
    free = {"patience"} if options.schedule != "constant" else {"patience", "epochs"}
    return {name: value for name, value in options.to_json().items() if name not in free}


def require_tags(what: str, sentences: Sequence[Sentence]) -> None:
    """Raise DataError if there are no sentences, or one has no tags."""
    if not any(map(len, sentences)):
        raise DataError(what, None, "there are no sentences", "Give some tagged sentences")
    for number, sentence in enumerate(sentences, 1):
        if len(sentence.tags) != len(sentence.words):
            raise DataError(what, None, f"sentence {number} has no tags", "Give tagged sentences")


def require_chunks(what: str, sentences: Sequence[Sentence]) -> None:
    """Raise DataError if a tag is not that of a chunk."""
    for tag in {tag for sentence in sentences for tag in sentence.tags}:
        if not is_chunk_tag(tag):
            raise DataError(what, None, f"'{tag}' is no tag of a chunk, as the training data have", "Give such data")


def fingerprint(sentences: Sequence[Sentence]) -> str:
    """What tells these sentences from all others."""
    found = hashlib.sha256()
    for sentence in sentences:
        found.update("\t".join((*sentence.words, *sentence.tags, "\n")).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def fingerprint_of(vectors: WordVectors | None) -> str | None:
    """What tells these vectors from all others."""
    return None if vectors is None else hashlib.sha256(np.ascontiguousarray(vectors.matrix).tobytes()).hexdigest()


def _digest(values: Mapping[str, Sequence[str]]) -> str:
    found = hashlib.sha256()
    for name, column in sorted(values.items()):
        found.update("\t".join((name, *column, "\n")).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def _printer(shown: bool) -> Callable[[str], None]:
    def say(line: str) -> None:
        if shown:
            print(line, file=sys.stderr, flush=True)

    return say
