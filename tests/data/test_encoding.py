import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.data import (
    EncodingError,
    Scheme,
    Span,
    convert,
    detect,
    encode,
    read_columns,
    spans,
    tolerant_spans,
)

TAGS = {
    "IOB1": "I-A I-A O I-A B-A I-B O",
    "IOB2": "B-A I-A O B-A B-A B-B O",
    "IOBES": "B-A E-A O S-A S-A S-B O",
}
CHUNKS = [Span("A", 0, 2), Span("A", 3, 4), Span("A", 4, 5), Span("B", 5, 6)]


@pytest.mark.parametrize("scheme", Scheme)
def test_each_scheme_marks_the_same_chunks_in_its_own_way(scheme):
    tags = TAGS[scheme].split()
    assert spans(tags, scheme) == CHUNKS
    assert encode(reversed(CHUNKS), len(tags), scheme) == tuple(tags)
    assert detect([["O"], tags]) is scheme


@st.composite
def sentences_with_chunks(draw):
    chunks, end = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = end + draw(st.integers(0, 2))
        end = start + draw(st.integers(1, 3))
        chunks.append(Span(draw(st.sampled_from(["A", "B", "creative-work", ""])), start, end))
    return chunks, end + draw(st.integers(0, 2))


@given(sentences_with_chunks(), st.sampled_from(Scheme), st.sampled_from(Scheme))
def test_conversion_keeps_every_chunk(sentence, source, target):
    chunks, length = sentence
    tags = encode(chunks, length, source)
    converted = convert(tags, source, target)
    assert spans(converted, target) == chunks
    assert convert(converted, target, source) == tags
    if chunks:
        assert detect([tags]) is source


@pytest.mark.parametrize("name", ["iob2", "BIO", "bio"])
def test_schemes_go_by_their_other_names_too(name):
    assert spans(["B-A"], name) == [Span("A", 0, 1)]
    assert Scheme("bioes") is Scheme.IOBES


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match="IOB7"):
        spans(["O"], "IOB7")


@pytest.mark.parametrize(
    ("scheme", "tags", "problem"),
    [
        ("IOB2", "O I-A", "word 2: 'I-A' after 'O' is not IOB2, which has 'B-A'"),
        ("IOB2", "I-A", "word 1: 'I-A' at the beginning is not IOB2"),
        ("IOB2", "B-A I-B", "word 2: 'I-B' after 'B-A'"),
        ("IOB2", "B-A E-A", "word 2: 'E-A' after 'B-A'"),
        ("IOB1", "B-A", "word 1: 'B-A' at the beginning is not IOB1, which has 'I-A'"),
        ("IOBES", "B-A O", "word 1: 'B-A' at the beginning is not IOBES, which has 'S-A'"),
        ("IOBES", "S-A E-A", "word 2: 'E-A' after 'S-A'"),
        ("IOB2", "B-A NN", "'NN' is not a chunk tag"),
        ("IOB2", "Beta", "'Beta' is not a chunk tag"),
    ],
)
def test_ill_formed_tags_are_reported_with_the_tag_that_is_due(scheme, tags, problem):
    with pytest.raises(EncodingError, match=problem):
        convert(tags.split(), scheme, "IOB2")


@pytest.mark.parametrize(
    ("tags", "chunks"),
    [
        ("", []),
        ("I-A I-A", [("A", 0, 2)]),
        ("I-A I-B", [("A", 0, 1), ("B", 1, 2)]),
        ("B-A E-B I-B", [("A", 0, 1), ("B", 1, 2), ("B", 2, 3)]),
        ("O E-A O", [("A", 1, 2)]),
        ("S-A I-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A I-A", [("A", 0, 2)]),
        ("I B", [("", 0, 1), ("", 1, 2)]),
    ],
)
def test_chunks_of_ill_formed_tags_are_read_as_conlleval_reads_them(tags, chunks):
    assert tolerant_spans(tags.split()) == chunks


@pytest.mark.parametrize("chunk", [Span("A", 1, 1), Span("A", 2, 4), Span("A", -1, 1), Span("A", 0, 2)])
def test_chunks_that_do_not_fit_a_sentence_are_refused(chunk):
    with pytest.raises(EncodingError, match="overlaps"):
        encode([Span("B", 1, 2), chunk], 3, "IOB2")


def test_detection_tells_chunks_from_other_tags():
    assert detect([["NN", "VB"], ["B-A"]]) is None
    assert detect([["O", "I-A"], ["NN"]]) is None
    assert detect([["O"], []]) is Scheme.IOB2


def test_detection_names_the_sentence_that_fits_no_scheme():
    with pytest.raises(EncodingError, match="sentence 2, word 3: 'I-B' after 'I-A' is not IOB2"):
        detect([["B-A", "I-A"], ["B-A", "I-A", "I-B"], ["B-A"]])


@pytest.mark.parametrize(
    ("name", "columns", "chunks"),
    [
        ("conll2000/train.txt.gz", (0, -1), 106978),
        ("wnut17/train.conll", (0, -1), 1975),
        ("wnut17/dev.conll", (0, -1), 836),
        ("uner_ewt/en_ewt-ud-dev.iob2", (1, 2), 966),
    ],
)
def test_real_chunks_survive_every_conversion(real, name, columns, chunks):
    read = [s.tags for s in read_columns(real(name), word_column=columns[0], tag_column=columns[1])]
    assert detect(read) is Scheme.IOB2
    assert sum(len(spans(tags, Scheme.IOB2)) for tags in read) == chunks
    for target in Scheme:
        converted = [convert(tags, Scheme.IOB2, target) for tags in read]
        assert detect(converted) is target
        assert [convert(tags, target, Scheme.IOB2) for tags in converted] == read
