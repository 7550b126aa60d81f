"""The demonstration corpus: repeatable, well labelled, varied, and hard enough to be worth a model."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from amigrad.data.demo import DemoSentence, demo_corpus, write_demo

OPEN = {"NOUN", "VERB", "ADJ", "ADV", "PROPN", "NUM"}
CLOSED = {"PRON", "DET", "ADP", "AUX", "CCONJ", "SCONJ", "PART", "PUNCT"}
CHUNKS = {"NP", "VP", "PP", "ADJP", "ADVP", "SBAR", "PRT"}
NAMES = {"PER", "LOC", "ORG"}


@pytest.fixture(scope="module")
def corpus() -> list[DemoSentence]:
    return demo_corpus()


def split(corpus: list[DemoSentence]) -> tuple[list[DemoSentence], list[DemoSentence]]:
    cut = len(corpus) * 9 // 10
    return corpus[:cut], corpus[cut:]


def baseline_and_unknown_rate(corpus: list[DemoSentence]) -> tuple[float, float]:
    """Accuracy of each word's commonest part of speech (a noun if it is new), and the rate of new words."""
    train, held_out = split(corpus)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in train:
        for word, tag in zip(sentence.words, sentence.parts_of_speech, strict=True):
            counts[word][tag] += 1
    commonest = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    rows = [row for sentence in held_out for row in sentence.rows()]
    right = sum(commonest.get(word, "NOUN") == tag for word, tag, _, _ in rows)
    unknown = sum(word not in commonest for word, *_ in rows)
    return right / len(rows), unknown / len(rows)


def test_a_seed_gives_the_same_corpus_in_any_process(corpus: list[DemoSentence]) -> None:
    program = (
        "import hashlib; from amigrad.data.demo import demo_corpus;"
        "print(hashlib.sha256(repr([s.rows() for s in demo_corpus(300)]).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert demo_corpus(300) == corpus[:300]


def test_another_seed_gives_other_sentences(corpus: list[DemoSentence]) -> None:
    known = {sentence.words for sentence in corpus}
    assert sum(sentence.words in known for sentence in demo_corpus(400, seed=1)) < 40


def test_columns_agree_and_labels_are_known(corpus: list[DemoSentence]) -> None:
    assert len(corpus) == 4000
    assert {tag for sentence in corpus for tag in sentence.parts_of_speech} == OPEN | CLOSED
    for sentence in corpus:
        columns = (sentence.words, sentence.parts_of_speech, sentence.chunks, sentence.names)
        assert {len(column) for column in columns} == {len(sentence)}
        assert all(word and not any(c.isspace() for c in word) for word in sentence.words)


@pytest.mark.parametrize(("column", "labels"), [("chunks", CHUNKS), ("names", NAMES)])
def test_labels_are_iob2(corpus: list[DemoSentence], column: str, labels: set[str]) -> None:
    used = set()
    for sentence in corpus:
        before = "O"
        for label in getattr(sentence, column):
            place, _, kind = label.partition("-")
            assert place in ("B", "I") if kind else label == "O"
            if place == "I":
                assert before in (f"B-{kind}", f"I-{kind}"), sentence.rows()
            before = label
            used.add(kind)
    assert used == labels | {""}


def test_names_are_noun_phrases_of_proper_nouns(corpus: list[DemoSentence]) -> None:
    for sentence in corpus:
        for word, tag, chunk, name in sentence.rows():
            if name != "O":
                assert (tag == "PROPN" and chunk.endswith("NP")) or (word, tag) == ("of", "ADP")


def test_a_sentence_starts_with_a_capital_and_ends_with_a_stop(corpus: list[DemoSentence]) -> None:
    for sentence in corpus:
        first = next(word for word, tag, *_ in sentence.rows() if tag != "PUNCT")
        assert first[0] == first[0].upper()
        assert sentence.words[-1] in (".", "?")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_context_is_worth_knowing(seed: int) -> None:
    accuracy, unknown = baseline_and_unknown_rate(demo_corpus(seed=seed))
    assert 0.88 <= accuracy <= 0.93
    assert 0.03 <= unknown <= 0.06


@pytest.mark.parametrize(
    ("word", "tags"),
    [
        ("that", "DET SCONJ PRON"),
        ("to", "PART ADP"),
        ("light", "NOUN ADJ VERB"),
        ("plans", "NOUN VERB"),
        ("walk", "NOUN VERB"),
        ("back", "ADV ADJ VERB"),
        ("set", "VERB ADJ"),
        ("before", "ADP SCONJ ADV"),
        ("like", "VERB ADP SCONJ"),
        ("can", "AUX NOUN"),
        ("'s", "PART AUX"),
        ("May", "AUX PROPN"),
    ],
)
def test_common_words_have_several_parts_of_speech(corpus: list[DemoSentence], word: str, tags: str) -> None:
    seen = {tag for sentence in corpus for other, tag, *_ in sentence.rows() if other == word}
    assert set(tags.split()) <= seen


def test_some_names_are_ordinary_words(corpus: list[DemoSentence]) -> None:
    rows = [row for sentence in corpus for row in sentence.rows()]
    names = {word.lower() for word, _, _, name in rows if name != "O"}
    ordinary = {word for word, tag, _, _ in rows if tag in ("NOUN", "VERB", "ADJ", "AUX")}
    assert {"baker", "cook", "hill", "mark", "will", "hope"} <= names & ordinary


def test_sentences_differ(corpus: list[DemoSentence]) -> None:
    assert len({sentence.words for sentence in corpus}) == len(corpus)
    patterns = {sentence.parts_of_speech for sentence in corpus}
    assert len(patterns) > 0.8 * len(corpus)
    assert 12 <= sum(map(len, corpus)) / len(corpus) <= 16


def test_it_is_quick() -> None:
    start = time.process_time()
    demo_corpus()
    assert time.process_time() - start < 1.0


def test_a_negative_size_is_refused() -> None:
    assert demo_corpus(0) == []
    with pytest.raises(ValueError, match="negative, got -1"):
        demo_corpus(-1)


def test_written_files_read_back(tmp_path: Path, corpus: list[DemoSentence]) -> None:
    paths = write_demo(tmp_path / "new" / "demo")
    assert sorted(path.name for path in (tmp_path / "new" / "demo").iterdir()) == ["dev.txt", "train.txt"]
    for part, expected in zip(("train", "dev"), split(corpus), strict=True):
        text = paths[part].read_text(encoding="utf-8")
        blocks = text.removesuffix("\n\n").split("\n\n")
        rows = [[tuple(line.split(" ")) for line in block.split("\n")] for block in blocks]
        assert rows == [sentence.rows() for sentence in expected]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write_demo(tmp_path, sentences=20)["train"].read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_demo(tmp_path, sentences=30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.txt", "train.txt"]
    assert (tmp_path / "train.txt").read_bytes() == old
