"""Finding predicates in sentences that have none marked: which words they are, and their lemmas."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from amigrad.data import Proposition, PropositionSentence, Sentence
from amigrad.tasks.tagging import Tagger, TaggerOptions, train_tagger

PREDICATE, OTHER = "V", "O"


class Lemmatiser:
    """Lemmas of predicates: those that were seen, and for other words what the same ending became most often."""

    def __init__(self, forms: Mapping[str, str], endings: Mapping[str, str]) -> None:
        """forms: words in lower case with their lemmas. endings: the end of a word, with what stands in its place."""
        self.forms = dict(forms)
        self.endings = dict(endings)

    @classmethod
    def build(cls, pairs: Iterable[tuple[str, str]]) -> Lemmatiser:
        """From words and their lemmas, as often as they occur. Equal counts: the first in the order of characters."""
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for word, lemma in pairs:
            seen[word.lower()][lemma] += 1
        forms = {form: _most(lemmas) for form, lemmas in sorted(seen.items())}
        endings: dict[str, Counter[str]] = defaultdict(Counter)
        for form, lemma in forms.items():
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(form, lemma, strict=False)))
            for start in range(max(0, len(form) - _LONGEST), same + 1):
                endings[form[start:]][lemma[start:]] += 1
        return cls(forms, {ending: _most(new) for ending, new in sorted(endings.items())})

    def __call__(self, word: str) -> str:
        """The lemma of a predicate, or the word in lower case if nothing is known."""
        form = word.lower()
        if form in self.forms:
            return self.forms[form]
        for start in range(max(0, len(form) - _LONGEST), len(form) + 1):
            if form[start:] in self.endings:
                return form[:start] + self.endings[form[start:]] or form
        return form


class PredicateFinder:
    """Which words of sentences are predicates, by a window tagger, and their lemmas."""

    def __init__(self, tagger: Tagger, lemmatiser: Lemmatiser) -> None:
        self.tagger = tagger
        self.lemmatiser = lemmatiser

    @classmethod
    def train(
        cls,
        train: Sequence[PropositionSentence],
        dev: Sequence[PropositionSentence],
        *,
        seed: int,
        output: str | os.PathLike[str] | None = None,
        progress: bool = False,
        resume: bool = True,
    ) -> PredicateFinder:
        """Learn from sentences with their propositions; with `output` a training that was stopped goes on."""
        options = TaggerOptions(scheme="none", seed=seed)
        tagger = train_tagger(_tagged(train), _tagged(dev), options, output=output, progress=progress, resume=resume)
        return cls(tagger, lemmatiser_of(train))

    def find(self, sentences: Sequence[PropositionSentence]) -> list[PropositionSentence]:
        """The sentences with a proposition for each predicate that was found, without any arguments."""
        found = []
        for sentence, tags in zip(sentences, self.tagger.tag([s.words for s in sentences]), strict=True):
            places = [place for place, tag in enumerate(tags) if tag == PREDICATE]
            propositions = tuple(Proposition(place, self.lemmatiser(sentence.words[place])) for place in places)
            found.append(PropositionSentence(sentence.words, propositions, sentence.tags))
        return found


def lemmatiser_of(sentences: Iterable[PropositionSentence]) -> Lemmatiser:
    """Learn the lemmas of the predicates of sentences."""
    return Lemmatiser.build((s.words[p.predicate], p.lemma) for s in sentences for p in s.propositions)


def _tagged(sentences: Iterable[PropositionSentence]) -> list[Sentence]:
    found = []
    for sentence in sentences:
        tags = [OTHER] * len(sentence)
        for proposition in sentence.propositions:
            tags[proposition.predicate] = PREDICATE
        found.append(Sentence(sentence.words, tuple(tags)))
    return found


def _most(counts: Counter[str]) -> str:
    return min(counts, key=lambda entry: (-counts[entry], entry))


_LONGEST = 5
