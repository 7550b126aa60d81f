"""Word alignment of bitext by eflomal (Östling and Tiedemann 2016), in both directions, joined to one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from amigrad.data import DataError
from amigrad.data.bitext import Bitext, Links

_REMEDY = "Give an alignment with --alignment"
_NEIGHBOURS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


def align(bitext: Bitext) -> Bitext:
    """The same bitext with links. Raises DataError if the aligner is not installed or fails."""
    try:
        import eflomal
    except ImportError:
        problem = "there is no word alignment, and the aligner eflomal is not installed"
        remedy = "Install it (`pip install 'amigrad[align]'`; it needs a C compiler), or give --alignment"
        raise DataError("--align", None, problem, remedy) from None
    with TemporaryDirectory(prefix="amigrad-align-") as name:
        folder = Path(name)
        forward, backward = folder / "forward", folder / "backward"
        try:
            eflomal.Aligner().align(
                _lines(bitext.source),
                _lines(bitext.target),
                links_filename_fwd=str(forward),
                links_filename_rev=str(backward),
                quiet=True,
            )
            sides = [file.read_text().splitlines() for file in (forward, backward)]
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError("--align", None, f"eflomal failed ({error})", _REMEDY) from None
    if not len(sides[0]) == len(sides[1]) == len(bitext):
        raise DataError("--align", None, "eflomal left sentences out", _REMEDY)
    links = [joined(_points(one), _points(other)) for one, other in zip(*sides, strict=True)]
    return Bitext(bitext.source, bitext.target, links, bitext.skipped)


def joined(forward: set[tuple[int, int]], backward: set[tuple[int, int]]) -> Links:
    """Links of both directions as one set: grow-diag-final-and (Koehn et al. 2005).

    Begins with what both have; adds links of either beside these that reach a word without links, as long as there are
    any; then those of either, wherever they are, that link two words without links.
    """
    found = forward & backward
    either = sorted(forward | backward)
    sources, targets = {i for i, _ in found}, {j for _, j in found}
    grown = True
    while grown:
        grown = False
        for i, j in either:
            if (i, j) in found or (i in sources and j in targets):
                continue
            if any((i + di, j + dj) in found for di, dj in _NEIGHBOURS):
                found.add((i, j))
                sources.add(i)
                targets.add(j)
                grown = True
    for side in (forward, backward):
        for i, j in sorted(side):
            if i not in sources and j not in targets:
                found.add((i, j))
                sources.add(i)
                targets.add(j)
    return np.array(sorted(found), np.int32).reshape(-1, 2)


def _lines(sentences: Iterable[list[str]]) -> list[str]:
    return [" ".join(words) for words in sentences]


def _points(line: str) -> set[tuple[int, int]]:
    pairs: Any = (point.split("-") for point in line.split())
    return {(int(i), int(j)) for i, j in pairs}
