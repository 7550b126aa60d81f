"""Rescoring real n-best lists, as Devlin et al. (2014): a table for each pair of languages.

    python -m experiments.devlin2014                              # both pairs; models that are missing are trained
    python -m experiments.devlin2014 de-en --models DIR --no-train   # with the models that are in DIR/de-en

German-English is tuned on dev and reported on devtest; Japanese-English is reported by 5-fold cross-validation of the
tuning on dev, with the folds that seed 1 draws; --foldings gives the mean over more of them, too. Rows: the decoder,
its own features retuned, these with each model, with all, by minimum Bayes risk, the oracle.
What models say of the lists is kept, until a model changes. results.json and table.md are written anew by each run.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
from benchmarks.common import machine

from experiments.devlin2014.data import PAIRS, Pair
from experiments.devlin2014.rows import run_rows
from experiments.devlin2014.table import table


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.devlin2014",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = os.environ.get("AMIGRAD_DATA")
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=f"{' '.join(PAIRS)}; default: both")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None, help="default: AMIGRAD_DATA")
    parser.add_argument("--models", type=Path, default=Path("runs/devlin2014/models"))
    parser.add_argument("--output", type=Path, default=Path("runs/devlin2014"))
    parser.add_argument("--epochs", type=int, help="of trainings; default: that of `amigrad rescorer train`")
    parser.add_argument(
        "--limit", type=float, help="MIRA's C; default: cross-validated, which takes five times as long"
    )
    parser.add_argument("--foldings", type=int, default=1, help="of cross-validation: the first is reported, all meant")
    parser.add_argument("--rows", help="only these, with commas: joint-s2t-l2r, lexical, all joint, all ...")
    parser.add_argument("--no-train", action="store_true", help="take the models that are there")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("AMIGRAD_DATA does not name the folder of the data, and there is no --data")
    if unknown := [name for name in arguments.pairs if name not in PAIRS]:
        parser.error(f"{unknown[0]} is none of {' '.join(PAIRS)}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {"pairs": {}}
    results["machine"] = machine()
    for name in arguments.pairs or PAIRS:
        pair = Pair(arguments.data / "translation" / name, arguments.models / name, arguments.output / name)
        if not arguments.no_train:
            pair.train(arguments.epochs)
        rows = arguments.rows.split(",") if arguments.rows else None
        foldings = range(1, 1 + (1 if pair.report else arguments.foldings))
        runs = [run_rows(pair, arguments.limit, folding, rows) for folding in foldings]
        means = {row: float(np.mean([run["rows"][row]["bleu"] for run in runs])) for row in runs[0]["rows"]}
        results["pairs"][name] = {**runs[0], "foldings": runs[1:], "means": means}
        path.write_text(json.dumps(results, indent=1) + "\n")
        (arguments.output / "table.md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
