"""Tags are numbered; those of chunks are learnt as IOBES and written as the corpus had them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.data import Scheme, Sentence, convert, encode, read_columns
from amigrad.data.encoding import tolerant_spans
from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.tags import TagSet, prepare_tags

CHUNK_TAGS = ["O", *(f"{kind}-{label}" for label in ("NP", "VP") for kind in "BIES")]


def sentence(*tags: str) -> Sentence:
    return Sentence(tuple("w" * len(tags)), tags)


@given(st.sampled_from(list(Scheme)), st.lists(st.lists(st.sampled_from(CHUNK_TAGS), max_size=8), max_size=5))
def test_chunks_are_written_where_conlleval_finds_them(scheme: Scheme, sentences: list[list[str]]) -> None:
    """Whatever the model predicts, well-formed or not, sentence by sentence."""
    tag_set = TagSet(CHUNK_TAGS, scheme)
    lengths = [len(tags) for tags in sentences]
    ids = np.array([tag_set.index[tag] for tags in sentences for tag in tags], np.int32)
    expected = [tag for tags in sentences for tag in encode(tolerant_spans(tags), len(tags), scheme)]
    assert tag_set.strings(ids, lengths) == expected


@pytest.mark.parametrize("scheme", list(Scheme))
def test_chunks_are_learnt_as_iobes(scheme: Scheme) -> None:
    iobes = ("B-NP", "E-NP", "S-NP", "O", "B-VP", "I-VP", "E-VP")
    prepared, tag_set = prepare_tags([sentence(*convert(iobes, Scheme.IOBES, scheme))], "auto")
    assert prepared[0].tags == iobes
    assert tag_set.scheme is scheme
    assert tag_set.labels == ("NP", "VP")


def test_tags_that_are_not_chunks_stay_as_they_are() -> None:
    prepared, tag_set = prepare_tags([sentence("NOUN", "VERB"), sentence("NOUN")], "auto")
    assert prepared[0].tags == ("NOUN", "VERB")
    assert tag_set.scheme is None
    assert tag_set.tags == tag_set.labels == ("NOUN", "VERB")
    assert tag_set.strings(np.array([1, 0, 0], np.int32), [2, 1]) == ["VERB", "NOUN", "NOUN"]


def test_single_letters_are_not_taken_for_chunks() -> None:
    assert prepare_tags([sentence("I", "O", "S", "B")], "auto")[1].scheme is None


def test_ill_formed_chunks_are_an_error_that_says_where_and_what_to_do() -> None:
    ill_formed = [sentence("B-NP"), sentence("B-NP", "I-NP", "I-VP")]
    with pytest.raises(OptionsError, match=r"sentence 2, word 3: 'I-VP' after 'I-NP'.*scheme 'none'"):
        prepare_tags(ill_formed, "auto")
    assert prepare_tags(ill_formed, "none")[1].tags == ("B-NP", "I-NP", "I-VP")


def test_a_mistyped_tag_among_those_of_chunks_is_named() -> None:
    sentences = [sentence(*["B-NP", "I-NP", "O"] * 10, "B-VP"), sentence("B-NP", "INP")]
    with pytest.raises(OptionsError, match=r"sentence 2, word 2: the tag 'INP' of '\w+' is not one of chunks.*'none'"):
        prepare_tags(sentences, "auto")
    assert "INP" in prepare_tags(sentences, "none")[1].tags
    assert prepare_tags([sentence("B-NP", "CC")], "auto")[1].scheme is None, "tags of another kind"


def test_a_mistyped_tag_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("He B-NP\nruns B-VP\n\n" * 10 + "# a comment\nShe B-NP\nruns BVP\n")
    with pytest.raises(OptionsError, match=r"line 33, sentence 11, word 2: the tag 'BVP' of 'runs'"):
        prepare_tags(list(read_columns(tmp_path / "train.txt")), "auto")


def test_a_scheme_can_be_asked_for() -> None:
    assert prepare_tags([sentence("I-NP", "I-NP")], "IOB1")[0][0].tags == ("B-NP", "E-NP")
    with pytest.raises(OptionsError, match="IOB2"):
        prepare_tags([sentence("I-NP", "I-NP")], "IOB2")


@pytest.mark.parametrize("tags", [[], ["A", "A"]])
def test_a_tag_set_has_distinct_tags(tags: list[str]) -> None:
    with pytest.raises(ValueError, match="distinct"):
        TagSet(tags, None)


def test_a_scheme_is_for_tags_of_chunks_only() -> None:
    with pytest.raises(ValueError, match="not tags of chunks: NN"):
        TagSet(["NN"], Scheme.IOB2)
