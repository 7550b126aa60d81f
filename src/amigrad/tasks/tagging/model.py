"""Networks that score the tags of words: the window network of Collobert et al. (2011, sections 3.2 and 3.3), and a
bidirectional LSTM over the sentence.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from amigrad import functions as xp
from amigrad.functions import Generator, concat, cross_entropy, hardtanh, matmul, permute_dims, reshape, take
from amigrad.functions.convert import as_tensor
from amigrad.graph import Dim, Tensor, TensorLike
from amigrad.nn import CRF, LSTM, Bidirectional, Dropout, Linear, LookupTable, Module
from amigrad.nn.initializers import glorot, normal
from amigrad.tasks.tagging.features import Column


class TaggerNetwork(Module):
    """Scores of the tags of a word, from its window in each feature column.

    columns: one (N, window) int for each feature -> (N, tags). Rows of the lookup tables side by side, column by
    column and in a column word by word -> dropout -> the network's own layers -> linear. The cost is the word-level
    log-likelihood, or with a `crf` that of sentences.
    """

    whole = False
    """Whether a word's scores depend on all of its sentence: the words are then those of whole sentences, of `lengths`
    (B,) int.
    """

    hidden: Linear | list[Bidirectional]

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
        layers: int = 1,
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
        width = self.prepare(inputs, layers, generator)
        self.output = Linear(width, tags, generator=generator, initializer=glorot())
        if speller is not None:
            self.speller = speller
        if sentences:
            self.crf = CRF(tags)

    @abstractmethod
    def prepare(self, inputs: int, layers: int, generator: Generator) -> int:
        """Make the layers `hidden`, which take so many inputs. -> the width of what they give"""

    @abstractmethod
    def encode(self, rows: Tensor, lengths: TensorLike | None) -> Tensor:
        """What the layers give: (N, inputs) -> (N, width)."""

    @abstractmethod
    def first_weights(self) -> list[Tensor]:
        """The weights that the inputs are multiplied with, (inputs, ...) each."""

    @abstractmethod
    def encode_products(self, products: Tensor, lengths: TensorLike | None) -> Tensor:
        """As `encode`, from the products of the inputs and the first weights, side by side."""

    def __call__(
        self,
        columns: Sequence[TensorLike],
        spelling: tuple[TensorLike, TensorLike] | None = None,
        lengths: TensorLike | None = None,
    ) -> Tensor:
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
        return self.output(self.encode(self.dropout(concat(rows, axis=1)), lengths))

    def parts(self, columns: Sequence[TensorLike], letters: TensorLike | None = None) -> Tensor:
        """What each of some word types adds to the first products at each place of the window.

        columns: (U,) int each, letters: (U, L) int -> (U, window * products), place by place. Text repeats its words,
        so to tag it, these products are computed once for each type, and added up for each token.
        """
        every = [table(column) for table, column in zip(self.tables.values(), columns, strict=True)]
        if letters is not None:
            every.append(self.speller(letters))
        rows = concat(every, axis=1)
        found = []
        for first in self.first_weights():
            width = first.shape[1]
            weights: list[Tensor] = []
            start: Dim = 0
            for part in every:
                size = part.shape[1]
                end = start + self.window * size
                by_place = reshape(first[start:end], (self.window, size, width))
                weights.append(reshape(permute_dims(by_place, (1, 0, 2)), (size, self.window * width)))
                start = end
            products = matmul(rows, concat(weights, axis=0))
            found.append(reshape(products, (rows.shape[0], self.window, width)))
        together = concat(found, axis=2)
        return reshape(together, (rows.shape[0], self.window * together.shape[2]))

    def scores_of_parts(self, parts: Tensor, index: Tensor, lengths: TensorLike | None = None) -> Tensor:
        """The scores of the tags, but for rounding.

        index: (N, window), for each place `type * window + place`, the types as `parts` was given them -> (N, tags)
        """
        width = sum(int(weight.shape[1]) for weight in self.first_weights())
        rows = reshape(parts, (parts.shape[0] * self.window, width))
        products = take(rows, index[:, 0])
        for place in range(1, self.window):
            products = products + take(rows, index[:, place])
        return self.output(self.encode_products(products, lengths))

    def cost(
        self,
        columns: Sequence[TensorLike],
        targets: TensorLike,
        lengths: TensorLike | None = None,
        spelling: tuple[TensorLike, TensorLike] | None = None,
    ) -> Tensor:
        """The mean of -log softmax(scores)[target] (equation 12), or with a crf of what each word adds to the
        sentence-level cost (equation 13). targets: (N,) int; lengths of sentences, (B,) int, where these are needed.
        """
        scores = self(columns, spelling, lengths)
        if not hasattr(self, "crf"):
            return cross_entropy(scores, targets)
        assert lengths is not None
        return self.crf.cost(scores, targets, lengths)


class WindowTagger(TaggerNetwork):
    """One hidden layer over the window: linear -> hardtanh. Words are scored each by itself."""

    hidden: Linear

    def prepare(self, inputs: int, layers: int, generator: Generator) -> int:
        """A layer of `hidden_size`; there is one only."""
        self.hidden = Linear(inputs, self.hidden_size, generator=generator, initializer=glorot())
        return self.hidden_size

    def encode(self, rows: Tensor, lengths: TensorLike | None) -> Tensor:
        """The hidden layer, (N, hidden)."""
        return hardtanh(self.hidden(rows))

    def first_weights(self) -> list[Tensor]:
        """That of the hidden layer."""
        return [self.hidden.weight]

    def encode_products(self, products: Tensor, lengths: TensorLike | None) -> Tensor:
        """The hidden layer, (N, hidden)."""
        return hardtanh(products if self.hidden.bias is None else products + self.hidden.bias)


class RecurrentTagger(TaggerNetwork):
    """Bidirectional LSTMs over the sentence, one upon the other, each followed by dropout (Graves and Schmidhuber 2005;
    with a crf as in Huang et al. 2015). Sentences of different lengths cost no more than their own words.
    """

    whole = True

    hidden: list[Bidirectional]

    def prepare(self, inputs: int, layers: int, generator: Generator) -> int:
        """Layers of `hidden_size` in each direction."""
        size = self.hidden_size

        def pair(width: int) -> Bidirectional:
            return Bidirectional(
                LSTM(width, size, generator=generator), LSTM(width, size, generator=generator, reverse=True)
            )

        self.hidden = [pair(inputs if layer == 0 else 2 * size) for layer in range(layers)]
        return 2 * size

    def encode(self, rows: Tensor, lengths: TensorLike | None) -> Tensor:
        """The last layer, (N, 2 hidden)."""
        for layer in self.hidden:
            rows = self.dropout(layer(rows, lengths))
        return rows

    def first_weights(self) -> list[Tensor]:
        """Those of the first layer, forward and backward."""
        return [self.hidden[0].forward.weight, self.hidden[0].backward.weight]

    def encode_products(self, products: Tensor, lengths: TensorLike | None) -> Tensor:
        """The last layer, (N, 2 hidden)."""
        first, *others = self.hidden
        width = first.forward.weight.shape[1]
        forward, backward = products[:, :width] + first.forward.bias, products[:, width:] + first.backward.bias
        rows = concat(
            [first.forward.from_products(forward, lengths), first.backward.from_products(backward, lengths)], axis=1
        )
        for layer in others:
            rows = layer(rows, lengths)
        return rows


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
