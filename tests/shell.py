"""Commands as a document shows them, run in this process: pipes, redirections and names with a star, no more."""

from __future__ import annotations

import glob
import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from amigrad.cli.main import run


def commands(text: str, language: str) -> list[str]:
    """The commands of a block: all lines, those that a backslash ends joined with the next; of a `console` block the
    lines behind a prompt.
    """
    lines = text.replace("\\\n", " ").splitlines()
    if language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line.strip() for line in lines if line.strip()]


def blocks(document: Path) -> list[tuple[int, list[str]]]:
    """The commands of the blocks in `sh` of a document, then of those in `console`, which show what comes out; each
    with its line there.
    """
    text = document.read_text(encoding="utf-8")
    found = list(re.finditer(r"^```(sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    found.sort(key=lambda match: match[1] == "console")
    return [(text.count("\n", 0, match.start()) + 2, commands(match[2], match[1])) for match in found]


def programs(document: Path) -> list[str]:
    """The blocks in `python` of a document."""
    text = document.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def execute(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a command in the working folder; gives what it prints. AssertionError if it fails."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|<>")
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    places: dict[str, str] = {}
    words = iter(lexer)
    for word in words:
        if word == "|":
            parts.append([])
        elif word in ("<", ">"):
            places[word] = next(words)
        else:
            parts[-1] += sorted(glob.glob(word)) if "*" in word else [word]
    flowing = Path(places["<"]).read_bytes() if "<" in places else b""
    for part in parts:
        flowing = _one(part, flowing, monkeypatch)
    if ">" in places:
        Path(places[">"]).write_bytes(flowing)
    return flowing.decode()


def _one(words: list[str], given: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What a program of a pipe prints."""
    if words[0] == "echo":
        return (" ".join(words[1:]) + "\n").encode()
    assert words[0] == "amigrad", f"{words[0]} is not run here"
    printed, said = io.BytesIO(), io.StringIO()
    with monkeypatch.context() as streams, io.TextIOWrapper(printed, "utf-8", write_through=True) as out:
        streams.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8"))
        streams.setattr(sys, "stdout", out)
        streams.setattr(sys, "stderr", said)
        code = run(words[1:])
        found = printed.getvalue()
    assert code == 0, f"{' '.join(words)}: {said.getvalue()}"
    return found
