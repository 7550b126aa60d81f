"""`amigrad rescorer lexical`, `tune`, `rescore`, `evaluate` and `explain`, from bitext to a page."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
from pathlib import Path

import pytest

from amigrad.cli.main import run
from amigrad.tasks.rescoring.nbest import NBestList, read_nbest
from amigrad.tasks.rescoring.nbest_moses import MosesLines


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bitext of a made-up language, an n-best list with wrong words in it, and references."""
    folder = tmp_path_factory.mktemp("translation")
    drawn = random.Random(5)
    sentences = [[drawn.randrange(20) for _ in range(drawn.randint(4, 8))] for _ in range(120)]

    def write(name: str, lines: list[str]) -> None:
        (folder / name).write_text("".join(line + "\n" for line in lines))

    write("train.src", [" ".join(f"a{word}" for word in words) for words in sentences[:80]])
    write("train.tgt", [" ".join(f"b{word}" for word in words) for words in sentences[:80]])
    write("train.align", [" ".join(f"{k}-{k}" for k in range(len(words))) for words in sentences[:80]])
    write("dev.src", [" ".join(f"a{word}" for word in words) for words in sentences[80:]])
    write("dev.ref", [" ".join(f"b{word}" for word in words) for words in sentences[80:]])
    lines = []
    for number, words in enumerate(sentences[80:]):
        for _ in range(8):
            made = [word if drawn.random() < 0.8 else drawn.randrange(20) for word in words]
            points = " ".join(f"{k}-{k}" for k in range(len(words)))
            score = drawn.uniform(-9, 0)
            text = " ".join(f"b{word}" for word in made)
            lines.append(f"{number} ||| {text} ||| LM= {score:.3f} W= -{len(words)} ||| {score:.3f} ||| {points}")
    write("dev.nbest", lines)
    return folder


def rescorer(*arguments: str | Path) -> int:
    """Run the command in this process."""
    return run(["rescorer", *map(str, arguments)])


@pytest.fixture(scope="module")
def scored(files: Path) -> Path:
    """The list with the features of a lexical and a small joint model, in `models`, and weights that fit them."""
    pairs = ["--source", files / "train.src", "--target", files / "train.tgt"]
    assert rescorer("lexical", *pairs, "--output", files / "models" / "lexical") == 0
    sizes = ["--word-size", "4", "--first-size", "8", "--second-size", "8", "--epochs", "1", "--minimum-count", "1"]
    aligned = ["--alignment", files / "train.align", *sizes]
    assert rescorer("train", *pairs, *aligned, "--output", files / "models" / "joint", "--quiet") == 0
    lists = ["--nbest", files / "dev.nbest", "--source", files / "dev.src"]
    assert rescorer("score", files / "models", *lists, "--output", files / "dev.scored.gz") == 0
    tune = [
        "tune",
        "--nbest",
        files / "dev.scored.gz",
        "--references",
        files / "dev.ref",
        "--epochs",
        "3",
        "--folds",
        "2",
    ]
    assert rescorer(*tune, "--output", files / "weights.json") == 0
    return files / "dev.scored.gz"


