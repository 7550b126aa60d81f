"""Lookup tables that start from word vectors, and words as their characters."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag
from amigrad.data import Sentence, WordVectors
from amigrad.tasks.tagging import Tagger, TaggerOptions, train_tagger
from amigrad.tasks.tagging.features import Features
from amigrad.tasks.tagging.model import Speller
from amigrad.tasks.tagging.pretrained import Pretrained
from amigrad.tasks.tagging.spelling import LENGTH, letters, used, vocabulary

VECTORS = WordVectors(
    ("the", "Paris", "paris", "1984", "Rome", "cat"), np.arange(12, dtype=np.float32).reshape(6, 2) + 1
)
OPTIONS = TaggerOptions(word_size=2, hidden_size=8, suffixes=(), prefixes=(), epochs=1, vector_scale=0.5)


def rows(options: TaggerOptions, words: dict[str, int]) -> dict[str, list[float]]:
    """The row of each word of a vocabulary, as it is in the vectors' matrix."""
    pretrained = Pretrained(VECTORS, options)
    known = Features.build(options, words, pretrained=pretrained.words).vocabularies["word"]
    table = np.full((len(known), 2), np.nan, np.float32)
    pretrained.write(table, known)
    scale = np.sqrt(np.mean(VECTORS.matrix**2)) / 0.5
    return {word: np.round(row * scale).tolist() for word, row in zip(known.words, table, strict=True)}


def test_words_in_lower_case_find_their_vectors() -> None:
    found = rows(OPTIONS, {"The": 2, "Paris": 1, "Rome": 1, "1999": 1, "dog": 3})
    assert found["the"] == [1, 2]
    assert found["paris"] == [5, 6]  # written just so, which goes before Paris
    assert found["rome"] == [9, 10]
    assert found["0000"] == [7, 8]
    assert found["cat"] == [11, 12]  # not in the training data, but known all the same
    assert all(np.isnan(found[word]).all() for word in ("dog", "<unk>", "<pad>"))


def test_words_with_capitals_find_theirs_or_that_in_lower_case() -> None:
    found = rows(TaggerOptions(lower_case=False, vector_scale=0.5, word_size=2), {"The": 2, "Paris": 1, "CAT": 1})
    assert found["The"] == [1, 2]
    assert found["Paris"] == [3, 4]
    assert found["paris"] == [5, 6]
    assert found["CAT"] == [11, 12]


def test_what_has_no_vector_is_counted() -> None:
    pretrained = Pretrained(VECTORS, OPTIONS)
    features = Features.build(OPTIONS, {"the": 6, "dog": 3, "Dog": 1, "sat": 2}, pretrained=pretrained.words)
    coverage = pretrained.coverage(features.vocabularies["word"])
    assert str(coverage) == "2 of 3 words have no vector, 50.0% of the text: dog, sat"


def test_a_tagger_starts_from_vectors(chunks: list[Sentence], capsys: pytest.CaptureFixture[str]) -> None:
    words = sorted({word.lower() for sentence in chunks[:20] for word in sentence.words})
    matrix = np.random.default_rng(0).normal(size=(len(words) + 1, 5)).astype(np.float32)
    vectors = WordVectors((*words, "zyzzyva"), matrix)
    tagger = train_tagger(chunks[:20], chunks[20:25], OPTIONS, vectors=vectors, progress=True)
    assert "0 of" in capsys.readouterr().err
    assert tagger.options.word_size == 5
    known = tagger.features.vocabularies["word"]
    row = tagger.model.tables["word"].table.numpy()[known.index("zyzzyva")]
    scale = 0.5 / np.sqrt(np.mean(matrix.astype(float) ** 2))
    np.testing.assert_allclose(row, matrix[-1] * scale, rtol=1e-6)  # no step has touched it


def test_characters_are_rows_with_padding_around_them() -> None:
    known = vocabulary({"abc": 1, "cab": 1, "x": 1})
    assert set(known.words[2:]) == set("abc")
    found = letters(["ab", "xyzab", "ab" * 20], known)
    assert found.shape == (LENGTH, 3)
    a, b = known.index("a"), known.index("b")
    assert found[:4, 0].tolist() == [1, a, b, 1]
    assert found[1:6, 1].tolist() == [0, 0, 0, a, b]
    assert found[1:21, 2].tolist() == [a, b] * 10
    assert used(found[:, :1]).shape == (1, 1 + 2 + 3)


def test_a_word_is_spelled_alike_beside_longer_ones() -> None:
    known = vocabulary({"abc": 1, "cab": 1})
    speller = Speller(len(known), 4, 6, generator=ag.Generator(seed=1))
    alone = speller(used(letters(["ab"], known))).numpy()
    beside = speller(used(letters(["ab", "cabcabcabcab"], known))).numpy()
    np.testing.assert_allclose(alone[0], beside[0], rtol=1e-6)
    assert not np.allclose(beside[0], beside[1])
    table, weight = speller.characters.table.numpy(), speller.convolution.weight.numpy()
    entries = [1, *known.indices("ab"), 1, 1, 1]
    windows = [np.concatenate(table[entries[i : i + 3]]) @ weight for i in range(4)]
    np.testing.assert_allclose(alone[0], np.max(windows, axis=0), rtol=1e-5)


def test_characters_tell_words_apart(chunks: list[Sentence]) -> None:
    """With nothing but characters beside unknown words, tags are learnt from how words end."""
    rng = np.random.default_rng(2)
    made = []
    for _ in range(120):
        stems = ["".join(rng.choice(list("bcdfg"), 4)) for _ in range(4)]
        tags = tuple(rng.choice(["X", "Y"], 4))
        words = tuple(stem + ("ona" if tag == "X" else "eno") for stem, tag in zip(stems, tags, strict=True))
        made.append(Sentence(words, tags))
    options = TaggerOptions(
        characters=True, capitalisation=False, suffixes=(), prefixes=(), minimum_count=9, window=1, epochs=6
    )
    tagger = train_tagger(made[:100], made[100:], options)
    found = [tag for tags in tagger.tag([sentence.words for sentence in made[100:]]) for tag in tags]
    assert found == [tag for sentence in made[100:] for tag in sentence.tags]


def test_a_tagger_of_characters_is_loaded_as_it_was_saved(chunks: list[Sentence], tmp_path: object) -> None:
    options = TaggerOptions(characters=True, hidden_size=8, epochs=1, cost="sentence")
    tagger = train_tagger(chunks[:20], chunks[20:25], options)
    tagger.save(str(tmp_path))
    words = [sentence.words for sentence in chunks]
    assert Tagger.load(str(tmp_path)).tag(words) == tagger.tag(words)
