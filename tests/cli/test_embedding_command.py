"""`amigrad embedding` from the shell: what it prints, what it leaves behind, and how it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from amigrad.cli.main import run
from amigrad.data import read_vectors
from amigrad.tasks.embedding import load_vectors

SMALL = ["--size", "8", "--epochs", "2", "--minimum-count", "2", "--split", "tokens", "--quiet"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences over two sets of words that never meet, compressed."""
    import gzip

    random = np.random.default_rng(1)
    sets = [["king", "queen", "crown", "throne", "palace"], ["horse", "hay", "stable", "saddle", "mare"]]
    lines = [" ".join(random.choice(sets[number % 2], 8)) for number in range(3000)]
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


@pytest.fixture(scope="module")
def model(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "vectors"
    assert run(["embedding", "train", str(corpus), "--output", str(folder), *SMALL]) == 0
    return folder


def ask(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    """Run `amigrad embedding` with these arguments; returns what it printed, or its error."""
    capsys.readouterr()
    assert run(["embedding", *map(str, arguments)]) == code
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return printed.err if code else printed.out


def test_neighbours_are_a_table_with_frequency_ranks(model, capsys):
    heads, ranks, _, *rows = ask(capsys, "neighbours", model, "king", "hay", "-n", "3").splitlines()
    vectors = load_vectors(model)
    assert heads.split() == ["KING", "HAY"]
    assert ranks.split() == [str(vectors.index["king"] + 1), str(vectors.index["hay"] + 1)]
    assert len(rows) == 3
    found = json.loads(ask(capsys, "neighbours", model, "king", "-n", "3", "--json"))
    assert [row.split()[0] for row in rows] == [near["word"] for near in found[0]["neighbours"]]


def test_analogies_and_similarity_are_answered(model, capsys, tmp_path):
    assert len(ask(capsys, "analogy", model, "king", "crown", "horse", "-n", "4").splitlines()) == 4
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("king\tqueen\t9\nking\thay\t1\nhay\tmare\t8\nking\tpear\t3\n")
    assert "3 of 4" in ask(capsys, "similarity", model, pairs)
    assert json.loads(ask(capsys, "similarity", model, pairs, "--json"))[str(pairs)]["found"] == 3


@pytest.mark.parametrize("name", ["v.txt", "v.txt.gz", "v.bin", "v.safetensors"])
def test_exported_vectors_are_those_of_the_model(name, model, capsys, tmp_path):
    ask(capsys, "export", model, tmp_path / name)
    found, vectors = read_vectors(tmp_path / name), load_vectors(model)
    assert found.words == vectors.words
    assert np.array_equal(found.matrix, vectors.matrix)
    assert ask(capsys, "neighbours", tmp_path / name, "king") == ask(capsys, "neighbours", model, "king")


def test_a_picture_is_drawn(model, capsys, tmp_path):
    ask(capsys, "plot", model, "king", "hay", "--output", tmp_path / "words.svg")
    picture = (tmp_path / "words.svg").read_text()
    assert picture.startswith("<svg")
    assert ">king</text>" in picture


def test_mistakes_are_told_in_a_line(model, corpus, capsys, tmp_path):
    assert "'pear': not among the 10 words" in ask(capsys, "neighbours", model, "pear", code=2)
    assert "missing: No such file" in ask(capsys, "neighbours", tmp_path / "missing", "king", code=1)
    bad = tmp_path / "bad.txt"
    bad.write_text("king 1 2\nqueen 1\n")
    assert f"{bad}, line 2: 2 numbers are expected" in ask(capsys, "neighbours", bad, "king", code=2)
    assert "window is at least 1" in ask(capsys, "train", corpus, "--output", tmp_path / "x", "--window", "0", code=2)
    assert "for the objective 'ranking'" in ask(
        capsys, "train", corpus, "--output", tmp_path / "x", "--dictionaries", "5", code=2
    )
    (tmp_path / "tagger").mkdir()
    (tmp_path / "tagger" / "model.json").write_text('{"format": "amigrad.tagger"}')
    taken = ask(capsys, "train", corpus, "--output", tmp_path / "tagger", code=2)
    assert "there is a model of format amigrad.tagger already" in taken
    other = ask(capsys, "train", corpus, "--output", model, *SMALL, "--window", "2", code=2)
    assert "window was 5, is 2" in other
    assert "--no-resume" in other


def test_a_training_that_is_interrupted_goes_on(corpus, model, tmp_path):
    command = [sys.executable, "-m", "amigrad.cli.main", "embedding", "train", str(corpus), "--output", str(tmp_path)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*command, *SMALL], stderr=subprocess.PIPE, env=environment) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "training" / "log.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        error = process.stderr.read().decode()
        code = process.wait(60)
    assert (code == 130 and "the same command goes on" in error) or code == 0
    assert run(["embedding", "train", str(corpus), "--output", str(tmp_path), *SMALL]) == 0
    assert np.array_equal(load_vectors(tmp_path).matrix, load_vectors(model).matrix)
