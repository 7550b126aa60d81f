"""The window tagger (Collobert et al. 2011, sections 3.2 and 3.3): lookup tables, two linear layers, hardtanh."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad.functions import Generator, concat, cross_entropy, hardtanh, matmul, permute_dims, reshape, take
from amigrad.graph import Dim, Tensor, TensorLike
from amigrad.nn import Dropout, Linear, LookupTable, Module
from amigrad.nn.initializers import glorot, normal
from amigrad.tasks.tagging.features import Column


class WindowTagger(Module):
    """Scores of the tags of a word, from its window in each feature column.

    columns: one (N, window) int for each feature -> (N, tags). Rows of the lookup tables side by side, column by
    column and in a column word by word -> dropout -> linear -> hardtanh -> linear. The cost is the word-level
    log-likelihood.
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
    ) -> None:
        """`entries` is the number of vocabulary entries of each column."""
        self.window, self.hidden_size = window, hidden_size
        self.tables = {
            column.name: LookupTable(rows, column.size, generator=generator, initializer=normal(0.1))
            for column, rows in zip(columns, entries, strict=True)
        }
        inputs = window * sum(column.size for column in columns)
        self.dropout = Dropout(dropout, generator=generator)
        self.hidden = Linear(inputs, hidden_size, generator=generator, initializer=glorot())
        self.output = Linear(hidden_size, tags, generator=generator, initializer=glorot())

    def __call__(self, columns: Sequence[TensorLike]) -> Tensor:
        """columns: (N, window) int each -> scores (N, tags)."""
        rows = []
        for table, column in zip(self.tables.values(), columns, strict=True):
            looked_up = table(column)
            rows.append(reshape(looked_up, (looked_up.shape[0], self.window * table.table.shape[1])))
        return self.output(hardtanh(self.hidden(self.dropout(concat(rows, axis=1)))))

    def parts(self, columns: Sequence[TensorLike]) -> Tensor:
        """What each of some word types adds to the hidden layer at each place of the window.

        columns: (U,) int each -> (U * window, hidden): row `u * window + place`. Text repeats its words, so to tag it,
        these products are computed once for each type, and added up for each token.
        """
        rows = concat([table(column) for table, column in zip(self.tables.values(), columns, strict=True)], axis=1)
        weights: list[Tensor] = []
        start: Dim = 0
        for table in self.tables.values():
            size = table.table.shape[1]
            end = start + self.window * size
            by_place = reshape(self.hidden.weight[start:end], (self.window, size, self.hidden_size))
            weights.append(reshape(permute_dims(by_place, (1, 0, 2)), (size, self.window * self.hidden_size)))
            start = end
        product = matmul(rows, concat(weights, axis=0))
        return reshape(product, (rows.shape[0] * self.window, self.hidden_size))

    def scores_of_parts(self, parts: Tensor, index: Tensor) -> Tensor:
        """The scores of the tags, but for rounding. index: (N, window), which rows of the parts -> (N, tags)"""
        hidden = take(parts, index[:, 0])
        for place in range(1, self.window):
            hidden = hidden + take(parts, index[:, place])
        if self.hidden.bias is not None:
            hidden = hidden + self.hidden.bias
        return self.output(hardtanh(hidden))

    def cost(self, columns: Sequence[TensorLike], targets: TensorLike) -> Tensor:
        """The mean of -log softmax(scores)[target] (equation 12). targets: (N,) int."""
        return cross_entropy(self(columns), targets)