def test_scores_become_weights_and_better_translations(
    files: Path, scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert next(iter(read_nbest(scored))).names[2:] == ("joint-s2t-l2r", "lexical-s2t", "lexical-t2s")
    weights = ["--weights", files / "weights.json"]
    best, new, plain = files / "best", files / "new.gz", files / "plain"
    assert rescorer("rescore", "--nbest", scored, *weights, "--output", best, "--output-nbest", new) == 0
    assert rescorer("rescore", "--nbest", scored, *weights, "--output", plain, "--no-mbr") == 0
    capsys.readouterr()
    assert rescorer("rescore", "--nbest", scored, *weights) == 0
    assert capsys.readouterr().out == best.read_text()
    assert [" ".join(one.hypotheses[0]) + "\n" for one in read_nbest(new)] == best.read_text().splitlines(keepends=True)
    references = ["--references", files / "dev.ref", "--nbest", files / "dev.nbest"]
    assert rescorer("evaluate", best, plain, *references, "--json", "--samples", "100") == 0
    bleu = json.loads(capsys.readouterr().out)["bleu"]
    assert list(bleu) == ["first of the list", str(best), str(plain), "oracle of the list"]
    assert bleu[str(best)]["value"] > bleu["first of the list"]["value"] + 10
    assert bleu[str(best)]["p"] < 0.05
    assert bleu["oracle of the list"]["value"] >= bleu[str(best)]["value"]
    assert rescorer("evaluate", best, *references, "--samples", "20") == 0
    printed = capsys.readouterr().out
    assert "p: paired bootstrap against first of the list" in printed
    assert "tok:none" in printed


def test_weights_of_features_that_are_left_out_are_nothing(files: Path, scored: Path) -> None:
    out = files / "own.json"
    names = ["--without", "joint-s2t-l2r", "--without", "lexical-s2t"]
    tune = ["tune", "--nbest", scored, "--references", files / "dev.ref", "--epochs", "2", "--folds", "0"]
    assert rescorer(*tune, *names, "--output", out) == 0
    weights = json.loads(out.read_text())["values"]
    assert weights["joint-s2t-l2r"] == weights["lexical-s2t"] == 0
    assert weights["lexical-t2s"] != 0
    assert rescorer("rescore", "--nbest", scored, "--weights", out, "--output", files / "own") == 0


def test_a_sentence_is_explained(files: Path, scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = ["--nbest", scored, "--source", files / "dev.src", "--weights", files / "weights.json"]
    page = files / "3.html"
    more = ["--references", files / "dev.ref", "--top", "2", "--html", page]
    assert rescorer("explain", files / "models", *lists, "--id", "3", *more) == 0
    printed = capsys.readouterr().out
    source = (files / "dev.src").read_text().splitlines()[3]
    assert f"3: {source}" in printed
    assert "1 (was " in printed
    assert "joint-s2t-l2r" in printed
    html = page.read_text()
    assert source in html
    assert html.count("<tbody") >= 2
    assert "http" not in html  # nothing is fetched
    assert rescorer("explain", *lists, "--id", "40") == 2
    assert "there is no sentence 40. Choose an id from 0 to 39" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["score", "tune", "rescore", "evaluate"])
def test_an_interruption_leaves_what_was_there(
    command: str, files: Path, scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, lists = MosesLines.parse, 0

    def stopping(self: MosesLines, number: int, block: list[tuple[int, str]]) -> NBestList:
        nonlocal lists
        lists += 1
        if lists == 25:
            os.kill(os.getpid(), signal.SIGINT)
        return parse(self, number, block)

    output = ["--output", tmp_path / "out"]
    arguments = {
        "score": [files / "models", "--nbest", files / "dev.nbest", "--source", files / "dev.src", *output],
        "tune": ["--nbest", scored, "--references", files / "dev.ref", *output],
        "rescore": [
            "--nbest",
            scored,
            "--weights",
            files / "weights.json",
            *output,
            "--output-nbest",
            tmp_path / "new",
        ],
        "evaluate": ["--nbest", scored, "--references", files / "dev.ref"],
    }
    (tmp_path / "out").write_text("from before")
    collecting = gc.get_threshold()
    monkeypatch.setattr(MosesLines, "parse", stopping)
    assert rescorer(command, *arguments[command]) == 130
    assert lists == 25
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "from before"
    assert gc.get_threshold() == collecting


def test_mistakes_are_explained_and_nothing_is_left(
    files: Path, scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(message: str, *arguments: str | Path) -> None:
        assert rescorer(*arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) <= 4

    capsys.readouterr()
    output = ["--output", tmp_path / "out"]
    references, weights = ["--references", files / "dev.ref"], ["--weights", files / "weights.json"]
    fails("dev.nbest, line 1: there is no feature", "rescore", "--nbest", files / "dev.nbest", *weights, *output)
    fails(
        "not a file of weights", "rescore", "--nbest", scored, "--weights", files / "models/joint/model.json", *output
    )
    fails("not JSON", "rescore", "--nbest", scored, "--weights", files / "dev.src", *output)
    (tmp_path / "short").write_text("a\n")
    fails("sentence 1 has no reference", "tune", "--nbest", scored, "--references", tmp_path / "short", *output)
    lines = (files / "dev.nbest").read_text().splitlines(keepends=True)
    bad = tmp_path / "bad.nbest"
    bad.write_text("".join(lines[:30]) + lines[30].replace("LM=", "XM="))
    fails("bad.nbest, line 31: feature 'LM' is missing", "tune", "--nbest", bad, *references, *output)
    own = ["--nbest", files / "dev.nbest", "--source", files / "dev.src"]
    fails("'joint-s2t-l2r' already", "score", files / "models", "--nbest", scored, *own[2:], *output)
    fails("tokenisation 'x' is none of", "evaluate", files / "dev.ref", *references, "--tokenize", "x")
    fails("short, line 2: 1 lines", "evaluate", tmp_path / "short", *references)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.nbest", "short"]
