"""A joint model's training: what it learns, that it can be stopped and gone on with, and what it is given."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.data.bitext import Bitext
from amigrad.tasks.rescoring.examples import Examples, contexts_of, pairs_of
from amigrad.tasks.rescoring.joint import JointModel, create_network
from amigrad.tasks.rescoring.normalise import normalise
from amigrad.tasks.rescoring.options import VARIATIONS, JointOptions
from amigrad.tasks.rescoring.train import hold_out, train_joint
from amigrad.tasks.rescoring.words import Words
from amigrad.tasks.tagging import OptionsError
from amigrad.train import Interrupted, TrainingError

OPTIONS = JointOptions(
    word_size=16,
    first_size=32,
    second_size=32,
    window=5,
    history=2,
    objective="self-normalised",
    dropout=0.2,
    hidden_dropout=0.2,
    learning_rate=0.01,
    epochs=4,
    batch_size=64,
)
SMALL = replace(OPTIONS, word_size=4, first_size=8, second_size=8, epochs=2, noise=16)


def assert_same(one: JointModel, other: JointModel) -> None:
    theirs = other.network.named_parameters()
    for name, parameter in one.network.named_parameters().items():
        assert np.array_equal(parameter.value, theirs[name].value), name


@pytest.mark.parametrize("variation", VARIATIONS)
def test_a_model_learns_to_translate(bitext: Bitext, dev_bitext: Bitext, variation: str) -> None:
    direction, order = VARIATIONS[variation]
    model = train_joint(bitext, dev_bitext, replace(OPTIONS, direction=direction, order=order))
    assert model.figures["perplexity"] < 2.5
    assert model.options.variation == variation


def test_a_language_model_knows_less(bitext: Bitext, dev_bitext: Bitext) -> None:
    model = train_joint(bitext, dev_bitext, replace(OPTIONS, window=0))
    # Source words are drawn evenly, so nothing but the other side says what comes.
    assert model.figures["perplexity"] > 5


def test_self_normalised_training_makes_the_sum_one(bitext: Bitext, dev_bitext: Bitext) -> None:
    plain = train_joint(bitext, dev_bitext, replace(OPTIONS, objective="softmax"))
    model = train_joint(bitext, dev_bitext, replace(OPTIONS, alpha=0.3))
    assert model.figures["log_z"] < 0.5 * plain.figures["log_z"]
    assert model.figures["perplexity"] < 1.5 * plain.figures["perplexity"]


def test_scores_come_nearer_to_probabilities_and_no_probability_changes(bitext: Bitext) -> None:
    source, target = (
        Words.build(side, minimum_count=1, maximum_size=50, classes=True) for side in (bitext.source, bitext.target)
    )
    network = create_network(SMALL, source, target)
    rng = np.random.default_rng(1)
    for parameter in network.parameters():
        parameter.value[...] += rng.normal(0, 0.3, parameter.value.shape)
    contexts = contexts_of(pairs_of(bitext, source, target), SMALL)
    given = contexts.windows(), contexts.histories(), contexts.targets()
    before, normalisers = (tensor.numpy() for tensor in network.measure(*given))
    normalise(network, contexts)
    after, corrected = (tensor.numpy() for tensor in network.measure(*given))
    np.testing.assert_allclose(after, before, atol=1e-4)
    # Nearly all of this network's log Z is linear in what the last layer sees.
    assert np.abs(corrected).mean() < 0.1 * np.abs(normalisers).mean()
    assert abs(corrected.mean()) < 0.01


def test_noise_contrastive_estimation_learns_and_normalises(bitext: Bitext, dev_bitext: Bitext) -> None:
    model = train_joint(bitext, dev_bitext, replace(OPTIONS, objective="nce", noise=32, epochs=6))
    assert model.figures["perplexity"] < 3
    assert model.figures["log_z"] < 0.4


@pytest.mark.parametrize("stop", [40])
@pytest.mark.parametrize("objective", ["self-normalised", "nce"])
def test_a_training_that_was_stopped_ends_with_the_same_model(
    bitext: Bitext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int, objective: str
) -> None:
    train, dev = bitext.part(0, 200), bitext.part(200, 220)
    options = replace(SMALL, objective=objective)
    whole = train_joint(train, dev, options)
    batch = Examples.batch
    taken = 0

    def stopping(self: Examples, indices: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken == stop:
            os.kill(os.getpid(), signal.SIGINT)
        return batch(self, indices)

    monkeypatch.setattr(Examples, "batch", stopping)
    with pytest.raises(Interrupted):
        train_joint(train, dev, options, output=tmp_path)
    assert not (tmp_path / "model.json").exists()
    resumed = train_joint(train, dev, options, output=tmp_path)
    assert_same(resumed, whole)
    assert_same(JointModel.load(tmp_path), whole)
    assert resumed.figures == whole.figures


def test_a_training_does_not_go_on_with_other_options_or_links(bitext: Bitext, tmp_path: Path) -> None:
    train, dev = bitext.part(0, 50), bitext.part(50, 60)
    train_joint(train, dev, SMALL, output=tmp_path)
    with pytest.raises(TrainingError, match="first_size was 8, is 9"):
        train_joint(train, dev, replace(SMALL, first_size=9), output=tmp_path)
    assert train.links is not None
    others = Bitext(train.source, train.target, [links[:1] for links in train.links])
    with pytest.raises(TrainingError, match="train is other data"):
        train_joint(others, dev, SMALL, output=tmp_path)


def test_what_cannot_be_trained_on(bitext: Bitext) -> None:
    bare = Bitext(bitext.source, bitext.target)
    with pytest.raises(DataError, match="no word alignment"):
        train_joint(bare, options=SMALL)
    with pytest.raises(DataError, match="no pairs of sentences"):
        train_joint(bitext.part(0, 0), bitext, SMALL)
    assert train_joint(bare, options=replace(SMALL, window=0)).options.variation == "lm-target-l2r"


def test_dev_without_links_gets_those_of_the_lexical_table(bitext: Bitext, dev_bitext: Bitext) -> None:
    aligned = train_joint(bitext, dev_bitext, OPTIONS)
    guessed = train_joint(bitext, Bitext(dev_bitext.source, dev_bitext.target), OPTIONS)
    # Words are drawn evenly and repeat in a sentence, so some links are guessed wrong.
    assert guessed.figures["perplexity"] < 1.5 * aligned.figures["perplexity"]


def test_every_thirtieth_pair_is_kept_back(bitext: Bitext) -> None:
    train, dev = hold_out(bitext)
    assert (len(train), len(dev)) == (387, 13)
    assert dev.source[0] == bitext.source[29]
    assert train.source[29] == bitext.source[30]
    assert train.links is not None
    assert train.links[29] is bitext.links[30]  # type: ignore[index]
    one = bitext.part(0, 1)
    assert hold_out(one) == (one, one)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 4}, "odd number of words or 0, not 4"),
        ({"window": 0, "history": 0}, "needs a history or a window"),
        ({"direction": "s2t"}, "direction is one of source-to-target"),
        ({"order": "up"}, "order is one of"),
        ({"objective": "mse"}, "objective is one of nce, self-normalised, softmax"),
        ({"unknown": "guess"}, "unknown is one of class, unk"),
        ({"dropout": 1.0}, "dropout is in"),
        ({"alpha": -1.0}, "alpha is not negative"),
        ({"epochs": 0}, "epochs is at least 1, not 0"),
        ({"source_words": 2}, "source words is at least 5"),
        ({"optimizer": "sgd"}, "optimizer is one of adam, adagrad"),
        ({"learning_rate": 0.0}, "learning rate is greater than 0"),
        ({"seed": -1}, "a seed is"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        JointOptions(**options)
