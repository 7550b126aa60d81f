"""Words a second of trained taggers, file to file on one core, and the memory that tagging and training take.

    python -m benchmarks.tagging_speed --data FOLDER                 # parts of speech, on tokens; trained first
    python -m benchmarks.tagging_speed --data FOLDER --together      # with chunks and names, on plain text
    python -m benchmarks.tagging_speed --model POS --model CHUNK --model NAMES --text FILE

Each run is a process of its own, so that no word was seen before. Loading the models is measured apart, and starting
Python not at all; reading, finding the words of plain text, loading compiled code, tagging and writing are all counted.
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
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.common import save, show, spread, stay_on_one_core

TRAIN = "ud_english_ewt/en_ewt-ud-train.conllu.gz"
DEV = "ud_english_ewt/en_ewt-ud-dev.conllu.gz"
TEXT = "text/novels100.txt.gz"
COMMAND = [sys.executable, "-c", "from amigrad.cli.main import main; main()", "tagger"]
TASKS = {
    "pos": ["--train", TRAIN, "--dev", DEV, "--upos"],
    "chunk": ["--train", "conll2000/train.txt.gz"],
    "names": ["--train", "wnut17/train.conll", "--dev", "wnut17/dev.conll"],
}
"""What each tagger is trained with, from the folder of data."""


def train(data: Path, task: str, model: Path, options: Sequence[str]) -> dict[str, Any]:
    """Train with the command; the seconds and the bytes of memory at most that it took."""
    command = [*COMMAND, "train", *TASKS[task], "--quiet", "--output", str(model), *options]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=data, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"training ended with status {process.returncode}")
    return {"task": task, "seconds": time.perf_counter() - start, "peak_memory": usage.ru_maxrss * _UNIT}


def write_tokens(data: Path, path: Path) -> None:
    """The words of the corpus, one a line, a blank line behind each sentence."""
    from amigrad.tasks.tagging import read_tagged

    with path.open("w", encoding="utf-8") as file:
        for name in (TRAIN, DEV):
            for sentence in read_tagged(data / name):
                file.write("\n".join(sentence.words) + "\n\n")


def write_text(data: Path, path: Path, lines: int) -> None:
    """The first lines of the novels."""
    import gzip
    from itertools import islice

    with gzip.open(data / TEXT, "rb") as source, path.open("wb") as file:
        file.writelines(islice(source, lines))


def tag(models: Sequence[str], source: Path, tagged: Path, tokens: bool, tokenizer: str) -> dict[str, float]:
    """Load and tag as `amigrad tagger tag DIR FILE --with DIR` does; the seconds of either part, and the memory."""
    stay_on_one_core()
    from amigrad.cli.tagged import Form, write_tagged
    from amigrad.data import english_tokenizer
    from amigrad.tasks.tagging import Taggers

    start = time.perf_counter()
    taggers = Taggers.load(models)
    split = None if tokens else english_tokenizer(tokenizer)
    loaded, spent = time.perf_counter(), time.process_time()
    with tagged.open("wb") as file, io.TextIOWrapper(file) as text, redirect_stdout(text):
        write_tagged(taggers, source, Form("conll"), tokens=tokens, tokenizer=split)
    seconds = {"load": loaded - start, "tag": time.perf_counter() - loaded, "processor": time.process_time() - spent}
    return {**seconds, "columns": len(taggers), "peak_memory": peak_memory()}


def peak_memory() -> int:
    """The bytes of memory at most that this process took."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def measure(models: Sequence[Path], source: Path, runs: int, tokens: bool, tokenizer: str) -> dict[str, Any]:
    """Speeds of some runs, after one that is not counted: it may have to compile."""
    with tempfile.TemporaryDirectory() as folder:
        tagged = Path(folder) / "tagged.txt"
        task = {
            "models": list(map(str, models)),
            "source": str(source),
            "tagged": str(tagged),
            "tokens": tokens,
            "tokenizer": tokenizer,
        }
        command = [sys.executable, "-m", "benchmarks.tagging_speed", "--once", json.dumps(task)]
        found = [
            json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout) for _ in range(runs + 1)
        ]
        with tagged.open("rb") as file:
            count = sum(line != b"\n" for line in file)
    return {
        "columns": found[0]["columns"],
        "tokens": count,
        "tokens_per_second": spread([count / run["tag"] for run in found[1:]]),
        "tokens_per_processor_second": spread([count / run["processor"] for run in found[1:]]),
        "load_seconds": spread([run["load"] for run in found[1:]]),
        "peak_memory": spread([run["peak_memory"] for run in found[1:]]),
        "first_run": found[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory of tagging file to file, and of training")
    data = os.environ.get("AMIGRAD_DATA")
    parser.add_argument("--data", type=Path, default=data, help=f"folder with {TRAIN}; default: AMIGRAD_DATA")
    parser.add_argument("--model", type=Path, action="append", metavar="DIR", help="a trained tagger; may be repeated")
    parser.add_argument("--together", action="store_true", help="parts of speech, chunks and names, on plain text")
    parser.add_argument("--epochs", type=int, help="of the trainings; default: the tagger's")
    parser.add_argument("--train-option", action="append", default=[], help="another option of the trainings")
    parser.add_argument("--tokens", type=Path, metavar="FILE", help="one token a line; default: the words of EWT")
    parser.add_argument("--text", type=Path, metavar="FILE", help="plain text; default with --together: novels")
    parser.add_argument("--lines", type=int, default=5000, help="of the novels")
    parser.add_argument("--tokenizer", default="auto", help="auto, spacy or rules")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        once = {name: Path(v) if name in ("source", "tagged") else v for name, v in arguments.once.items()}
        print(json.dumps(tag(**once)))
        return
    if arguments.data is None and not (arguments.model and (arguments.tokens or arguments.text)):
        parser.error("--data, or both --model and --tokens or --text, are needed")
    row: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        models, source = arguments.model, arguments.tokens or arguments.text
        text = arguments.text is not None or (arguments.together and arguments.tokens is None)
        if models is None:
            tasks = list(TASKS) if arguments.together else ["pos"]
            options = [*(["--epochs", str(arguments.epochs)] if arguments.epochs else []), *arguments.train_option]
            models = [Path(folder) / task for task in tasks]
            data = arguments.data.resolve()
            row["training"] = [train(data, task, model, options) for task, model in zip(tasks, models, strict=True)]
        if source is None:
            source = Path(folder) / "source.txt"
            write_text(arguments.data, source, arguments.lines) if text else write_tokens(arguments.data, source)
        row |= measure(models, source, arguments.runs, not text, arguments.tokenizer)
    figures = {
        "tokens a second": ("tokens_per_second", 1, ",.0f"),
        "... of the processor": ("tokens_per_processor_second", 1, ",.0f"),
        "seconds to load": ("load_seconds", 1, ".2f"),
        "peak memory of tagging, MB": ("peak_memory", 1e-6, ".0f"),
    }
    lines = [
        [title, *(f"{factor * row[name][kind]:{form}}" for kind in ("median", "least", "most"))]
        for title, (name, factor, form) in figures.items()
    ]
    for training in row.get("training", ()):
        lines.append([f"seconds to train {training['task']}", f"{training['seconds']:.1f}", "", ""])
        lines.append(["... peak memory, MB", f"{training['peak_memory'] / 1e6:.0f}", "", ""])
    kind = f"plain text ({arguments.tokenizer} tokenizer)" if text else "tokens"
    title = (
        f"{row['tokens']:,} words of {kind} file to file, {row['columns']} column(s), {arguments.runs} runs; one core"
    )
    show(title, ["", "median", "least", "most"], lines)
    save("tagging_speed", vars(arguments), [row])


_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, bytes


if __name__ == "__main__":
    main()
