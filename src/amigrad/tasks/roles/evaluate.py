"""How good a role labeller is: F1 of arguments, as `srl-eval.pl` counts them, and of the predicates it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amigrad.data import PropositionSentence
from amigrad.tasks.roles.labeller import RoleLabeller
from amigrad.tasks.roles.scores import ArgumentScores, score_propositions
from amigrad.train.metrics import ChunkScore


@dataclass(frozen=True, slots=True)
class RoleEvaluation:
    """What a labeller got right: its arguments, and its predicates if it had to find them."""

    arguments: ArgumentScores
    predicates: ChunkScore | None = None

    @property
    def score(self) -> float:
        """The one figure to go by: F1 of all arguments, between 0 and 1."""
        return self.arguments.overall.f1


def evaluate(labeller: RoleLabeller, sentences: Sequence[PropositionSentence], *, find: bool = False) -> RoleEvaluation:
    """Compare the labeller's arguments with those of the sentences.

    The predicates are those of the sentences. With `find` the labeller finds them: the arguments of those it misses are
    missed, and predicates that there are not do not count for the arguments, as with srl-eval.pl, but for the figure
    of predicates. Lemmas are not compared.
    """
    given = labeller.find(sentences) if find else sentences
    labelled = labeller.label(given)
    scores = score_propositions(sentences, labelled, compare_lemmas=False)
    return RoleEvaluation(scores, _predicates(sentences, given) if find else None)


def _predicates(gold: Sequence[PropositionSentence], found: Sequence[PropositionSentence]) -> ChunkScore:
    places = [{(n, p.predicate) for n, s in enumerate(part) for p in s.propositions} for part in (gold, found)]
    return ChunkScore("predicates", len(places[0]), len(places[1]), len(places[0] & places[1]))
