"""Networks that score the role of each word for each predicate of a sentence, and their costs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from amigrad.functions import (
    Generator,
    arange,
    astype,
    clip,
    concat,
    cross_entropy,
    full,
    hardtanh,
    matmul,
    max,
    permute_dims,
    reshape,
    take,
    where,
)
from amigrad.functions.convert import as_tensor
from amigrad.graph import Dim, Tensor, TensorLike, int32
from amigrad.nn import LSTM, Bidirectional, Dropout, Linear, LookupTable, Module
from amigrad.nn.crf import CRF, Legal
from amigrad.nn.initializers import glorot, normal
from amigrad.tasks.roles.options import RoleOptions
from amigrad.tasks.tagging.features import Column


class RoleNetwork(Module):
    """Scores of the tags of each word of B sentences of T words, for N predicates of these.

    words: (B, T + 2 margin) int for each feature column; sentence: (N,) int, the sentence of each predicate; predicate:
    (N,) int, the place of its word -> scores (N T, tags), word by word. Sizes are run-time ones.
    """

    def __init__(
        self,
        options: RoleOptions,
        columns: Sequence[Column],
        entries: Sequence[int],
        tags: int,
        parts_of_speech: int,
        generator: Generator,
    ) -> None:
        """`entries` is the number of vocabulary entries of each column; 0 parts of speech are not learnt."""
        self.sentence_cost = options.cost == "sentence"
        self.distances = options.distances
        self.margin = options.margin
        self.tables = {
            column.name: LookupTable(rows, column.size, generator=generator, initializer=normal(0.1))
            for column, rows in zip(columns, entries, strict=True)
        }
        self.dropout = Dropout(options.dropout, generator=generator)
        self.crf = CRF(tags)
        width = self.prepare(options, sum(column.size for column in columns), tags, generator)
        self.tag_cost = options.tag_cost if parts_of_speech else 0.0
        if self.tag_cost:
            self.tag_output = Linear(width, parts_of_speech, generator=generator, initializer=glorot())

    @abstractmethod
    def prepare(self, options: RoleOptions, inputs: int, tags: int, generator: Generator) -> int:
        """Make the layers; `inputs` is the width of a word's features. -> the width of what `encode` gives first"""

    @abstractmethod
    def encode(self, words: Sequence[TensorLike]) -> list[Tensor]:
        """What is computed once for a sentence, whatever its predicates; of the first, parts of speech are learnt."""

    @abstractmethod
    def relate(self, encoded: Sequence[Tensor], sentence: TensorLike, predicate: TensorLike) -> Tensor:
        """Scores (N T, tags), from what `encode` gave."""

    @abstractmethod
    def tag_scores(self, encoded: Sequence[Tensor]) -> Tensor:
        """Scores of the parts of speech, (B, T, parts of speech)."""

    def __call__(self, words: Sequence[TensorLike], sentence: TensorLike, predicate: TensorLike) -> Tensor:
        """Scores (N T, tags)."""
        return self.relate(self.encode(words), sentence, predicate)

    def cost(
        self,
        words: Sequence[TensorLike],
        sentence: TensorLike,
        predicate: TensorLike,
        tags: TensorLike,
        parts_of_speech: TensorLike,
    ) -> Tensor:
        """The mean of the words' costs, sentence-level or word-level (equations 13 and 12), and that of their parts of
        speech times its weight. tags: (N, T) int, parts_of_speech: (B, T) int.
        """
        encoded, due = self.encode(words), as_tensor(tags)
        count, length = due.shape
        scores, due = self.relate(encoded, sentence, predicate), reshape(due, (count * length,))
        if self.sentence_cost:
            cost = self.crf.cost(scores, due, full((count,), length, dtype=int32))
        else:
            cost = cross_entropy(scores, due)
        if self.tag_cost:
            cost = cost + self.tag_cost * cross_entropy(self.tag_scores(encoded), parts_of_speech)
        return cost

    def possible_scores(
        self, words: Sequence[TensorLike], sentence: TensorLike, predicate: TensorLike, own: TensorLike
    ) -> Tensor:
        """The scores (N, T, tags), with tags barred that the predicate's own word cannot have. own: (tags,) bool, those
        that it may have.
        """
        scores, place = self(words, sentence, predicate), as_tensor(predicate)
        count = place.shape[0]
        length = as_tensor(words[0]).shape[1] - 2 * self.margin
        at_predicate = reshape(arange(length), (1, length, 1)) == reshape(place, (count, 1, 1))
        barred = where(reshape(as_tensor(own), (1, 1, self.crf.tags)), 0.0, _BARRED)
        return reshape(scores, (count, length, self.crf.tags)) + where(at_predicate, barred, 0.0)

    def best(self, scores: TensorLike, legal: Legal) -> Tensor:
        """The best legal tags by these scores, (N, T, tags): (N, T) int."""
        x = as_tensor(scores)
        count, length, tags = x.shape
        rows = reshape(x, (count * length, tags))
        return reshape(self.crf.decode(rows, full((count,), length, dtype=int32), legal), (count, length))

    def features(self, words: Sequence[TensorLike]) -> Tensor:
        """The rows of the lookup tables side by side. (B, T + 2 margin, inputs)"""
        rows = [table(column) for table, column in zip(self.tables.values(), words, strict=True)]
        return self.dropout(concat(rows, axis=2))

    def relative(self, length: Dim, place: Tensor, reach: int) -> Tensor:
        """How far each word is from some places, as rows of a table from -reach to reach. place: (N,) -> (N, T)"""
        distance = reshape(arange(length), (1, length)) - reshape(astype(place, "int64"), (place.shape[0], 1))
        return clip(distance, -reach, reach) + reach


