import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.data import DataError, PackedVocabulary, Vocabulary, lower_case, zero_digits

WORDS = ["b", "a", "c", "a", "b", "d", "a"]


def test_words_are_ordered_by_count_then_by_their_characters():
    assert Vocabulary.build(WORDS).words == ("<unk>", "<pad>", "a", "b", "c", "d")
    assert Vocabulary.build({"c": 1, "d": 1, "b": 2, "a": 3}) == Vocabulary.build(WORDS)


@given(st.lists(st.text(max_size=2)), st.randoms(use_true_random=False))
def test_the_order_of_the_text_does_not_matter(words, random):
    shuffled = random.sample(words, len(words))
    assert Vocabulary.build(words) == Vocabulary.build(shuffled)


def test_rare_words_are_left_out():
    assert Vocabulary.build(WORDS, minimum_count=2).words == ("<unk>", "<pad>", "a", "b")
    assert Vocabulary.build(WORDS, maximum_size=3).words == ("<unk>", "<pad>", "a")
    with pytest.raises(ValueError, match="cannot hold 2 special"):
        Vocabulary.build(WORDS, maximum_size=1)


def test_counts_tell_which_words_are_singletons():
    vocabulary = Vocabulary.build(WORDS)
    assert vocabulary.counts.tolist() == [0, 0, 3, 2, 1, 1]
    assert [vocabulary.word(int(i)) for i in np.flatnonzero(vocabulary.counts == 1)] == ["c", "d"]
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 1


def test_unknown_words_share_the_first_special_entry():
    vocabulary = Vocabulary.build(WORDS)
    assert vocabulary.index("a") == 2
    assert vocabulary.index("zebra") == vocabulary.index("<unk>") == vocabulary.unknown == 0
    assert "a" in vocabulary
    assert "zebra" not in vocabulary


def test_many_words_are_looked_up_at_once():
    vocabulary = Vocabulary.build(WORDS)
    found = vocabulary.indices(["d", "zebra", "a"])
    assert found.tolist() == [5, 0, 2]
    assert found.dtype == np.int32
    assert vocabulary.indices(iter(["d", "zebra"]), dtype=np.int64).dtype == np.int64
    assert vocabulary.indices(["a", "zebra"], missing=-1).tolist() == [2, -1]
    assert vocabulary.indices([]).shape == (0,)


def test_without_special_entries_an_unknown_word_is_an_error():
    tags = Vocabulary.build(["NN", "VB"], specials=())
    assert tags.words == ("NN", "VB")
    assert tags.unknown is None
    with pytest.raises(KeyError, match="'JJ' is not among the 2 entries"):
        tags.index("JJ")
    with pytest.raises(KeyError, match="'JJ'"):
        tags.indices(["NN", "JJ"])
    assert tags.indices(["NN", "JJ"], missing=-1).tolist() == [0, -1]


def test_a_special_entry_that_occurs_in_the_text_is_there_once():
    vocabulary = Vocabulary.build(["<unk>", "<unk>", "a"])
    assert vocabulary.words == ("<unk>", "<pad>", "a")
    assert vocabulary.counts.tolist() == [2, 0, 1]


@pytest.mark.parametrize("index", [-1, 6])
def test_an_index_outside_the_vocabulary_is_an_error(index):
    with pytest.raises(IndexError, match=f"index {index} is outside the 6 entries"):
        Vocabulary.build(WORDS).word(index)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(0, 10**12)))
def test_json_keeps_a_vocabulary(counts):
    vocabulary = Vocabulary.build(counts, minimum_count=0)
    again = Vocabulary.from_json(vocabulary.to_json().encode().decode())
    assert again == vocabulary
    assert hash(again) == hash(vocabulary)
    assert again.specials == 2


@given(st.dictionaries(st.text(st.characters()), st.integers(0, 10**12)), st.lists(st.text()))
def test_a_packed_vocabulary_answers_as_another_does(counts, others):
    vocabulary = Vocabulary.build(counts, minimum_count=0)
    packed = PackedVocabulary.of(vocabulary)
    assert packed == vocabulary
    assert hash(packed) == hash(vocabulary)
    assert list(packed) == list(vocabulary)
    words = [*others, *vocabulary.words, *others]
    assert packed.indices(words).tolist() == vocabulary.indices(words).tolist()
    assert packed.indices(iter(words), missing=-1).tolist() == vocabulary.indices(words, missing=-1).tolist()
    assert [word in packed for word in words] == [word in vocabulary for word in words]
    assert [packed.word(packed.index(word)) for word in counts] == list(counts)


def test_a_packed_vocabulary_tells_the_same_errors():
    packed = PackedVocabulary.of(Vocabulary.build(["NN", "VB"], specials=()))
    with pytest.raises(KeyError, match="'JJ' is not among the 2 entries"):
        packed.index("JJ")
    with pytest.raises(KeyError, match="'JJ'"):
        packed.indices(["NN", "JJ"])
    with pytest.raises(IndexError, match="index 2 is outside the 2 entries"):
        packed.word(2)
    assert 1 not in packed


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "other"}, "there is no"),
        ({"words": ["a", "a", "b"]}, "'a' is there 2 times"),
        ({"words": ["a", 1, "b"]}, "not a list of strings"),
        ({"words": "abc"}, "not a list of strings"),
        ({"words": ["a"]}, "1 words but 3 counts"),
        ({"counts": [1, 2, -1]}, "not a list of whole numbers"),
        ({"counts": [1, 2, 1.5]}, "not a list of whole numbers"),
        ({"counts": [1, 2, 2**63]}, "not a list of whole numbers"),
        ({"counts": None}, "not a list of whole numbers"),
        ({"specials": 4}, "not between 0 and 3"),
        ({"specials": True}, "not between 0 and 3"),
    ],
)
def test_json_that_holds_no_vocabulary_is_refused(change, problem):
    content = json.loads(Vocabulary.build(["a"]).to_json())
    with pytest.raises(DataError, match=problem) as caught:
        Vocabulary.from_json(json.dumps({**content, **change}), "words.json")
    assert str(caught.value).startswith("words.json: not a vocabulary: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_damaged_json_is_refused(text):
    with pytest.raises(DataError, match="not a vocabulary"):
        Vocabulary.from_json(text)


@pytest.mark.parametrize(
    ("word", "normal"), [("1984", "0000"), ("B-52s", "B-00s"), ("٣", "0"), ("word", "word"), ("", ""), ("x²", "x²")]
)
def test_digits_become_zero(word, normal):
    assert zero_digits(word) == normal


def test_words_become_lower_case():
    assert lower_case("NASA's") == "nasa's"
