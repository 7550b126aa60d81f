"""The vectors that the rows marked ² start from: of the novels, and of the words of the training parts, without tags.

    python -m experiments.collobert2011.vectors --output DIR
    python -m experiments.collobert2011 chunk-lstm-lm --vectors DIR

Words are in small letters, with 0 for each digit, as the tagger looks them up.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from amigrad.data import tokenize
from experiments.collobert2011.tasks import Sources, prepare, read

NOVELS = {"eltec_eng": None, "novels100": 8_000_000}
"""Texts, and how many words of each are taken, about; None for all."""

TASKS = ("pos", "chunk", "ner")
TIMES = 6
"""How often the words of the training parts come, which are few beside the novels'."""

SETTINGS = ["--objective=structured", "--size=64", "--window=2", "--fixed-window", "--sample=1e-4", "--minimum-count=4"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.collobert2011.vectors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = os.environ.get("AMIGRAD_DATA")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None, help="default: AMIGRAD_DATA")
    parser.add_argument("--conll2003", type=Path, metavar="FOLDER", help="with the words of CoNLL-2003's names")
    parser.add_argument("--output", type=Path, default=Path("runs/collobert2011/vectors"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lines", type=int, help="so many lines of each novel text only, to try it")
    arguments = parser.parse_args()
    sources = Sources(arguments.data and arguments.data.resolve(), arguments.conll2003)
    text = arguments.output.with_name(arguments.output.name + ".txt")
    write_text(sources, text, arguments.lines)
    options = ["--split=tokens", *SETTINGS, f"--epochs={arguments.epochs}", f"--output={arguments.output}"]
    subprocess.run([sys.executable, "-m", "amigrad.cli.main", "embedding", "train", str(text), *options], check=True)


def write_text(sources: Sources, path: Path, lines: int | None = None) -> None:
    """Write the text: words with blanks between them, a paragraph or a sentence a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".tmp")
    trained = [
        " ".join(sentence.words)
        for name in TASKS
        for sentence in read(prepare(name, sources, path.parent / "data").train)
    ]
    with aside.open("w", encoding="utf-8") as file:
        for name, most in NOVELS.items():
            print(f"reading {name}", flush=True)
            with gzip.open(sources.path(f"text/{name}.txt.gz"), "rt", encoding="utf-8") as novels:
                file.writelines(map(_as_looked_up, _paragraphs(islice(novels, lines), most)))
        for _ in range(TIMES):
            file.writelines(map(_as_looked_up, trained))
    aside.replace(path)


def _paragraphs(lines: Iterable[str], most: int | None) -> Iterator[str]:
    """The words of paragraphs, titles of novels left out, until there are enough."""
    count = 0
    for line in lines:
        if line.startswith("= "):
            continue
        words: Sequence[str] = [token.word for token in tokenize(line)]
        yield " ".join(words)
        count += len(words)
        if most is not None and count > most:
            return


def _as_looked_up(line: str) -> str:
    return re.sub(r"\d", "0", line.lower()) + "\n"


if __name__ == "__main__":
    main()
