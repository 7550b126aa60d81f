"""Pieces of a matrix product, which threads take: whole tiles of rows, or whole panels of columns."""

from __future__ import annotations

from amigrad.backends.native.ir import Function

PIECE_ROWS = 64
"""So many rows at least has a piece of a product whose columns are not cut."""


def share(
    f: Function, rows: str, tall: str | int, columns: str, width: int, packed: str = "false"
) -> tuple[tuple[str, str], tuple[str, str]]:
    """The rows and the columns of this piece: whole tiles or whole panels, of which there are more.

    Each piece packs the panels that it uses, so that pieces of too few rows would pack more than they compute:
    there may be fewer pieces of rows than wanted, and the last ones are empty.
    """
    piece, pieces = f.argument("piece"), f.argument("pieces")
    panels, tiles = (
        f.quotient(f.sub(f.add(count, size), "1"), size) for count, size in ((columns, str(width)), (rows, str(tall)))
    )
    blocks = f.select(packed, f.quotient(rows, PIECE_ROWS), tiles)
    by_rows = f.compare("sgt", blocks, panels)
    result = []
    for count, units, most, size, chosen in (
        (rows, tiles, f.least(pieces, f.most(blocks, "1")), str(tall), by_rows),
        (columns, panels, pieces, str(width), f.negated(by_rows)),
    ):
        start, stop = (
            f.least(f.mul(f.quotient(f.mul(units, f.least(p, most)), most), size), count)
            for p in (piece, f.add(piece, "1"))
        )
        result.append((f.select(chosen, start, "0"), f.select(chosen, stop, count)))
    return result[0], result[1]
