"""`amigrad tagger` from the shell: what it prints, what it leaves behind, and how it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from amigrad import __version__
from amigrad.data.demo import write_demo

SMALL = [
    "--epochs",
    "2",
    "--hidden-size",
    "16",
    "--word-size",
    "8",
    "--affix-size",
    "4",
    "--suffixes",
    "2",
    "--learning-rate",
    "0.1",
    "--quiet",
]


def amigrad(
    *arguments: str | Path, stdin: str | bytes = b"", timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run the command; returns what it gave."""
    return subprocess.run(
        [sys.executable, "-m", "amigrad.cli.main", *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def fails(arguments: Sequence[str | Path], *messages: str, stdin: bytes = b"", code: int = 2) -> None:
    """The command must say this on the standard error, in a line or two without a traceback."""
    done = amigrad(*arguments, stdin=stdin)
    error = done.stderr.decode()
    assert done.returncode == code, error
    assert "Traceback" not in error
    assert len(error.splitlines()) <= 4
    for message in messages:
        assert message in error


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_demo(tmp_path_factory.mktemp("corpus"), sentences=150)


@pytest.fixture(scope="session")
def model(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chunker, trained by the command."""
    folder = tmp_path_factory.mktemp("models") / "chunker"
    done = amigrad(
        *("tagger", "train", "--train", corpus["train"], "--dev", corpus["dev"]),
        *("--column", "2", "--output", folder, *SMALL),
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"accuracy on all words" in done.stdout
    return folder


def test_version() -> None:
    done = amigrad("--version")
    assert (done.returncode, done.stdout.decode().strip()) == (0, f"amigrad {__version__}")


@pytest.mark.parametrize("command", ["train", "tag", "evaluate"])
def test_every_command_has_examples_in_its_help(command: str) -> None:
    done = amigrad("tagger", command, "--help")
    assert done.returncode == 0
    assert f"  amigrad tagger {command} " in done.stdout.decode().split("Examples:")[1] or command == "tag"


def test_plain_text_is_tagged_token_by_token(model: Path) -> None:
    done = amigrad("tagger", "tag", model, stdin="The cat sleeps. It is old.\n")
    assert done.returncode == 0, done.stderr
    sentences = done.stdout.decode().removesuffix("\n\n").split("\n\n")
    assert [[line.split("\t")[0] for line in sentence.splitlines()] for sentence in sentences] == [
        ["The", "cat", "sleeps", "."],
        ["It", "is", "old", "."],
    ]
    assert all(len(line.split("\t")) == 2 for sentence in sentences for line in sentence.splitlines())


def test_tokens_come_out_as_they_came_in(model: Path, corpus: dict[str, Path]) -> None:
    words = [
        "\n".join(line.split(" ")[0] for line in part.splitlines())
        for part in corpus["dev"].read_text().strip().split("\n\n")
    ]
    done = amigrad("tagger", "tag", model, "--tokens", stdin="\n\n".join(words) + "\n")
    out = done.stdout.decode()
    parts = out.removesuffix("\n\n").split("\n\n")
    assert ["\n".join(line.split("\t")[0] for line in part.splitlines()) for part in parts] == words
    assert out.endswith("\n\n")
    assert not out.endswith("\n\n\n")


def test_json_lines(model: Path) -> None:
    done = amigrad("tagger", "tag", model, "--output", "jsonl", stdin="The cat sleeps.\n\nŽluťoučký kůň 🙂\n")
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [line["text"] for line in lines] == ["The cat sleeps.", "Žluťoučký kůň 🙂"]
    for line in lines:
        assert len(line["words"]) == len(line["tags"])
        for chunk in line["chunks"]:
            assert line["tags"][chunk["start"]] == f"B-{chunk['label']}"


def test_coloured_output_has_the_words(model: Path) -> None:
    done = amigrad("tagger", "tag", model, "--output", "color", stdin="The cat sleeps.\n")
    assert b"\x1b[" in done.stdout
    assert b"sleeps" in done.stdout


def test_nothing_in_nothing_out(model: Path) -> None:
    done = amigrad("tagger", "tag", model, stdin="\n  \n")
    assert (done.returncode, done.stdout) == (0, b"")


def test_evaluate_prints_what_it_counts(model: Path, corpus: dict[str, Path]) -> None:
    table = amigrad("tagger", "evaluate", model, corpus["dev"], "--column", "2").stdout.decode()
    for word in ("accuracy on all words", "accuracy on known words", "precision", "recall", "F1", "overall", "NP"):
        assert word in table
    done = amigrad("tagger", "evaluate", model, corpus["dev"], "--column", "2", "--json")
    figures = json.loads(done.stdout)
    assert figures["tokens"] == sum(bool(line.strip()) for line in corpus["dev"].read_text().splitlines())
    assert set(figures["labels"]["overall"]) == {"precision", "recall", "f1", "gold", "predicted", "correct"}


def test_without_dev_the_last_tenth_is_held_out(corpus: dict[str, Path], tmp_path: Path) -> None:
    done = amigrad("tagger", "train", "--train", corpus["dev"], "--column", "1", "--output", tmp_path / "m", *SMALL)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().startswith("2 sentences")


def test_the_same_seed_gives_the_same_bytes(corpus: dict[str, Path], tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "other")]
    for folder, seed in zip(folders, ("3", "3", "4"), strict=True):
        train = ("tagger", "train", "--train", corpus["dev"], "--column", "1", "--output", folder, "--seed", seed)
        assert amigrad(*train, *SMALL).returncode == 0
    data = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert data[0] == data[1]
    assert data[0] != data[2]


def test_conllu_and_word_tag(tmp_path: Path) -> None:
    conllu = "".join(
        "".join(
            f"{i}\t{word}\t_\t{tag}\t{tag[:1]}X\t_\t_\t_\t_\t_\n"
            for i, (word, tag) in enumerate([("a", "DET"), (name, "NOUN")], 1)
        )
        + "\n"
        for name in "bcdefghijklm"
    )
    (tmp_path / "a.conllu").write_text(conllu)
    (tmp_path / "b.txt").write_text("a/DET b/NOUN\n" * 12)
    for name, choice in (("a.conllu", ["--upos"]), ("a.conllu", ["--xpos"]), ("b.txt", ["--format", "slash"])):
        folder = tmp_path / f"model{choice[-1]}"
        done = amigrad("tagger", "train", "--train", tmp_path / name, "--output", folder, *SMALL, *choice)
        assert done.returncode == 0, done.stderr.decode()
        assert amigrad("tagger", "evaluate", folder, tmp_path / name, *choice).returncode == 0


def test_mistakes_in_files_are_named(tmp_path: Path, model: Path, corpus: dict[str, Path]) -> None:
    train = ["tagger", "train", "--output", tmp_path / "out", *SMALL, "--train"]
    fails([*train, tmp_path / "none.txt"], "none.txt: No such file or directory", code=1)
    fails([*train, tmp_path], "Is a directory", code=1)
    (tmp_path / "empty").write_text("")
    fails([*train, tmp_path / "empty"], "empty", "no sentence in this file")
    (tmp_path / "short").write_text("a b c\nd e f\ng\n")
    fails([*train, tmp_path / "short", "--column", "2"], "short, line 3")
    (tmp_path / "latin").write_bytes("né N\n".encode("latin1"))
    fails([*train, tmp_path / "latin"], "latin, line 1: not UTF-8")
    (tmp_path / "ill").write_text("a B-X\nb I-Y\n\n" * 9)
    fails([*train, tmp_path / "ill"], "sentence 1, word 2", "scheme 'none'")
    (tmp_path / "one").write_text("a B\n")
    fails([*train, tmp_path / "one"], "one sentence cannot be divided")
    fails(["tagger", "evaluate", model, corpus["dev"], "--column", "1"], "is not a chunk tag")
    fails(["tagger", "tag", model], "not UTF-8", stdin=b"caf\xe9\n")
    assert not (tmp_path / "out").exists()


def test_mistakes_in_options_are_named(tmp_path: Path, corpus: dict[str, Path]) -> None:
    train = ["tagger", "train", "--train", corpus["dev"], "--output", tmp_path / "out"]
    fails([*train, "--window", "4"], "odd number of words, not 4")
    fails([*train, "--suffixes", "a"], "--suffixes takes numbers such as 1,2,3")
    fails([*train, "--optimizer", "magic"], "adagrad, sgd, adam")
    fails([*train, "--scheme", "BILOU"], "scheme is one of")
    fails([*train, "--upos", "--xpos"], "exclude each other")
    fails([*train, "--upos", "--format", "slash"], "for CoNLL-U")
    fails([*train, "--column", "0"], "words and tags cannot both come from column 0")
    fails(["tagger", "train", "--train", corpus["dev"]], "--output")
    fails(["tagger", "tag", tmp_path / "out"], "there is no such folder")
    fails(["tagger", "bake"], "bake")


def test_a_training_that_is_interrupted(corpus: dict[str, Path], tmp_path: Path) -> None:
    """Ctrl-C: saved, said so, 130; the same command goes on and ends with the same model."""
    train = ["tagger", "train", "--train", str(corpus["train"]), "--column", "1", "--epochs", "30", "--quiet"]
    sizes = ["--hidden-size", "16", "--word-size", "8", "--suffixes", "2"]
    command = [sys.executable, "-m", "amigrad.cli.main", *train, *sizes, "--output"]
    stopped = subprocess.Popen([*command, str(tmp_path / "stopped")], stderr=subprocess.PIPE)
    log = tmp_path / "stopped" / "training" / "log.jsonl"
    while stopped.poll() is None and not (log.exists() and log.stat().st_size > 1000):
        time.sleep(0.02)
    stopped.send_signal(signal.SIGINT)
    _, error = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, error.decode()
    assert b"the same command goes on" in error
    assert b"Traceback" not in error
    for name in ("stopped", "whole"):
        assert subprocess.run([*command, str(tmp_path / name)], stdout=subprocess.DEVNULL, check=False).returncode == 0
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("stopped", "whole")]
    assert models[0] == models[1]


def test_tagging_that_is_interrupted(model: Path) -> None:
    """Ctrl-C: a line says so, 130. What is in the pipe may end within a line: the writing of a block is interrupted."""
    command = [sys.executable, "-m", "amigrad.cli.main", "tagger", "tag", str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tagging:
        assert tagging.stdin is not None
        assert tagging.stdout is not None
        tagging.stdin.write(b"Lucy watches the old watches.\n" * 3000)
        tagging.stdin.flush()
        assert tagging.stdout.readline().startswith(b"Lucy\t")
        tagging.send_signal(signal.SIGINT)
        printed, error = tagging.communicate(timeout=60)
    assert tagging.returncode == 130
    assert error.decode() == "amigrad: interrupted\n"
    assert b"\nLucy\t" in printed


def test_other_options_for_a_training_that_was_begun(corpus: dict[str, Path], tmp_path: Path) -> None:
    command = ["tagger", "train", "--train", corpus["dev"], "--column", "1", "--output", tmp_path / "m", *SMALL]
    assert amigrad(*command).returncode == 0
    changed = [*command, "--seed", "5"]
    fails(changed, "holds a training with other settings", "seed was", "start anew with --no-resume")
    assert amigrad(*changed, "--no-resume").returncode == 0


def test_a_model_that_is_damaged(model: Path, tmp_path: Path) -> None:
    for name in os.listdir(model):
        if (model / name).is_file():
            (tmp_path / name).write_bytes((model / name).read_bytes()[:-3])
    fails(["tagger", "tag", tmp_path], str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, corpus: dict[str, Path]) -> None:
    tmp_path.chmod(0o500)
    fails(["tagger", "train", "--train", corpus["dev"], "--output", tmp_path / "m", *SMALL], "Permission", code=1)


def test_a_full_disk(model: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "amigrad.cli.main", "tagger", "tag", model],
            input=b"The cat.\n",
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away(model: Path) -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "amigrad.cli.main", "tagger", "tag", model],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    command.stdout.close()
    _, error = command.communicate(b"The cat sleeps.\n" * 20_000, timeout=120)
    assert command.returncode == 1
    assert error == b""
