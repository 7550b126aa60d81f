"""Words as points of a plane, in SVG: what an embedding looks like."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from amigrad.inspect.svg import text_width

COLORS = ("#2166ac", "#b2182b", "#1b7837", "#e08214", "#762a83", "#01665e", "#8c510a", "#c51b7d")

_WIDTH, _HEIGHT, _MARGIN, _FONT = 900.0, 640.0, 40.0, 13.0
_ROW = _FONT * 1.15
_STYLE = (
    'text{font-family:"Segoe UI",Helvetica,Arial,sans-serif;font-size:13px}'
    ".chosen{font-weight:bold;font-size:14px}.line{stroke:#999;stroke-width:.6}"
)

Box = tuple[float, float, float, float]


def scatter(places: NDArray[np.floating], words: Sequence[str], groups: Sequence[int], chosen: Sequence[bool]) -> str:
    """A picture of words at their places, (n, 2), as SVG. The words of a group have one colour, chosen ones are bold.

    A word stands beside its point, where it covers no other word; a thin line leads to it if that is farther away.
    """
    points = _scaled(np.asarray(places, np.float64))
    taken: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    order = sorted(range(len(words)), key=lambda i: (not chosen[i], i))
    labels: dict[int, Box] = {}
    for i in order:
        labels[i] = _free_place(points[i], text_width(words[i], _FONT + chosen[i], bold=chosen[i]), taken)
        taken.append(labels[i])
    parts = []
    for i, (x, y) in enumerate(points):
        color, (left, top, right, bottom) = COLORS[groups[i] % len(COLORS)], labels[i]
        nearest_x, nearest_y = min(max(x, left), right), min(max(y, top), bottom)
        if (nearest_x - x) ** 2 + (nearest_y - y) ** 2 > 14**2:
            parts.append(f'<line class="line" x1="{x:.1f}" y1="{y:.1f}" x2="{nearest_x:.1f}" y2="{nearest_y:.1f}"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4.5 if chosen[i] else 3}" fill="{color}"/>')
        style = ' class="chosen"' if chosen[i] else ""
        start = f'x="{right:.1f}" text-anchor="end"' if right < x else f'x="{left:.1f}"'
        baseline = bottom - 0.25 * _ROW
        parts.append(f'<text{style} {start} y="{baseline:.1f}" fill="{color}">{escape(words[i])}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" width="{_WIDTH:.0f}" '
        f'height="{_HEIGHT:.0f}">\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _scaled(places: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Places of the picture: the same scale in both directions."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([_WIDTH - 4 * _MARGIN, _HEIGHT - 2 * _MARGIN])
    scale = float(np.min(room / np.maximum(high - low, 1e-9))) if len(places) > 1 else 1.0
    middle = (low + high) / 2
    found = (places - middle) * [scale, -scale] + [_WIDTH / 2, _HEIGHT / 2]
    return [(float(x), float(y)) for x, y in found]


def _free_place(point: tuple[float, float], width: float, taken: Sequence[Box]) -> Box:
    """The place for a word that covers least, the nearest of such: right, left, above, below, or farther away."""
    x, y = point
    best: tuple[float, int, Box] | None = None
    choices = [
        (x + sx * (6 + r * 14) - (0 if sx > 0 else width if sx < 0 else width / 2), y + sy * (r * _ROW + 12) - _ROW / 2)
        for r in range(5)
        for sx, sy in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
    ]
    for rank, (left, top) in enumerate(choices):
        left = min(max(left, 2.0), _WIDTH - width - 2)
        top = min(max(top, 2.0), _HEIGHT - _ROW - 2)
        box = (left, top, left + width, top + _ROW)
        covered = sum(_common(box, other) for other in taken)
        if best is None or (covered, rank) < best[:2]:
            best = (covered, rank, box)
        if covered == 0:
            break
    assert best is not None
    return best[2]


def _common(a: Box, b: Box) -> float:
    """The area that two boxes share."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
