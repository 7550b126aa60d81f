"""Training an embedding on plain text."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amigrad.backends import compile
from amigrad.data import WordVectors
from amigrad.data.encoded import EncodedText, encode
from amigrad.functions import Generator
from amigrad.graph import Tensor
from amigrad.optim import SGD, Adagrad, Optimizer
from amigrad.tasks.embedding.models import BagOfWords, Ranking, SkipGram, SpanModel, StructuredSkipGram
from amigrad.tasks.embedding.options import EmbeddingOptions
from amigrad.tasks.embedding.spans import SpanExamples
from amigrad.tasks.embedding.storage import FORMAT, save_embedding
from amigrad.tasks.embedding.text import WORDS, Text
from amigrad.tasks.embedding.windows import WindowExamples
from amigrad.tasks.folder import training_folder
from amigrad.train import Trainer
from amigrad.train.progress import reading

Model = SpanModel | Ranking
Examples = SpanExamples | WindowExamples

_LAST_SHARE = 1e-3
"""What is left of the learning rate at the end."""


def train_embedding(
    files: Sequence[str | os.PathLike[str]],
    options: EmbeddingOptions | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
    resume: bool = True,
) -> WordVectors:
    """Vectors of the words of some files of plain text, gzipped or not, of any size; most frequent words first.

    The text is read once, and kept as numbers on the disk, four bytes a word: in the output's folder, else in a
    temporary one. Memory depends on the vocabulary. With `output`, the vectors are saved in this folder, and a
    training that was stopped goes on when it is started again with the same text and options (unless `resume` is
    False); it ends with the same vectors. Raises DataError for files that cannot be used, ModelError if the
    folder has a model of another kind, TrainingError if the training cannot begin or go on.
    """
    options = options or EmbeddingOptions()
    with _folder(output) as folder:
        encoded = _encode(files, folder, options, progress)
        text = Text(encoded, options)
        model, examples = create(text, options)
        rate = options.rate(text.words * options.epochs)
        optimizer = create_optimizer(options, model, rate)
        Trainer(
            stepper(model, optimizer, examples, options, rate),
            examples,
            model=model,
            optimizer=optimizer,
            batch_size=1,
            epochs=options.epochs,
            seed=options.seed,
            folder=None if output is None else folder,
            settings={**options.to_json(), "text": encoded.fingerprint},
            states={"taken": examples.taken},
            resume=resume,
            progress=progress,
            unit=("words", text.words / len(text)),
        ).run()
    counts = text.vocabulary.counts[WORDS:]
    vectors = WordVectors(text.vocabulary.words[WORDS:], model.words.table.numpy()[WORDS:], counts)
    if output is not None:
        save_embedding(output, options.to_json(), vectors)
    return vectors


def create(text: Text, options: EmbeddingOptions) -> tuple[Model, Examples]:
    """A new model of the options' objective, and its examples of a text."""
    generator, size = Generator(options.seed), len(text.vocabulary)
    if options.objective == "ranking":
        model = Ranking(size, options.size, options.window, options.hidden_size, generator)
        return model, WindowExamples(text, options)
    kinds: dict[str, type[SpanModel]] = {kind.objective: kind for kind in (SkipGram, StructuredSkipGram, BagOfWords)}
    kind = kinds[options.objective]
    examples = SpanExamples(text, options)
    return kind(size, options.size, options.window, options.negatives, generator), examples


def create_optimizer(options: EmbeddingOptions, model: Model, rate: float) -> Optimizer:
    """The optimizer that these options ask for; it touches the rows of tables that were looked up only."""
    kind = SGD if options.method == "sgd" else Adagrad
    return kind(model.named_parameters(), rate)


def stepper(
    model: Model, optimizer: Optimizer, examples: Examples, options: EmbeddingOptions, rate: float
) -> Callable[..., float]:
    """What trains on a stretch: many compiled steps in a native loop. It gives the mean cost of a word."""
    total = len(examples) * options.epochs
    if options.method == "sgd" and isinstance(examples, SpanExamples):
        rate = min(rate, examples.highest_rate)

    @compile
    def step(*batch: Tensor) -> Tensor:
        cost = model.cost(*batch)
        optimizer.minimize(cost)
        return cost

    def stretch(*batches: Any) -> float:
        done = (int(examples.taken.value) - 1) / total
        optimizer.learning_rate = rate * max(1.0 - done, _LAST_SHARE)
        costs = step.for_each(*batches).numpy()
        return float(costs.mean()) / examples.step_size

    return stretch


def _encode(
    files: Sequence[str | os.PathLike[str]], folder: Path, options: EmbeddingOptions, progress: bool
) -> EncodedText:
    with reading("reading the text", shown=progress) as advance:
        return encode(files, folder / "text", options.split, advance=advance)


@contextmanager
def _folder(output: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Where the encoded text and the checkpoints are: in the output's folder, else in one that is removed again."""
    kept = training_folder(output, FORMAT)
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="amigrad-") as folder:
        yield Path(folder)
