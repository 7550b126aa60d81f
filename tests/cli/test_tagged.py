"""`amigrad tagger tag` with several models, and with the places of words in the text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amigrad.cli.main import run
from amigrad.data import Sentence
from amigrad.data.demo import demo_corpus
from amigrad.tasks.tagging import TaggerOptions, train_tagger

TEXT = "The cat didn't see Lucy. It sleeps!\r\n\n\tOld mice — in Paris — run.\n"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A tagger of parts of speech and a chunker."""
    corpus = demo_corpus(80)
    options = TaggerOptions(word_size=8, hidden_size=16, affix_size=4, suffixes=(2,), epochs=1)
    folder = tmp_path_factory.mktemp("models")
    for name in ("parts_of_speech", "chunks"):
        sentences = [Sentence(sentence.words, getattr(sentence, name)) for sentence in corpus]
        train_tagger(sentences, sentences, options).save(folder / name)
    return [str(folder / "parts_of_speech"), str(folder / "chunks")]


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    return str(path)


def tag(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> str:
    assert run(["tagger", "tag", *arguments]) == 0
    return capfdbinary.readouterr().out.decode()


def columns(out: str) -> list[list[str]]:
    return [line.split("\t") for line in out.splitlines() if line]


def test_every_model_has_a_column(models: list[str], text: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    first, second = (columns(tag(capfdbinary, model, text, "--tokenizer", "rules")) for model in models)
    both = columns(tag(capfdbinary, models[0], text, "--with", models[1], "--tokenizer", "rules"))
    assert both == [[*a, b[1]] for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize("tokenizer", ["rules", "spacy"])
def test_words_are_at_their_offsets(
    models: list[str], text: str, capfdbinary: pytest.CaptureFixture[bytes], tokenizer: str
) -> None:
    if tokenizer == "spacy":
        pytest.importorskip("spacy", reason="spaCy is not installed")
    rows = columns(tag(capfdbinary, models[0], text, "--offsets", "--tokenizer", tokenizer))
    assert "".join(row[0] for row in rows) == "".join(TEXT.split())
    for word, start, end, _ in rows:
        assert TEXT[int(start) : int(end)] == word


def test_json_lines_of_several_models(models: list[str], text: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = tag(capfdbinary, models[0], text, "--with", models[1], "--output", "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["words"][-1] for line in lines] == [".", "!", "."]
    for line in lines:
        assert [TEXT[start:end] for start, end in line["offsets"]] == line["words"]
        assert TEXT[line["offsets"][0][0] : line["offsets"][-1][1]] == line["text"]
        assert list(line["models"]) == ["parts_of_speech", "chunks"]
        assert [len(found["tags"]) for found in line["models"].values()] == 2 * [len(line["words"])]
        assert "chunks" in line["models"]["chunks"]
        assert "chunks" not in line["models"]["parts_of_speech"]


def test_coloured_output_has_a_line_for_each_model(
    models: list[str], text: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tag(capfdbinary, models[0], text, "--with", models[1], "--output", "color")
    lines = out.splitlines()
    assert len(lines) == 6
    assert all(name in line for line, name in zip(lines, 3 * ["parts_of_speech", "chunks"], strict=True))


def test_mistakes_are_named(models: list[str], text: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["tagger", "tag", models[0], text, "--tokens", "--offsets"]) == 2
    assert "--offsets are places in plain text" in " ".join(capfd.readouterr().err.split())
    assert run(["tagger", "tag", models[0], text, "--with", models[0]]) == 2
    assert "given twice" in capfd.readouterr().err
    assert run(["tagger", "tag", models[0], text, "--with", text]) == 2
    assert "no such folder" in capfd.readouterr().err
