"""Tokens a second of a trained tagger, file to file on one core, and the memory that its training takes.

    python -m benchmarks.tagging_speed --data FOLDER            # train on UD English EWT first
    python -m benchmarks.tagging_speed --data FOLDER --model DIR  # a model that is there already

Each run is a process of its own, so that no word was seen before. Loading the model is measured apart, and starting
Python not at all; reading the tokens, loading compiled code, tagging and writing are all counted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.common import save, show, spread, stay_on_one_core

TRAIN = "ud_english_ewt/en_ewt-ud-train.conllu.gz"
DEV = "ud_english_ewt/en_ewt-ud-dev.conllu.gz"
COMMAND = [sys.executable, "-c", "from amigrad.cli.main import main; main()", "tagger"]


def train(data: Path, model: Path, epochs: int | None) -> dict[str, Any]:
    """Train with the command; the seconds and the bytes of memory at most that it took."""
    command = [*COMMAND, "train", "--train", str(data / TRAIN), "--dev", str(data / DEV), "--upos", "--quiet"]
    command += ["--output", str(model), *(["--epochs", str(epochs)] if epochs else [])]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"training ended with status {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {"seconds": time.perf_counter() - start, "peak_memory": usage.ru_maxrss * unit}


def write_tokens(data: Path, path: Path) -> None:
    """The words of the corpus, one a line, a blank line behind each sentence."""
    from amigrad.tasks.tagging import read_tagged

    with path.open("w", encoding="utf-8") as file:
        for name in (TRAIN, DEV):
            for sentence in read_tagged(data / name):
                file.write("\n".join(sentence.words) + "\n\n")


def tag(model: Path, tokens: Path, tagged: Path) -> dict[str, float]:
    """Load and tag as `amigrad tagger tag DIR --tokens FILE` does; the seconds of either part."""
    stay_on_one_core()
    from amigrad.cli.report import write_tagged
    from amigrad.tasks.tagging import Tagger

    start = time.perf_counter()
    tagger = Tagger.load(model)
    loaded = time.perf_counter()
    with tagged.open("wb") as file, io.TextIOWrapper(file) as text, redirect_stdout(text):
        write_tagged(tagger, tokens, tokens=True, output="conll")
    return {"load": loaded - start, "tag": time.perf_counter() - loaded}


def measure(model: Path, tokens: Path, runs: int) -> dict[str, Any]:
    """Speeds of some runs, after one that is not counted: it may have to compile."""
    with tempfile.TemporaryDirectory() as folder:
        tagged = Path(folder) / "tagged.txt"
        command = [sys.executable, "-m", "benchmarks.tagging_speed", "--once", str(model), str(tokens), str(tagged)]
        found = [
            json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout) for _ in range(runs + 1)
        ]
        with tagged.open("rb") as file:
            count = sum(line != b"\n" for line in file)
    return {
        "tokens": count,
        "tokens_per_second": spread([count / run["tag"] for run in found[1:]]),
        "load_seconds": spread([run["load"] for run in found[1:]]),
        "first_run": found[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of tagging file to file, memory of training")
    data = os.environ.get("AMIGRAD_DATA")
    parser.add_argument("--data", type=Path, default=data, help=f"folder with {TRAIN}; default: AMIGRAD_DATA")
    parser.add_argument("--model", type=Path, metavar="DIR", help="a trained tagger; default: train one")
    parser.add_argument("--epochs", type=int, help="of this training; default: the tagger's")
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="one token a line; default: the words of EWT")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", type=Path, nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(json.dumps(tag(*arguments.once)))
        return
    if arguments.data is None and not (arguments.model and arguments.tokens):
        parser.error("--data, or both --model and --tokens, are needed")
    row: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        model, tokens = arguments.model, arguments.tokens
        if model is None:
            model = Path(folder) / "model"
            row["training"] = train(arguments.data, model, arguments.epochs)
        if tokens is None:
            tokens = Path(folder) / "tokens.txt"
            write_tokens(arguments.data, tokens)
        row |= measure(model, tokens, arguments.runs)
    speed = row["tokens_per_second"]
    lines = [
        ["tokens a second", f"{speed['median']:,.0f}", f"{speed['least']:,.0f}", f"{speed['most']:,.0f}"],
        ["seconds to load", *(f"{row['load_seconds'][name]:.2f}" for name in ("median", "least", "most"))],
    ]
    if "training" in row:
        lines.append(["peak memory of training, MB", f"{row['training']['peak_memory'] / 1e6:.0f}", "", ""])
    title = f"Tagging {row['tokens']:,} tokens file to file, {arguments.runs} runs; one core"
    show(title, ["", "median", "least", "most"], lines)
    save("tagging_speed", vars(arguments), [row])


if __name__ == "__main__":
    main()
