import gzip
import io

import pytest

from amigrad.data import DataError, Sentence, read_columns

TWO = [Sentence(("Ann", "runs"), ("PN", "VB")), Sentence(("Go", "!"), ("VB", "."))]


@pytest.mark.parametrize(
    "text",
    [
        "Ann PN\nruns VB\n\nGo VB\n! .\n",
        "Ann\tPN\nruns\tVB\n\nGo\tVB\n!\t.\n",
        "Ann PN\nruns VB\n\nGo VB\n! .",
        "\n\nAnn PN\nruns VB\n\n\n \t\nGo VB\n! .\n\n\n",
        "Ann    PN\nruns   VB\n\nGo     VB  \n!      .\n",
        "Ann PN\nruns\tVB\n\nGo \t VB\n! .\n",
        "Ann PN\r\nruns VB\r\n\r\nGo VB\r\n! .\r\n",
        "\ufeffAnn PN\nruns VB\n\nGo VB\n! .\n",
        "Ann\tPN\nruns\tVB\n\t\nGo\tVB\n!\t.\n",
    ],
)
def test_sentences_are_the_same_however_the_file_is_laid_out(write, text):
    assert list(read_columns(write(text))) == TWO


def test_compressed_files_are_read_whatever_their_name(write):
    packed = gzip.compress(b"Ann PN\nruns VB\n\nGo VB\n! .\n")
    assert list(read_columns(write(packed, "a.txt.gz"))) == TWO
    assert list(read_columns(write(packed, "a.txt"))) == TWO


def test_an_open_stream_is_read_and_left_open(write):
    stream = io.BytesIO(b"Ann PN\nruns VB\n\nGo VB\n! .\n")
    assert list(read_columns(stream)) == TWO
    assert not stream.closed
    with write(gzip.compress(stream.getvalue())).open("rb") as packed:
        assert list(read_columns(packed)) == TWO
        assert not packed.closed


def test_a_stream_of_decoded_text_is_refused():
    with pytest.raises(TypeError, match="bytes"):
        list(read_columns(io.StringIO("Ann PN\n")))


def test_columns_are_picked_by_number_from_either_end(write):
    path = write("1 Ann PN B-PER\n2 runs VB O\n")
    assert list(read_columns(path, word_column=1)) == [Sentence(("Ann", "runs"), ("B-PER", "O"))]
    assert list(read_columns(path, word_column=1, tag_column=2)) == [Sentence(("Ann", "runs"), ("PN", "VB"))]
    assert list(read_columns(path, word_column=-3, tag_column=-2)) == [Sentence(("Ann", "runs"), ("PN", "VB"))]
    assert list(read_columns(path, word_column=1, tag_column=None)) == [Sentence(("Ann", "runs"))]


def test_in_a_file_with_tabs_words_may_hold_spaces(write):
    assert list(read_columns(write("New York\tB-LOC\n"))) == [Sentence(("New York",), ("B-LOC",))]


def test_other_white_space_belongs_to_words(write):
    assert list(read_columns(write("10\u00a0000 CD\n"))) == [Sentence(("10\u00a0000",), ("CD",))]


@pytest.mark.parametrize("line", ["-DOCSTART- -X- O O", "-DOCSTART-", "-DOCSTART-\tO"])
def test_document_lines_are_skipped(write, line):
    path = write(f"{line}\n\nAnn PN\nruns VB\n{line}\nGo VB\n! .\n")
    assert list(read_columns(path)) == TWO


@pytest.mark.parametrize(
    "text",
    [
        "# note = x\n# sent_id = 1\nAnn PN\nruns VB\n\n# sent_id = 2\nGo VB\n! .\n",
        "# a free remark here\nAnn PN\nruns VB\n\n#remark\nGo VB\n! .\n",
        "# text = Ann runs\nAnn\tPN\nruns\tVB\n\n# free text\n#\nGo\tVB\n!\t.\n",
        "# text = Ann\truns\nAnn\tPN\nruns\tVB\n\nGo\tVB\n!\t.\n",
    ],
)
def test_comments_before_a_sentence_are_skipped(write, text):
    assert list(read_columns(write(text))) == TWO


@pytest.mark.parametrize("gap", [" ", "\t"])
def test_a_hash_is_a_word_where_it_has_the_columns_of_a_word(write, gap):
    lines = ["# # B-NP", "5 CD I-NP", "", "pays VB O", "# # B-NP", "#tag NN I-NP"]
    first, second = read_columns(write("\n".join(lines).replace(" ", gap)))
    assert first.words == ("#", "5")
    assert second.words == ("pays", "#", "#tag")


