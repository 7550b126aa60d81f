"""The commands and programs that the documents show run word for word, each document's in a folder with small files."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from amigrad.data.demo import write_demo
from shell import blocks, execute, programs

ROOT = Path(__file__).parents[1]


def text_files(folder: Path) -> None:
    """Plain text, words a line, vectors, and files of tagged sentences."""
    parts = write_demo(folder, sentences=60)
    lines = [line.split() for line in parts["train"].read_text().splitlines()]
    words = [line[0] if line else "" for line in lines]
    sentences = " ".join(word or "\n" for word in words).split("\n")
    text = "\n".join(sentence.strip() for sentence in sentences) + "\n"
    known = ("france", "jesus", "reddish", "monday", "man", "king", "woman", "horse", "walked")
    more = "\n".join(" ".join(known[k:] + known[:k]) for k in range(len(known)))
    for name in ("letter.txt", "words.txt", "novels.txt", "corpus.txt"):
        (folder / name).write_text(text + (more + "\n") * 20)
    for name in ("novels.txt.gz", "more-novels.txt.gz", "more.txt.gz", "corpus.txt.gz"):
        (folder / name).write_bytes(gzip.compress((folder / "novels.txt").read_bytes()))
    (folder / "names.txt").write_text("".join(f"{line[0]} {line[-1]}\n" if line else "\n" for line in lines))
    (folder / "cities.txt").write_text("Paris\nNew York\n")
    drawn = random.Random(1)
    vectors = [f"{w} {' '.join(f'{drawn.gauss(0, 1):.3f}' for _ in range(8))}" for w in sorted({*words} - {""})]
    (folder / "glove.6B.50d.txt").write_text("\n".join(vectors) + "\n")
    (folder / "vectors.txt.gz").write_bytes(
        gzip.compress(f"{len(vectors)} 8\n".encode() + "\n".join(vectors).encode() + b"\n")
    )
    (folder / "WordSim-353.txt").write_text("man king 7.5\nwoman king 6.5\nhorse man 3\n")
    (folder / "SimLex-999.txt").write_text("man king 7.5\nwoman king 6.5\nhorse man 3\n")


def demonstration(folder: Path) -> None:
    """The corpus that a program before has written."""
    write_demo(folder / "corpus", sentences=60)


def role_files(folder: Path) -> None:
    """Sentences with propositions."""
    sentence = "She PRP * - - (A0*)\ngave VBD * give give.01 (V*)\nhim PRP * - - (A2*)\nbooks NNS * - - (A1*)\n\n"
    for name in ("train.txt", "dev.txt"):
        (folder / name).write_text(sentence * 12)
    for name in ("dev.props", "others.props"):
        (folder / name).write_text("- (A0*)\ngive (V*)\n- (A2*)\n- (A1*)\n\n" * 12)
    (folder / "letter.txt").write_text("She gave him books.\n")


def translation_files(folder: Path) -> None:
    """Bitext of a made-up language, n-best lists with wrong words in them, and references."""
    drawn = random.Random(5)
    for part, size in (("train", 60), ("dev", 12), ("test", 12)):
        sentences = [[drawn.randrange(20) for _ in range(drawn.randint(4, 8))] for _ in range(size)]
        for language in ("de", "en"):
            lines = [" ".join(f"{language}{word}" for word in words) for words in sentences]
            (folder / f"{part}.{language}").write_text("\n".join(lines) + "\n")
        links = [" ".join(f"{k}-{k}" for k in range(len(words))) for words in sentences]
        (folder / f"{part}.align").write_text("\n".join(links) + "\n")
        lists = []
        for number, words in enumerate(sentences):
            for _ in range(6):
                made = " ".join(f"en{word if drawn.random() < 0.8 else drawn.randrange(20)}" for word in words)
                score = drawn.uniform(-9, 0)
                lists.append(f"{number} ||| {made} ||| LM= {score:.3f} W= -{len(words)} ||| {score:.3f}\n")
        (folder / f"{part}.nbest.gz").write_bytes(gzip.compress("".join(lists).encode()))


def quick(command: str) -> str:
    """The command word for word; a training has one pass and small layers too, where it does not say what it has."""
    if " train " not in command and " discriminative " not in command:
        return command
    wanted = {"--epochs": "1"}
    if "rescorer train" in command:
        wanted |= {"--word-size": "4", "--first-size": "8", "--second-size": "8"}
    if "roles train" in command:
        wanted |= {"--word-size": "4", "--hidden-size": "4"}
    if "embedding train" in command:
        wanted |= {"--size": "8", "--minimum-count": "1"}
    added = [f"{name} {value}" for name, value in wanted.items() if name not in command]
    head, hash_mark, comment = command.partition("  #")
    return " ".join([head, *added]) + hash_mark + comment


DOCUMENTS: dict[str, Callable[[Path], None]] = {
    "README.md": demonstration,
    "docs/embedding.md": text_files,
    "docs/tagging.md": text_files,
    "docs/roles.md": role_files,
    "docs/rescoring.md": translation_files,
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_of_a_document_run(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DOCUMENTS[document](tmp_path)
    monkeypatch.chdir(tmp_path)
    found = blocks(ROOT / document)
    assert len(found) > 0
    for line, commands in found:
        for command in commands:
            try:
                execute(quick(command), monkeypatch)
            except AssertionError as error:
                raise AssertionError(f"{document}, line {line}: {error}") from error


@pytest.mark.parametrize("document", ["docs/embedding.md", "docs/roles.md", "docs/rescoring.md"])
def test_the_programs_of_a_document_run(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DOCUMENTS[document](tmp_path)
    monkeypatch.chdir(tmp_path)
    found = [code for code in programs(ROOT / document) if "from amigrad" in code]
    assert len(found) > 0
    for code in found:
        exec(compile(code, document, "exec"), {"__name__": document})
