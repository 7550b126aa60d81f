"""Pieces of SVG: text whose width is known beforehand, rounded boxes, curves."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

NARROW = frozenset("iljtfr.,:;'|!()[]{}/- ")
WIDE = frozenset("mwMWGOQ@%…—=+")


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The room that a text takes in the usual sans-serif fonts, the widest of them included, in pixels."""
    em = sum(_character_width(c) for c in text)
    return em * size * (1.12 if bold else 1.0)


def _character_width(character: str) -> float:
    if character in NARROW:
        return 0.4
    if character in WIDE:
        return 1.0
    if character.isupper():
        return 0.76
    return 0.65 if ord(character) < 0x1100 else 1.1


def shortened(text: str, length: int) -> str:
    """A text cut to at most this many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def label(x: float, y: float, text: str, style: str) -> str:
    """Text with its middle at x and its baseline at y."""
    return f'<text class="{style}" x="{_n(x)}" y="{_n(y)}">{escape(text)}</text>'


def box(x: float, y: float, width: float, height: float, radius: float, style: str) -> str:
    """A rounded box from its upper left corner."""
    return (
        f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}"/>'
    )


def group(parts: Sequence[str], title: str, style: str) -> str:
    """Parts together, with the text that is shown when the pointer is on them."""
    return f"<g class={quoteattr(style)}><title>{escape(title)}</title>{''.join(parts)}</g>"


def curve(points: Sequence[tuple[float, float]], style: str, arrow: bool = True) -> str:
    """An edge through its stations: straight within a layer, curved between layers, with an arrow at its end."""
    (x, y), *rest = points
    path = [f"M{_n(x)} {_n(y)}"]
    for i, (next_x, next_y) in enumerate(rest):
        if i % 2 == 0 or abs(next_x - x) < 0.05:
            if abs(next_y - y) >= 0.05 or abs(next_x - x) >= 0.05:
                path.append(f"L{_n(next_x)} {_n(next_y)}")
        else:
            half = (y + next_y) / 2
            path.append(f"C{_n(x)} {_n(half)} {_n(next_x)} {_n(half)} {_n(next_x)} {_n(next_y)}")
        x, y = next_x, next_y
    drawn = "".join(path)
    line = f'<path class="{style}" d="{drawn}"/>'
    if not arrow:
        return line
    left, right, tail, notch = _n(x - 3.2), _n(x + 3.2), _n(y - 6.5), _n(y - 5)
    return f'{line}<path class="arrow" d="M{left} {tail}L{_n(x)} {notch}L{right} {tail}L{_n(x)} {_n(y)}Z"/>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
