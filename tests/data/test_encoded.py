import gzip
import os
import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.data import DataError, read_text
from amigrad.data import encoded as module
from amigrad.data.encoded import BOUNDARY, FIRST, FORGOTTEN, EncodedText, encode
from amigrad.data.lines import numbered_lines
from amigrad.data.text import sentence_words

TEXT = 'He runs. "Stop!" he said. "No."\n\nThe end of it\nand more words\n'


def decoded(text: EncodedText) -> list[list[str]]:
    """The sentences that an encoded text stands for."""
    sentences: list[list[str]] = [[]]
    for number in text.read(0, text.length).tolist():
        if number == BOUNDARY:
            sentences.append([])
        else:
            sentences[-1].append("?" if number == FORGOTTEN else text.types[number - FIRST])
    return sentences[:-1]


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("aA.!?'\")…n’t-/:@#5 \n"))))
def test_the_words_of_sentences_are_those_of_the_reader_of_text(text):
    line = text.replace("\n", " ").replace("\r", " ")
    from io import BytesIO

    expected = [list(s.words) for s in read_text(BytesIO(line.encode("utf-8", "replace")))]
    assert sentence_words(line.encode("utf-8", "replace").decode().removeprefix("\ufeff")) == expected


@pytest.mark.parametrize(
    ("split", "sentences"),
    [
        ("sentences", ["He runs .", '" Stop ! " he said .', '" No . "', "The end of it", "and more words"]),
        ("lines", ['He runs . " Stop ! " he said . " No . "', "The end of it", "and more words"]),
        ("tokens", ['He runs. "Stop!" he said. "No."', "The end of it", "and more words"]),
    ],
)
def test_text_is_encoded_with_its_boundaries(split, sentences, write, tmp_path):
    text = encode([write(TEXT)], tmp_path / "text", split)
    assert [" ".join(words) for words in decoded(text)] == sentences
    assert dict(zip(text.types, text.counts.tolist(), strict=True)) == Counter(w for s in decoded(text) for w in s)


def test_several_files_compressed_or_not_are_one_text(write, tmp_path):
    files = [write(TEXT, "a.txt"), write(gzip.compress(b"More of it."), "b.txt.gz")]
    text = encode(files, tmp_path / "text")
    assert decoded(text)[-1] == ["More", "of", "it", "."]
    assert np.array_equal(text.read(3, 7), text.read(0, text.length)[3:7])
    assert len(text.read(text.length - 2, text.length + 99)) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_read_as_a_file_is(write, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 4)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(TEXT,))
    writer.start()
    text = encode([pipe], tmp_path / "piped", advance=lambda done, total: None)
    writer.join()
    assert text.fingerprint == encode([write(TEXT)], tmp_path / "text").fingerprint


def test_a_text_is_encoded_once_and_anew_when_it_changes(write, tmp_path):
    path, heard = write(TEXT), []
    first = encode([path], tmp_path / "text", advance=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (len(TEXT), len(TEXT))
    heard.clear()
    again = encode([path], tmp_path / "text", advance=lambda done, total: heard.append((done, total)))
    assert heard == []
    assert again.fingerprint == first.fingerprint
    path.write_text(TEXT + "New words.\n")
    assert encode([path], tmp_path / "text").fingerprint != first.fingerprint
    assert encode([path], tmp_path / "text", "lines").made_from["split"] == "lines"


def test_a_damaged_encoding_is_made_again(write, tmp_path):
    path = write(TEXT)
    text = encode([path], tmp_path / "text")
    with open(tmp_path / "text" / "text.ids", "ab") as file:
        file.write(b"1234")
    assert encode([path], tmp_path / "text").length == text.length


def test_the_rarest_words_are_forgotten_when_there_are_too_many(write, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 64)
    random = np.random.default_rng(1)
    words = [f"w{int(number)}" for number in random.zipf(1.3, 4000) if number < 10**9]
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    text = encode([write("\n".join(lines))], tmp_path / "text", "tokens", most_types=100)
    assert len(text.types) <= 100
    counts = Counter(words)
    frequent = [word for word, _ in counts.most_common(10)]
    for word in frequent:
        assert text.counts[text.types.index(word)] == counts[word]
    for line, sentence in zip(lines, decoded(text), strict=True):
        assert all(found in ("?", word) for found, word in zip(sentence, line.split(), strict=True))
        assert all(word in sentence for word in line.split() if word in frequent)


@pytest.mark.parametrize("longest", [8, 9, 31])
def test_long_lines_come_in_pieces(longest, write):
    text = "one two three\nfour é東京東京東京東京 five\n\nsix"
    pieces = list(numbered_lines(write(text), longest))
    assert all(len(piece.encode()) <= longest for _, piece in pieces)
    for number, line in enumerate(text.split("\n"), 1):
        assert "".join(piece for n, piece in pieces if n == number) == line
    spaced = [piece for n, piece in pieces if n == 1]
    assert all(piece.endswith(" ") for piece in spaced[:-1])


def test_faults_are_named_with_file_and_line(write, tmp_path):
    with pytest.raises(DataError, match=r"bad.txt, line 2: not UTF-8"):
        encode([write(b"fine\nb\xe9d\n", "bad.txt")], tmp_path / "text")
    with pytest.raises(DataError, match="no words"):
        encode([write(" \n\n", "empty.txt")], tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        encode([tmp_path / "missing.txt"], tmp_path / "text")
    with pytest.raises(ValueError, match="split into one of"):
        encode([], tmp_path / "text", "paragraphs")
    assert not [name for name in os.listdir(tmp_path / "text") if name.endswith(".partial")]
