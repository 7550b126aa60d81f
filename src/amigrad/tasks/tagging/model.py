"""The window tagger (Collobert et al. 2011, sections 3.2 and 3.3): lookup tables, two linear layers, hardtanh."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad.functions import Generator, concat, cross_entropy, hardtanh, reshape
from amigrad.graph import Tensor, TensorLike
from amigrad.nn import Dropout, Linear, LookupTable, Module
from amigrad.tasks.tagging.features import Column


class WindowTagger(Module):
    """Scores of the tags of a word, from its window in each feature column.

    columns: one (N, window) int for each feature -> (N, tags). Rows of the lookup tables side by side, column by
    column and in a column word by word -> linear -> hardtanh -> linear. The cost is the word-level log-likelihood.
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
        self.window = window
        self.tables = {
            column.name: LookupTable(rows, column.size, generator=generator)
            for column, rows in zip(columns, entries, strict=True)
        }
        inputs = window * sum(column.size for column in columns)
        self.hidden = Linear(inputs, hidden_size, generator=generator)
        self.dropout = Dropout(dropout, generator=generator)
        self.output = Linear(hidden_size, tags, generator=generator)

    def __call__(self, columns: Sequence[TensorLike]) -> Tensor:
        """columns: (N, window) int each -> scores (N, tags)."""
        rows = []
        for table, column in zip(self.tables.values(), columns, strict=True):
            looked_up = table(column)
            rows.append(reshape(looked_up, (looked_up.shape[0], self.window * table.table.shape[1])))
        return self.output(self.dropout(hardtanh(self.hidden(concat(rows, axis=1)))))

    def cost(self, columns: Sequence[TensorLike], targets: TensorLike) -> Tensor:
        """The mean of -log softmax(scores)[target] (equation 12). targets: (N,) int."""
        return cross_entropy(self(columns), targets)
