"""The sentence-level log-likelihood: scores of tags, and of one tag after another (a linear-chain CRF)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amigrad import functions as xp
from amigrad.functions.convert import as_tensor, cast
from amigrad.graph import Parameter, Tensor, TensorLike, float32, int64
from amigrad.graph.dtypes import as_dtype
from amigrad.graph.sizes import format_shape, same
from amigrad.nn.module import Module
from amigrad.operators.packing import packing_rows

FLOOR = -40.0
"""How far below the best transition another one counts in the cost, at most: see `CRF.cost`."""


@dataclass(frozen=True, eq=False)
class Legal:
    """Which tags may come first (K,), which one (column) after which (row) (K, K), and which last (K,): bool."""

    first: npt.NDArray[np.bool_]
    following: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]


class CRF(Module):
    """Scores of tag sequences: the sum of each word's score for its tag, of the score of each tag after the one before
    it, and of that of the first tag (Collobert et al. 2011, section 3.3.2; Lafferty et al. 2001).

    transitions: (K, K), from the row's tag to the column's; start: (K,); both begin at 0. The words of all sentences
    lie one behind the other: scores (N, K); lengths (B,) int, each at least 1, with the sum N, else ValueError.
    """

    def __init__(self, tags: int, *, dtype: object = float32) -> None:
        """`tags` is K."""
        if tags < 1:
            raise ValueError(f"a CRF of {tags} tags: at least 1 is needed")
        self.tags = tags
        self.transitions = Parameter(np.zeros((tags, tags), as_dtype(dtype)), name="transitions")
        self.start = Parameter(np.zeros(tags, as_dtype(dtype)), name="start")

    def cost(self, scores: TensorLike, tags: TensorLike, lengths: TensorLike) -> Tensor:
        """-log p(tags of a sentence | its words), summed over sentences, by the number of words: a mean per word, as
        that of `cross_entropy` (equations 11 to 13). tags: (N,) int in [0, K). -> ()

        The forward recursion runs on powers, not logarithms (Rabiner 1989, section V.A): for each word a product with
        exp(transitions), and what it adds up to is divided out. So a word costs K exponentials, all outside of the
        loop. For nothing to underflow, a transition counts as at most 40 below the best one, and a start likewise,
        -inf too: their share is then below e^-40 per word, less than float64 can tell from 1.
        """
        x, n = self._scores(scores), as_tensor(lengths)
        y = as_tensor(tags)
        relative = _below_largest(x, 1)
        moves, start = _floored(self.transitions), _floored(self.start)
        powers, first = xp.exp(moves), xp.exp(start)

        def body(expected: Tensor, word: Tensor) -> tuple[Tensor, Tensor]:
            # expected: the share of each tag before the word is seen; a row's total: p(word | words before), unscaled.
            here = expected * word
            total = xp.sum(here, keepdims=True)
            return xp.matmul(here / total, powers), total

        initial = xp.broadcast_to(first, (n.shape[0], self.tags))
        _, totals = xp.scan(body, initial, xp.exp(relative), lengths=n)
        chosen = xp.take(xp.reshape(relative, (x.shape[0] * self.tags,)), xp.arange(x.shape[0]) * self.tags + y)
        logs = xp.log(xp.reshape(totals, (x.shape[0],)))
        return xp.mean(logs - chosen) - xp.mean(self._moves(moves, start, y, n))

    def decode(self, scores: TensorLike, lengths: TensorLike, legal: Legal | None = None) -> Tensor:
        """The best tags of each sentence, of the legal ones if these are given (Viterbi 1967). -> (N,) int64

        Where no sequence is legal, the tags of that sentence are some, legal or not.
        """
        x, n = self._scores(scores), as_tensor(lengths)
        moves: Tensor = self.transitions
        first: Tensor = self.start
        batch = n.shape[0]
        if legal is not None:
            moves = moves + _barrier(legal.following, moves)
            first = first + _barrier(legal.first, moves)
        arriving = xp.matrix_transpose(moves)

        def forward(expected: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
            best = expected + score
            return xp.max(xp.expand_dims(best, 0) + arriving, axis=1), best

        def backward(after: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
            tag = xp.argmax(best + xp.take(onward, xp.astype(after[0], int64)))
            here = xp.reshape(xp.astype(tag, x.dtype), (1,))
            return here, here

        _, bests = xp.scan(forward, xp.broadcast_to(first, (batch, self.tags)), x, lengths=n)
        # Behind the last word comes a tag of its own, number K, which any (or any legal last) tag may go to.
        end = xp.zeros((1, self.tags), dtype=x.dtype)
        if legal is not None:
            end = end + _barrier(legal.last, moves)
        onward = xp.concat([arriving, end], axis=0)
        _, found = xp.scan(
            backward, xp.full((batch, 1), float(self.tags), dtype=x.dtype), bests, lengths=n, reverse=True
        )
        return xp.astype(xp.reshape(found, (x.shape[0],)), int64)

    def _scores(self, scores: TensorLike) -> Tensor:
        x = as_tensor(scores)
        if x.ndim != 2 or not same(x.shape[1], self.tags):
            raise ValueError(f"a CRF of {self.tags} tags takes scores (N, {self.tags}), not {format_shape(x.shape)}")
        return cast(x, self.transitions.dtype)

    def _moves(self, moves: Tensor, start: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """The score of each tag after the one before it, or as the first. -> (N,), in packed order"""
        rows, batch = tags.shape[0], lengths.shape[0]
        packing = packing_rows(lengths, rows)
        here = xp.astype(xp.take(tags, packing.source), int64)
        none = xp.full((batch,), self.tags, dtype=int64)
        before = xp.take(xp.concat([none, here]), packing.previous)
        table = xp.concat([xp.reshape(moves, (self.tags * self.tags,)), start])
        return xp.take(table, before * self.tags + here)


def _below_largest(x: Tensor, axis: int | None = None) -> Tensor:
    """x less its largest element (along an axis), which no cost depends on."""
    return x - xp.stop_gradient(xp.max(x, axis, keepdims=True))


def _floored(x: Tensor) -> Tensor:
    return xp.maximum(_below_largest(x), FLOOR)


def _barrier(legal: npt.NDArray[np.bool_], like: Tensor) -> Tensor:
    return as_tensor(np.where(legal, 0.0, -np.inf).astype(like.dtype.name))
