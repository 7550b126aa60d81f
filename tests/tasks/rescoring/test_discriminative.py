"""A discriminative lexicon: what it learns, what it says of lists, how it is kept, and that it goes on when stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.data.bitext import Bitext
from amigrad.tasks.folder import MODEL, ModelError
from amigrad.tasks.options import OptionsError
from amigrad.tasks.rescoring import discriminative_train
from amigrad.tasks.rescoring.added import AddedFeatures
from amigrad.tasks.rescoring.discriminative import (
    UNKNOWN_WORD,
    DiscriminativeLexicon,
    DiscriminativeOptions,
    items_of,
    known,
)
from amigrad.tasks.rescoring.discriminative_train import train_discriminative
from amigrad.tasks.rescoring.nbest import NBestList, read_nbest
from amigrad.train.errors import Interrupted

OPTIONS = DiscriminativeOptions(size=16, batch_size=16, epochs=3, source_pair_count=2, target_pair_count=2)


@pytest.fixture(scope="module")
def lexicon(bitext: Bitext, dev_bitext: Bitext) -> DiscriminativeLexicon:
    return train_discriminative(
        bitext, dev_bitext, DiscriminativeOptions(size=32, batch_size=16, epochs=6, learning_rate=0.01)
    )


def made_list(tmp_path: Path, *texts: str) -> NBestList:
    path = tmp_path / "nbest"
    path.write_text("".join(f"0 ||| {text} ||| lm= -1 ||| -1\n" for text in texts))
    return next(iter(read_nbest(path, allow_empty=True)))


def test_it_prefers_the_translation(lexicon: DiscriminativeLexicon, dev_bitext: Bitext, tmp_path: Path) -> None:
    better = []
    for pair in range(20):
        both = (pair, pair + 20)
        found = made_list(tmp_path, *(" ".join(dev_bitext.target[place][:-1]) for place in both))
        odds = np.array([lexicon.features(found, dev_bitext.source[place]).sum(axis=1) for place in both])
        better.append(odds[0, 0] + odds[1, 1] > odds[0, 1] + odds[1, 0])
    assert sum(better) >= 18


def test_features_are_the_networks_log_odds(lexicon: DiscriminativeLexicon, bitext: Bitext, tmp_path: Path) -> None:
    source = ["a1", "a2", "nowhere"]
    texts = ["b1 c2 b1", "", "nowhere b1"]
    found = lexicon.features(made_list(tmp_path, *texts), source)
    items = lexicon.source.indices(known(items_of(source), lexicon.source))[None]
    which = np.arange(len(lexicon.target), dtype=np.int32)
    odds = lexicon.network(items, np.ones((*items.shape, 1), np.float32), which).value[0]

    def total(items: set[str]) -> float:
        known_items = [odds[lexicon.target.index(item)] for item in items if item in lexicon.target]
        return float(np.sum(known_items)) + UNKNOWN_WORD * (len(items) - len(known_items))

    for row, text in zip(found, texts, strict=True):
        words = text.split()
        pairs = set(items_of(words)[len(words) :])
        np.testing.assert_allclose(row, [total(set(words)), total(pairs)], rtol=1e-4, atol=1e-4)


def test_a_model_is_saved_whole(lexicon: DiscriminativeLexicon, tmp_path: Path) -> None:
    lexicon.save(tmp_path / "one")
    found = made_list(tmp_path, "b1 c2", "c2")
    columns = lexicon.features(found, ["a1", "a2"])
    np.testing.assert_array_equal(DiscriminativeLexicon.load(tmp_path / "one").features(found, ["a1", "a2"]), columns)
    lexicon.network.bias.value[...] += 1
    try:
        lexicon.save(tmp_path / "two")
    finally:
        lexicon.network.bias.value[...] -= 1
    both = AddedFeatures([tmp_path / "one", tmp_path / "two"])
    assert both.names == ("discriminative-words", "discriminative-pairs")
    ((_, means),) = both.of_lists([found], [["a1", "a2"]])
    np.testing.assert_allclose(means[:, 0], columns[:, 0] + 0.5 * np.array([2, 1]), rtol=1e-4, atol=1e-4)
    (tmp_path / "one" / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="was changed"):
        DiscriminativeLexicon.load(tmp_path / "one")


def test_a_stopped_training_ends_with_the_same_model(
    bitext: Bitext, dev_bitext: Bitext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_discriminative(bitext, dev_bitext, OPTIONS)
    batch, calls = discriminative_train.Examples.batch, 0

    def stopping(self: Any, indices: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 33:
            os.kill(os.getpid(), signal.SIGINT)
        return batch(self, indices)

    monkeypatch.setattr(discriminative_train.Examples, "batch", stopping)
    with pytest.raises(Interrupted):
        train_discriminative(bitext, dev_bitext, OPTIONS, output=tmp_path / "model")
    assert not (tmp_path / "model" / MODEL).exists()
    resumed = train_discriminative(bitext, dev_bitext, OPTIONS, output=tmp_path / "model")
    for name, parameter in whole.network.named_parameters().items():
        np.testing.assert_array_equal(parameter.value, resumed.network.named_parameters()[name].value)
    assert DiscriminativeLexicon.load(tmp_path / "model").figures == whole.figures


def test_mistakes_are_named(bitext: Bitext) -> None:
    with pytest.raises(DataError, match="no target word comes often enough"):
        train_discriminative(Bitext([["a"], ["b"]], [["x"], ["y"]]))
    with pytest.raises(OptionsError, match="size is at least 1"):
        DiscriminativeOptions(size=0)
    with pytest.raises(OptionsError, match="dropout"):
        DiscriminativeOptions(dropout=1.0)
