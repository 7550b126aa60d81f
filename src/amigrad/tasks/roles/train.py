"""Training a role labeller on sentences with propositions."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from amigrad.backends import compile
from amigrad.data import DataError, PropositionSentence, Sentence, WordVectors
from amigrad.graph import Tensor
from amigrad.optim import SGD, Adagrad, Adam, Optimizer
from amigrad.optim.schedules import Schedule, linear
from amigrad.tasks.folder import training_folder
from amigrad.tasks.options import OptionsError
from amigrad.tasks.roles.evaluate import evaluate
from amigrad.tasks.roles.examples import RoleExamples
from amigrad.tasks.roles.labeller import RoleLabeller, create_network
from amigrad.tasks.roles.model import RoleNetwork
from amigrad.tasks.roles.options import RoleOptions
from amigrad.tasks.roles.predicates import PredicateFinder
from amigrad.tasks.roles.storage import FINDER_FOLDER, FORMAT
from amigrad.tasks.roles.tags import tags_of
from amigrad.tasks.tagging import Tagger, train_tagger
from amigrad.tasks.tagging.cascade import folded_tags, kept_tags
from amigrad.tasks.tagging.context import Cascade
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.pretrained import Pretrained
from amigrad.train import Trainer


def train_labeller(
    train: Sequence[PropositionSentence],
    dev: Sequence[PropositionSentence],
    options: RoleOptions | None = None,
    *,
    vectors: WordVectors | None = None,
    cascades: Mapping[str, Tagger] | None = None,
    find_predicates: bool = True,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> RoleLabeller:
    """Train on some sentences; the epoch is chosen that has the best F1 of arguments on others.

    First, unless `find_predicates` is False, a tagger that finds predicates is trained on the same sentences.
    vectors: where the lookup table of words starts from; its width is then theirs, and their words are known too.
    cascades: taggers whose tags are features, by name.
    With `output`, the labeller is saved in this folder, and a training that was stopped goes on when it is started
    again with the same sentences and options (unless `resume` is False); it ends with the same labeller.
    Raises DataError for sentences without propositions, TrainingError if the training cannot begin or go on.
    """
    options = options or RoleOptions()
    options = replace(options, cascades=tuple(cascades or ()))
    if vectors is not None:
        options = replace(options, word_size=vectors.size)
    folder = training_folder(output, FORMAT)
    _require_propositions("the training data", train)
    _require_propositions("the data to choose the model by", dev)
    finder = None
    if find_predicates:
        finder = PredicateFinder.train(
            train,
            dev,
            seed=options.seed,
            output=None if output is None else Path(output) / FINDER_FOLDER,
            progress=progress,
            resume=resume,
        )
    told = [sentence for sentence in train if sentence.propositions]
    tags = sorted({tag for s in told for p in s.propositions for tag in tags_of(p, len(s))} | {"O"})
    tagged = options.tag_cost > 0 and all(len(sentence.tags) == len(sentence) for sentence in told)
    parts_of_speech = sorted({tag for sentence in told for tag in sentence.tags}) if tagged else []
    words = Counter(chain.from_iterable(sentence.words for sentence in train))
    pretrained = None if vectors is None else Pretrained(vectors, options.words())
    given = _cascaded(told, options, cascades or {}, progress, folder, resume)
    features = Features.build(
        options.words(),
        words,
        pretrained=pretrained.words if pretrained else (),
        values=given,
        sources={name: Cascade(tagger) for name, tagger in (cascades or {}).items()},
    )
    examples = RoleExamples(features, told, _index(tags), _index(parts_of_speech), options, pretrained or (), given)
    model = create_network(options, features, len(tags), len(parts_of_speech))
    if pretrained is not None:
        pretrained.write(model.tables["word"].table.value, features.vocabularies["word"])
        if progress:
            print(pretrained.coverage(features.vocabularies["word"]), file=sys.stderr, flush=True)
    optimizer = create_optimizer(options, model, options.epochs * len(examples))
    labeller = RoleLabeller(options, features, tags, parts_of_speech, model, finder)

    @compile
    def step(columns: list[Tensor], sentence: Tensor, predicate: Tensor, due: Tensor, also: Tensor) -> Tensor:
        with model.training_mode():
            cost = model.cost(columns, sentence, predicate, due, also)
        optimizer.minimize(cost)
        return cost

    def score() -> Mapping[str, float]:
        overall = evaluate(labeller, dev).arguments.overall
        return {"score": overall.f1, "precision": overall.precision, "recall": overall.recall}

    Trainer(
        step,
        examples,
        model=model,
        optimizer=optimizer,
        batch_size=1,
        epochs=options.epochs,
        seed=options.seed,
        evaluate=score,
        patience=options.patience,
        folder=folder,
        settings={
            "options": _settings(options),
            "train": _fingerprint(train),
            "dev": _fingerprint(dev),
            "cascades": hashlib.sha256(repr(given).encode("utf-8", "surrogatepass")).hexdigest(),
            "vectors": None if vectors is None else hashlib.sha256(vectors.matrix.tobytes()).hexdigest(),
        },
        states={"batches": examples.batches},
        resume=resume,
        progress=progress,
    ).run()
    if output is not None:
        labeller.save(output)
    return labeller


def create_optimizer(options: RoleOptions, model: RoleNetwork, steps: int) -> Optimizer:
    """The optimizer that these options ask for, for a training of so many steps at most; tables by looked-up rows."""
    kinds: dict[str, Any] = {"adagrad": Adagrad, "sgd": SGD, "adam": Adam}
    rate: float | Schedule = options.rate if options.schedule == "constant" else linear(options.rate, 0.0, steps)
    made: Optimizer = kinds[options.optimizer](
        model.named_parameters(), learning_rate=rate, clip_norm=options.clip_norm, lookup="lazy"
    )
    return made


def _cascaded(
    sentences: Sequence[PropositionSentence],
    options: RoleOptions,
    cascades: Mapping[str, Tagger],
    progress: bool,
    folder: Path | None,
    resume: bool,
) -> dict[str, list[str]]:
    """The tags that other taggers give the words of the training sentences, as if they had not been trained on them."""
    found = {}
    plain = [Sentence(sentence.words) for sentence in sentences]
    for name, tagger in cascades.items():
        if tagger.options.given:
            raise OptionsError(f"'{name}': a tagger that reads columns beside the words cannot be a feature")

        def report(line: str, name: str = name) -> None:
            if progress:
                print(f"tags of the training sentences for the feature {name}: {line}", file=sys.stderr, flush=True)

        kept = kept_tags(folder, name, resume=resume)
        found[name] = folded_tags(train_tagger, tagger, plain, options.folds, report=report, kept=kept)
    return found


def _index(names: Sequence[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names)}


def _settings(options: RoleOptions) -> dict[str, Any]:
    """The options that a training cannot go on with if they were others."""
    free = {"patience"} if options.schedule != "constant" else {"patience", "epochs"}
    return {name: value for name, value in options.to_json().items() if name not in free}


def _require_propositions(what: str, sentences: Sequence[PropositionSentence]) -> None:
    if not any(sentence.propositions for sentence in sentences):
        remedy = "Give sentences whose predicates have columns of arguments"
        raise DataError(what, None, "no sentence has a proposition", remedy)


def _fingerprint(sentences: Sequence[PropositionSentence]) -> str:
    """What tells these sentences from all others."""
    found = hashlib.sha256()
    for sentence in sentences:
        found.update(repr((sentence.words, sentence.tags, sentence.propositions)).encode("utf-8", "surrogatepass"))
    return found.hexdigest()
