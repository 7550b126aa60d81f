import pytest

from amigrad.data import DataError, Sentence, read_conllu, read_slashed

SAMPLE = """\
# sent_id = 1
# text = Didn't # cats sleep
1-2\tDidn't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDid\tdo\tAUX\tVBD\tMood=Ind|VerbForm=Fin\t5\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t5\tadvmod\t_\t_
3\t#\t#\tSYM\tNN\t_\t5\tdep\t_\t_
4\tcats\tcat\tNOUN\tNNS\tNumber=Plur\t5\tnsubj\t_\t_
4.1\tdid\tdo\tVERB\t_\t_\t_\t_\t_\t_
5\tsleep\tsleep\tVERB\tVB\tNumberAbs=x|VerbForm=Inf\t0\troot\t_\t_

# a sentence without words

1\t10 000\t10000\tNUM\t_\t_\t0\troot\t_\t_
"""


@pytest.mark.parametrize(
    ("tag", "first", "second"),
    [
        ("UPOS", ("AUX", "PART", "SYM", "NOUN", "VERB"), ("NUM",)),
        ("XPOS", ("VBD", "RB", "NN", "NNS", "VB"), ("_",)),
        ("Number", ("_", "_", "_", "Plur", "_"), ("_",)),
        ("VerbForm", ("Fin", "_", "_", "_", "Inf"), ("_",)),
    ],
)
def test_words_are_read_with_the_tag_that_is_asked_for(write, tag, first, second):
    assert list(read_conllu(write(SAMPLE), tag=tag)) == [
        Sentence(("Did", "n't", "#", "cats", "sleep"), first),
        Sentence(("10 000",), second),
    ]


def test_windows_line_ends_a_byte_order_mark_and_a_missing_last_blank_line_change_nothing(write):
    expected = list(read_conllu(write(SAMPLE)))
    assert list(read_conllu(write("\ufeff" + SAMPLE.replace("\n", "\r\n")))) == expected
    assert list(read_conllu(write(SAMPLE.rstrip("\n")))) == expected
    assert list(read_conllu(write(SAMPLE + "\n\n"))) == expected


ROW = "\tcats\tcat\tNOUN\tNNS\t_\t0\troot\t_\t_\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "no sentence"),
        ("# text = x\n\n", 1, "no sentence"),
        ("1" + ROW + "2\tcats\tcat\n", 2, "CoNLL-U has 10 columns separated by tabs, not 3"),
        ("cats NNS\n", 1, "separated by tabs, not 1"),
        ("1" + ROW + "1" + ROW, 2, "word identifier '1' where 2 is due"),
        ("x" + ROW, 1, "word identifier 'x' where 1 is due"),
        ("1" + ROW.replace("\tcats", "\t", 1), 1, "empty word"),
    ],
)
def test_faults_of_conllu_are_reported_with_file_and_line(write, text, line, problem):
    path = write(text)
    with pytest.raises(DataError, match=problem) as caught:
        list(read_conllu(path))
    assert (caught.value.path, caught.value.line) == (str(path), line)


def test_the_tag_needs_a_name(write):
    with pytest.raises(ValueError, match="UPOS"):
        read_conllu(write(SAMPLE), tag="")


def test_the_last_slash_separates_word_and_tag(write):
    path = write("Go/VB 1/2/CD //SYM\r\n\n  ok/UH \n")
    assert list(read_slashed(path)) == [
        Sentence(("Go", "1/2", "/"), ("VB", "CD", "SYM")),
        Sentence(("ok",), ("UH",)),
    ]


@pytest.mark.parametrize("token", ["word", "/NN", "word/", "/"])
def test_a_token_without_word_or_tag_is_reported(write, token):
    with pytest.raises(DataError, match=f"line 2: '{token}' is not of the form word/tag"):
        list(read_slashed(write(f"Go/VB\nthe/DT {token}\n")))


def test_plain_text_without_sentences_is_reported(write):
    with pytest.raises(DataError, match="no sentence"):
        list(read_slashed(write("\n")))


@pytest.mark.parametrize(("part", "sentences", "tokens"), [("train", 12544, 204577), ("dev", 2001, 25147)])
def test_the_real_treebank_has_its_published_size(real, part, sentences, tokens):
    path = real(f"ud_english_ewt/en_ewt-ud-{part}.conllu.gz")
    read = list(read_conllu(path))
    assert len(read) == sentences
    assert sum(map(len, read)) == tokens
    assert len({tag for sentence in read for tag in sentence.tags}) == 17
