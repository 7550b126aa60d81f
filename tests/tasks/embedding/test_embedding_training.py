import os
import signal
import threading

import numpy as np
import pytest

from amigrad.data.demo import write_demo
from amigrad.tasks import embedding
from amigrad.tasks.embedding import EmbeddingError, EmbeddingOptions
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


def test_a_training_that_is_stopped_goes_on_to_the_same_bits(corpus, tmp_path):
    options = EmbeddingOptions(**SMALL)
    whole = embedding.train_embedding([corpus], options, output=tmp_path / "whole")
    timer = threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT))
    stopped = 0
    for _ in range(50):
        timer = threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            vectors = embedding.train_embedding([corpus], options, output=tmp_path / "stopped")
            break
        except Interrupted:
            stopped += 1
        except KeyboardInterrupt:
            continue
        finally:
            timer.cancel()
    assert np.array_equal(vectors.matrix, whole.matrix)
    assert np.array_equal(embedding.load_vectors(tmp_path / "stopped").matrix, whole.matrix)


def test_another_text_or_other_options_are_told(corpus, tmp_path):
    options = EmbeddingOptions(**SMALL)
    embedding.train_embedding([corpus], options, output=tmp_path)
    with pytest.raises(TrainingError, match="window was 2, is 3"):
        embedding.train_embedding([corpus], EmbeddingOptions(**{**SMALL, "window": 3}), output=tmp_path)
    other = tmp_path / "other.txt"
    other.write_text(corpus.read_text() + "\nmore words more words")
    with pytest.raises(TrainingError, match="text was"):
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
    with pytest.raises(EmbeddingError, match=message):
        EmbeddingOptions(**options)