class ConvolutionNetwork(RoleNetwork):
    """The sentence network (Collobert et al. 2011, section 3.3.1).

    The features of a window are convolved once for each word of the sentence. What the distances of the words to the
    verb and to the word to tag add is a row for each distance; so all pairs of a verb and a word cost additions and a
    maximum over time alone. Then linear -> hardtanh -> linear.
    """

    def prepare(self, options: RoleOptions, inputs: int, tags: int, generator: Generator) -> int:
        """The convolution's weight is cut: that of the words, and for each table of distances one."""
        self.window = options.window
        size, hidden = options.distance_size, options.hidden_size
        entries = 2 * options.distances + 1
        self.verb_distance = LookupTable(entries, size, generator=generator, initializer=normal(0.1))
        self.word_distance = LookupTable(entries, size, generator=generator, initializer=normal(0.1))
        self.convolution = Linear(options.window * inputs, hidden, generator=generator, initializer=glorot())
        self.verb_part = Linear(options.window * size, hidden, generator=generator, bias=False, initializer=glorot())
        self.word_part = Linear(options.window * size, hidden, generator=generator, bias=False, initializer=glorot())
        self.hidden = Linear(hidden, options.output_size, generator=generator, initializer=glorot())
        self.output = Linear(options.output_size, tags, generator=generator, initializer=glorot())
        return hidden

    def encode(self, words: Sequence[TensorLike]) -> list[Tensor]:
        """The convolution of the words' features, (B, T, hidden)."""
        rows = self.features(words)
        length = rows.shape[1] - 2 * self.margin
        return [self.convolution(concat([rows[:, i : i + length] for i in range(self.window)], axis=2))]

    def tag_scores(self, encoded: Sequence[Tensor]) -> Tensor:
        """From the convolution of the words around."""
        return self.tag_output(hardtanh(encoded[0]))

    def relate(self, encoded: Sequence[Tensor], sentence: TensorLike, predicate: TensorLike) -> Tensor:
        """Scores (N T, tags)."""
        convolved, place = encoded[0], as_tensor(predicate)
        length = convolved.shape[1]
        reach = self.distances + self.margin
        of_verb, of_word = self._distances(self.verb_distance), self._distances(self.word_distance)
        # For each predicate and word of its sentence, then for each word to tag and word of the sentence.
        both = take(convolved, sentence) + take(self.verb_part(of_verb), self.relative(length, place, reach))
        to_tag = take(self.word_part(of_word), self.relative(length, arange(length), reach))
        count, hidden = place.shape[0], both.shape[2]
        sums = reshape(both, (count, 1, length, hidden)) + reshape(to_tag, (1, length, length, hidden))
        strongest = reshape(max(sums, axis=2), (count * length, hidden))
        return self.output(self.dropout(hardtanh(self.hidden(strongest))))

    def _distances(self, table: LookupTable) -> Tensor:
        """The rows of windows around each distance; beyond the table's ends these are as at its ends."""
        reach = self.distances + self.margin
        places = np.arange(-reach, reach + 1)[:, None] + np.arange(self.window) - self.margin
        index = np.clip(places, -self.distances, self.distances) + self.distances
        rows = table(index.astype(np.int32))
        return reshape(rows, (2 * reach + 1, self.window * rows.shape[2]))


