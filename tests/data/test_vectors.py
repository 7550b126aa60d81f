import gzip
import io

import numpy as np
import pytest

from amigrad.data import DataError, WordVectors, read_vectors, write_vectors
from amigrad.data.vectors import FORMATS


def sample(words: int = 5000, size: int = 7) -> WordVectors:
    random = np.random.default_rng(1)
    matrix = (random.normal(size=(words, size)) * 10.0 ** random.integers(-30, 30, (words, 1))).astype(np.float32)
    names = ["été", "東京", "1990", "'", *(f"word{number}" for number in range(words - 4))]
    return WordVectors(tuple(names), matrix, np.arange(words, 0, -1))


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_is_read_again_bit_by_bit(format, ending, tmp_path):
    vectors, path = sample(), tmp_path / f"vectors{ending}"
    write_vectors(path, vectors, format)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == bool(ending)
    found = read_vectors(path)
    assert found.words == vectors.words
    assert np.array_equal(found.matrix, vectors.matrix)
    assert found.matrix.dtype == np.float32
    if format == "safetensors":
        assert np.array_equal(found.counts, vectors.counts)
    else:
        assert found.counts is None
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", FORMATS)
def test_a_part_of_a_file_can_be_read(format, tmp_path):
    vectors, path = sample(), tmp_path / "vectors"
    write_vectors(path, vectors, format)
    front = read_vectors(path, limit=4500)
    assert front.words == vectors.words[:4500]
    assert np.array_equal(front.matrix, vectors.matrix[:4500])
    some = read_vectors(path, limit=4500, keep=lambda word: word.endswith("4"))
    assert some.words == tuple(word for word in vectors.words[:4500] if word.endswith("4"))
    assert np.array_equal(some["word4004"], vectors["word4004"])


def test_word2vec_files_of_other_programs_are_read(write):
    matrix = np.array([[0.5, -1.25, 3.0], [1e-3, 2.0, -4.5]], np.float32)
    text = "2 3\nthe 0.5 -1.25 3 \ncat 1e-3 2 -4.5 \n"  # the original program ends lines with a space
    binary = b"2 3\n" + b"the " + matrix[0].tobytes() + b"\ncat " + matrix[1].tobytes() + b"\n"
    without_ends = b"2 3\n" + b"the " + matrix[0].tobytes() + b"cat " + matrix[1].tobytes()
    for content in (text, text.replace("\n", "\r\n"), binary, without_ends, "the .5 -1.25 3.\ncat\t1e-3\t2\t-4.5\n"):
        found = read_vectors(write(content))
        assert found.words == ("the", "cat")
        assert np.array_equal(found.matrix, matrix)


def test_words_of_text_may_have_spaces_and_of_a_word_that_is_there_twice_the_first_counts(write):
    found = read_vectors(write("one 1 2\n. . . 3 4\none 5 6\n\n"))
    assert found.words == ("one", ". . .")
    assert found.matrix.tolist() == [[1, 2], [3, 4]]


def test_streams_are_read():
    found = read_vectors(io.BufferedReader(io.BytesIO(gzip.compress(b"a 1 2\nb 3 4\n"))))
    assert found.matrix.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("a 1 2\nb 3\n", 2, "2 numbers are expected after the word, but there are 1"),
        ("a 1 2\n\nb 3 4\n", 2, "but there are 0"),
        ("2 2\na 1 2\nb 3 x4\n", 3, "'x4' is not a number"),
        ("2 2\na 1 x\nb 3 4\n", 2, "'x' is not a number"),
        ("3 2\na 1 2\nb 3 4\n", 4, "promises 3 words, but there are 2"),
        ("a 1 2\nb nan 4\n", 2, "not finite"),
        ("lonely\n", 1, "a word and its numbers are expected"),
        (b"a 1 2\n\xe9t\xe9 3 4\n", 2, "is not UTF-8 text"),
        (gzip.compress(b"a 1 2\n" * 9999, mtime=0)[:40], None, "damaged or cut off"),
        ("", None, "no word vectors"),
        (b"2 2\na " + np.ones(2, np.float32).tobytes() + b"b " + b"\0\0\x80", None, "within word 2 of 2"),
        (b"2 2\na " + np.ones(2, np.float32).tobytes(), None, "before word 2"),
        (b"1 2\na " + np.full(2, np.nan, np.float32).tobytes(), None, "'a' is not finite"),
        (b"\x09\0\0\0\0\0\0\0{\"a\": 1}x", None, "not word vectors in safetensors"),
    ],
)  # fmt: skip
def test_faults_are_named_with_file_and_line(content, line, part, write):
    path = write(content)
    with pytest.raises(DataError) as caught:
        read_vectors(path)
    assert part in str(caught.value)
    assert caught.value.path == str(path)
    assert line is None or caught.value.line == line


def test_a_word_that_a_format_cannot_hold_leaves_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("old")
    for word in ("", "two words", "line\nend"):
        with pytest.raises(ValueError, match="cannot hold"):
            write_vectors(path, WordVectors((word,), np.ones((1, 2), np.float32)))
    with pytest.raises(ValueError, match="is one of"):
        write_vectors(path, sample(5), "excel")
    assert path.read_text() == "old"


def test_vectors_are_found_by_their_words():
    vectors = sample(10)
    assert "1990" in vectors
    assert "2000" not in vectors
    assert (len(vectors), vectors.size) == (10, 7)
    assert np.array_equal(vectors["1990"], vectors.matrix[2])
    with pytest.raises(KeyError):
        vectors["2000"]
    with pytest.raises(ValueError, match="twice"):
        WordVectors(("a", "a"), np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="2 words need a matrix"):
        WordVectors(("a", "b"), np.ones((3, 3), np.float32))
