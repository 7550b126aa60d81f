"""The window tagger (Collobert et al. 2011, sections 3.2 and 3.3): lookup tables, two linear layers, hardtanh."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad import functions as xp
from amigrad.functions import Generator, concat, cross_entropy, hardtanh, matmul, permute_dims, reshape, take
from amigrad.functions.convert import as_tensor
from amigrad.graph import Dim, Tensor, TensorLike
from amigrad.nn import CRF, Dropout, Linear, LookupTable, Module
from amigrad.nn.initializers import glorot, normal
from amigrad.tasks.tagging.features import Column


class WindowTagger(Module):
    """Scores of the tags of a word, from its window in each feature column.

    columns: one (N, window) int for each feature -> (N, tags). Rows of the lookup tables side by side, column by
    column and in a column word by word -> dropout -> linear -> hardtanh -> linear. The cost is the word-level
    log-likelihood, or with a `crf` that of sentences.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        entries: Sequence[int],
        tags: int,
        *,
        window: int,
        hidden_size: int,
        dropout: float,
        generator: Generator,
        sentences: bool = False,
        speller: Speller | None = None,
    ) -> None:
        """`entries` is the number of vocabulary entries of each column; `sentences` asks for a crf."""
        self.window, self.hidden_size = window, hidden_size
        self.tables = {
            column.name: LookupTable(rows, column.size, generator=generator, initializer=normal(0.1))
            for column, rows in zip(columns, entries, strict=True)
        }
        inputs = window * (sum(column.size for column in columns) + (0 if speller is None else speller.size))
        self.dropout = Dropout(dropout, generator=generator)
        self.hidden = Linear(inputs, hidden_size, generator=generator, initializer=glorot())
        self.output = Linear(hidden_size, tags, generator=generator, initializer=glorot())
        if speller is not None:
            self.speller = speller
        if sentences:
            self.crf = CRF(tags)

    def __call__(self, columns: Sequence[TensorLike], spelling: tuple[TensorLike, TensorLike] | None = None) -> Tensor:
        """columns: (N, window) int each -> scores (N, tags).

        spelling: characters of words, (U, L) int, and which of these words stands where, (N, window) int.
        """
        rows = []
        for table, column in zip(self.tables.values(), columns, strict=True):
            looked_up = table(column)
            rows.append(reshape(looked_up, (looked_up.shape[0], self.window * table.table.shape[1])))
        if spelling is not None:
            index = as_tensor(spelling[1])
            spelled = take(self.speller(spelling[0]), index)
            rows.append(reshape(spelled, (index.shape[0], self.window * self.speller.size)))
        return self.output(hardtanh(self.hidden(self.dropout(concat(rows, axis=1)))))

    def parts(self, columns: Sequence[TensorLike], letters: TensorLike | None = None) -> Tensor:
        """What each of some word types adds to the hidden layer at each place of the window.

        columns: (U,) int each, letters: (U, L) int -> (U, window * hidden), place by place. Text repeats its words, so
        to tag it, these products are computed once for each type, and added up for each token.
        """
        every = [table(column) for table, column in zip(self.tables.values(), columns, strict=True)]
        if letters is not None:
            every.append(self.speller(letters))
        rows = concat(every, axis=1)
        weights: list[Tensor] = []
        start: Dim = 0
        for part in every:
            size = part.shape[1]
            end = start + self.window * size
            by_place = reshape(self.hidden.weight[start:end], (self.window, size, self.hidden_size))
            weights.append(reshape(permute_dims(by_place, (1, 0, 2)), (size, self.window * self.hidden_size)))
            start = end
        return matmul(rows, concat(weights, axis=0))

    def scores_of_parts(self, parts: Tensor, index: Tensor) -> Tensor:
        """The scores of the tags, but for rounding.

        index: (N, window), for each place `type * window + place`, the types as `parts` was given them -> (N, tags)
        """
        rows = reshape(parts, (parts.shape[0] * self.window, self.hidden_size))
        hidden = take(rows, index[:, 0])
        for place in range(1, self.window):
            hidden = hidden + take(rows, index[:, place])
        if self.hidden.bias is not None:
            hidden = hidden + self.hidden.bias
        return self.output(hardtanh(hidden))

    def cost(
        self,
        columns: Sequence[TensorLike],
        targets: TensorLike,
        lengths: TensorLike | None = None,
        spelling: tuple[TensorLike, TensorLike] | None = None,
    ) -> Tensor:
        """The mean of -log softmax(scores)[target] (equation 12), or of what each word adds to the sentence-level cost
        (equation 13) where there are lengths of sentences, (B,) int. targets: (N,) int.
        """
        scores = self(columns, spelling)
        return cross_entropy(scores, targets) if lengths is None else self.crf.cost(scores, targets, lengths)


class Speller(Module):
    """Words from their characters: a convolution over three at a time and its maximum over time (dos Santos and
    Zadrozny 2014, section 2.1). letters: (U, L) int, with padding around each word -> (U, size).
    """

    def __init__(self, characters: int, character_size: int, size: int, *, generator: Generator) -> None:
        """`characters` is the number of entries of their vocabulary."""
        self.size = size
        self.characters = LookupTable(characters, character_size, generator=generator, initializer=normal(0.1))
        self.convolution = Linear(_REACH * character_size, size, generator=generator, initializer=glorot())

    def __call__(self, letters: TensorLike) -> Tensor:
        """letters: (U, L) int, L at least 3 -> (U, size)."""
        rows = self.characters(letters)
        count = rows.shape[1] - _REACH + 1
        windows = concat([rows[:, place : place + count] for place in range(_REACH)], axis=2)
        flat = reshape(windows, (windows.shape[0] * count, windows.shape[2]))
        outputs = reshape(self.convolution(flat), (windows.shape[0], count, self.size))
        return xp.max(outputs, axis=1)


_REACH = 3
