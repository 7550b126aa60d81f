"""BLEU from counts, held against sacrebleu."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from amigrad.tasks.rescoring.bleu import bleu_statistics, corpus_bleu, sentence_bleu
from amigrad.tasks.rescoring.consensus import expected_bleu, pairwise_bleu, posteriors

WORDS = st.lists(st.sampled_from("abc"), min_size=1, max_size=9).map(tuple)
LISTS = st.lists(WORDS, min_size=1, max_size=5)
CORPUS = BLEU(tokenize="none", force=True)
SENTENCE = BLEU(tokenize="none", smooth_method="add-k", smooth_value=1, effective_order=True)


@given(LISTS, st.lists(WORDS, min_size=1, max_size=3))
def test_statistics_and_scores_are_those_of_sacrebleu(hypotheses, references) -> None:
    found = bleu_statistics(hypotheses, references)
    columns = [[" ".join(words)] for words in references]
    for words, row in zip(hypotheses, found, strict=True):
        text = [" ".join(words)]
        expected = CORPUS.corpus_score(text, columns)
        assert row.tolist() == [*expected.counts, *expected.totals, expected.ref_len]
        assert corpus_bleu(row) == pytest.approx(expected.score, abs=1e-9)
        if len(words) >= 4:  # sacrebleu's effective order leaves out longer n-grams than the sentence has
            sentence = SENTENCE.sentence_score(text[0], [column[0] for column in columns])
            assert sentence_bleu(row) == pytest.approx(sentence.score, abs=1e-9)


@given(LISTS, st.data())
def test_sums_of_statistics_give_corpus_bleu(hypotheses, data) -> None:
    references = [data.draw(WORDS) for _ in hypotheses]
    sums = sum(bleu_statistics([one], [other])[0] for one, other in zip(hypotheses, references, strict=True))
    texts = [[" ".join(words) for words in side] for side in (hypotheses, references)]
    assert corpus_bleu(sums) == pytest.approx(CORPUS.corpus_score(texts[0], [texts[1]]).score, abs=1e-9)


def test_empty_hypotheses_and_references_score_nothing() -> None:
    assert bleu_statistics([()], [("a",)])[0].tolist() == [0] * 8 + [1]
    assert bleu_statistics([("a", "b"), ()], [()])[0].tolist() == [0, 0, 0, 0, 2, 1, 0, 0, 0]
    assert corpus_bleu(np.zeros(9)) == 0
    assert sentence_bleu(bleu_statistics([()], [("a",)])).tolist() == [0]


@given(LISTS)
def test_pairs_of_hypotheses_score_as_with_a_reference(hypotheses) -> None:
    pairs = pairwise_bleu(hypotheses)
    for column, reference in enumerate(hypotheses):
        expected = sentence_bleu(bleu_statistics(hypotheses, [reference]))
        np.testing.assert_allclose(pairs[:, column], expected, rtol=1e-4, atol=1e-4)


def test_the_highest_expected_bleu_is_like_most_others() -> None:
    hypotheses = [("x", "y", "z"), ("a", "b", "c", "d"), ("a", "b", "c", "e"), ("a", "b", "c", "f")]
    chances = posteriors(np.log(np.array([0.4, 0.25, 0.2, 0.15])), 1.0)
    np.testing.assert_allclose(chances, [0.4, 0.25, 0.2, 0.15])
    assert np.argmax(expected_bleu(hypotheses, chances)) == 1
    sharp = posteriors(np.log(chances), 20.0)
    assert np.argmax(expected_bleu(hypotheses, sharp)) == 0


def test_an_empty_hypothesis_is_like_none() -> None:
    assert pairwise_bleu([(), ("a",)])[:, 1].tolist() == pytest.approx([0, 100])
    assert pairwise_bleu([()]).tolist() == [[0]]
