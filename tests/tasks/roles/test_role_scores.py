"""Arguments are counted by the rules of srl-eval.pl; each rule has a case made by hand.

srl-eval.pl itself gave the same counts as `ArgumentScores` on 40 random files of 60 sentences, with nested and
interrupted arguments, missing and superfluous propositions and other lemmas.
"""

import pytest

from amigrad.data import Proposition, PropositionSentence
from amigrad.data.propositions import parse_brackets
from amigrad.tasks.roles import ArgumentScores, arguments, score_propositions


def sentence(*columns: str, lemma: str = "go") -> PropositionSentence:
    """A sentence with a proposition for each bracket column; that of column i is its word i."""
    fields = [column.split() for column in columns]
    propositions = [Proposition(i, lemma, parse_brackets(column)) for i, column in enumerate(fields)]
    return PropositionSentence(("word",) * len(fields[0]), tuple(propositions))


def counts(scores: ArgumentScores, label: str | None = None) -> tuple[int, int, int]:
    """Correct, superfluous and missed arguments."""
    row = scores.overall if label is None else scores.labels[label]
    return row.correct, row.predicted - row.correct, row.gold - row.correct


def compared(gold: str, predicted: str) -> ArgumentScores:
    return score_propositions([sentence(gold)], [sentence(predicted)])


def test_an_argument_is_right_if_label_and_both_ends_are():
    gold = "(V*) (A0*) (A1* *) (A2* *) *"
    scores = compared(gold, "(V*) (A0*) (A1*) * (A3* *) (AM-TMP*)")
    assert counts(scores) == (1, 3, 2)
    assert counts(scores, "A0") == (1, 0, 0)
    assert counts(scores, "A1") == (0, 1, 1)
    assert counts(scores, "A2") == (0, 0, 1)
    assert counts(scores, "A3") == (0, 1, 0)
    overall = scores.overall
    assert (overall.precision, overall.recall) == (1 / 4, 1 / 3)
    assert overall.f1 == pytest.approx(2 / 7)


def test_the_predicate_counts_for_itself_only():
    scores = compared("(V* *) (A0*)", "(V*) * (A0*)")
    assert counts(scores) == (1, 0, 0)
    assert counts(scores, "V") == (0, 1, 1)
    assert scores.perfect == 1


def test_a_continuation_is_a_part_of_the_argument_before_it():
    gold = "(V*) (A1*) * (C-A1* *)"
    assert counts(compared(gold, gold)) == (1, 0, 0)
    assert counts(compared(gold, "(V*) (A1*) * (C-A1*) *")) == (0, 1, 1)
    assert counts(compared(gold, "(V*) (A1*) * * *")) == (0, 1, 1)
    # The same first and last word, but no hole: another argument.
    assert counts(compared(gold, "(V*) (A1* * * *)")) == (0, 1, 1)
    assert counts(compared(gold, "(V*) (A1* *) (C-A1* *)")) == (0, 1, 1)


def test_a_continuation_goes_on_with_the_last_argument_of_its_label():
    found = arguments(parse_brackets(["(A1*)", "(A1*)", "(C-A1*)", "(C-A1*)"]))
    assert [(a.label, a.start, a.end, a.places) for a in found] == [
        ("A1", 0, 1, []),
        ("A1", 1, 4, [(1, 2), (2, 3), (3, 4)]),
    ]


def test_a_continuation_of_nothing_is_an_argument_itself():
    scores = compared("(V*) (A1*) *", "(V*) (C-A1*) *")
    assert counts(scores) == (1, 0, 0)
    assert list(scores.labels) == ["A1", "V"]


def test_a_continued_predicate_is_one_predicate_and_excluded():
    scores = compared("(V*) * (C-V*)", "(V*) * *")
    assert counts(scores) == (0, 0, 0)
    assert counts(scores, "V") == (0, 1, 1)
    assert "C-V" not in scores.labels


def test_references_have_labels_of_their_own():
    scores = compared("(V*) (A0*) (R-A0*)", "(V*) (A0*) (A0*)")
    assert counts(scores, "A0") == (1, 1, 0)
    assert counts(scores, "R-A0") == (0, 0, 1)


def test_a_missing_proposition_misses_all_and_a_superfluous_one_does_not_count():
    gold, only_first = sentence("(V*) (A0*)", "(A1*) (V*)"), sentence("(V*) (A0*)")
    assert counts(score_propositions([gold], [only_first])) == (1, 0, 1)
    assert counts(score_propositions([only_first], [gold])) == (1, 0, 0)
    assert score_propositions([gold], [only_first]).propositions == 2


def test_a_proposition_of_another_lemma_is_another_one():
    gold, other = sentence("(V*) (A0*)"), sentence("(V*) (A0*)", lemma="come")
    assert counts(score_propositions([gold], [other])) == (0, 0, 1)
    assert counts(score_propositions([gold], [other], compare_lemmas=False)) == (1, 0, 0)


def test_an_argument_inside_another_is_a_part_of_it_too():
    nested = "(V*) (A1* (A0*) *)"
    assert counts(compared(nested, nested)) == (2, 0, 0)
    assert counts(compared(nested, "(V*) (A1* * *)")) == (0, 1, 2)


def test_a_perfect_proposition_has_all_arguments_and_no_others():
    gold = sentence("(V*) (A0*) *", "* (V*) *", "(A1*) * (V*)")
    predicted = sentence("(V*) (A0*) *", "* (V*) (A1*)", "* * (V*)")
    scores = score_propositions([gold], [predicted])
    assert (scores.perfect, scores.propositions, scores.sentences) == (1, 3, 1)


def test_sentences_have_to_be_the_same():
    with pytest.raises(ValueError, match="2 words cannot be compared with one of 3"):
        score_propositions([sentence("(V*) *")], [sentence("(V*) * *")])
    with pytest.raises(ValueError, match="shorter"):
        score_propositions([sentence("(V*) *")], [])
