"""Roles that a predicate has once: of several arguments with one of them, all but one get other tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.tasks.tagging.features import Indices

Scores = NDArray[np.floating[Any]]
Decode = Callable[[Scores], tuple[Indices, Scores]]


class Once:
    """Finds the best tags of predicates in which no numbered role (A0, A1 ...) occurs twice (Punyakanok et al. 2008,
    constraint 4). Interrupted arguments have the tags X and C-X, so these are none.

    Where the best tags have such a role several times, each of these arguments is kept in turn while the role is barred
    elsewhere, and the best sequence of all is taken; and so on for what is then there twice.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        """Take all IOBES tags by index."""
        labels = sorted({tag[2:] for tag in tags if tag[2:3] == "A" and tag[3:].isdigit()})
        self._role = np.array([labels.index(tag[2:]) if tag[2:] in labels else -1 for tag in tags], np.int32)
        self._begins = np.array([tag[0] in "BS" for tag in tags])

    def correct(self, tags: Indices, scores: Scores, decode: Decode) -> None:
        """Change the tags, (N, T), where need be. scores: (N, T, tags), those of each tag by itself, which are changed
        too; decode: the best tags by such scores, (A, T), and the scores of these sequences, (A,).
        """
        rows = np.arange(len(tags))
        while len(rows):
            found = [(row, self._repeated(tags[row])) for row in rows.tolist()]
            cases = [(row, start) for row, starts in found for start in starts]
            if not cases:
                return
            barred = np.stack([self._barred(tags[row], scores[row], start) for row, start in cases])
            best, totals = decode(barred)
            rows = np.array([row for row, starts in found if starts])
            owners = np.array([row for row, _ in cases])
            for row in rows:
                own = np.flatnonzero(owners == row)
                chosen = own[totals[own].argmax()]
                tags[row], scores[row] = best[chosen], barred[chosen]

    def _repeated(self, tags: Indices) -> list[int]:
        """Where the arguments begin whose role occurs several times: those of the first such role, none if there are
        none.
        """
        starts = np.flatnonzero(self._begins[tags] & (self._role[tags] >= 0))
        roles = self._role[tags[starts]]
        several = np.flatnonzero(np.bincount(roles, minlength=1) > 1)
        return starts[roles == several[0]].tolist() if len(several) else []

    def _barred(self, tags: Indices, scores: Scores, start: int) -> Scores:
        """The scores, with the role of the argument that begins there possible in it alone."""
        role = self._role[tags[start]]
        end = start + 1
        while end < len(tags) and self._role[tags[end]] == role and not self._begins[tags[end]]:
            end += 1
        found = scores.copy()
        own = np.flatnonzero(self._role == role)
        found[:start, own] = found[end:, own] = _BARRED
        return found


_BARRED = -1e4
