"""`amigrad demo`: the main job on the demonstration corpus, so that it runs anywhere in under a minute."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amigrad.cli.options import QuietOption

if TYPE_CHECKING:
    from amigrad.graph import Tensor
    from amigrad.tasks.tagging import Tagger

SENTENCE = "Lucy Day watches the old watches near Paris."
PARTS_OF_SPEECH = 1


def demo(
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Folder for the corpus, the model and the picture."),
    ] = None,
    sentence: Annotated[str, typer.Option("--sentence", metavar="TEXT", help="What to tag.")] = SENTENCE,
    sentences: Annotated[int, typer.Option("--sentences", min=20, help="Sentences of the corpus.")] = 4000,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the training data.")] = 3,
    quiet: QuietOption = False,
) -> None:
    """Train a tagger on the built-in corpus, tag a sentence with it, and draw the graph that did it.

    \b
    Examples:
      amigrad demo
      amigrad demo --output demo --sentence "Who watches the watches?"
    """
    from amigrad.cli.report import print_evaluation
    from amigrad.data.demo import write_demo
    from amigrad.tasks.tagging import TaggerOptions, evaluate, read_tagged, train_tagger

    folder = output or Path(tempfile.mkdtemp(prefix="amigrad-demo-"))
    files = write_demo(folder, sentences)
    train, dev = (read_tagged(files[part], column=PARTS_OF_SPEECH) for part in ("train", "dev"))
    print(f"The corpus: {len(train):,} sentences to train on, {len(dev):,} to test with ({folder})")
    print("Training a tagger of parts of speech: window of 5 words, lookup tables, two layers")
    started = time.perf_counter()
    options = TaggerOptions(epochs=epochs)
    tagger = train_tagger(train, dev, options, output=folder / "model", progress=not quiet, resume=False)
    print(f"Trained in {time.perf_counter() - started:.1f} s. On the sentences kept for testing:")
    print_evaluation(evaluate(tagger, dev))
    print()
    for tagged in tagger.tag_text(sentence):
        print("  ".join(f"{word}/{tag}" for word, tag in tagged))
    print()
    picture = _draw(tagger, sentence, folder / "graph.svg")
    if picture is not None:
        print(f"The graph that did it, with values and gradients: {picture}")
    print(f"Tag more with it: echo 'Some text.' | amigrad tagger tag {folder / 'model'}")


def _draw(tagger: Tagger, text: str, path: Path) -> Path | None:
    """Draw the cost of the tagger on a text (with its own tags as the data's); None if there is no word in it."""
    from amigrad.inspect.draw import draw

    tagged = tagger.tag_text(text)
    words = [[word for word, _ in sentence] for sentence in tagged]
    tags = [[tag for _, tag in sentence] for sentence in tagged]
    if not any(words):
        return None
    cost = _cost(tagger, words, tags)
    cost.backward()
    return draw(cost, names=tagger.model.states()).save(path)


def _cost(tagger: Tagger, words: list[list[str]], tags: list[list[str]]) -> Tensor:
    import numpy as np

    from amigrad.graph import tensor
    from amigrad.tasks.tagging.examples import Windows

    features = tagger.features
    types = features.types([word for sentence in words for word in sentence])
    windows = Windows(types, list(map(len, words)), features.window).cut(slice(None))
    columns = [
        tensor(entries, name=column.name)
        for column, entries in zip(features.columns, features.table.take(windows, axis=1), strict=True)
    ]
    targets = np.array([tagger.tag_set.index[tag] for sentence in tags for tag in sentence], np.int32)
    cost = tagger.model.cost(columns, tensor(targets, name="tags"))
    cost.name = "cost"
    return cost
