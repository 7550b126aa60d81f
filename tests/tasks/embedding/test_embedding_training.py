import gzip
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from amigrad.data.demo import write_demo
from amigrad.tasks import embedding
from amigrad.tasks.embedding import EmbeddingOptions, OptionsError
from amigrad.tasks.embedding.spans import SpanExamples
from amigrad.tasks.embedding.windows import WindowExamples
from amigrad.train import Interrupted, TrainingError

SMALL = {"split": "tokens", "minimum_count": 2, "size": 8, "window": 2, "epochs": 2, "hidden_size": 8}

TOPICS = ({"king", "queen", "crown", "throne", "palace"}, {"horse", "hay", "stable", "saddle", "mare"})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two topics whose words never meet."""
    random = np.random.default_rng(1)
    lines = [" ".join(random.choice(sorted(TOPICS[number % 2]), 8)) for number in range(3000)]
    path = tmp_path_factory.mktemp("corpus") / "topics.txt"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("objective", ["skipgram", "structured", "cbow"])
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_words_that_stand_together_come_together(objective, optimizer, corpus):
    options = EmbeddingOptions(**{**SMALL, "objective": objective, "optimizer": optimizer, "sample": 0.0, "epochs": 4})
    vectors = embedding.train_embedding([corpus], options)
    assert sorted(vectors.counts.tolist(), reverse=True) == vectors.counts.tolist()
    for word in ("crown", "hay"):
        near = {found.word for found in embedding.neighbours(vectors, [word], 4)[0].neighbours}
        assert near | {word} in (
            {"king", "queen", "crown", "throne", "palace"},
            {"horse", "hay", "stable", "saddle", "mare"},
        )


def test_ranking_brings_words_together_that_can_stand_for_one_another(corpus):
    options = EmbeddingOptions(
        **{**SMALL, "objective": "ranking", "optimizer": "adagrad", "epochs": 4, "learning_rate": 0.1}
    )
    vectors = embedding.train_embedding([corpus], options)
    near = {found.word for found in embedding.neighbours(vectors, ["king"], 4)[0].neighbours}
    assert near == {"queen", "crown", "throne", "palace"}


@pytest.mark.parametrize(("objective", "kind"), [("skipgram", SpanExamples), ("ranking", WindowExamples)])
def test_a_training_that_is_stopped_goes_on_to_the_same_bits(objective, kind, corpus, tmp_path, monkeypatch):
    options = EmbeddingOptions(**{**SMALL, "objective": objective})
    whole = embedding.train_embedding([corpus], options, output=tmp_path / "whole")
    batch = kind.batch

    def stopping(examples, indices):
        if int(examples.taken.value) in (3, 9):
            os.kill(os.getpid(), signal.SIGINT)
        return batch(examples, indices)

    with monkeypatch.context() as patched:
        patched.setattr(kind, "batch", stopping)
        for _ in range(2):
            with pytest.raises(Interrupted):
                embedding.train_embedding([corpus], options, output=tmp_path / "stopped")
    vectors = embedding.train_embedding([corpus], options, output=tmp_path / "stopped")
    assert np.array_equal(vectors.matrix, whole.matrix)
    assert np.array_equal(embedding.load_vectors(tmp_path / "stopped").matrix, whole.matrix)


def test_another_text_or_other_options_are_told(corpus, tmp_path):
    options = EmbeddingOptions(**SMALL)
    embedding.train_embedding([corpus], options, output=tmp_path)
    with pytest.raises(TrainingError, match="window was 2, is 3"):
        embedding.train_embedding([corpus], EmbeddingOptions(**{**SMALL, "window": 3}), output=tmp_path)
    other = tmp_path / "other.txt"
    other.write_text(corpus.read_text() + "\nmore words more words")
    with pytest.raises(TrainingError, match="text is other data"):
        embedding.train_embedding([other], options, output=tmp_path)


def test_plain_text_of_a_demonstration_is_trained_on(tmp_path):
    files = write_demo(tmp_path, sentences=300)
    words = [line.split()[0] if line.split() else "\n" for line in files["train"].read_text().splitlines()]
    text = tmp_path / "plain.txt"
    text.write_text(" ".join(words))
    vectors = embedding.train_embedding([text], EmbeddingOptions(size=4, epochs=1))
    assert "." in vectors
    assert vectors.matrix.dtype == np.float32
    assert np.isfinite(vectors.matrix).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "glove"}, "objective is one of skipgram"),
        ({"window": 0}, "window is at least 1"),
        ({"sample": 1.5}, "sample is a share"),
        ({"dictionaries": (5000,)}, "for the objective 'ranking'"),
        ({"objective": "ranking", "dictionaries": (9, 5)}, "rising numbers"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"maximum_size": 1}, "at least 2 words"),
        ({"seed": -1}, "a seed is"),
    ],
)
def test_options_that_make_no_sense_are_told(options, message):
    with pytest.raises(OptionsError, match=message):
        EmbeddingOptions(**options)


def test_long_trainings_take_shorter_steps():
    assert EmbeddingOptions().rate(10_000_000) == 2 * EmbeddingOptions().rate(100_000_000) == 0.05
    assert EmbeddingOptions(learning_rate=0.3).rate(10**9) == 0.3
    assert EmbeddingOptions(objective="cbow").rate(10**9) == EmbeddingOptions(objective="cbow").rate(1)


def test_novels_teach_more_about_similarity_than_chance(tmp_path):
    folder = os.environ.get("AMIGRAD_DATA")
    if not folder or not Path(folder, "text").exists():
        pytest.skip("AMIGRAD_DATA does not point at the real data")
    text = tmp_path / "novels.txt"
    with gzip.open(Path(folder, "text", "novels100.txt.gz"), "rb") as file:
        text.write_bytes(file.read(2_500_000))
    options = EmbeddingOptions(split="lines", epochs=3, size=50)
    vectors = embedding.train_embedding([text], options)
    pairs = embedding.read_pairs(Path(folder, "wordsim", "EN-SIMLEX-999.txt"))
    assert len(pairs) == 999
    assert embedding.similarity(vectors, pairs).found > 400
    near = [found.word for found in embedding.neighbours(vectors, ["could"], 10)[0].neighbours]
    assert {"can", "would", "should", "might", "cannot"} & set(near)
