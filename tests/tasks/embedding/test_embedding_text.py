import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.data.encoded import encode
from amigrad.tasks.embedding import EmbeddingOptions
from amigrad.tasks.embedding.spans import SPAN, SpanExamples
from amigrad.tasks.embedding.text import PADDING, UNKNOWN, WORDS, Choice, Draws, Text
from amigrad.tasks.embedding.windows import WindowExamples

SENTENCES = ["The cat sat on the 42 mats", "the CAT purrs", "the dog sat on the 17 mats", "rare"]


def text_of(tmp_path, sentences=SENTENCES, **options):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(sentences))
    chosen = EmbeddingOptions(**{"split": "tokens", "minimum_count": 1, "sample": 0.0, **options})
    return Text(encode([path], tmp_path / "encoded", "tokens"), chosen), chosen


def test_words_that_differ_in_case_or_digits_are_one(tmp_path):
    text, _ = text_of(tmp_path, zero_digits=True, minimum_count=2)
    assert text.vocabulary.words[WORDS:] == ("the", "00", "cat", "mats", "on", "sat")
    assert text.vocabulary.counts[WORDS:].tolist() == [5, 2, 2, 2, 2, 2]
    assert text.words == 15
    expected = ["the", "cat", "sat", "on", "the", "00", "mats", "<pad>", "the", "cat", "<unk>", "<pad>"]
    assert [text.vocabulary.word(int(index)) for index in text.indices(0)[:12]] == expected
    cased, _ = text_of(tmp_path, lower_case=False, maximum_size=3)
    assert cased.vocabulary.words[WORDS:] == ("the", "mats", "on")


def test_too_few_words_are_told(tmp_path):
    with pytest.raises(DataError, match="fewer than two words occur at least 9 times"):
        text_of(tmp_path, minimum_count=9)


def test_words_are_drawn_by_their_weights():
    weights = np.array([5.0, 0.0, 1.0, 2.0, 0.5])
    found = np.bincount(Choice(weights, 2).draw(Draws(1, 0), 200_000, 7), minlength=7) / 200_000
    # three standard deviations of a share near one half are 0.0034
    assert np.allclose(found, [0, 0, *(weights / weights.sum())], atol=0.0035)
    again = Choice(weights, 2).draw(Draws(1, 0), 200_000, 7)
    assert np.array_equal(np.bincount(again, minlength=7) / 200_000, found)
    assert not np.array_equal(Choice(weights).draw(Draws(1, 1), 99, 7), Choice(weights).draw(Draws(1, 0), 99, 7))


def pairs_of(examples: SpanExamples, window: int) -> list[tuple[int, int]]:
    """The pairs that a batch says count, found one by one."""
    found = []
    tokens, sentences, reach, _ = (part.reshape(-1, part.shape[-1]) for part in examples.batch(np.array([0])))
    for span in range(len(tokens)):
        for place in range(SPAN):
            middle = place + window
            for other in range(middle - reach[span, place], middle + reach[span, place] + 1):
                if other != middle and sentences[span, other] == sentences[span, middle]:
                    found.append((int(tokens[span, middle]), int(tokens[span, other])))
    return found


def test_spans_have_each_pair_of_a_window_once_and_none_across_sentences(tmp_path):
    lines = [" ".join(f"w{sentence}x{place}" for place in range(1 + sentence % 40)) for sentence in range(60)]
    text, options = text_of(tmp_path, lines, window=3, fixed_window=True)
    expected = []
    for line in lines:
        numbers = text.vocabulary.indices(line.split()).tolist()
        expected += [(a, b) for i, a in enumerate(numbers) for j, b in enumerate(numbers) if 0 < abs(i - j) <= 3]
    assert sorted(pairs_of(SpanExamples(text, options), 3)) == sorted(expected)


def test_windows_reach_each_distance_equally_often(tmp_path):
    text, options = text_of(tmp_path, ["a b c d e " * 700], window=4)
    reach = SpanExamples(text, options).batch(np.array([0]))[2]
    shares = np.bincount(reach.ravel(), minlength=5)[1:] / reach.size
    assert np.allclose(shares, 0.25, atol=0.03)  # 3,500 draws: three standard deviations are 0.022


def test_frequent_words_are_left_out_as_often_as_the_formula_says(tmp_path):
    text, options = text_of(tmp_path, ["often often often rare" for _ in range(800)], sample=0.1, window=2)
    tokens, sentences, _, _ = SpanExamples(text, options).batch(np.array([0]))
    inside = tokens[:, :, 2:-2][sentences[:, :, 2:-2] >= 0]
    ratio = 0.1 / 0.75
    share = np.count_nonzero(inside == text.vocabulary.index("often")) / 2400
    assert share == pytest.approx(ratio**0.5 + ratio, abs=0.031)  # three standard deviations


def test_an_epoch_drawn_again_is_another_one_and_a_resumed_one_the_same(tmp_path):
    text, options = text_of(tmp_path, SENTENCES * 50, sample=0.05)
    first, second = SpanExamples(text, options), SpanExamples(text, options)
    one, two = first.batch(np.array([0])), first.batch(np.array([0]))
    assert any(a.shape != b.shape or not np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    second.taken.value[...] = 1
    assert all(np.array_equal(a, b) for a, b in zip(two, second.batch(np.array([0])), strict=True))


def test_windows_are_padded_at_the_ends_of_sentences(tmp_path):
    text, options = text_of(tmp_path, SENTENCES * 20, objective="ranking", window=2, minimum_count=21)
    around, middle, other = (part.reshape(-1, *part.shape[2:]) for part in WindowExamples(text, options).batch([0]))
    known = text.vocabulary
    assert {tuple(row) for row, word in zip(around, middle, strict=True) if word == known.index("cat")} == {
        (PADDING, known.index("the"), known.index("sat"), known.index("on")),
        (PADDING, known.index("the"), UNKNOWN, PADDING),
    }
    assert middle.min() >= WORDS
    assert other.min() >= WORDS
    assert other.max() < len(known)


def test_dictionaries_grow(tmp_path):
    text, options = text_of(tmp_path, SENTENCES * 100, objective="ranking", dictionaries=(2, 5, 1000), epochs=6)
    examples = WindowExamples(text, options)
    assert examples.dictionaries == (2, 5, len(text.vocabulary) - WORDS)
    assert [examples.known(taken) for taken in range(0, 6 * len(examples), len(examples))] == [2, 2, 5, 5, 10, 10]
    around, middle, other = examples.batch(np.array([0]))
    assert max(part.max() for part in (around, middle, other)) == WORDS + 1
    assert UNKNOWN in around