class LSTMNetwork(RoleNetwork):
    """A bidirectional LSTM over the sentence, and one over the same words for each predicate.

    What the second takes of a word is the first's output there, that at the predicate, and a row for the distance
    between them. Of these the first product is computed once for each word of the sentence, the second for each
    predicate, the third for each distance: only their sums for each predicate and word.
    """

    def prepare(self, options: RoleOptions, inputs: int, tags: int, generator: Generator) -> int:
        """Layers of `hidden_size` in each direction."""
        size = options.hidden_size

        def pair(width: int) -> Bidirectional:
            return Bidirectional(
                LSTM(width, size, generator=generator), LSTM(width, size, generator=generator, reverse=True)
            )

        self.encoder = [pair(inputs if layer == 0 else 2 * size) for layer in range(options.encoder_layers)]
        self.distance = LookupTable(
            2 * options.distances + 1, options.distance_size, generator=generator, initializer=normal(0.1)
        )
        self.relation = pair(4 * size + options.distance_size)
        self.further = [pair(2 * size) for _ in range(options.layers - 1)]
        self.output = Linear(2 * size, tags, generator=generator, initializer=glorot())
        return 2 * size

    def encode(self, words: Sequence[TensorLike]) -> list[Tensor]:
        """The outputs of the layers over the sentence, (T, B, 2 size)."""
        found = [permute_dims(self.features(words), (1, 0, 2))]
        for layer in self.encoder:
            found.append(self.dropout(layer(found[-1])))
        return found[1:]

    def tag_scores(self, encoded: Sequence[Tensor]) -> Tensor:
        """From the first layer."""
        return permute_dims(self.tag_output(encoded[0]), (1, 0, 2))

    def relate(self, encoded: Sequence[Tensor], sentence: TensorLike, predicate: TensorLike) -> Tensor:
        """Scores (N T, tags)."""
        x, place = encoded[-1], as_tensor(predicate)
        length, batch, width = x.shape
        count = place.shape[0]
        row = astype(place, "int64") * batch + as_tensor(sentence)
        at_predicate = take(reshape(x, (length * batch, width)), row)
        distance = permute_dims(self.relative(length, place, self.distances), (1, 0))
        found = []
        for direction in (self.relation.forward, self.relation.backward):
            weight = direction.weight
            each = take(matmul(x, weight[:width]), as_tensor(sentence), axis=1)
            own = matmul(at_predicate, weight[width : 2 * width]) + direction.bias
            apart = take(matmul(self.distance.table, weight[2 * width :]), distance)
            found.append(direction.from_products(each + own + apart))
        x = self.dropout(concat(found, axis=2))
        for layer in self.further:
            x = self.dropout(layer(x))
        x = reshape(permute_dims(x, (1, 0, 2)), (count * length, x.shape[2]))
        return self.output(x)


_BARRED = -1e4
