"""A role labeller: what it learns, what it does with new text, that it can be stopped, saved and loaded."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amigrad.data import DataError, Proposition, PropositionSentence, Sentence, Span, WordVectors, read_propositions
from amigrad.tasks.roles import ModelError, OptionsError, RoleLabeller, RoleOptions, evaluate, train_labeller
from amigrad.tasks.roles.examples import RoleExamples
from amigrad.tasks.tagging import TaggerOptions, train_tagger
from amigrad.train import Interrupted

TINY = RoleOptions(word_size=6, affix_size=3, distance_size=4, hidden_size=8, epochs=2, batch_size=4, seed=3)


def test_a_labeller_learns(labeller: RoleLabeller, world: list[PropositionSentence]) -> None:
    found = evaluate(labeller, world[120:])
    # The roles follow from the verb and the place, so little is missed; a guess of the commonest label gets a third.
    assert found.score > 0.9
    assert found.predicates is None
    assert found.arguments.labels["V"].f1 == 1.0


def test_it_finds_predicates_in_plain_text(labeller: RoleLabeller) -> None:
    first, second = labeller.label_text("Ann said that yesterday Bob gave Eve the old bike. Dan picked the lamp up.")
    assert first.words[-3:] == ("old", "bike", ".")
    say, give = first.propositions
    assert (say.lemma, give.lemma) == ("say", "give")
    assert say.spans == (Span("A0", 0, 1), Span("V", 1, 2), Span("A1", 2, 10))
    assert give.spans[-2:] == (Span("A2", 6, 7), Span("A1", 7, 10))
    assert Span("C-V", 4, 5) in second.propositions[0].spans


def test_given_predicates_are_kept_as_they_are(labeller: RoleLabeller) -> None:
    asked = PropositionSentence(("Ann", "saw", "a", "lamp"), (Proposition(1, "see", (), "see.01"),), ("x",) * 4)
    nothing = PropositionSentence(("Well",))
    (answer, silence) = labeller.label([asked, nothing])
    assert (answer.words, answer.tags) == (asked.words, asked.tags)
    assert [(p.predicate, p.lemma, p.sense) for p in answer.propositions] == [(1, "see", "see.01")]
    assert answer.propositions[0].spans == (Span("A0", 0, 1), Span("V", 1, 2), Span("A1", 2, 4))
    assert silence == nothing
    assert labeller.label([]) == []


def test_finding_predicates_is_counted(labeller: RoleLabeller, world: list[PropositionSentence]) -> None:
    found = evaluate(labeller, world[120:], find=True)
    assert found.predicates is not None
    assert found.predicates.f1 > 0.9
    assert found.predicates.gold == sum(len(s.propositions) for s in world[120:])


@pytest.mark.parametrize("network", ["lstm", "convolution"])
@pytest.mark.parametrize("stop", [3, 25])
def test_a_training_that_was_stopped_ends_with_the_same_labeller(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, stop: int
) -> None:
    options = replace(TINY, network=network, cost="word" if network == "lstm" else "sentence", tag_cost=0.2)
    whole = train_labeller(world[:60], world[60:80], options, find_predicates=False)
    batch = RoleExamples.batch
    taken = 0

    def stopping(self: RoleExamples, indices: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken == stop:
            os.kill(os.getpid(), signal.SIGINT)
        return batch(self, indices)

    monkeypatch.setattr(RoleExamples, "batch", stopping)
    with pytest.raises(Interrupted):
        train_labeller(world[:60], world[60:80], options, find_predicates=False, output=tmp_path)
    resumed = train_labeller(world[:60], world[60:80], options, find_predicates=False, output=tmp_path)
    assert taken > stop
    for name, parameter in whole.model.named_parameters().items():
        assert np.array_equal(parameter.numpy(), resumed.model.named_parameters()[name].numpy()), name


def test_a_labeller_is_the_same_after_it_was_saved(labeller: RoleLabeller, world: Any, tmp_path: Path) -> None:
    labeller.save(tmp_path / "model")
    loaded = RoleLabeller.load(tmp_path / "model")
    assert loaded.label(world[120:]) == labeller.label(world[120:])
    assert loaded.find(world[120:]) == labeller.find(world[120:])
    assert loaded.options == labeller.options


def test_a_damaged_model_is_refused(labeller: RoleLabeller, tmp_path: Path) -> None:
    labeller.save(tmp_path)
    description = tmp_path / "model.json"
    content = json.loads(description.read_text())
    content["configuration"]["tags"] = content["configuration"]["tags"][1:]
    description.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="the configuration asks for"):
        RoleLabeller.load(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        RoleLabeller.load(tmp_path / "nothing")


def test_a_labeller_without_a_finder_is_given_predicates(world: Any, tmp_path: Path) -> None:
    options = replace(TINY, epochs=1, cost="word")
    train_labeller(world[:30], world[30:40], options, find_predicates=False, output=tmp_path)
    loaded = RoleLabeller.load(tmp_path)
    assert len(loaded.label(world[:3])[0].propositions) == len(world[0].propositions)
    with pytest.raises(ValueError, match="trained to be given predicates"):
        loaded.find(world[:3])


def test_training_needs_propositions(world: Any) -> None:
    with pytest.raises(DataError, match="no sentence has a proposition"):
        train_labeller([PropositionSentence(("Well",))], world[:3], TINY)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"network": "cnn"}, "network is one of lstm, convolution, not 'cnn'"),
        ({"cost": "all"}, "cost is one of sentence, word"),
        ({"layers": 0}, "layers is at least 1"),
        ({"window": 2}, "odd number"),
        ({"dropout": 1.0}, "dropout is in"),
        ({"tag_cost": -1.0}, "not negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        RoleOptions(**chosen)


def test_real_propositions() -> None:
    folder = os.environ.get("AMIGRAD_DATA")
    if not folder or not Path(folder, "srl_ewt").is_dir():
        pytest.skip("AMIGRAD_DATA does not point at the real data")
    sentences = read_propositions(Path(folder, "srl_ewt", "dev.verbs.gz"))
    assert len(sentences) == 1959
    assert sum(len(s.propositions) for s in sentences) == 3216
    assert sum(span.label != "V" for s in sentences for p in s.propositions for span in p.spans) == 7866


def test_vectors_and_another_taggers_tags_are_features(world: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    words = ("ann", "bob", "gave", "Paris", "zebra")
    vectors = WordVectors(words, generator.normal(size=(5, 7)).astype(np.float32))
    told = [Sentence(s.words, s.tags) for s in world[:40]]
    tagger = train_tagger(told[:30], told[30:], TaggerOptions(scheme="none", hidden_size=8, epochs=1))
    options = replace(TINY, epochs=1, folds=2)
    labeller = train_labeller(
        world[:30], world[30:40], options, vectors=vectors, cascades={"pos": tagger}, find_predicates=False
    )
    assert labeller.options.word_size == 7
    assert {"zebra", "ann"} < set(labeller.features.vocabularies["word"].words)
    assert "pos" in labeller.model.tables
    labeller.save(tmp_path)
    loaded = RoleLabeller.load(tmp_path)
    assert loaded.label(world[30:50]) == labeller.label(world[30:50])
    assert loaded.features.sources["pos"](["Ann", "saw"], [2]) == tagger.tag([["Ann", "saw"]])[0]
