"""A tagger tags any sentences, a few or very many, empty or very long ones, always the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from seqeval.metrics import f1_score, precision_score, recall_score

from amigrad.data import EncodingError, Scheme, Sentence
from amigrad.data.encoding import spans
from amigrad.tasks.tagging import Tagger, TaggerOptions, evaluate, train_tagger
from amigrad.tasks.tagging.decode import Decoder
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.predict import Predictor


def test_every_word_gets_a_tag_of_the_corpus(chunker: Tagger, chunks: list[Sentence]) -> None:
    tagged = chunker.tag(sentence.words for sentence in chunks)
    assert list(map(len, tagged)) == list(map(len, chunks))
    assert {tag for tags in tagged for tag in tags} <= {tag for sentence in chunks for tag in sentence.tags}


def test_a_sentence_is_tagged_the_same_alone_and_among_others(chunker: Tagger, chunks: list[Sentence]) -> None:
    together = chunker.tag(sentence.words for sentence in chunks)
    assert [chunker.tag([sentence.words])[0] for sentence in chunks] == together


def test_empty_sentences(chunker: Tagger) -> None:
    assert chunker.tag([]) == []
    assert chunker.tag([[]]) == [[]]
    assert [len(tags) for tags in chunker.tag([[], ["the", "cat"], [], []])] == [0, 2, 0, 0]


def test_a_sentence_of_a_hundred_thousand_tokens(chunker: Tagger, chunks: list[Sentence]) -> None:
    words = [word for sentence in chunks for word in sentence.words]
    long = (words * (100_000 // len(words) + 1))[:100_000]
    (tags,) = chunker.tag([long])
    assert len(tags) == 100_000
    assert tags[3 : len(words) - 3] == tags[len(words) + 3 : 2 * len(words) - 3]


def test_strange_words_are_tagged(chunker: Tagger) -> None:
    words = ["\u202e", "🙂", "x" * 10_000, "\x00", "İ", "", " "]
    assert len(chunker.tag([words])[0]) == len(words)


def test_a_string_is_no_sentence(chunker: Tagger) -> None:
    with pytest.raises(TypeError, match="use tag_text"):
        chunker.tag(["the cat"])


def test_plain_text(pos_tagger: Tagger) -> None:
    tagged = pos_tagger.tag_text("The cat sleeps. It is old.\n\nYes.")
    assert [[word for word, _ in sentence] for sentence in tagged] == [
        ["The", "cat", "sleeps", "."],
        ["It", "is", "old", "."],
        ["Yes", "."],
    ]
    assert tagged[0][0] == ("The", "DET")


def test_chunks_are_counted_as_seqeval_counts_them(chunker: Tagger, chunks: list[Sentence]) -> None:
    gold = [list(sentence.tags) for sentence in chunks[120:]]
    predicted = chunker.tag(sentence.words for sentence in chunks[120:])
    evaluation = evaluate(chunker, chunks[120:])
    assert evaluation.chunks is not None
    assert evaluation.chunks.precision == pytest.approx(precision_score(gold, predicted))
    assert evaluation.chunks.recall == pytest.approx(recall_score(gold, predicted))
    assert evaluation.score == evaluation.chunks.f1 == pytest.approx(f1_score(gold, predicted))
    by_label = dict(zip([row.label for row in evaluation.labels], f1_score(gold, predicted, average=None), strict=True))
    assert {row.label: row.f1 for row in evaluation.labels} == pytest.approx(by_label)


def test_known_and_unknown_words_are_counted_apart(pos_tagger: Tagger, parts_of_speech: list[Sentence]) -> None:
    known = pos_tagger.features.vocabularies["word"]
    without_digits = [
        Sentence(sentence.words, sentence.tags)
        for sentence in parts_of_speech
        if not any(map(str.isdigit, "".join(sentence.words)))
    ]
    evaluation = evaluate(pos_tagger, without_digits)
    pairs = [
        (word.lower() in known, tag == guess)
        for sentence, tags in zip(without_digits, pos_tagger.tag(s.words for s in without_digits), strict=True)
        for word, tag, guess in zip(sentence.words, sentence.tags, tags, strict=True)
    ]
    for part, is_known in ((evaluation.known, True), (evaluation.unknown, False)):
        assert part.total == sum(k is is_known for k, _ in pairs)
        assert part.correct == sum(k is is_known and right for k, right in pairs)
    assert evaluation.accuracy.total == evaluation.known.total + evaluation.unknown.total
    assert evaluation.score == evaluation.accuracy.value
    assert evaluation.chunks is None


def test_each_tag_has_its_row(pos_tagger: Tagger, parts_of_speech: list[Sentence]) -> None:
    pairs = [
        (tag, guess)
        for sentence, tags in zip(parts_of_speech, pos_tagger.tag(s.words for s in parts_of_speech), strict=True)
        for tag, guess in zip(sentence.tags, tags, strict=True)
    ]
    rows = evaluate(pos_tagger, parts_of_speech).labels
    assert [row.label for row in rows] == sorted({tag for pair in pairs for tag in pair})
    for row in rows:
        assert row.gold == sum(tag == row.label for tag, _ in pairs)
        assert row.predicted == sum(guess == row.label for _, guess in pairs)
        assert row.correct == sum(tag == guess == row.label for tag, guess in pairs)


def test_a_tag_that_training_never_saw_is_wrong_and_reported(pos_tagger: Tagger, chunker: Tagger) -> None:
    evaluation = evaluate(pos_tagger, [Sentence(("the", "cat"), ("DET", "ANIMAL"))])
    assert evaluation.unseen == {"ANIMAL": 1}
    assert evaluation.accuracy.correct == 1
    chunked = evaluate(chunker, [Sentence(("the", "cat"), ("B-ZOO", "I-ZOO")), Sentence(("the",), ("S-NP",))])
    assert chunked.unseen == {"ZOO": 2}


def test_chunks_cannot_be_compared_with_other_tags(chunker: Tagger) -> None:
    with pytest.raises(EncodingError, match="'DET' is not a chunk tag"):
        evaluate(chunker, [Sentence(("the",), ("DET",))])


def test_nothing_to_evaluate(pos_tagger: Tagger) -> None:
    evaluation = evaluate(pos_tagger, [])
    assert (evaluation.sentences, evaluation.score) == (0, 0.0)


def test_threads_share_a_tagger(
    chunker: Tagger, chunks: list[Sentence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even while it forgets and learns the types of words."""
    monkeypatch.setattr("amigrad.tasks.tagging.features._TYPES_KEPT", 50)
    chunker.save(tmp_path)
    tagger = Tagger.load(tmp_path)
    parts = [[sentence.words for sentence in chunks[start::8]] for start in range(8)]
    expected = [chunker.tag(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(tagger.tag, parts)) == expected


def test_the_model_of_chunks_gives_legal_tags_only(chunks: list[Sentence]) -> None:
    """Even one that was hardly trained, whose best tags for each token alone are often not legal."""
    tagger = train_tagger(chunks[:40], chunks[40:50], TaggerOptions(epochs=1, hidden_size=4))
    alone, together = Predictor(tagger.model), Predictor(tagger.model, Decoder(tagger.tag_set.tags))
    lengths = list(map(len, chunks))
    types = tagger.features.types([word for sentence in chunks for word in sentence.words])
    windows, table = Windows(types, lengths, tagger.features.window), tagger.features.table
    found = together(windows, table, lengths)
    assert not np.array_equal(found, alone(windows, table, lengths))
    for tags in np.split(found, np.cumsum(lengths)[:-1]):
        spans([tagger.tag_set.tags[tag] for tag in tags], Scheme.IOBES)
