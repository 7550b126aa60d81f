"""Words a second of embedding pretraining, beside gensim in turns; pairs of windows a second of the ranking objective.

    python -m benchmarks.embedding --text FILE... --peer .venv-gensim/bin/python
    python -m benchmarks.embedding --text FILE... --only ranking

The first words of the text are split into tokens and written into a file, a sentence a line, which all programs train
on: one pass a run, in turns, with the same size, window, negatives, sampling and vocabulary, one core and thread each
unless --threads says more. Making the vocabulary (and encoding the text) is not counted; reading it again, leaving out
frequent words and drawing others is. Words are those of the vocabulary in the text, before any are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from amigrad import set_threads
from amigrad.data.encoded import encode
from amigrad.data.lines import numbered_lines
from amigrad.data.text import sentence_words
from amigrad.tasks.embedding.options import EmbeddingOptions
from amigrad.tasks.embedding.text import Text
from amigrad.tasks.embedding.train import create, create_optimizer, stepper
from benchmarks.common import RESULTS, Program, save, show, spread, stay_on_cores

PEER = str(Path(__file__).parent / "peers" / "gensim_peer.py")
SHARED = {"size": 100, "window": 5, "negatives": 5, "sample": 1e-3, "minimum_count": 5, "epochs": 100, "seed": 1}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "skipgram": {},
    "skipgram, adagrad": {"optimizer": "adagrad"},
    "cbow": {},
    "structured": {},
    "ranking": {"size": 50, "hidden_size": 100},
    "ranking, sgd": {"size": 50, "hidden_size": 100, "optimizer": "sgd"},
}
AT_GENSIM = ("skipgram", "cbow")


def write_tokens(files: Sequence[Path], path: Path, words: int) -> int:
    """The first words of some files, in lower case, a sentence a line; how many they are."""
    written = 0
    with path.open("w", encoding="utf-8") as tokens:
        for file in files:
            for _, line in numbered_lines(file):
                for sentence in sentence_words(line):
                    tokens.write(" ".join(sentence).lower() + "\n")
                    written += len(sentence)
                if written >= words:
                    return written
    return written


def serve(name: str, tokens: Path, threads: int) -> None:
    """Take commands: "run N" answers with the seconds of N passes over the text."""
    set_threads(threads)
    objective = name.split(",")[0]
    options = EmbeddingOptions(objective=objective, split="tokens", **{**SHARED, **OBJECTIVES[name]})
    with tempfile.TemporaryDirectory() as folder:
        text = Text(encode([tokens], folder, "tokens"), options)
        model, examples = create(text, options)
        rate = options.rate(text.words)
        stretch = stepper(model, create_optimizer(options, model, rate), examples, options, rate)
        stretch(*examples.batch([0]))  # type: ignore[arg-type]
        print(json.dumps({"words": text.words}), flush=True)
        for line in sys.stdin:
            start = time.perf_counter()
            for _ in range(int(line.split()[1])):
                for number in range(len(examples)):
                    stretch(*examples.batch([number]))  # type: ignore[arg-type]
            print(time.perf_counter() - start, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Words a second of embedding pretraining")
    parser.add_argument("--text", type=Path, nargs="+", help="plain text or .gz")
    parser.add_argument("--peer", help="Python of an environment with gensim")
    parser.add_argument("--words", type=int, default=500_000, help="of the text; a run goes over them once")
    parser.add_argument("--only", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument("--runs", type=int, default=5, help="of each program")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the figures")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve[0], Path(arguments.serve[1]), arguments.threads)
        return
    if not arguments.text:
        parser.error("--text: give some text")
    stay_on_cores(arguments.threads)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        tokens = Path(folder) / "tokens.txt"
        print(f"{write_tokens(arguments.text, tokens, arguments.words):,} words")
        programs: dict[tuple[str, str], Program] = {}
        for name in arguments.only:
            ours = [sys.executable, "-m", "benchmarks.embedding", "--threads", str(arguments.threads)]
            programs[name, "amigrad"] = stack.enter_context(Program([*ours, "--serve", name, str(tokens)]))
            if arguments.peer and name in AT_GENSIM:
                settings = json.dumps({**SHARED, "objective": name, "threads": arguments.threads})
                theirs = [arguments.peer, PEER, "serve", str(tokens), settings]
                programs[name, "gensim"] = stack.enter_context(Program(theirs))
        seconds: dict[tuple[str, str], list[float]] = {key: [] for key in programs}
        for _ in range(arguments.runs):
            for key, program in programs.items():
                seconds[key].append(program.run(1))
        words = {key: int(program.report["words"]) for key, program in programs.items()}
    rows, lines = [], []
    for (name, program), found in seconds.items():
        count = words[name, "amigrad"]
        speed = spread([count / taken for taken in found])
        rows.append({"objective": name, "program": program, "words": words[name, program], "speed": speed})
        lines.append([f"{name}: {program}", *(f"{speed[key]:,.0f}" for key in ("median", "most", "least"))])
    show(
        f"Words (ranking: pairs of windows) a second, {arguments.threads} thread(s), {arguments.runs} runs in turns",
        ["", "median", "most", "least"],
        lines,
    )
    save("embedding", vars(arguments), rows, arguments.output)


if __name__ == "__main__":
    main()
