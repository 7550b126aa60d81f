"""A tagger's training: reproducible, resumable, and careful with what it is given."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amigrad.data import DataError, Sentence
from amigrad.tasks.tagging import OptionsError, Tagger, TaggerOptions, evaluate, hold_out, train_tagger
from amigrad.tasks.tagging.examples import Examples
from amigrad.train import Interrupted, TrainingError

OPTIONS = TaggerOptions(
    word_size=8,
    hidden_size=16,
    affix_size=4,
    suffixes=(2,),
    dropout=0.2,
    epochs=3,
    schedule="constant",
    seed=5,
    cost="word",
    batch_size=32,
)


def parameters(tagger: Tagger) -> dict[str, np.ndarray]:
    return {name: parameter.numpy() for name, parameter in tagger.model.named_parameters().items()}


def assert_same(one: Tagger, other: Tagger) -> None:
    theirs = parameters(other)
    for name, value in parameters(one).items():
        assert np.array_equal(value, theirs[name]), name


@pytest.fixture(scope="module")
def small(chunks: list[Sentence]) -> tuple[list[Sentence], list[Sentence]]:
    return chunks[:40], chunks[40:50]


def test_a_tagger_learns(chunker: Tagger, chunks: list[Sentence]) -> None:
    on_train, on_dev = evaluate(chunker, chunks[:120]), evaluate(chunker, chunks[120:])
    assert on_train.score > 0.8
    # Chance is far below one half: there are seven kinds of chunks, and their ends have to be right.
    assert on_dev.score > 0.5


def test_the_same_seed_gives_the_same_tagger(small: Any) -> None:
    assert_same(train_tagger(*small, OPTIONS), train_tagger(*small, OPTIONS))


@pytest.mark.parametrize("stop", [3, 20, 31])
@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"optimizer": "adam"},
        {"cost": "sentence", "batch_size": 3},
        {"network": "lstm", "layers": 2, "average": 1.0, "warm_up": 0.1, "batch_size": 3},
    ],
)
def test_a_training_that_was_stopped_ends_with_the_same_tagger(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int, choice: Any
) -> None:
    options = replace(OPTIONS, learning_rate=0.01, schedule="linear", **choice)
    whole = train_tagger(*small, options)
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
        train_tagger(*small, options, output=tmp_path)
    assert not (tmp_path / "model.json").exists()
    resumed = train_tagger(*small, options, output=tmp_path)
    assert_same(resumed, whole)
    assert_same(Tagger.load(tmp_path), whole)
    examples = len(small[0]) if options.whole(options.cost == "sentence") else sum(map(len, small[0]))
    assert taken == -(-examples // (options.batch_size or 0)) * 3


def test_a_training_can_be_made_longer(small: Any, tmp_path: Path) -> None:
    train_tagger(*small, replace(OPTIONS, epochs=1), output=tmp_path)
    longer = train_tagger(*small, OPTIONS, output=tmp_path)
    assert_same(longer, train_tagger(*small, OPTIONS))


def test_a_training_does_not_go_on_with_other_options_or_data(small: Any, tmp_path: Path) -> None:
    train, dev = small
    train_tagger(train, dev, OPTIONS, output=tmp_path)
    with pytest.raises(TrainingError, match="hidden_size was 16, is 17"):
        train_tagger(train, dev, replace(OPTIONS, hidden_size=17), output=tmp_path)
    with pytest.raises(TrainingError, match="dev is other data"):
        train_tagger(train, dev[:-1], OPTIONS, output=tmp_path)
    train_tagger(train, dev, replace(OPTIONS, hidden_size=17), output=tmp_path, resume=False)
    assert Tagger.load(tmp_path).options.hidden_size == 17


@pytest.mark.parametrize("optimizer", ["adagrad", "sgd", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_every_optimizer_trains(small: Any, optimizer: str, schedule: str) -> None:
    rate = {"adagrad": 0.1, "sgd": 0.5, "adam": 0.01}[optimizer]
    options = replace(OPTIONS, optimizer=optimizer, schedule=schedule, learning_rate=rate, weight_decay=1e-6, epochs=6)
    tagger = train_tagger(*small, options)
    assert evaluate(tagger, small[0]).score > 0.3


def test_one_compilation_serves_all_batches(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import amigrad.tasks.tagging.train as module

    steps: list[Any] = []
    compile = module.compile
    monkeypatch.setattr(module, "compile", lambda function: steps.append(compile(function)) or steps[-1])
    train_tagger(*small, OPTIONS)
    assert sum(map(len, small[0])) % 32 > 1
    train_tagger(*small, replace(OPTIONS, cost="sentence", batch_size=3, characters=True))
    train_tagger(*small, replace(OPTIONS, network="lstm", batch_size=3))
    assert len(small[0]) % 3 == 1
    assert [step.compilations for step in steps] == [1, 1, 1]


def test_chunks_are_learnt_as_sentences_and_single_tags_as_words(small: Any, parts_of_speech: list[Sentence]) -> None:
    options = replace(OPTIONS, cost="auto", epochs=1)
    assert hasattr(train_tagger(*small, options).model, "crf")
    assert not hasattr(train_tagger(parts_of_speech[:20], parts_of_speech[20:25], options).model, "crf")


def test_the_sentence_level_cost_learns_what_single_words_do_not_tell() -> None:
    """Words that look alike, whose tags go A B A B from the first on: only transitions can tell."""
    made = [Sentence(("so",) * n, tuple("AB"[i % 2] for i in range(n))) for n in [*range(9, 15)] * 6]
    options = replace(OPTIONS, cost="sentence", window=1, epochs=10, batch_size=4)
    assert evaluate(train_tagger(made, made[:6], options), made[:6]).score == 1.0
    assert evaluate(train_tagger(made, made[:6], replace(options, cost="word")), made[:6]).score < 0.6


def test_a_recurrent_network_learns_what_no_window_shows() -> None:
    """All words have the tag that the first one tells."""
    made = [Sentence((first,) + ("so",) * n, (first,) * (n + 1)) for n in range(6, 12) for first in "AB"] * 5
    options = replace(OPTIONS, network="lstm", window=1, epochs=10, batch_size=4, optimizer="adam", learning_rate=0.01)
    assert evaluate(train_tagger(made, made[:12], options), made[:12]).score == 1.0
    window = replace(options, network="window", window=5)
    assert evaluate(train_tagger(made, made[:12], window), made[:12]).score < 0.8


def test_a_network_has_settings_of_its_own() -> None:
    assert TaggerOptions().optimizer == "adagrad"
    assert TaggerOptions(network="lstm").optimizer == "adam"
    assert TaggerOptions(network="lstm", hidden_size=3).hidden_size == 3
    with pytest.raises(OptionsError, match="network is one of window, lstm, not 'gru'"):
        TaggerOptions(network="gru")
    with pytest.raises(OptionsError, match="the window network has one hidden layer, not 2"):
        TaggerOptions(layers=2)


def test_an_lstm_goes_through_few_sentences_more_often() -> None:
    recurrent = TaggerOptions(network="lstm")
    assert [recurrent.passes(True, batches) for batches in (10, 500, 2000)] == [16, 12, 8]
    assert TaggerOptions(network="lstm", epochs=3).passes(True, 10) == 3
    assert [TaggerOptions().passes(whole, 10) for whole in (False, True)] == [4, 8]


def test_averaged_parameters_are_what_is_kept(small: Any, tmp_path: Path) -> None:
    options = replace(OPTIONS, average=0.5, warm_up=0.1, schedule="linear")
    tagger = train_tagger(*small, options, output=tmp_path)
    assert_same(Tagger.load(tmp_path), tagger)
    assert_same(tagger, train_tagger(*small, options))
    plain = parameters(train_tagger(*small, replace(options, average=0.0)))
    assert not np.array_equal(parameters(tagger)["output.weight"], plain["output.weight"])


def test_features_can_be_left_out(small: Any) -> None:
    options = replace(OPTIONS, capitalisation=False, suffixes=(), prefixes=(), window=1, minimum_count=2)
    assert set(train_tagger(*small, options).model.tables) == {"word"}


def test_sentences_without_tags_are_refused(small: Any) -> None:
    train, dev = small
    with pytest.raises(DataError, match="the training data: there are no sentences"):
        train_tagger([], dev, OPTIONS)
    with pytest.raises(DataError, match="choose the model by: there are no sentences"):
        train_tagger(train, [Sentence(())], OPTIONS)
    with pytest.raises(DataError, match="sentence 2 has no tags"):
        train_tagger([train[0], Sentence(("word",))], dev, OPTIONS)
    with pytest.raises(DataError, match="choose the model by: 'DET' is no tag of a chunk"):
        train_tagger(train, [Sentence(("the",), ("DET",))], OPTIONS)
    with pytest.raises(OptionsError, match="sentence 1, word 1"):
        train_tagger([Sentence(("a", "b"), ("I-X", "B-X"))], dev, replace(OPTIONS, scheme="IOB2"))


def test_the_last_tenth_is_held_out(chunks: list[Sentence]) -> None:
    train, dev = hold_out(chunks)
    assert (len(train), len(dev)) == (135, 15)
    assert [*train, *dev] == chunks
    assert [len(part) for part in hold_out(chunks[:2])] == [1, 1]
    with pytest.raises(DataError, match="one sentence cannot be divided"):
        hold_out(chunks[:1])
