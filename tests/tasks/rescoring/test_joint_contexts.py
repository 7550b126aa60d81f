"""What a joint model sees of a pair of sentences, in each direction and order."""

from __future__ import annotations

import numpy as np
import pytest

from amigrad.data.bitext import Bitext
from amigrad.tasks.rescoring.contexts import Contexts, Pairs, Sentences
from amigrad.tasks.rescoring.distinct import Distinct
from amigrad.tasks.rescoring.words import BEGINNING, END, PADDING, Words

P, B, E = PADDING, BEGINNING, END
SOURCE, TARGET = [11, 12, 13], [21, 22, 23, 24]
LINKS = [(0, 0, 1), (0, 2, 0), (0, 2, 3)]  # 21-13, 22-11, 24-13; 23 has none


def contexts(*, to_source: bool = False, from_right: bool = False, window: int = 3, history: int = 2) -> Contexts:
    source = Sentences(np.array(SOURCE, np.int32), np.array([3]))
    target = Sentences(np.array(TARGET, np.int32), np.array([4]))
    pairs = Pairs(source, target, np.array([0]), np.array(LINKS))
    return Contexts(pairs, window=window, history=history, to_source=to_source, from_right=from_right)


def test_source_to_target() -> None:
    found = contexts()
    assert found.targets().tolist() == [21, 22, 23, 24, E]
    assert found.histories().tolist() == [[P, B], [B, 21], [21, 22], [22, 23], [23, 24]]
    assert found.windows().tolist() == [[12, 13, E], [B, 11, 12], [12, 13, E], [12, 13, E], [13, E, P]]


def test_right_to_left_the_end_is_where_the_sentence_begins() -> None:
    found = contexts(from_right=True)
    assert found.targets().tolist() == [24, 23, 22, 21, E]
    assert found.histories().tolist() == [[P, B], [B, 24], [24, 23], [23, 22], [22, 21]]
    # A word has the same window in either order.
    assert found.windows().tolist() == [[12, 13, E], [12, 13, E], [B, 11, 12], [12, 13, E], [P, B, 11]]


def test_target_to_source() -> None:
    found = contexts(to_source=True)
    assert found.targets().tolist() == [11, 12, 13, E]
    assert found.histories().tolist() == [[P, B], [B, 11], [11, 12], [12, 13]]
    # 12 has no link: 13 is as near as 11, and to the right; of 13's two links the first one counts.
    assert found.windows().tolist() == [[21, 22, 23], [B, 21, 22], [B, 21, 22], [24, E, P]]


def test_a_language_model_has_no_window() -> None:
    found = contexts(window=0)
    assert found.windows().shape == (5, 0)
    assert found.histories().tolist() == [[P, B], [B, 21], [21, 22], [22, 23], [23, 24]]


def test_hypotheses_share_their_source() -> None:
    """Two hypotheses of the second of two sentences."""
    source = Sentences(np.array([11, 12, 13], np.int32), np.array([2, 1]))
    target = Sentences(np.array([21, 22, 23], np.int32), np.array([1, 2]))
    pairs = Pairs(source, target, np.array([1, 1]), np.array([(0, 0, 0), (1, 0, 1)]))
    found = Contexts(pairs, window=1, history=1, to_source=False, from_right=False)
    assert found.windows().ravel().tolist() == [13, E, 13, 13, E]
    turned = Contexts(pairs, window=1, history=1, to_source=True, from_right=False)
    assert turned.targets().tolist() == [13, E, 13, E]
    assert turned.windows().ravel().tolist() == [21, E, 23, E]


@pytest.mark.parametrize("to_source", [False, True])
def test_distinct_predictions(to_source: bool) -> None:
    """Against the words themselves, on random sentences of few words."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(0, 4, 400)
    words = Sentences(rng.integers(4, 6, lengths.sum()).astype(np.int32), lengths)
    pairs = Pairs(words, words, rng.integers(0, 400, 400), np.empty((0, 3), np.int64))
    found = Contexts(pairs, window=3, history=2, to_source=to_source, from_right=False)
    rows = np.column_stack([found.windows(), found.histories(), found.targets()])
    distinct = Distinct(found)
    assert len(distinct.predictions) == len(np.unique(rows, axis=0))
    assert len(distinct.pairs) == len(np.unique(rows[:, :5], axis=0))
    assert len(distinct.windows) == len(np.unique(rows[:, :3], axis=0))
    assert len(distinct.histories) == len(np.unique(rows[:, 3:5], axis=0))
    assert np.array_equal(rows[distinct.predictions[distinct.inverse]], rows)
    assert np.all(np.diff(distinct.contexts) >= 0)
    window, history = distinct.pairs[distinct.contexts[distinct.inverse]].T
    assert np.array_equal(rows[distinct.windows[window], :3], rows[:, :3])
    assert np.array_equal(rows[distinct.histories[history], 3:5], rows[:, 3:5])


def test_unknown_words_are_told_apart_by_their_form() -> None:
    known = [["the", "the", "dog", "dog", "sings", "sings"]]
    rare = [[f"w{chr(97 + n)}ing" for n in range(20)], [f"b{chr(97 + n)}ed" for n in range(20)], ["12", "3.5"], ["..."]]
    words = Words.build([*known, *rare], minimum_count=2, maximum_size=100, classes=True)
    name = words.vocabulary.word
    assert [name(i) for i in words.indices(["dog", "jumping", "JUMPING", "jumped", "1999", "?!"])] == [
        "dog",
        "<unk:-ing>",
        "<unk:-ing>",
        "<unk:-ed>",
        "<unk:0>",
        "<unk:.>",
    ]
    assert words.indices(["xyz", "<s>", "</s>"]).tolist() == [0, 0, words.class_of("</s>")]
    counts = dict(zip(words.vocabulary.words, words.vocabulary.counts.tolist(), strict=True))
    assert counts["<unk:-ing>"] == 20
    assert counts["dog"] == 2
    assert counts["<unk:0>"] == 2


def test_without_classes_all_unknown_words_are_alike(bitext: Bitext) -> None:
    words = Words.build(bitext.source, minimum_count=2, maximum_size=10, classes=False)
    assert len(words) == 10
    assert set(words.indices(["99x", "nobody", "?"]).tolist()) == {0}
