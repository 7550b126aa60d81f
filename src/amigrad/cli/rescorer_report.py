"""What `amigrad rescorer` prints: figures of tuning and of systems, as tables or as JSON."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amigrad.tasks.rescoring.evaluate import Comparison, Figure
    from amigrad.tasks.rescoring.rescore import TunedRisk
    from amigrad.tasks.rescoring.tuning import Tuned
    from amigrad.tasks.rescoring.weights import Weights


def print_tuned(tuned: Tuned, risk: TunedRisk | None, weights: Weights, path: Path, *, json: bool = False) -> None:
    """Print the BLEU of tuning, and the weights."""
    if json:
        content = {**asdict(weights), "risk": None if risk is None else dict(risk.tried)}
        print(json_module.dumps(content))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"BLEU of the list's first hypotheses: {tuned.first:.2f}")
    for limit, bleu in tuned.held_out.items():
        chosen = ", chosen" if limit == tuned.limit else ""
        console.print(f"BLEU held out, C = {limit:g}: {bleu:.2f}{chosen}")
    runs = ", ".join(f"{bleu:.2f} (seed {seed})" for seed, bleu in tuned.restarts.items())
    console.print(f"BLEU on the list itself: {runs}; their mean weights {tuned.bleu:.2f}")
    if risk is not None:
        best = max(risk.tried.values())
        console.print(f"BLEU on the list itself by minimum Bayes risk: {best:.2f}, sharpness {weights.sharpness:.3g}")
    table = Table("feature", "weight", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, value in weights.values.items():
        table.add_row(Text(name), f"{value:.5g}")
    console.print(table)
    console.print(f"The weights are in {path}.", markup=False)


def print_comparison(found: Comparison, *, json: bool = False) -> None:
    """Print the figures of systems, with what the first one is compared with."""
    if json:
        print(json_module.dumps(asdict(found)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    table = Table("", "BLEU", "95 %", "p", "chrF", "95 %", "p", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in found.bleu:
        table.add_row(Text(name), *_cells(found.bleu, name), *_cells(found.chrf, name))
    console.print(table)
    if len(found.bleu) > 1:
        console.print(f"p: paired bootstrap against {next(iter(found.bleu))}", markup=False)
    for signature in found.signatures:
        console.print(signature, markup=False)


def _cells(figures: Mapping[str, Figure], name: str) -> tuple[str, str, str]:
    figure = figures[name]
    p = "" if figure.p is None else f"{figure.p:.3f}"
    return f"{figure.value:.2f}", f"± {figure.interval:.2f}", p
