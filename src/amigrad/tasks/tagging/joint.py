"""One model of several tasks (Collobert et al. 2011, section 5): taggers that share their lookup tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.backends import compile
from amigrad.data import Sentence, WordVectors
from amigrad.data.batching import permutation
from amigrad.graph import State, Tensor
from amigrad.nn import Module
from amigrad.tasks.folder import training_folder
from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.evaluate import evaluate
from amigrad.tasks.tagging.examples import Batch, Examples, word_counts
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.model import TaggerNetwork
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.pretrained import Pretrained
from amigrad.tasks.tagging.tagger import Tagger, create_model
from amigrad.tasks.tagging.tags import TagSet, prepare_tags
from amigrad.tasks.tagging.together import Taggers
from amigrad.tasks.tagging.train import (
    SENTENCES,
    WORDS,
    create_average,
    create_optimizer,
    fingerprint,
    fingerprint_of,
    fixed_settings,
    require_chunks,
    require_tags,
)
from amigrad.train import Trainer

SHARES = ("tables", "hidden")


@dataclass(frozen=True, slots=True)
class TaskData:
    """The tagged sentences of a task: those to train on, and those to choose the model by."""

    train: Sequence[Sentence]
    dev: Sequence[Sentence]


class JointModel(Module):
    """Networks by the names of their tasks. The lookup tables of all are those of the first, and its speller if it has
    one; with `share` "hidden" the hidden layers are too, so that each task has only a layer of outputs.
    """

    def __init__(self, models: Mapping[str, TaggerNetwork], share: str) -> None:
        self.share = share
        self.tasks = dict(models)
        first, *others = self.tasks.values()
        for model in others:
            model.tables = first.tables
            if hasattr(first, "speller"):
                model.speller = first.speller
            if share == "hidden":
                model.hidden = first.hidden


class JointTaggers(Taggers):
    """Taggers by the names of their tasks, of one model and with one vocabulary: see `train_joint`."""

    def __init__(
        self, model: JointModel, options: TaggerOptions, features: Features, tags: Mapping[str, TagSet]
    ) -> None:
        self.model, self.options, self.features = model, options, features
        super().__init__({name: Tagger(options, features, tags[name], model.tasks[name]) for name in model.tasks})

    @classmethod
    def create(
        cls,
        options: TaggerOptions,
        features: Features,
        tags: Mapping[str, TagSet],
        chained: Mapping[str, bool],
        share: str,
    ) -> JointTaggers:
        """Taggers with initial parameters. chained: which tasks have the sentence-level cost."""
        models = {name: create_model(options, features, len(tags[name]), sentences=chained[name]) for name in tags}
        return cls(JointModel(models, share), options, features, tags)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model into a folder, which is made if it is missing."""
        from amigrad.tasks.tagging.joint_storage import save_joint

        save_joint(self, folder)


