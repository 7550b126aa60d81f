"""The demonstration corpus: drawing it and writing it to files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from amigrad.data.demo.grammar import Grammar


@dataclass(frozen=True, slots=True)
class DemoSentence:
    """A sentence as columns of one length: words, universal parts of speech, chunks and names (IOB2)."""

    words: tuple[str, ...]
    parts_of_speech: tuple[str, ...]
    chunks: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The tokens in order: (word, part of speech, chunk, name)."""
        return list(zip(self.words, self.parts_of_speech, self.chunks, self.names, strict=True))


def demo_corpus(sentences: int = 4000, seed: int = 0) -> list[DemoSentence]:
    """That many different sentences; the same ones for a seed on every machine.

    Chunks are those of CoNLL-2000 (NP, VP, PP, ADJP, ADVP, SBAR, PRT), names are PER, LOC and ORG. A larger
    corpus of the same seed begins with the smaller one.
    """
    if sentences < 0:
        raise ValueError(f"demo_corpus: sentences must not be negative, got {sentences}")
    grammar = Grammar(Random(seed))
    seen: set[tuple[str, ...]] = set()
    corpus: list[DemoSentence] = []
    while len(corpus) < sentences:
        words, parts_of_speech, chunks, names = zip(*grammar.sentence(), strict=True)
        if words not in seen:
            seen.add(words)
            corpus.append(DemoSentence(words, parts_of_speech, chunks, names))
    return corpus


def write_demo(folder: str | os.PathLike[str], sentences: int = 4000, seed: int = 0) -> dict[str, Path]:
    """Write train.txt (the first 90 % of the sentences) and dev.txt (the rest); return both paths.

    A line is `word part-of-speech chunk name`, a blank line ends a sentence. Each file is written aside and
    renamed, so a reader never sees half of one. The folder is made if it is missing. Keys: "train", "dev".
    """
    corpus = demo_corpus(sentences, seed)
    cut = len(corpus) * 9 // 10
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    paths = {"train": target / "train.txt", "dev": target / "dev.txt"}
    _write(paths["train"], corpus[:cut])
    _write(paths["dev"], corpus[cut:])
    return paths


def _write(path: Path, corpus: Sequence[DemoSentence]) -> None:
    text = "".join("".join(" ".join(row) + "\n" for row in sentence.rows()) + "\n" for sentence in corpus)
    handle, aside = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
