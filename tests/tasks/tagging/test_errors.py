"""Errors are counted once, each of its kind, and add up to what the evaluation says."""

from __future__ import annotations

import pytest

from amigrad.data import EncodingError, Sentence
from amigrad.data.encoding import Span, tolerant_spans
from amigrad.tasks.tagging import Tagger, evaluate, find_errors
from amigrad.tasks.tagging.errors import NOTHING, Kind, _chunk_errors


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        ("B-X I-X O", "B-X I-X O", []),
        ("B-X I-X O", "B-Y I-Y O", [Kind.LABEL]),
        ("B-X I-X O", "O B-X O", [Kind.BOUNDARY]),
        ("B-X I-X O", "O B-Y I-Y", [Kind.BOTH]),
        ("B-X I-X O", "O O B-X", [Kind.MISSED, Kind.INVENTED]),
        ("B-X I-X I-X", "B-Y B-X I-X", [Kind.BOUNDARY]),
        ("B-X B-X O", "B-X I-X O", [Kind.BOUNDARY, Kind.BOUNDARY]),
        ("O O O", "B-X O B-Y", [Kind.INVENTED, Kind.INVENTED]),
    ],
)
def test_the_kind_of_an_error(gold: str, predicted: str, kinds: list[Kind]) -> None:
    wrong = list(_chunk_errors(tolerant_spans(gold.split()), tolerant_spans(predicted.split())))
    assert [kind for kind, _, _ in wrong] == kinds


def test_the_prediction_that_shares_most_words_is_compared() -> None:
    gold, predicted = [Span("X", 0, 5)], [Span("Y", 0, 1), Span("Z", 1, 4)]
    assert list(_chunk_errors(gold, predicted)) == [(Kind.BOTH, gold[0], predicted[1])]


def test_errors_of_chunks_add_up(chunker: Tagger, chunks: list[Sentence]) -> None:
    swapped = [
        Sentence(sentence.words, tuple("B-ODD" if tag == "B-VP" else tag for tag in sentence.tags))
        for sentence in chunks[120:]
    ]
    errors, evaluation = find_errors(chunker, swapped, cases=1), evaluate(chunker, swapped)
    assert evaluation.chunks is not None
    assert (errors.gold, errors.found) == (evaluation.chunks.gold, evaluation.chunks.correct)
    assert errors.total == sum(confusion.count for confusion in errors.confusions)
    assert errors.gold - errors.found == errors.total - errors.kinds.get(Kind.INVENTED, 0)
    assert (errors.known, errors.unknown) == (evaluation.known, evaluation.unknown)
    first = errors.confusions[0]
    assert (first.gold, first.predicted) == ("ODD", "VP")
    assert first.count == sum(first.texts.values()) >= first.unknown
    (case,) = first.cases
    assert swapped[case.sentence - 1].words == case.words
    assert case.text in first.texts


def test_errors_of_tags_add_up(pos_tagger: Tagger, parts_of_speech: list[Sentence]) -> None:
    made_up = Sentence(("zyxw", "the"), ("VERB", "NOUN"))
    errors = find_errors(pos_tagger, [*parts_of_speech[120:], made_up], cases=2)
    evaluation = evaluate(pos_tagger, [*parts_of_speech[120:], made_up])
    assert errors.total == evaluation.accuracy.total - evaluation.accuracy.correct
    assert list(errors.kinds) == [Kind.TAG]
    (the,) = [confusion for confusion in errors.confusions if confusion.texts.get("the")]
    assert (the.gold, the.unknown) == ("NOUN", 0)
    assert all(len(confusion.cases) <= 2 for confusion in errors.confusions)
    assert NOTHING not in {confusion.gold for confusion in errors.confusions}


def test_nothing_wrong_and_nothing_there(chunker: Tagger, chunks: list[Sentence]) -> None:
    words = [sentence.words for sentence in chunks[:3]]
    own = [Sentence(w, tuple(tags)) for w, tags in zip(words, chunker.tag(words), strict=True)]
    assert find_errors(chunker, own).confusions == []
    assert find_errors(chunker, []).total == 0
    with pytest.raises(EncodingError):
        find_errors(chunker, [Sentence(("a",), ("NOUN",))])
