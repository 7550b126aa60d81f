"""Why a translation was chosen: the candidates of one sentence with a probability for each word, old and new ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amigrad.data import DataError
from amigrad.tasks.rescoring.bleu import Words, bleu_statistics, sentence_bleu
from amigrad.tasks.rescoring.joint import JointModel
from amigrad.tasks.rescoring.joint_features import candidates_of, feature_name
from amigrad.tasks.rescoring.nbest import NBestList
from amigrad.tasks.rescoring.rescore import rescore
from amigrad.tasks.rescoring.score import Scorer
from amigrad.tasks.rescoring.weights import Weights

END = "</s>"
"""How the end of a sentence is shown, which is predicted, too."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of a candidate: each word that it predicts, the end last, with its log probability."""

    model: str
    words: tuple[str, ...]
    logarithms: tuple[float, ...]

    @property
    def total(self) -> float:
        """The logarithm of the product."""
        return float(np.sum(self.logarithms))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate: its ranks from 1, the decoder's score (None if it gave none), the new one, what each feature adds.

    bleu: smoothed sentence BLEU in percent, None without a reference.
    """

    words: tuple[str, ...]
    old_rank: int
    new_rank: int
    decoder_score: float | None
    score: float
    parts: Mapping[str, float]
    predictions: tuple[Prediction, ...]
    bleu: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The candidates of a sentence that are shown, by new rank, of so many in its list."""

    number: int
    source: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    candidates: tuple[Candidate, ...]
    total: int
    risk: bool


def explain(
    found: NBestList,
    source: Words,
    weights: Weights,
    models: Sequence[JointModel],
    *,
    references: Sequence[Words] = (),
    top: int = 5,
    risk: bool = False,
) -> Explanation:
    """The `top` candidates by new score, and with them the decoder's first and, with references, the oracle."""
    new = rescore(found, weights, risk=risk)
    bleu = sentence_bleu(bleu_statistics(found.hypotheses, references)) if references else None
    chosen = dict.fromkeys([*new.order[:top].tolist(), 0, *([int(np.argmax(bleu))] if bleu is not None else [])])
    rank = np.empty(len(found), np.int64)
    rank[new.order] = np.arange(1, len(found) + 1)
    places = sorted(chosen, key=lambda place: int(rank[place]))
    predictions = [_predictions(model, found, source, places) for model in models]
    return Explanation(
        found.number,
        tuple(source),
        tuple(map(tuple, references)),
        tuple(
            Candidate(
                words=found.hypotheses[place],
                old_rank=place + 1,
                new_rank=int(rank[place]),
                decoder_score=None if found.scores is None else float(found.scores[place]),
                score=float(new.scores[place]),
                parts={
                    name: weights.values[name] * float(value)
                    for name, value in zip(found.names, found.features[place], strict=True)
                },
                predictions=tuple(column[shown] for column in predictions),
                bleu=None if bleu is None else float(bleu[place]),
            )
            for shown, place in enumerate(places)
        ),
        len(found),
        risk,
    )


def find_list(lists: Iterable[NBestList], number: int, path: str) -> NBestList:
    """The list of a sentence, read no further than that. Raises DataError if the file has none of this id."""
    last = -1
    for found in lists:
        if found.number == number:
            return found
        last = found.number
    raise DataError(path, None, f"there is no sentence {number}", f"Choose an id from 0 to {last}")


def _predictions(model: JointModel, found: NBestList, source: Words, places: Sequence[int]) -> list[Prediction]:
    logarithms, lengths = Scorer(model).predictions(candidates_of([found], [source]))
    ends = np.cumsum(lengths)
    shown = []
    for place in places:
        values = logarithms[ends[place] - lengths[place] : ends[place]].astype(float).tolist()
        words = tuple(source) if model.options.to_source else found.hypotheses[place]
        if model.options.order == "right-to-left":
            values = [*values[-2::-1], values[-1]]
        shown.append(Prediction(feature_name(model), (*words, END), tuple(values)))
    return shown
