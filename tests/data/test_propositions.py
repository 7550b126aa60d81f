"""Propositions in columns: what is read, what is written, and what is wrong with a file."""

import pytest

from amigrad.data import (
    DataError,
    Proposition,
    PropositionColumns,
    PropositionSentence,
    Span,
    format_propositions,
    read_propositions,
)
from amigrad.data.propositions import format_brackets

GAVE = PropositionSentence(
    ("She", "gave", "it", "away"),
    (Proposition(1, "give", (Span("A0", 0, 1), Span("V", 1, 2), Span("A1", 2, 3), Span("C-V", 3, 4)), "give.01"),),
    ("PRP", "VBD", "PRP", "RP"),
)
TWO = PropositionSentence(
    ("Ann", "saw", "Bob", "run"),
    (
        Proposition(1, "see", (Span("A0", 0, 1), Span("V", 1, 2), Span("A1", 2, 4)), "see.01"),
        Proposition(3, "run", (Span("A0", 2, 3), Span("V", 3, 4)), "run.XX"),
    ),
    ("NNP", "VBD", "NNP", "VB"),
)
QUIET = PropositionSentence(("Yes", "."), (), ("UH", "."))

FULL = """\
She PRP (S* - - (A0*)
gave VBD (VP* give give.01 (V*)
it PRP * - - (A1*)
away RP *)) - - (C-V*)

Yes UH (S* - -
. . *) - -

Ann NNP (S* - - (A0*) *
saw VBD * see see.01 (V*) *
Bob NNP * - - (A1* (A0*)
run VB *) run run.XX *) (V*)
"""
PROPS = "- (A0*)\ngive (V*)\n- (A1*)\n- (C-V*)\n\n-\n-\n\n- (A0*) *\nsee (V*) *\n- (A1* (A0*)\nrun *) (V*)\n"
WORDS = "She\ngave\nit\naway\n\nYes\n.\n\nAnn\nsaw\nBob\nrun\n"


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        FULL.replace(" ", "\t"),
        FULL.replace(" ", "   ").replace("\n", "\r\n"),
        "\n\n" + FULL + "\n\n\n",
        "\ufeff" + FULL.rstrip("\n"),
    ],
)
def test_sentences_are_the_same_however_the_file_is_laid_out(write, text):
    assert read_propositions(write(text)) == [GAVE, QUIET, TWO]


def test_words_and_propositions_may_be_in_files_of_their_own(write):
    found = read_propositions(write(PROPS, "a.props"), words=write(WORDS, "a.words"))
    assert [sentence.words for sentence in found] == [GAVE.words, QUIET.words, TWO.words]
    assert [p.spans for s in found for p in s.propositions] == [p.spans for s in (GAVE, TWO) for p in s.propositions]
    assert [p.lemma for s in found for p in s.propositions] == ["give", "see", "run"]
    assert read_propositions(write(PROPS))[0].words == ("-",) * 4


def test_a_sense_may_stand_before_the_lemma_or_be_missing(write):
    swapped = "She PRP * - - (A0*)\nwent VBD * 01 go (V*)\n"
    (sentence,) = read_propositions(write(swapped))
    assert (sentence.propositions[0].lemma, sentence.propositions[0].sense) == ("go", "01")
    (sentence,) = read_propositions(write("She PRP - (A0*)\nwent VBD go (V*)\n"))
    assert (sentence.propositions[0].lemma, sentence.propositions[0].sense, sentence.tags) == (
        "go",
        "-",
        ("PRP", "VBD"),
    )


def test_columns_can_be_named(write):
    text = "1 She x - (A0*)\n2 went x go (V*)\n"
    (sentence,) = read_propositions(write(text), columns=PropositionColumns(lemma=3, arguments=4, word=1))
    assert sentence == PropositionSentence(
        ("She", "went"), (Proposition(1, "go", (Span("A0", 0, 1), Span("V", 1, 2))),), ()
    )


def test_brackets_may_be_nested(write):
    text = "a - (A1(A0*)\nb go (V*\nc - *)(R-A0*)\n".replace("(V*\n", "*\n").replace("*)(R-A0*)", "*)")
    (sentence,) = read_propositions(write(text))
    assert sentence.propositions[0].spans == (Span("A1", 0, 3), Span("A0", 0, 1))
    assert format_brackets(sentence.propositions[0].spans, 3) == ["(A1(A0*)", "*", "*)"]


@pytest.mark.parametrize("props", [False, True])
def test_what_is_written_is_read_again(write, props):
    text = "".join(format_propositions(sentence, props=props) for sentence in (GAVE, QUIET, TWO))
    found = read_propositions(write(text), words=write(WORDS, "words") if props else None)
    if not props:
        assert found == [GAVE, QUIET, TWO]
    assert [s.words for s in found] == [GAVE.words, QUIET.words, TWO.words]
    assert [[p.spans for p in s.propositions] for s in found] == [
        [p.spans for p in s.propositions] for s in (GAVE, QUIET, TWO)
    ]


@pytest.mark.parametrize("spans", [[Span("A0", 0, 2), Span("A1", 1, 3)], [Span("A0", 2, 4)], [Span("A0", 1, 1)]])
def test_spans_that_cross_cannot_be_written(spans):
    with pytest.raises(ValueError, match="crosses"):
        format_brackets(spans, 3)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "no sentence"),
        ("a - (A0*)\nb go (V*)\n\na - (A0*\nb go (V*)\n", 4, "bracket of A0 is not closed"),
        ("a - (A0*)\nb go (V*)\n\na - *\nb go *)\n", 5, "closes a bracket that none has opened"),
        ("a - (A0*)\nb go (V*)\n\na - (A0*\nb go *A1)\n", 5, "closes A1, but A0 is open"),
        ("a - (A0*)\nb go (V*)\n\na - A0\nb go (V*)\n", 4, "'A0' is no bracket tag"),
        ("a - (A0*)\nb go (V*)\n\na - (A0*)\nb go\n", 5, "2 columns, but line 4 has 3"),
        (
            "a - (A0*)\nb go (V*)\n\na be (A0*)\nb go (V*)\n",
            4,
            "sentence: 2, but columns of arguments: 1",
        ),
        ("a - (A0*) *\nb go (V*) *\n", 1, "as many predicates as there are bracket columns (2)"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(write, text, line, problem):
    path = write(text)
    with pytest.raises(DataError) as error:
        read_propositions(path)
    assert error.value.line == line
    assert problem in error.value.problem
    assert str(path) in str(error.value)


def test_words_that_are_out_of_step_are_found(write):
    props = write(PROPS, "a.props")
    with pytest.raises(DataError, match=r"a sentence of 3 words here, but of 4 in .*line 1"):
        read_propositions(props, words=write(WORDS.replace("it\n", ""), "short"))
    with pytest.raises(DataError, match="2 sentences here, but 3 in"):
        read_propositions(props, words=write("\n\n".join(WORDS.split("\n\n")[:2]), "few"))
