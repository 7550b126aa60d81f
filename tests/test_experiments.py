"""The experiments' frame runs by itself, on files as CoNLL-2003 has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amigrad.data.demo import demo_corpus

ROOT = Path(__file__).parents[1]
SMALL = "--epochs 1 --hidden-size 8 --word-size 8 --affix-size 4 --suffixes 2 --prefixes none"


def write_names(path: Path, first: int, count: int) -> None:
    """Columns of word, part of speech, chunk and name, as IOB1, with lines between documents."""
    lines = ["-DOCSTART- -X- -X- O", ""]
    for sentence in demo_corpus(first + count)[first:]:
        parts = sentence.parts_of_speech
        names = ["I-PER" if part == "PROPN" else "O" for part in parts]
        names = ["B-PER" if names[max(i - 1, 0)] == name == "I-PER" and i else name for i, name in enumerate(names)]
        lines += [" ".join(row) for row in zip(sentence.words, parts, sentence.chunks, names, strict=True)]
        lines += ["", "-DOCSTART- -X- -X- O", ""]
    path.write_text("\n".join(lines) + "\n")


def experiment(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "experiments.collobert2011", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "AMIGRAD_DATA": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_row_on_names_as_conll2003_has_them(tmp_path: Path) -> None:
    (tmp_path / "names").mkdir()
    write_names(tmp_path / "names" / "eng.train", 0, 40)
    write_names(tmp_path / "names" / "eng.testa", 40, 10)
    write_names(tmp_path / "names" / "test.txt", 50, 10)
    command = ["ner-wll", "--conll2003", str(tmp_path / "names"), "--seeds", "1", "--options", SMALL]
    done = experiment(*command, "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    (run,) = results["ner2003"]["rows"]["ner-wll"]["runs"].values()
    assert 0 <= run["score"] <= 1
    assert 0 <= run["test_score"] <= 1
    assert run["training"]["cpu"] > 0
    assert run["peak_memory"] > 1e7
    assert run["words_per_second"]["cpu"] > 0
    table = (tmp_path / "out" / "table.md").read_text()
    assert "| WLL | " in table
    assert "| 79.53 |" in table  # the paper's
    words = (tmp_path / "out" / "data" / "ner2003.train.txt").read_text()
    assert "DOCSTART" not in words
    before = (tmp_path / "out" / "results.json").stat().st_mtime_ns
    assert experiment(*command, "--output", str(tmp_path / "out")).returncode == 0
    assert (tmp_path / "out" / "results.json").stat().st_mtime_ns == before  # nothing was run again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chunk-magic"], "There is no row 'chunk-magic'"),
        (["chunk-wll"], "Where are the data?"),
        (["ner-wll", "--conll2003", "/nowhere"], "There is no /nowhere/eng.train or"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = experiment(*arguments, "--output", str(tmp_path))
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
