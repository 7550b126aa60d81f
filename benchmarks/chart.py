"""A chart of bars: how many times the speed of the fastest peer, and what was the goal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

LABEL, BARS, VALUE, LINE, TOP = 250, 420, 190, 22, 56
REACHED, BEHIND, WITHOUT_GOAL, MARK = "#3a7d44", "#c0713a", "#7d8fa3", "#333333"


def chart(rows: Sequence[Mapping[str, Any]], title: str) -> str:
    """An SVG with a bar for each row, on a scale of powers of two; a tick is the goal.

    Green: reached, brown: not yet, grey: there is no goal."""
    shown = [{"case": row["case"], **found} for row in rows for found in row["comparisons"]]
    most = max([1.0, *(max(row["ratio"], row["goal"] or 0.0) for row in shown)])
    least = min([1.0, *(row["ratio"] for row in shown)])
    low, high = math.floor(math.log2(least) - 0.5), max(1, math.ceil(math.log2(most)))
    width, height = LABEL + BARS + VALUE, TOP + LINE * len(shown) + 30

    def place(ratio: float) -> float:
        return LABEL + BARS * (math.log2(ratio) - low) / (high - low)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<text x="12" y="20" font-size="15">Speed of amigrad; the fastest peer of each row is 1; ticks: goals</text>',
        f'<text x="12" y="38" fill="#666666" font-size="12">{escape(title)}</text>',
    ]
    for power in range(low, high + 1):
        x, label = place(2.0**power), f"1/{2**-power}" if power < 0 else f"{2**power}"
        color = "#888888" if power == 0 else "#dddddd"
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 24}" stroke="{color}"/>')
        lines.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#666666">{label}</text>')
    for number, row in enumerate(shown):
        y, ratio, goal = TOP + LINE * number, row["ratio"], row["goal"]
        color = WITHOUT_GOAL if goal is None else REACHED if ratio >= goal else BEHIND
        left, right = sorted((place(1.0), place(ratio)))
        lines.append(f'<text x="{LABEL - 10}" y="{y + 14}" text-anchor="end">{escape(row["case"])}</text>')
        size = f'width="{right - left:.1f}" height="{LINE - 8}"'
        lines.append(f'<rect x="{left:.1f}" y="{y + 3}" {size} fill="{color}"/>')
        if goal is not None:
            x = place(goal)
            lines.append(
                f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + LINE - 2}" stroke="{MARK}" stroke-width="2"/>'
            )
        note = f"{ratio:.2f} × {row['with']}"
        lines.append(f'<text x="{LABEL + BARS + 8}" y="{y + 14}">{escape(note)}</text>')
    return "\n".join([*lines, "</svg>", ""])
