"""Propositions as tags and back."""

import pytest

from amigrad.data import Proposition, Span
from amigrad.data.propositions import parse_brackets
from amigrad.tasks.roles.predicates import Lemmatiser
from amigrad.tasks.roles.tags import spans_of, tags_of


def tags(column: str, predicate: int = 0) -> tuple[str, ...]:
    fields = column.split()
    return tags_of(Proposition(predicate, "go", parse_brackets(fields)), len(fields))


def test_spans_become_tags_and_tags_spans():
    column = "(A0* *) (V*) (A1*) * (C-A1* * *)"
    assert tags(column) == ("B-A0", "E-A0", "S-V", "S-A1", "O", "B-C-A1", "I-C-A1", "E-C-A1")
    assert spans_of(tags(column), 2) == parse_brackets(column.split())


def test_of_nested_spans_the_outermost_is_learnt():
    assert tags("(A1* (A0*) *) (V*)") == ("B-A1", "I-A1", "E-A1", "S-V")
    assert tags("(A1(A0*) *) (V*)") == ("B-A1", "E-A1", "S-V")


def test_the_predicate_has_a_span_and_a_continuation_a_beginning():
    assert spans_of(["S-A0", "O"], 1) == (Span("A0", 0, 1), Span("V", 1, 2))
    assert spans_of(["S-C-A1", "S-V", "S-C-A1"], 1) == (Span("A1", 0, 1), Span("V", 1, 2), Span("C-A1", 2, 3))


@pytest.mark.parametrize(
    ("word", "lemma"),
    [("gave", "give"), ("GAVE", "give"), ("walked", "walk"), ("talked", "talk"), ("carried", "carry"), ("x", "x")],
)
def test_lemmas_are_those_seen_or_by_the_ending(word, lemma):
    pairs = [("gave", "give"), ("walked", "walk"), ("barked", "bark"), ("married", "marry"), ("hurried", "hurry")]
    lemmatiser = Lemmatiser.build(pairs)
    assert lemmatiser(word) == lemma
    assert Lemmatiser(lemmatiser.forms, lemmatiser.endings)(word) == lemma
