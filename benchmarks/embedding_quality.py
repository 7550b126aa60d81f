"""Word vectors of amigrad and of gensim's skip-gram, trained on the same text: how they agree with people's scores.

    python -m benchmarks.embedding_quality --text FILE... --pairs WORDSIM SIMLEX --peer .venv-gensim/bin/python

Both get the same tokens, a sentence a line, with the same size, window, passes and least count, gensim its defaults
otherwise; each figure is Spearman's rank correlation over the pairs of which both words are known (the same for all).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from amigrad.tasks.embedding import EmbeddingOptions, load_vectors, read_pairs, similarity, train_embedding
from benchmarks.common import RESULTS, save, show
from benchmarks.embedding import PEER, write_tokens


def main() -> None:
    parser = argparse.ArgumentParser(description="Quality of word vectors beside gensim's")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="plain text or .gz")
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, help="word, word and score a line")
    parser.add_argument("--peer", help="Python of an environment with gensim")
    parser.add_argument("--words", type=int, default=10**9, help="use so many of the text")
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--options", type=json.loads, default={}, help="JSON: more options of amigrad's embedding")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the figures")
    arguments = parser.parse_args()
    shared = {"size": arguments.size, "window": arguments.window, "epochs": arguments.epochs, "minimum_count": 5}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        tokens, exported = Path(folder) / "tokens.txt", Path(folder) / "vectors.txt"
        print(f"{write_tokens(arguments.text, tokens, arguments.words):,} words")
        for seed in arguments.seeds:
            options = EmbeddingOptions(split="tokens", seed=seed, **{**shared, **arguments.options})
            start = time.perf_counter()
            vectors = train_embedding([tokens], options, progress=sys.stderr.isatty())
            found = {"amigrad": (vectors, time.perf_counter() - start)}
            if arguments.peer:
                settings = {
                    **shared,
                    "negatives": 5,
                    "sample": 1e-3,
                    "seed": seed,
                    "threads": 1,
                    "objective": "skipgram",
                }
                command = [arguments.peer, PEER, "train", str(tokens), json.dumps(settings), str(exported)]
                start = time.perf_counter()
                subprocess.run(command, check=True)
                found["gensim"] = (load_vectors(exported), time.perf_counter() - start)
            for name, (matrix, seconds) in found.items():
                figures = {file.stem: similarity(matrix, read_pairs(file)) for file in arguments.pairs}
                scores = {file: {"spearman": s.spearman, "found": s.found} for file, s in figures.items()}
                rows.append({"program": name, "seed": seed, "words": len(matrix), "seconds": seconds, "scores": scores})
    lines = [
        [f"{row['program']}, seed {row['seed']}"]
        + [f"{score['spearman']:.4f} ({score['found']})" for score in row["scores"].values()]
        + [f"{row['seconds']:.0f}"]
        for row in rows
    ]
    header = ["", *(file.stem for file in arguments.pairs), "seconds"]
    show("Spearman's correlation (pairs found), and seconds with reading the text", header, lines)
    save("embedding_quality", vars(arguments), rows, arguments.output)


if __name__ == "__main__":
    main()
