"""The results as a page of tables."""

from __future__ import annotations

from typing import Any


def table(results: dict[str, Any]) -> str:
    """A table for each pair of languages."""
    parts = []
    for name, pair in results["pairs"].items():
        first = next(iter(pair["rows"].values()))
        retuned = list(pair["rows"].values())[1]
        foldings = 1 + len(pair["foldings"])
        more = f" mean gain of {foldings} foldings |" if foldings > 1 else ""
        means = pair["means"]
        lines = [
            f"## {name}, {pair['set']}",
            "",
            f"| | BLEU | gain | p against the retuned | p against the decoder | chrF | BLEU held out in tuning |{more}",
            "|---|---|---|---|---|---|---|" + ("---|" if more else ""),
        ]
        for system, row in pair["rows"].items():
            gain = "" if row is first else f"{row['bleu'] - retuned['bleu']:+.2f}"
            chances = [_chance(row["p_retuned"]), _chance(row["p_decoder"])]
            held_out = pair["held_out"].get(system)
            cells = [f"{row['bleu']:.2f}", gain, *chances, f"{row['chrf']:.2f}", f"{held_out:.2f}" if held_out else ""]
            if more:
                cells.append(f"{means[system] - list(means.values())[1]:+.2f}")
            lines.append(f"| {system} | {' | '.join(cells)} |")
        parts.append("\n".join([*lines, "", *pair["signatures"]]))
    return "\n\n".join([*parts, f"Machine: {results['machine']}"]) + "\n"


def _chance(p: float | None) -> str:
    return "" if p is None else f"{p:.3f}"
