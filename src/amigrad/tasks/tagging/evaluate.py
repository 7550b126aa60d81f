"""How good a tagger is: token accuracy, and precision, recall and F1 of chunks or tags, as conlleval counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from amigrad.data import Sentence
from amigrad.tasks.tagging.tagger import Tagger
from amigrad.train.metrics import Accuracy, ChunkScore, ChunkScores, TokenAccuracy


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a tagger got right on some tagged sentences.

    `known` is the accuracy on words of the model's vocabulary, `unknown` that on others. `labels` has a row for each
    label of chunks, or for each tag where tags are not chunks; `chunks` is the row of all chunks (None for other
    tags). `unseen` says how often each label or tag occurred that training never saw: all of these are wrong.
    """

    sentences: int
    accuracy: Accuracy
    known: Accuracy
    unknown: Accuracy
    chunks: ChunkScore | None
    labels: Sequence[ChunkScore]
    unseen: dict[str, int] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The one figure to go by, between 0 and 1: F1 of all chunks, or token accuracy."""
        return self.accuracy.value if self.chunks is None else self.chunks.f1

    @property
    def score_name(self) -> str:
        """What `score` is."""
        return "accuracy" if self.chunks is None else "F1"


def evaluate(tagger: Tagger, sentences: Iterable[Sentence]) -> Evaluation:
    """Compare the tagger's tags with those of the sentences. Raises EncodingError if they should be chunks but are not.

    Tags may be of any scheme if they are chunks; token accuracy compares them as they are written.
    """
    tokens, chunks, tags = TokenAccuracy(), ChunkScores(), _TagScores()
    chunked = tagger.tag_set.scheme is not None
    count = 0
    for block in tagger.blocks(sentences, key=words_of, given=columns_of):
        for sentence, predicted in block.pairs():
            if chunked:
                chunks.update(sentence.tags, predicted)
        gold = list(chain.from_iterable(sentence.tags for sentence in block.items))
        tokens.update(gold, block.tags, tagger.features.known(block.words))
        tags.update(gold, block.tags)
        count += len(block.items)
    return Evaluation(
        sentences=count,
        accuracy=tokens.overall,
        known=tokens.known,
        unknown=tokens.unknown,
        chunks=chunks.overall if chunked else None,
        labels=list(chunks.labels.values()) if chunked else tags.scores(),
        unseen=_unseen(tags.gold, tagger),
    )


class _TagScores:
    """Precision, recall and F1 of single tags."""

    def __init__(self) -> None:
        self.gold: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._correct: Counter[str] = Counter()

    def update(self, gold: Sequence[str], predicted: Sequence[str]) -> None:
        self.gold.update(gold)
        self._predicted.update(predicted)
        self._correct.update(a for a, b in zip(gold, predicted, strict=True) if a == b)

    def scores(self) -> list[ChunkScore]:
        tags = sorted(self.gold.keys() | self._predicted.keys())
        return [ChunkScore(tag, self.gold[tag], self._predicted[tag], self._correct[tag]) for tag in tags]


def _unseen(gold: Counter[str], tagger: Tagger) -> dict[str, int]:
    """Labels of chunks, or tags, that training never saw, with the tokens that have them."""
    chunked = tagger.tag_set.scheme is not None
    seen = set(tagger.tag_set.labels)
    found: Counter[str] = Counter()
    for tag, count in gold.items():
        if chunked and tag == "O":
            continue
        label = tag[2:] if chunked else tag
        if label not in seen:
            found[label] += count
    return dict(sorted(found.items()))


def words_of(sentence: Sentence) -> Sequence[str]:
    """The words of a tagged sentence."""
    return sentence.words


def columns_of(sentence: Sentence) -> Sequence[Sequence[str]]:
    """The columns beside them."""
    return sentence.columns
