"""What a tagger gets wrong: which tags it takes for which, with the words and the contexts where it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from amigrad.data import Sentence
from amigrad.data.encoding import Span, tolerant_spans
from amigrad.tasks.tagging.evaluate import columns_of, words_of
from amigrad.tasks.tagging.tagger import Tagger
from amigrad.train.metrics import Accuracy

NOTHING = "-"
"""What stands for the side of a confusion where there is no chunk."""


class Kind(StrEnum):
    """What is wrong. Single tags: TAG. Chunks: the first that applies to one."""

    TAG = "tag"
    LABEL = "label"
    BOUNDARY = "boundary"
    BOTH = "label and boundary"
    MISSED = "missed"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class Case:
    """An error in its sentence: the words, and the chunk or the word that is wrong there, in the gold tags and in the
    tagger's (None where there is none). Sentences count from 1.
    """

    sentence: int
    words: tuple[str, ...]
    gold: Span | None
    predicted: Span | None

    @property
    def span(self) -> Span:
        """The gold one, or the tagger's if there is none."""
        span = self.gold or self.predicted
        assert span is not None
        return span

    @property
    def text(self) -> str:
        """The words that are wrong."""
        return " ".join(self.words[self.span.start : self.span.end])


@dataclass(slots=True)
class Confusion:
    """What is taken for what: how often, how often with a word that the model does not know, and the first cases."""

    kind: Kind
    gold: str
    predicted: str
    count: int = 0
    unknown: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    cases: list[Case] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Errors:
    """All errors on some sentences: confusions, the most frequent first.

    `kinds` says how many errors there are of each kind; `known` and `unknown` are the accuracy on words that the model
    knows, and on others. For chunks, `found` is how many of the gold ones (`gold`) are right; for tags it is of words.
    """

    sentences: int
    gold: int
    found: int
    chunked: bool
    known: Accuracy
    unknown: Accuracy
    kinds: dict[Kind, int]
    confusions: list[Confusion]

    @property
    def total(self) -> int:
        """How many errors there are."""
        return sum(self.kinds.values())


def find_errors(tagger: Tagger, sentences: Iterable[Sentence], *, cases: int = 3) -> Errors:
    """Compare a tagger's tags with those of the sentences; so many cases of each confusion are kept.

    Of chunks, each gold one that is not found counts once: with another label, with other boundaries (compared with the
    predicted one that shares most words), with both, or missed; and each predicted one that no gold one shares a word
    with. Raises EncodingError if tags should be chunks but are not.
    """
    chunked = tagger.tag_set.scheme is not None
    confusions: dict[tuple[Kind, str, str], Confusion] = {}
    kinds: Counter[Kind] = Counter()
    right: Counter[bool] = Counter()
    words: Counter[bool] = Counter()
    count = gold_count = found = 0
    for block in tagger.blocks(sentences, key=words_of, given=columns_of):
        known = tagger.features.known(block.words).tolist()
        gold_tags = chain.from_iterable(sentence.tags for sentence in block.items)
        words.update(known)
        right.update(k for k, a, b in zip(known, gold_tags, block.tags, strict=True) if a == b)
        start = 0
        for sentence, predicted in block.pairs():
            count += 1
            own_known = known[start : start + len(predicted)]
            start += len(predicted)
            if chunked:
                gold = tolerant_spans(sentence.tags)
                wrong = list(_chunk_errors(gold, tolerant_spans(predicted)))
            else:
                gold = _word_spans(sentence.tags)
                wrong = [(Kind.TAG, a, b) for a, b in zip(gold, _word_spans(predicted), strict=True) if a != b]
            gold_count += len(gold)
            found += len(gold) - sum(kind != Kind.INVENTED for kind, _, _ in wrong)
            for kind, a, b in wrong:
                kinds[kind] += 1
                key = (kind, a.label if a else NOTHING, b.label if b else NOTHING)
                case = Case(count, sentence.words, a, b)
                _add(confusions.setdefault(key, Confusion(*key)), case, own_known, cases)
    return Errors(
        sentences=count,
        gold=gold_count,
        found=found,
        chunked=chunked,
        known=Accuracy(right[True], words[True]),
        unknown=Accuracy(right[False], words[False]),
        kinds={kind: kinds[kind] for kind in Kind if kinds[kind]},
        confusions=sorted(confusions.values(), key=lambda c: (-c.count, c.kind, c.gold, c.predicted)),
    )


def _add(confusion: Confusion, case: Case, known: Sequence[bool], most: int) -> None:
    confusion.count += 1
    confusion.unknown += not all(known[case.span.start : case.span.end])
    confusion.texts[case.text] += 1
    if len(confusion.cases) < most:
        confusion.cases.append(case)


def _word_spans(tags: Sequence[str]) -> list[Span]:
    return [Span(tag, position, position + 1) for position, tag in enumerate(tags)]


def _chunk_errors(gold: list[Span], predicted: list[Span]) -> Iterator[tuple[Kind, Span | None, Span | None]]:
    """What is wrong with the chunks of a sentence, in the order of the gold ones, those that were invented last."""
    right = set(gold) & set(predicted)
    for span in gold:
        if span in right:
            continue
        other = max(predicted, key=lambda p: (_shared(span, p), p.label == span.label), default=None)
        if other is None or not _shared(span, other):
            yield Kind.MISSED, span, None
        elif (other.start, other.end) == (span.start, span.end):
            yield Kind.LABEL, span, other
        elif other.label == span.label:
            yield Kind.BOUNDARY, span, other
        else:
            yield Kind.BOTH, span, other
    for span in predicted:
        if not any(_shared(span, other) for other in gold):
            yield Kind.INVENTED, None, span


def _shared(a: Span, b: Span) -> int:
    """How many words two chunks share."""
    return max(0, min(a.end, b.end) - max(a.start, b.start))
