import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.data import DataError, Sentence, read_text, read_tokens, tokenize


def words_of(text: str) -> str:
    return " ".join(token.word for token in tokenize(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("He didn't go.", "He did n't go ."),
        ("I CAN'T; can’t", "I CA N'T ; ca n’t"),
        ("It's O'Brien's dog, they'll say", "It 's O'Brien 's dog , they 'll say"),
        ("'quoted' (well-known) words", "' quoted ' ( well-known ) words"),
        ("Dr. Who of the U.S. paid $1,000.50 (5%)", "Dr. Who of the U.S. paid $ 1,000.50 ( 5 % )"),
        ("At 10:30, on 1/2/2024...", "At 10:30 , on 1/2/2024 ..."),
        ("wow!! -- really?!", "wow !! -- really ? !"),
        ("see https://a.b/c?d=e. @you #tag", "see https://a.b/c?d=e . @you #tag"),
        ("mail me@some.place.org, now", "mail me@some.place.org , now"),
        ("Größe über 東京", "Größe über 東京"),
        ("", ""),
    ],
)
def test_text_is_split_into_tokens_as_treebanks_have_them(text, words):
    assert words_of(text) == words


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("aA.'n’t-/:@#5 \n"))))
def test_tokens_cover_all_that_is_not_white_space_at_their_offsets(text):
    tokens = tokenize(text)
    assert "".join(token.word for token in tokens) == "".join(text.split())
    assert all(text[token.start : token.end] == token.word for token in tokens)


def sentences_of(text: str) -> list[str]:
    return [" ".join(sentence.words) for sentence in read_text(io.BytesIO(text.encode()))]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Go home. She stays!", ["Go home .", "She stays !"]),
        ('"Go." She left.', ['" Go . "', "She left ."]),
        ('"Go!" he said. "No."', ['" Go ! " he said .', '" No . "']),
        ("Mr. Smith of the U.S. left. OK", ["Mr. Smith of the U.S. left .", "OK"]),
        ("What?! No...", ["What ? !", "No ..."]),
        ("one line\nanother line\n\n", ["one line", "another line"]),
        ("no end", ["no end"]),
    ],
)
def test_a_line_is_split_into_sentences(text, sentences):
    assert sentences_of(text) == sentences


def test_a_text_sentence_knows_its_line_and_offsets():
    first, second = read_text(io.BytesIO(b"\nA cat. It sleeps.\r\n"))
    assert (first.line, first.text) == (2, "A cat. It sleeps.")
    assert [second.text[token.start : token.end] for token in second.tokens] == ["It", "sleeps", "."]


@pytest.mark.parametrize("piece", ["a", "a,", "a.", "n't", "'", "@", "1:", "http://", "a-", "."])
def test_a_long_text_without_spaces_takes_time_in_proportion(piece):
    assert len("".join(token.word for token in tokenize(piece * 50_000))) == len(piece) * 50_000


def test_tokens_are_read_one_a_line():
    stream = io.BytesIO("\ufeffA\r\nNew York \r\n\r\n\r\n#\tignored\tcolumns\r\nb".encode())
    assert list(read_tokens(stream)) == [Sentence(("A", "New York")), Sentence(("#", "b"))]


def test_columns_with_spaces_are_not_taken_for_one_token():
    with pytest.raises(DataError, match=r"line 2: 'He PRP B-NP' has spaces in it.*one token a line \('He'\)"):
        list(read_tokens(io.BytesIO(b"\nHe PRP B-NP\nruns VBZ B-VP\n")))
    assert list(read_tokens(io.BytesIO(b"New York\tNNP\nis\tVBZ\n"))) == [Sentence(("New York", "is"))]


def test_empty_input_has_no_sentences():
    assert list(read_tokens(io.BytesIO(b"\n"))) == []
    assert list(read_text(io.BytesIO(b""))) == []