def test_a_file_whose_words_all_begin_with_a_hash_is_read(write):
    assert list(read_columns(write("# key = value\n#a X\n#b Y\n"))) == [Sentence(("#a", "#b"), ("X", "Y"))]


def test_columns_counted_from_the_front_allow_lines_of_different_lengths(write):
    path = write("Ann PN x\nruns VB\n")
    assert list(read_columns(path, tag_column=1)) == [Sentence(("Ann", "runs"), ("PN", "VB"))]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("", 1, "no sentence"),
        ("\n\n \n", 1, "no sentence"),
        ("# only = comments\n", 1, "no sentence"),
        ("-DOCSTART- O\n\n", 1, "no sentence"),
        ("Ann\n", 1, "with 1 column, column 0 would be both the word and its tag"),
        ("Ann PN\n\nruns\n", 3, "1 column separated by spaces, but line 1 has 2"),
        ("Ann PN x\nruns VB\n", 2, "2 columns separated by spaces, but line 1 has 3"),
        ("Ann\tPN\nruns VB\n", 2, "1 column separated by tabs"),
        ("Ann\tPN\n# runs\n", 2, "1 column separated by tabs"),
        ("Ann\tPN\n\tVB\n", 2, "empty word"),
        ("Ann\tPN\nruns\t \n", 2, "no tag for the word 'runs'"),
        (b"Ann PN\nM\xfcller PN\n", 2, "not UTF-8 text .byte 0xfc at byte 2"),
        ("Ann PN\n".encode("utf-16"), 1, "not UTF-8"),
        (gzip.compress(b"Ann PN\n" * 1000, mtime=0)[:-20], None, "damaged or cut off"),
        (b"\x1f\x8bnot gzip at all", None, "damaged or cut off"),
    ],
)
def test_a_fault_is_reported_with_file_line_and_way_out(write, content, line, problem):
    path = write(content)
    with pytest.raises(DataError, match=problem) as caught:
        list(read_columns(path))
    assert caught.value.path == str(path)
    assert line is None or caught.value.line == line
    place = f"{path}, line {line}: " if line else f"{path}"
    assert str(caught.value).startswith(place)
    assert caught.value.remedy in str(caught.value)


def test_a_column_beyond_the_line_is_reported(write):
    with pytest.raises(DataError, match="line 1: 2 columns separated by spaces, but 4 are needed"):
        list(read_columns(write("Ann PN\n"), tag_column=3))


def test_word_and_tag_must_be_different_columns(write):
    with pytest.raises(ValueError, match="column 1"):
        read_columns(write("Ann PN\n"), word_column=1, tag_column=1)
    with pytest.raises(DataError, match="with 2 columns, column 1 would be both"):
        list(read_columns(write("Ann PN\n"), word_column=1))


def test_a_missing_file_is_an_operating_system_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_columns(tmp_path / "absent"))


def test_sentences_before_a_fault_are_still_given(write):
    sentences = read_columns(write("Ann PN\n\nruns\n"))
    assert next(sentences).words == ("Ann",)
    with pytest.raises(DataError):
        next(sentences)


def test_equal_strings_are_stored_once(write):
    first, second = read_columns(write("".join(["tok", "en TAG\n\n"]) * 2))
    assert first.words[0] is second.words[0]
    assert first.tags[0] is second.tags[0]


def test_a_sentence_of_100_000_tokens_is_read(write):
    (sentence,) = read_columns(write("a DT\n" * 100_000))
    assert len(sentence) == 100_000


def test_a_sentence_has_as_many_tags_as_words_or_none():
    with pytest.raises(ValueError, match="2 words cannot have 1 tags"):
        Sentence(("a", "b"), ("X",))


@pytest.mark.parametrize(
    ("name", "columns", "sentences", "tokens", "hashes"),
    [
        ("conll2000/train.txt.gz", (0, -1), 8936, 211727, 36),
        ("wnut17/train.conll", (0, -1), 3394, 62730, None),
        ("wnut17/dev.conll", (0, -1), 1009, 15733, 22),
        ("uner_ewt/en_ewt-ud-dev.iob2", (1, 2), 2001, 25149, None),
        ("srl_ewt/train.verbs.gz", (0, 1), 12489, None, None),
    ],
)
def test_real_files_have_their_published_sizes(real, name, columns, sentences, tokens, hashes):
    read = list(read_columns(real(name), word_column=columns[0], tag_column=columns[1]))
    assert len(read) == sentences
    assert all(len(sentence.words) == len(sentence.tags) for sentence in read)
    if tokens is not None:
        assert sum(map(len, read)) == tokens
    if hashes is not None:
        assert sum(word.startswith("#") for sentence in read for word in sentence.words) == hashes
