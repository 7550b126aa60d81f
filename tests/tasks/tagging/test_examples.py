"""Windows are cut for many tokens at once, and rare words are taken for unknown, reproducibly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amigrad.data import Sentence
from amigrad.tasks.tagging.examples import Examples, Windows, word_counts
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.options import TaggerOptions


@pytest.mark.parametrize("window", [1, 3, 5, 9])
def test_windows_are_what_a_loop_over_the_sentences_cuts(window: int) -> None:
    sentences = [[1, 2, 3], [], [4], [], [5, 6, 7, 8, 9, 10, 11]]
    half = window // 2
    expected = []
    for sentence in sentences:
        padded = [0] * half + sentence + [0] * half
        expected += [padded[start : start + window] for start in range(len(sentence))]
    types = np.array([word for sentence in sentences for word in sentence], np.int32)
    windows = Windows(types, list(map(len, sentences)), window)
    assert windows.cut(slice(None)).tolist() == expected
    assert windows.cut(np.array([4, 0])).tolist() == [expected[4], expected[0]]
    assert len(windows) == 11


def test_no_sentences_have_no_windows() -> None:
    assert Windows(np.empty(0, np.int32), [], 5).cut(slice(None)).shape == (0, 5)


OPTIONS = TaggerOptions(affix_minimum_count=1)


def make_examples(options: TaggerOptions = OPTIONS, **arguments: Any) -> tuple[Features, Examples]:
    rare = [Sentence((f"rare{'x' * number}", "often"), ("A", "B")) for number in range(400)]
    features = Features.build(options, word_counts(rare))
    return features, Examples(features, rare, {"A": 0, "B": 1}, options, **{"batch_size": 800, **arguments})


def next_words(features: Features, examples: Examples) -> np.ndarray:
    """The vocabulary's entry of each token in the next epoch."""
    columns = examples.batch(np.arange(len(examples))).columns
    return np.asarray(columns[0][:, features.window // 2])


def test_words_that_occur_once_become_unknown_half_of_the_time() -> None:
    features, examples = make_examples()
    words = next_words(features, examples)
    assert (words[1::2] == features.vocabularies["word"].index("often")).all()
    # 400 draws: 140 to 260 is six standard deviations around the mean.
    assert 140 < (words[0::2] == 0).sum() < 260


def test_a_word_that_is_taken_for_unknown_keeps_its_other_features() -> None:
    _, examples = make_examples()
    known = make_examples(replace(OPTIONS, unknown_probability=0.0))[1].batch(np.arange(800))
    drawn = examples.batch(np.arange(800))
    for before, after in zip(known.columns[1:], drawn.columns[1:], strict=True):
        assert np.array_equal(before, after)
    assert drawn.targets.tolist() == [0, 1] * 400


def test_what_is_unknown_depends_on_the_seed_and_the_epoch_only() -> None:
    features, examples = make_examples()
    first, second, third = (next_words(features, examples) for _ in range(3))
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    features, resumed = make_examples()
    resumed.batches.assign(2)
    assert np.array_equal(next_words(features, resumed), third)
    features, other = make_examples(replace(OPTIONS, seed=8))
    assert not np.array_equal(next_words(features, other), first)


def test_an_epoch_has_as_many_batches_as_its_examples_fill() -> None:
    """The same words are unknown in all batches of an epoch, the last and smaller one included."""
    features, examples = make_examples()
    whole = next_words(features, examples)
    features, examples = make_examples(batch_size=300)
    parts = [examples.batch(np.arange(start, min(start + 300, 800))).columns[0][:, 2] for start in (0, 300, 600)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(next_words(features, examples), whole)


def test_a_batch_has_whole_windows_of_small_integers() -> None:
    _, examples = make_examples()
    columns, targets, lengths, spelling = examples.batch(np.array([3, 1]))
    assert {column.shape for column in columns} == {(2, 5)}
    assert {column.dtype for column in columns} == {targets.dtype} == {np.dtype(np.int32)}
    assert all(column.flags.c_contiguous for column in columns)
    assert lengths is None
    assert spelling is None


def test_a_batch_of_sentences_has_all_their_words_in_order() -> None:
    sentences = [
        Sentence(("a", "b", "a"), ("A", "B", "B")),
        Sentence(()),
        Sentence(("c",), ("B",)),
        Sentence(("d",), "A"),
    ]
    features = Features.build(OPTIONS, word_counts(sentences))
    options = replace(OPTIONS, unknown_probability=0.0)
    examples = Examples(features, sentences, {"A": 0, "B": 1}, options, batch_size=2, whole=True)
    assert (len(examples), examples.batches_per_epoch) == (3, 2)
    columns, targets, lengths, _ = examples.batch(np.array([2, 0]))
    words = features.vocabularies["word"]
    assert [words.word(entry) for entry in columns[0][:, 2]] == ["d", "a", "b", "a"]
    assert targets.tolist() == [0, 0, 1, 1]
    assert lengths is not None
    assert lengths.tolist() == [1, 3]


def test_the_characters_of_each_word_of_a_batch_come_once() -> None:
    _, examples = make_examples(replace(OPTIONS, characters=True, unknown_probability=0.0))
    spelling = examples.batch(np.array([1, 3, 5])).spelling
    assert spelling is not None
    # Padding, "often", "rare" with up to three x; the window of five shows at most two words of a sentence.
    assert spelling.letters.shape == (5, 1 + len("rarexx") + 3)
    assert spelling.places.shape == (3, 5)
    assert spelling.places.max() == 4


def test_words_with_vectors_are_taken_for_unknown_seldom() -> None:
    features, examples = make_examples(pretrained=[f"rare{'x' * number}" for number in range(200)])
    words = next_words(features, examples)[0::2]
    # 200 draws of probability 0.1 and as many of 0.5: six standard deviations around the means.
    assert 0 < (words[:200] == 0).sum() < 46
    assert 58 < (words[200:] == 0).sum() < 142
