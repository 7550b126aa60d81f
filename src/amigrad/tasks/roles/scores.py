"""Precision, recall and F1 of arguments, counted as `srl-eval.pl` of the CoNLL-2005 shared task counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from amigrad.data import Proposition, PropositionSentence, Span
from amigrad.train.metrics import ChunkScore

EXCLUDED = "V"
"""The label of the predicate itself, which counts for no overall figure."""


@dataclass(slots=True)
class Argument:
    """An argument: its label, its first word and the one behind its last, and its parts if there are several."""

    label: str
    start: int
    end: int
    parts: list[Argument] = field(default_factory=list)

    @property
    def places(self) -> list[tuple[int, int]]:
        """The first word of each part, and the one behind its last."""
        return [(part.start, part.end) for part in self.parts]


def arguments(spans: Iterable[Span]) -> list[Argument]:
    """The arguments that the spans of a proposition make up.

    - A span `C-X` goes on with the last argument `X` before it: both are one argument of two parts, which ends where
      its last part does. Without an `X` before it, it is an argument `X` itself.
    - `R-X` is a label as any other.
    - Spans right inside another one are parts of that one too, besides being arguments by themselves. Of several spans
      of the same words only the innermost is there.
    """
    phrases = [Argument(*span) for span in sorted(spans, key=lambda span: (span.start, -span.end))]
    innermost: dict[tuple[int, int], Argument] = {}
    open_: list[Argument] = []
    for phrase in phrases:
        while open_ and open_[-1].end <= phrase.start:
            open_.pop()
        if open_:
            open_[-1].parts.append(phrase)
        open_.append(phrase)
        innermost[phrase.start, phrase.end] = phrase
    found: list[Argument] = []
    last: dict[str, Argument] = {}
    for phrase in list(innermost.values()):
        continued = phrase.label.startswith("C-")
        label = phrase.label[2:] if continued else phrase.label
        if continued and label in last:
            argument = last[label]
            if not argument.parts:
                argument.parts.append(Argument(label, argument.start, argument.end))
            argument.parts.append(phrase)
            argument.end = phrase.end
        else:
            phrase.label = label
            last[label] = phrase
            found.append(phrase)
    return found


class ArgumentScores:
    """Counts of arguments over many sentences.

    - Propositions are compared that have their predicate in the same place. A gold one without a predicted one, or with
      one of another lemma, has all its arguments missed; a predicted one without a gold one does not count.
    - A predicted argument is right if a gold one has the same label, the same first and last word, and the same parts.
    - `V`, with its parts, does not count for the overall figure; it has a figure of its own.
    - Of gold arguments with the same first and last word, only the last counts.
    """

    def __init__(self, *, compare_lemmas: bool = True) -> None:
        """`compare_lemmas` says whether a proposition of another lemma is another proposition."""
        self.sentences = self.propositions = self.perfect = 0
        self._compare_lemmas = compare_lemmas
        self._right: Counter[str] = Counter()
        self._excess: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()

    def update(self, gold: PropositionSentence, predicted: PropositionSentence) -> None:
        """Count the propositions of a sentence. Raises ValueError if these are sentences of different lengths."""
        if len(gold) != len(predicted):
            raise ValueError(f"a sentence of {len(gold)} words cannot be compared with one of {len(predicted)}")
        self.sentences += 1
        guesses = {proposition.predicate: proposition for proposition in predicted.propositions}
        for proposition in gold.propositions:
            guess = guesses.get(proposition.predicate)
            if guess is not None and self._compare_lemmas and guess.lemma != proposition.lemma:
                guess = None
            self._compare(proposition, guess)

    @property
    def overall(self) -> ChunkScore:
        """The score of all arguments but the predicates themselves."""
        counts = (
            sum(count for label, count in counter.items() if label != EXCLUDED)
            for counter in (self._right, self._excess, self._missed)
        )
        return _score("overall", *counts)

    @property
    def labels(self) -> dict[str, ChunkScore]:
        """The score of each label that was there, by name, that of `V` too."""
        labels = sorted(self._right.keys() | self._excess.keys() | self._missed.keys())
        return {label: _score(label, self._right[label], self._excess[label], self._missed[label]) for label in labels}

    def _compare(self, gold: Proposition, predicted: Proposition | None) -> None:
        due = {(argument.start, argument.end): argument for argument in arguments(gold.spans)}
        right, excess = [], []
        for argument in arguments(predicted.spans) if predicted is not None else ():
            found = due.get((argument.start, argument.end))
            if found is not None and found.label == argument.label and _same(found.places, argument.places):
                right.append(argument.label)
                del due[argument.start, argument.end]
            else:
                excess.append(argument.label)
        missed = [argument.label for argument in due.values()]
        self._right.update(right)
        self._excess.update(excess)
        self._missed.update(missed)
        self.propositions += 1
        self.perfect += all(label == EXCLUDED for label in (*excess, *missed))


def score_propositions(
    gold: Sequence[PropositionSentence], predicted: Sequence[PropositionSentence], *, compare_lemmas: bool = True
) -> ArgumentScores:
    """Compare the propositions of the same sentences. Raises ValueError if these are not as many, or not as long."""
    scores = ArgumentScores(compare_lemmas=compare_lemmas)
    for mine, theirs in zip(gold, predicted, strict=True):
        scores.update(mine, theirs)
    return scores


def _same(gold: Sequence[tuple[int, int]], predicted: Sequence[tuple[int, int]]) -> bool:
    return set(gold) == set(predicted) and len(set(predicted)) == len(predicted)


def _score(label: str, right: int, excess: int, missed: int) -> ChunkScore:
    return ChunkScore(label, right + missed, right + excess, right)
