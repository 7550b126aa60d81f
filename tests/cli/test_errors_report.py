"""`amigrad tagger errors`: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amigrad.cli.errors_report import context
from amigrad.cli.main import run
from amigrad.data import Sentence
from amigrad.data.demo import demo_corpus
from amigrad.data.encoding import Span
from amigrad.tasks.tagging import TaggerOptions, train_tagger
from amigrad.tasks.tagging.errors import Case

WORDS = tuple("abcdefghijklmn")


@pytest.mark.parametrize(
    ("gold", "predicted", "text"),
    [
        (Span("X", 6, 8), Span("X", 7, 9), "... b c d e f [g <h] i> j k l m n"),
        (Span("X", 6, 8), Span("Y", 6, 8), "... b c d e f [g h] i j k l m ..."),
        (Span("X", 0, 1), None, "[a] b c d e f ..."),
        (None, Span("X", 13, 14), "... i j k l m <n>"),
        (Span("X", 6, 9), Span("X", 7, 8), "... b c d e f [g <h> i] j k l m n"),
    ],
)
def test_a_context_shows_both_chunks(gold: Span | None, predicted: Span | None, text: str) -> None:
    assert context(Case(1, WORDS, gold, predicted)) == text


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chunker and, beside it, sentences that it gets wrong."""
    folder = tmp_path_factory.mktemp("model")
    sentences = [Sentence(sentence.words, sentence.chunks) for sentence in demo_corpus(60)]
    options = TaggerOptions(word_size=8, hidden_size=16, affix_size=4, suffixes=(2,), epochs=1)
    train_tagger(sentences, sentences, options).save(folder)
    (folder / "dev.txt").write_text("The B-ODD\ncat I-ODD\nsleeps B-VP\n\nZyxw B-ODD\nsleeps B-VP\n")
    return folder


def test_the_table(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tagger", "errors", str(model), str(model / "dev.txt"), "--contexts", "1"]) == 0
    out = capsys.readouterr().out
    assert "2 sentences, 4 chunks" in out
    assert "tags of unknown words" in out
    assert "ODD" in out
    assert "The cat 1" in out


def test_json(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tagger", "errors", str(model), str(model / "dev.txt"), "--json", "--top", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chunks"]["gold"] == 4
    assert sum(found["kinds"].values()) == found["errors"]
    (first,) = found["confusions"]
    assert first["gold"] == "ODD"
    assert first["cases"][0]["gold"]["label"] == "ODD"
    assert first["share"] == first["count"] / found["errors"]


def test_mistakes_are_named(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tagger", "errors", str(model), str(model / "none.txt")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert run(["tagger", "errors", str(model), str(model / "dev.txt"), "--top", "0"]) == 2
