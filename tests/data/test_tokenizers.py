"""spaCy's tokeniser: words as treebanks have them, each at its place; and which tokeniser a name gives."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amigrad.data import DataError, Tokenizer, english_tokenizer, tokenize
from amigrad.data import tokenizers as module


@pytest.fixture(scope="module")
def spacy_tokenizer() -> Tokenizer:
    pytest.importorskip("spacy", reason="spaCy is not installed: pip install 'amigrad[text]'")
    return english_tokenizer("spacy")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mr. Smith didn't pay $100m to the U.S., they say.", "Mr. Smith did n't pay $ 100 m to the U.S. , they say ."),
        ("Call 713-664-7478!!! (e-mail me)", "Call 713-664-7478 !!! ( e - mail me )"),
        ("well-known :-) ====", "well - known :-) ===="),
        ("Größe über 東京", "Größe über 東京"),
        ("  \t ", ""),
        ("", ""),
    ],
)
def test_words_are_as_treebanks_have_them(spacy_tokenizer: Tokenizer, text: str, words: str) -> None:
    assert " ".join(token.word for token in spacy_tokenizer(text)) == words


@settings(deadline=None, max_examples=50)
@given(text=st.text(alphabet=st.one_of(st.characters(), st.sampled_from("aA.'n’t-/:@#5 \n"))))
def test_tokens_cover_all_that_is_not_white_space_at_their_offsets(spacy_tokenizer: Tokenizer, text: str) -> None:
    tokens = spacy_tokenizer(text)
    assert "".join(token.word for token in tokens) == "".join(text.split())
    assert all(text[token.start : token.end] == token.word for token in tokens)


def test_words_are_the_same_when_they_were_seen_before(
    spacy_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "It's (well) known, isn't it? It's (well) known."
    first = spacy_tokenizer(text)
    assert spacy_tokenizer(text) == first
    monkeypatch.setattr(module, "_PARTS_KEPT", 2)  # so few that all are forgotten
    assert spacy_tokenizer(text) == first


def test_spacy_comes_without_its_commands_until_they_are_wanted() -> None:
    pytest.importorskip("spacy", reason="spaCy is not installed: pip install 'amigrad[text]'")
    program = """
import sys
from amigrad.data import english_tokenizer
tokens = english_tokenizer("spacy")("He runs.")
assert [token.word for token in tokens] == ["He", "runs", "."]
assert not [name for name in sys.modules if name.startswith("spacy.cli")], "its commands are there"
import spacy
assert spacy.blank("en")("He runs.")[1].text == "runs"
assert spacy.info(silent=True)["spacy_version"] == spacy.__version__
import spacy.cli
assert spacy.cli.info is sys.modules["spacy.cli.info"].info
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_gives_a_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert english_tokenizer("rules") is tokenize
    with pytest.raises(ValueError, match="auto, spacy, rules"):
        english_tokenizer("magic")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert english_tokenizer() is tokenize
    with pytest.raises(DataError, match=r"pip install 'amigrad\[text\]'"):
        english_tokenizer("spacy")
