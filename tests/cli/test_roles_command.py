"""`amigrad roles` from the shell: what it prints, what it leaves behind, and how it fails."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from amigrad.cli.main import run
from amigrad.data import read_propositions

SENTENCES = """\
Ann NNP * - - (A0*)
saw VBD * see see.01 (V*)
Bob NNP * - - (A1*)

Bob NNP * - - (A0*)
saw VBD * see see.01 (V*)
Eve NNP * - - (A1*)
there RB * - - (AM-LOC*)

Yes UH * - -

Eve NNP * - - (A0*) *
said VBD * say say.01 (V*) *
Ann NNP * - - (A1* (A0*)
left VBD * leave leave.01 *) (V*)
"""


def amigrad(capture: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run the command within this process; returns what it printed."""
    capture.readouterr()
    code = run(["roles", *map(str, arguments)])
    printed = capture.readouterr()
    assert code == 0, printed.err
    return printed.out


def fails(capture: pytest.CaptureFixture[str], arguments: Sequence[str | Path], *messages: str) -> None:
    """The command must say this on the standard error, in a line or two without a traceback."""
    capture.readouterr()
    assert run(["roles", *map(str, arguments)]) == 2
    error = capture.readouterr().err
    assert "Traceback" not in error
    for message in messages:
        assert message in " ".join(error.split())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("roles") / "corpus.txt"
    path.write_text((SENTENCES + "\n") * 5)
    return path


@pytest.fixture(scope="module")
def model(corpus: Path) -> Path:
    """A model trained by the command."""
    output = corpus.parent / "model"
    sizes = ["--hidden-size", "8", "--word-size", "8", "--epochs", "30", "--learning-rate", "0.03", "--dropout", "0"]
    arguments = ["train", "--train", corpus, "--dev", corpus, "--output", output, *sizes, "--quiet"]
    assert run(["roles", *map(str, arguments)]) == 0
    return output


@pytest.mark.parametrize("within", ["predicates", ""])
def test_a_training_that_is_interrupted(corpus: Path, tmp_path: Path, within: str) -> None:
    """Ctrl-C while predicates or arguments are learnt: saved, said so, 130; afterwards the same model in the end."""
    sizes = ["--hidden-size", "8", "--word-size", "8", "--epochs", "15"]
    train = ["roles", "train", "--train", str(corpus), "--dev", str(corpus), *sizes, "--quiet", "--output"]
    command = [sys.executable, "-m", "amigrad.cli.main", *train]
    stopped = subprocess.Popen([*command, str(tmp_path / "stopped")], stderr=subprocess.PIPE)
    log = tmp_path / "stopped" / within / "training" / "log.jsonl"
    while stopped.poll() is None and not (log.exists() and log.stat().st_size > 100):
        time.sleep(0.01)
    stopped.send_signal(signal.SIGINT)
    _, error = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, error.decode()
    assert b"the same command goes on" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "stopped" / "model.json").exists()
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".tmp", ".partial")]
    for name in ("stopped", "whole"):
        assert run([*train, str(tmp_path / name)]) == 0
    for part in ("model.safetensors", "predicates/model.safetensors"):
        assert (tmp_path / "stopped" / part).read_bytes() == (tmp_path / "whole" / part).read_bytes()


def test_a_model_labels_text_and_tokens(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("Ann saw Eve\n")
    found = json.loads(amigrad(capfd, "label", model, tmp_path / "text", "--output", "jsonl"))
    assert found["words"] == ["Ann", "saw", "Eve"]
    assert found["offsets"] == [[0, 3], [4, 7], [8, 11]]
    assert found["text"] == "Ann saw Eve"
    (proposition,) = found["propositions"]
    assert (proposition["predicate"], proposition["lemma"]) == (1, "see")
    assert proposition["arguments"] == [
        {"label": "A0", "start": 0, "end": 1},
        {"label": "V", "start": 1, "end": 2},
        {"label": "A1", "start": 2, "end": 3},
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Ann\nsaw\nEve\n")))
    assert amigrad(capfd, "label", model, "--tokens", "--output", "text") == (
        "Ann saw Eve\n  see: [A0 Ann] [V saw] [A1 Eve]\n"
    )


def test_labelled_columns_are_those_that_are_scored(
    model: Path, corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text(amigrad(capfd, "label", model, corpus, "--given"))
    assert [s.words for s in read_propositions(tmp_path / "mine.txt")] == [s.words for s in read_propositions(corpus)]
    scored = json.loads(amigrad(capfd, "score", corpus, tmp_path / "mine.txt", "--json"))
    evaluated = json.loads(amigrad(capfd, "evaluate", model, corpus, "--json"))
    assert scored == evaluated
    assert evaluated["labels"]["overall"]["f1"] > 0.9
    found = json.loads(amigrad(capfd, "evaluate", model, corpus, "--find", "--json"))
    assert found["predicates"]["gold"] == 20
    (tmp_path / "mine.props").write_text(amigrad(capfd, "label", model, corpus, "--given", "--output", "props"))
    words = "".join(f"{word}\n" for s in read_propositions(corpus) for word in (*s.words, ""))
    (tmp_path / "words").write_text(words)
    table = amigrad(capfd, "evaluate", model, tmp_path / "mine.props", "--words", tmp_path / "words")
    assert "20 sentences, 20 propositions, 100.00 % of them perfect" in table
    assert "V, the predicate itself, does not count" in table


def test_mistakes_are_explained(model: Path, corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_text(SENTENCES.replace("(A1*)\n\nBob", "(A1*\n\nBob"))
    fails(capfd, ["evaluate", model, broken], "broken.txt, line 3", "the bracket of A1 is not closed")
    short = tmp_path / "short.txt"
    short.write_text(SENTENCES)
    fails(capfd, ["score", corpus, short], "short.txt: 4 sentences, but 20 in")
    fails(capfd, ["label", tmp_path, corpus], "the file is missing")
    train = ["train", "--train", corpus, "--output", tmp_path / "x"]
    fails(capfd, [*train, "--network", "cnn"], "network is one of lstm, convolution, not 'cnn'")
    fails(capfd, ["label", model, "--words", corpus, corpus], "--words goes with --given")
    props = tmp_path / "a.props"
    props.write_text("- (A0*)\nsee (V*)\n")
    fails(capfd, ["evaluate", model, props], "a.props: this file has lemmas and brackets, but no words", "--words")
    fails(capfd, ["train", "--train", props, "--output", tmp_path / "x"], "Give them with --train-words")
    plain = tmp_path / "plain.txt"
    plain.write_text("Ann NN\nran VB\n")
    fails(capfd, ["train", "--train", plain, "--dev", corpus, "--output", tmp_path / "x"], "plain.txt")
