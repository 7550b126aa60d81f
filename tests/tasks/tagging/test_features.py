"""Words become columns of vocabulary entries, once for each word type."""

from __future__ import annotations

import numpy as np
import pytest

from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.features import Features, capitalisation, columns_of
from amigrad.tasks.tagging.options import TaggerOptions

OPTIONS = TaggerOptions(suffixes=(2,), prefixes=(1,), affix_minimum_count=1)
COUNTS = {"The": 2, "the": 3, "cat": 1, "1984": 1, "2001": 4}


@pytest.fixture
def features() -> Features:
    return Features.build(OPTIONS, COUNTS)


def entries(features: Features, word: str) -> dict[str, str]:
    """What each column has for a word."""
    types = features.types([word])
    indices = features.table[:, types[0]]
    names = features.vocabularies.items()
    return {name: vocabulary.word(index) for (name, vocabulary), index in zip(names, indices, strict=True)}


def test_a_word_has_an_entry_in_every_column(features: Features) -> None:
    assert entries(features, "The") == {"word": "the", "capitalisation": "title", "suffix2": "he", "prefix1": "t"}
    assert entries(features, "cat") == {"word": "cat", "capitalisation": "lower", "suffix2": "at", "prefix1": "c"}


def test_digits_count_as_zero(features: Features) -> None:
    assert entries(features, "3333") == {
        "word": "0000",
        "capitalisation": "digits",
        "suffix2": "00",
        "prefix1": "0",
    }


def test_what_was_never_seen_is_unknown(features: Features) -> None:
    assert entries(features, "scat") == {
        "word": "<unk>",
        "capitalisation": "lower",
        "suffix2": "at",
        "prefix1": "<unk>",
    }
    assert features.known(["the", "THE", "scat"]).tolist() == [True, True, False]


def test_forms_that_are_normalised_alike_share_their_count(features: Features) -> None:
    words = features.vocabularies["word"]
    assert words.counts[words.index("the")] == 5
    assert words.counts[words.index("0000")] == 5


def test_the_first_type_is_padding_in_every_column(features: Features) -> None:
    assert {vocabulary.word(features.table[0, 0]) for vocabulary in features.vocabularies.values()} == {"<pad>"}


def test_types_are_stable_and_their_table_grows(features: Features) -> None:
    words = [f"word{number}x" * (number % 3 + 1) for number in range(5000)]
    first = features.types(words)
    again = features.types(words)
    assert np.array_equal(first, again)
    assert features.table.shape[1] == len(set(words)) + 1
    one_by_one = Features.build(OPTIONS, COUNTS)
    for word in words[:50]:
        mine, theirs = features.types([word]), one_by_one.types([word])
        assert np.array_equal(features.table[:, mine], one_by_one.table[:, theirs])


def test_very_many_types_are_forgotten_not_kept(features: Features, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amigrad.tasks.tagging.features._TYPES_KEPT", 100)
    features.types([f"w{number}" for number in range(500)])
    types = features.types(["the"])
    assert features.table.shape[1] == 2
    assert features.vocabularies["word"].word(features.table[0, types[0]]) == "the"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dog", "lower"),
        ("don't", "lower"),
        ("Dog", "title"),
        ("I", "capital"),
        ("USA", "upper"),
        ("U.S.", "upper"),
        ("McDonald", "mixed"),
        ("iPhone", "mixed"),
        ("1984", "digits"),
        ("...", "other"),
        ("", "other"),
        ("字", "other"),
    ],
)
def test_capitalisation(word: str, expected: str) -> None:
    assert capitalisation(word) == expected


def test_columns_are_those_asked_for() -> None:
    options = TaggerOptions(capitalisation=False, suffixes=(), prefixes=())
    assert [column.name for column in columns_of(options)] == ["word"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"window": 4}, "an odd number of words, not 4"),
        ({"hidden_size": 0}, "hidden size is at least 1"),
        ({"suffixes": (2, 2)}, "suffixes have different lengths"),
        ({"prefixes": (0,)}, "prefixes have different lengths of at least 1"),
        ({"unknown_probability": 1.0}, r"unknown probability is in \[0, 1\)"),
        ({"dropout": float("nan")}, "dropout is in"),
        ({"learning_rate": 0.0}, "learning rate is greater than 0"),
        ({"weight_decay": -1.0}, "weight decay is not negative"),
        ({"patience": 0}, "patience is at least 1"),
        ({"seed": -1}, "a seed is an integer"),
        ({"optimizer": "magic"}, "optimizer is one of adagrad, sgd, adam, not 'magic'"),
        ({"scheme": "BILOU"}, "scheme is one of"),
        ({"cost": "line"}, "cost is one of auto, word, sentence, not 'line'"),
        ({"folds": 1}, "folds are at least 2, or 0"),
        ({"batch_size": 0}, "batch size is at least 1"),
        ({"warm_up": 1.0}, r"warm up is in \[0, 1\)"),
        ({"average": -1.0}, "average is not negative"),
        ({"vector_scale": 0.0}, "vector scale is greater than 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(choice: dict[str, object], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        TaggerOptions(**choice)  # type: ignore[arg-type]


def test_options_go_to_json_and_back() -> None:
    options = TaggerOptions(window=3, suffixes=(3,), patience=2, learning_rate=1e-3, gazetteers=("city",), cost="word")
    assert TaggerOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "'colour' is not known"),
        ({"window": "5"}, "'window' cannot be '5'"),
        ({"suffixes": [1.5]}, "'suffixes' cannot be"),
        ({"lower_case": 1}, "'lower_case' cannot be 1"),
        ({"window": True}, "'window' cannot be True"),
    ],
)
def test_options_of_another_kind_are_not_read(change: dict[str, object], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        TaggerOptions.from_json({**TaggerOptions().to_json(), **change})
