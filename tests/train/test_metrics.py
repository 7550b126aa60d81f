import os
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from amigrad.data import Scheme, convert, read_columns
from amigrad.train.metrics import ChunkScores, TokenAccuracy

TAGS = ["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in ("A", "B", "creative-work"))]


def score(gold, predicted) -> ChunkScores:
    scores = ChunkScores()
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        scores.update(gold_tags, predicted_tags)
    return scores


def check_against_seqeval(gold, predicted) -> None:
    scores = score(gold, predicted)
    rows = scores.table()
    for average, expected_rows in (("micro", rows[:1]), (None, rows[1:])):
        theirs = precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
        ours = [[row.precision, row.recall, row.f1, row.gold] for row in expected_rows]
        # Both divide the same whole numbers; F1 is rounded in another order.
        np.testing.assert_allclose(np.transpose(ours).ravel(), np.ravel(theirs), rtol=1e-14)
    assert scores.accuracy == accuracy_score(gold, predicted)


@st.composite
def tagged_twice(draw):
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=5))
    tags = st.sampled_from(draw(st.lists(st.sampled_from(TAGS), min_size=1, unique=True)))
    gold = [draw(st.lists(tags, min_size=n, max_size=n)) for n in lengths]
    keep = draw(st.booleans())
    predicted = [[draw(st.just(tag) if keep and draw(st.booleans()) else tags) for tag in s] for s in gold]
    return gold, predicted


@given(tagged_twice())
def test_chunks_of_any_tags_are_scored_as_seqeval_scores_them(pair):
    gold, predicted = pair
    if any(tag != "O" for sentence in gold + predicted for tag in sentence):
        check_against_seqeval(gold, predicted)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(
    ("name", "columns"), [("conll2000/train.txt.gz", (0, -1)), ("uner_ewt/en_ewt-ud-dev.iob2", (1, 2))]
)
def test_real_tags_with_mistakes_are_scored_as_seqeval_scores_them(name, columns, scheme):
    folder = os.environ.get("AMIGRAD_DATA")
    if not folder:
        pytest.skip("AMIGRAD_DATA does not point at the real data")
    sentences = islice(read_columns(Path(folder, name), word_column=columns[0], tag_column=columns[1]), 900)
    gold = [list(convert(sentence.tags, Scheme.IOB2, scheme)) for sentence in sentences]
    tags = sorted({tag for sentence in gold for tag in sentence})
    random = Random(5)
    predicted = [[random.choice(tags) if random.random() < 0.1 else tag for tag in s] for s in gold]
    check_against_seqeval(gold, predicted)
    assert 0.3 < score(gold, predicted).overall.f1 < 0.95


def test_a_chunk_is_right_if_label_and_words_are():
    scores = score([["B-A", "I-A", "O", "B-B"], ["B-A"]], [["B-A", "I-A", "B-B", "O"], ["B-B"]])
    overall, a, b = scores.table()
    assert (overall.label, overall.gold, overall.predicted, overall.correct) == ("overall", 3, 3, 1)
    assert (a.label, a.precision, a.recall, a.f1) == ("A", 1.0, 0.5, pytest.approx(2 / 3))
    assert (b.label, b.precision, b.recall, b.f1) == ("B", 0.0, 0.0, 0.0)
    assert scores.accuracy == 2 / 5


def test_chunks_end_with_their_sentence():
    scores = score([["B-A"], ["I-A"]], [["I-A"], ["B-A"]])
    assert scores.overall.correct == scores.overall.gold == 2


def test_scores_without_any_chunk_are_zero():
    scores = ChunkScores()
    assert [row.f1 for row in scores.table()] == [0.0]
    scores.update(["O"], ["O"])
    assert scores.accuracy == 1.0
    assert (scores.overall.precision, scores.overall.recall) == (0.0, 0.0)


def test_accuracy_is_told_apart_for_known_and_unknown_words():
    accuracy = TokenAccuracy()
    accuracy.update(["N", "V", "N"], ["N", "N", "N"], [True, True, False])
    accuracy.update(np.array([1, 2]), np.array([2, 1]), np.array([True, False]))
    assert (accuracy.known.correct, accuracy.known.total) == (1, 3)
    assert (accuracy.unknown.correct, accuracy.unknown.total) == (1, 2)
    assert accuracy.overall.value == 2 / 5


def test_accuracy_of_no_tokens_is_zero():
    accuracy = TokenAccuracy()
    accuracy.update([], [])
    assert accuracy.overall.value == accuracy.known.value == 0.0


def test_accuracy_can_do_without_knowing_which_words_are_known():
    accuracy = TokenAccuracy()
    accuracy.update(["N", "V"], ["N", "N"])
    assert accuracy.overall.value == 0.5
    assert accuracy.known.total == accuracy.unknown.total == 0


def test_tags_of_different_lengths_cannot_be_compared():
    with pytest.raises(ValueError, match="2 gold tags cannot be compared with 1"):
        ChunkScores().update(["O", "O"], ["O"])
    with pytest.raises(ValueError, match="1 gold tags"):
        TokenAccuracy().update(["O"], ["O"], [])
