"""What the commands of `amigrad tagger` print about a model: tables of figures."""

from __future__ import annotations

import json as json_module
from typing import Any

from amigrad.tasks.tagging import Evaluation


def print_evaluation(evaluation: Evaluation, *, json: bool = False) -> None:
    """Print figures as tables, or as one JSON object."""
    if json:
        print(json_module.dumps(_figures(evaluation)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    tokens = evaluation.accuracy.total
    console.print(f"{evaluation.sentences:,} sentences, {tokens:,} tokens")
    for name, part in (("all", evaluation.accuracy), ("known", evaluation.known), ("unknown", evaluation.unknown)):
        if part.total:
            console.print(f"accuracy on {name} words: {100 * part.value:.2f} % of {part.total:,}")
    table = Table("", "precision", "recall", "F1", "gold", "predicted", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    rows = list(evaluation.labels) if evaluation.chunks is None else [evaluation.chunks, *evaluation.labels]
    for row in rows:
        shares = (f"{100 * share:.2f}" for share in (row.precision, row.recall, row.f1))
        table.add_row(Text(row.label), *shares, f"{row.gold:,}", f"{row.predicted:,}")
    console.print(table)
    if evaluation.unseen:
        listed = ", ".join(f"{tag} ({count:,} tokens)" for tag, count in evaluation.unseen.items())
        console.print(f"Not seen in training, counted as wrong: {listed}", markup=False)


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    rows = list(evaluation.labels) if evaluation.chunks is None else [evaluation.chunks, *evaluation.labels]
    parts = {"all": evaluation.accuracy, "known": evaluation.known, "unknown": evaluation.unknown}
    return {
        "sentences": evaluation.sentences,
        "tokens": evaluation.accuracy.total,
        "accuracy": {name: part.value for name, part in parts.items() if part.total},
        "labels": {
            row.label: {
                "precision": row.precision,
                "recall": row.recall,
                "f1": row.f1,
                "gold": row.gold,
                "predicted": row.predicted,
                "correct": row.correct,
            }
            for row in rows
        },
        "unseen": evaluation.unseen,
    }