class JointExamples:
    """The batches of several tasks as the examples of one training, which takes them one by one in random order.

    In an epoch each task's examples are all taken, in batches that are made anew.
    """

    def __init__(self, tasks: Sequence[Examples], batch_sizes: Sequence[int], seed: int) -> None:
        self._tasks, self._batch_sizes, self._seed = tasks, batch_sizes, seed
        counts = [examples.batches_per_epoch for examples in tasks]
        self._task = np.repeat(np.arange(len(tasks)), counts)
        self._number = np.concatenate([np.arange(count) for count in counts])
        self._orders: dict[tuple[int, int], NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return len(self._task)

    def batch(self, indices: NDArray[np.integer[Any]]) -> tuple[int, Batch]:
        """The number of a task, and a batch of it. indices: (1,)"""
        (index,) = indices.tolist()
        task = int(self._task[index])
        examples, size = self._tasks[task], self._batch_sizes[task]
        epoch = int(examples.batches.value) // examples.batches_per_epoch
        if (task, epoch) not in self._orders:
            self._orders = {key: order for key, order in self._orders.items() if key[0] != task}
            self._orders[task, epoch] = permutation(len(examples), self._seed + task, epoch)
        start = int(self._number[index]) * size
        return task, examples.batch(self._orders[task, epoch][start : start + size])


def train_joint(
    tasks: Mapping[str, TaskData],
    options: TaggerOptions | None = None,
    *,
    share: str = "tables",
    vectors: WordVectors | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> JointTaggers:
    """Train one model on several tasks: each step takes a batch of a task drawn at random, by their sizes.

    share: "tables" has the tasks share all lookup tables, "hidden" the hidden layers too. The vocabulary is that
    of all tasks' sentences. The epoch is chosen that is best by the mean of the tasks' scores on their sentences to
    choose by. All else is as in `train_tagger`, but columns, gazetteers and other taggers are no features here.
    Raises OptionsError, DataError and TrainingError.
    """
    options = options or TaggerOptions()
    if share not in SHARES:
        raise OptionsError(f"tasks share one of {', '.join(SHARES)}, not '{share}'")
    if options.contextual:
        raise OptionsError(f"a model of several tasks cannot have the features {', '.join(options.contextual)}")
    from amigrad.tasks.tagging.joint_storage import FORMAT

    if len(tasks) < 2:
        raise OptionsError("a model of several tasks has at least two")
    for name in tasks:
        if not name.isidentifier():
            raise OptionsError(f"'{name}' is no name for a task: take letters, digits and _")
    prepared: dict[str, list[Sentence]] = {}
    tags: dict[str, TagSet] = {}
    for name, data in tasks.items():
        require_tags(f"the training data of {name}", data.train)
        require_tags(f"the data to choose the model by of {name}", data.dev)
        try:
            prepared[name], tags[name] = prepare_tags(data.train, options.scheme)
        except OptionsError as error:
            raise OptionsError(f"{name}: {error}") from None
        if tags[name].scheme is not None:
            require_chunks(f"the data to choose the model by of {name}", data.dev)
    chained = {name: options.chained(found.scheme is not None) for name, found in tags.items()}
    whole = {name: options.whole(chained[name]) for name in tags}
    if vectors is not None:
        options = replace(options, word_size=vectors.size)
    pretrained = None if vectors is None else Pretrained(vectors, options)
    features = Features.build(
        options, word_counts(chain.from_iterable(prepared.values())), pretrained=pretrained.words if pretrained else ()
    )
    sizes = {name: options.batch_size or (SENTENCES if whole[name] else WORDS) for name in tasks}
    examples = {
        name: Examples(
            features,
            prepared[name],
            tags[name].index,
            options,
            batch_size=sizes[name],
            whole=whole[name],
            pretrained=pretrained or (),
        )
        for name in tasks
    }
    taggers = JointTaggers.create(options, features, tags, chained, share)
    model = taggers.model
    if pretrained is not None:
        first = next(iter(model.tasks.values()))
        pretrained.write(first.tables["word"].table.value, features.vocabularies["word"])
    batches = JointExamples(list(examples.values()), list(sizes.values()), options.seed)
    epochs = options.passes(any(whole.values()), len(batches))
    optimizer = create_optimizer(options, model, epochs * len(batches))
    steps = [_step(model, name, optimizer.minimize) for name in tasks]

    def score() -> Mapping[str, float]:
        found = {name: evaluate(tagger, tasks[name].dev).score for name, tagger in taggers.items()}
        return {"score": sum(found.values()) / len(found), **found}

    states: dict[str, State] = {f"batches.{name}": found.batches for name, found in examples.items()}
    prints = {name: [fingerprint(found.train), fingerprint(found.dev)] for name, found in tasks.items()}
    Trainer(
        lambda task, batch: steps[task](*batch),
        batches,
        model=model,
        optimizer=optimizer,
        batch_size=1,
        epochs=epochs,
        seed=options.seed,
        evaluate=score,
        patience=options.patience,
        folder=training_folder(output, FORMAT),
        settings={**fixed_settings(options), "share": share, "tasks": prints, "vectors": fingerprint_of(vectors)},
        states=states,
        average=create_average(options, model, len(batches)),
        resume=resume,
        progress=progress,
    ).run()
    if output is not None:
        taggers.save(output)
    return taggers


def _step(model: JointModel, name: str, minimize: Callable[[Tensor], None]) -> Callable[..., Tensor]:
    """The compiled step of a task."""
    own = model.tasks[name]

    @compile
    def step(columns: list[Tensor], targets: Tensor, lengths: Tensor | None, spelling: Any) -> Tensor:
        with model.training_mode():
            cost = own.cost(columns, targets, lengths, spelling)
        minimize(cost)
        return cost

    return step
