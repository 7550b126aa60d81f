"""One model of several tasks: what is shared, that all tasks learn, and that it is saved, loaded and gone on with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amigrad.data import Scheme, Sentence
from amigrad.tasks.folder import MODEL, ModelError
from amigrad.tasks.tagging import (
    JointTaggers,
    OptionsError,
    Tagger,
    TaggerOptions,
    Taggers,
    TaskData,
    evaluate,
    train_joint,
)
from amigrad.tasks.tagging.examples import Examples
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.joint import JointExamples
from amigrad.tasks.tagging.joint_storage import load_joint
from amigrad.tasks.tagging.tags import TagSet
from amigrad.train.errors import Interrupted

OPTIONS = TaggerOptions(word_size=16, hidden_size=32, affix_size=4, suffixes=(2, 3), epochs=3, dropout=0.1)


@pytest.fixture(scope="module")
def tasks(parts_of_speech: list[Sentence], chunks: list[Sentence]) -> dict[str, TaskData]:
    """Parts of speech of the first sentences, chunks of others: a word may be known from one of the tasks only."""
    return {
        "pos": TaskData(parts_of_speech[:60], parts_of_speech[120:]),
        "chunk": TaskData(chunks[60:120], chunks[120:]),
    }


@pytest.fixture(scope="module")
def joint(tasks: dict[str, TaskData]) -> JointTaggers:
    return train_joint(tasks, OPTIONS)


def test_all_tasks_learn(joint: JointTaggers, tasks: dict[str, TaskData]) -> None:
    assert evaluate(joint["pos"], tasks["pos"].dev).score > 0.75
    assert evaluate(joint["chunk"], tasks["chunk"].dev).score > 0.7
    words = ["The", "old", "cat", "sleeps", "."]
    assert list(joint.tag([words])) == ["pos", "chunk"]


@pytest.mark.parametrize("network", ["window", "lstm"])
@pytest.mark.parametrize("share", ["tables", "hidden"])
def test_what_is_shared(share: str, network: str) -> None:
    options = replace(OPTIONS, characters=True, network=network)
    features = Features.build(options, {"the": 2, "cat": 1})
    tags = {"pos": TagSet(["DET", "NOUN"], None), "chunk": TagSet(["O", "S-NP"], Scheme.IOB2)}
    taggers = JointTaggers.create(options, features, tags, {"pos": False, "chunk": True}, share)
    pos, chunk = (taggers.model.tasks[name] for name in ("pos", "chunk"))
    assert pos.tables["word"].table is chunk.tables["word"].table
    assert pos.speller is chunk.speller
    assert (pos.hidden is chunk.hidden) == (share == "hidden")
    assert pos.output is not chunk.output
    names = list(taggers.model.named_parameters())
    assert sum("tables.word" in name for name in names) == 1
    first = "hidden.weight" if network == "window" else "hidden.0.forward.weight"
    assert sum(first in name for name in names) == (1 if share == "hidden" else 2)
    assert any(name.startswith("tasks.chunk.crf") for name in names)


def test_a_vocabulary_of_all_tasks(joint: JointTaggers, tasks: dict[str, TaskData]) -> None:
    words = {word for data in tasks.values() for sentence in data.train for word in sentence.words}
    assert joint["pos"].features is joint["chunk"].features
    assert joint["pos"].features.known(sorted(words)).all()


class _Counted(Examples):
    def __init__(self, size: int, batch_size: int) -> None:
        self._size, self.taken = size, []
        self._batch_size = batch_size
        self.batches = type("Counter", (), {"value": np.zeros((), np.int64)})()

    def __len__(self) -> int:
        return self._size

    def batch(self, indices):
        self.batches.value[...] += 1
        self.taken.append(sorted(indices.tolist()))
        return len(indices)


def test_an_epoch_takes_every_example_of_every_task_once() -> None:
    first, second = _Counted(10, 4), _Counted(3, 2)
    examples = JointExamples([first, second], [4, 2], seed=1)
    assert len(examples) == 3 + 2
    for epoch in range(2):
        order = np.random.default_rng(epoch).permutation(5)
        found = [examples.batch(order[i : i + 1]) for i in range(5)]
        assert sorted(task for task, _ in found) == [0, 0, 0, 1, 1]
        for task, size, batches in ((first, 10, 3), (second, 3, 2)):
            taken = task.taken[epoch * batches :]
            assert sorted(index for batch in taken for index in batch) == list(range(size))


def test_it_is_saved_and_loaded(joint: JointTaggers, chunks: list[Sentence], tmp_path: Path) -> None:
    joint.save(tmp_path / "all")
    words = [sentence.words for sentence in chunks[:20]]
    assert load_joint(tmp_path / "all").tag(words) == joint.tag(words)
    assert Taggers.load([tmp_path / "all"]).tag(words) == joint.tag(words)
    joint["pos"].save(tmp_path / "alone")
    several = Taggers.load([tmp_path / "all", tmp_path / "alone"])
    assert list(several) == ["all.pos", "all.chunk", "alone"]
    with pytest.raises(ModelError, match=r"of format amigrad\.taggers"):
        Tagger.load(tmp_path / "all")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": "all"}, "its tasks cannot share 'all'"),
        ({"tasks": {}}, "its tasks are not a table"),
        ({"tasks": {"pos": {"tags": ["A"]}}}, "the task pos lacks"),
        ({"tasks": {"pos": {"tags": [], "scheme": None, "sentences": False}}}, "the tags of pos cannot be used"),
    ],
)
def test_a_folder_that_was_changed(
    joint: JointTaggers, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    joint.save(tmp_path)
    content = json.loads((tmp_path / MODEL).read_text())
    content["configuration"] |= change
    (tmp_path / MODEL).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=message):
        load_joint(tmp_path)


def test_a_training_that_was_stopped_ends_with_the_same_model(
    tasks: dict[str, TaskData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(OPTIONS, epochs=2, hidden_size=8, cost="word")
    whole = train_joint(tasks, options, output=tmp_path / "whole")
    taken = JointExamples.batch
    count = 0

    def stopping(self: JointExamples, indices: np.ndarray) -> object:
        nonlocal count
        count += 1
        if count == len(self) + 7:  # in the second epoch
            raise KeyboardInterrupt
        return taken(self, indices)

    monkeypatch.setattr(JointExamples, "batch", stopping)
    with pytest.raises(Interrupted):
        train_joint(tasks, options, output=tmp_path / "stopped")
    again = train_joint(tasks, options, output=tmp_path / "stopped")
    for name, value in whole.model.arrays().items():
        np.testing.assert_array_equal(again.model.arrays()[name], value, err_msg=name)


def test_mistakes_are_named(tasks: dict[str, TaskData]) -> None:
    with pytest.raises(OptionsError, match="at least two"):
        train_joint({"pos": tasks["pos"]}, OPTIONS)
    with pytest.raises(OptionsError, match="tables, hidden"):
        train_joint(tasks, OPTIONS, share="all")
    with pytest.raises(OptionsError, match="no name for a task"):
        train_joint({"p:": tasks["pos"], "chunk": tasks["chunk"]}, OPTIONS)
    with pytest.raises(OptionsError, match="cannot have the features column1"):
        train_joint(tasks, replace(OPTIONS, given=("column1",)))
