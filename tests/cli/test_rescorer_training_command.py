"""`amigrad rescorer train` and `score` from the shell."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from amigrad.cli.main import run

WORDS = ["a b c", "b c a", "c a b", "a a", "b b c", "c", "a c", "b a b"]


def amigrad(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command; returns what it gave."""
    command = [sys.executable, "-m", "amigrad.cli.main", "rescorer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def corpus(tmp_path: Path) -> list[str]:
    """The arguments of a training: eight sentences, translated by capital letters, four times over."""
    source = [words for words in WORDS for _ in range(4)]
    (tmp_path / "train.src").write_text("\n".join(source) + "\n")
    (tmp_path / "train.tgt").write_text("\n".join(source).upper() + "\n")
    links = [" ".join(f"{k}-{k}" for k in range(len(words.split()))) for words in source]
    (tmp_path / "train.align").write_text("\n".join(links) + "\n")
    files = {"--source": "train.src", "--target": "train.tgt", "--alignment": "train.align"}
    sizes = ["--word-size", "4", "--first-size", "8", "--second-size", "8", "--epochs", "3", "--learning-rate", "0.03"]
    sizes += ["--dropout", "0", "--hidden-dropout", "0"]
    return [*(part for name, file in files.items() for part in (name, str(tmp_path / file))), *sizes]


def fails(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What the command says on the standard error, in one line or two, when it fails as it should."""
    assert run(["rescorer", *map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) <= 4
    return error


def test_train_all_variations_and_score(corpus: list[str], tmp_path: Path) -> None:
    trained = amigrad("train", *corpus, "--variation", "all", "--output", tmp_path / "models")
    assert trained.returncode == 0, trained.stderr
    assert "32 pairs of sentences" in trained.stdout
    assert f"{tmp_path}/models/t2s-r2l: perplexity" in trained.stdout
    lists = ["A B C", "A B C B", "C"]
    nbest = "".join(f"{k} ||| {words} ||| LM0= -1 ||| -2 ||| 0-0\n" for k in range(2) for words in lists)
    (tmp_path / "nbest").write_text(nbest)
    (tmp_path / "src").write_text("a b c\nc\n")
    out = tmp_path / "out.gz"
    done = amigrad(
        "score", tmp_path / "models", "--nbest", tmp_path / "nbest", "--source", tmp_path / "src", "--output", out
    )
    assert done.returncode == 0, done.stderr
    assert "2 lists with joint-s2t-l2r, joint-s2t-r2l, joint-t2s-l2r, joint-t2s-r2l" in done.stdout
    fields = [line.split(" ||| ") for line in gzip.decompress(out.read_bytes()).decode().splitlines()]
    assert [field[1] for field in fields] == lists * 2
    values = [dict(zip(field[2].split()[::2], map(float, field[2].split()[1::2]), strict=True)) for field in fields]
    assert all(value["LM0="] == -1 for value in values)
    first, second = ([value["joint-s2t-l2r="] for value in values[start : start + 3]] for start in (0, 3))
    assert max(first) < 0
    assert first[0] > first[1]
    assert second[2] > second[0]


def test_mistakes(corpus: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ["--output", str(tmp_path / "model")]
    assert "--align" in fails(capsys, "train", *corpus[:4], *output)
    assert "--source" in fails(capsys, "train", *corpus[2:], *output)
    assert "exclude each other" in fails(capsys, "train", *corpus, *output, "--align")
    assert "belong together" in fails(capsys, "train", *corpus, *output, "--dev-source", corpus[1])
    assert "odd number of words or 0, not 4" in fails(capsys, "train", *corpus, *output, "--window", "4")
    Path(corpus[5]).write_text("0-0\n5-5\n")
    assert "train.align, line 2: the link 5-5 points outside" in fails(capsys, "train", *corpus, *output)
    nbest = ["--nbest", corpus[1], "--source", corpus[1], "--output", str(tmp_path / "out")]
    assert "no such folder" in fails(capsys, "score", tmp_path / "nowhere", *nbest)
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "out").exists()


def test_a_bad_list_leaves_nothing_behind(
    corpus: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tmp_path / "lm")
    assert run(["rescorer", "train", *corpus[2:4], *corpus[6:], "--window", "0", "--output", model, "--quiet"]) == 0
    (tmp_path / "nbest").write_text("0 ||| A ||| LM0= -1 ||| -2\n2 ||| A ||| LM0= -1 ||| -2\n")
    given = ["--nbest", tmp_path / "nbest", "--source", corpus[1], "--output", tmp_path / "out"]
    assert "nbest, line 2: id 2 follows id 0" in fails(capsys, "score", model, *given)
    assert not list(tmp_path.glob("*out*"))
