"""What can be chosen about an embedding: its text and vocabulary, its objective, its sizes and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from amigrad.data.encoded import SPLITS
from amigrad.tasks.options import Options, OptionsError


class Defaults(NamedTuple):
    """What suits an objective: its optimizer, and the learning rate of either."""

    optimizer: str
    rates: dict[str, float]


OBJECTIVES = {
    "skipgram": Defaults("sgd", {"sgd": 0.05, "adagrad": 0.1}),
    "structured": Defaults("sgd", {"sgd": 0.05, "adagrad": 0.1}),
    "cbow": Defaults("sgd", {"sgd": 0.1, "adagrad": 0.1}),
    "ranking": Defaults("adagrad", {"sgd": 0.1, "adagrad": 0.05}),
}
"""The objectives."""

LONG = 100_000_000
"""Words of training from which on skip-gram takes steps of half the length: it has the time, and ends nearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingOptions(Options):
    """Everything that can be chosen about an embedding. Raises OptionsError for what makes no sense.

    Text: `split` says what a sentence is (see `amigrad.data.encoded.SPLITS`); no window goes beyond one. Words are
    known in lower case, with digits as 0 if `zero_digits`, if they occur `minimum_count` times; of these the
    `maximum_size` most frequent.

    Objectives: "skipgram", "cbow" (Mikolov et al. 2013) and "structured" skip-gram (Ling et al. 2015), with `negatives`
    drawn words for each true one; frequent words are left out with `sample` (0: none are); a word's window reaches from
    1 to `window` words to both sides, drawn anew each time, or always `window` words if `fixed_window`. "ranking"
    (Collobert et al. 2011): a window of 2 · `window` + 1 words has to score more, by 1, than the same with another word
    in its middle; `dictionaries` are the numbers of words that are known at first, each for an equal part of the
    training, before all are: (5000, 30000), say. Words are drawn by their counts to the power of `noise_power`, by
    default 0.75; in the paper of "ranking" it is 0, all words alike, which takes far longer to teach more
    than frequency.

    The learning rate, by default one that suits objective, optimizer and length of the training, falls evenly to 0 at
    the end. Of gradient descent it is less where the text has so few different words that steps of this length would
    not be stable.
    """

    objective: str = "skipgram"
    split: str = "sentences"
    lower_case: bool = True
    zero_digits: bool = False
    minimum_count: int = 5
    maximum_size: int | None = None
    size: int = 100
    window: int = 5
    fixed_window: bool = False
    negatives: int = 5
    noise_power: float = 0.75
    sample: float = 1e-4
    hidden_size: int = 100
    dictionaries: tuple[int, ...] = ()

    optimizer: str | None = None
    learning_rate: float | None = None
    epochs: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        self.require_choice("objective", OBJECTIVES)
        self.require_choice("split", SPLITS)
        self.require_choice("optimizer", ("sgd", "adagrad"))
        if not 0.0 <= self.noise_power <= 2.0:
            raise OptionsError(f"the noise power is from 0 to 2, not {self.noise_power}")
        self.require_at_least(1, "minimum_count", "size", "window", "negatives", "hidden_size", "epochs")
        if self.maximum_size is not None and self.maximum_size < 2:
            raise OptionsError(f"a vocabulary has at least 2 words, not {self.maximum_size}")
        if not 0.0 <= self.sample < 1.0:
            raise OptionsError(f"sample is a share of the text, from 0 to below 1, not {self.sample}")
        self.require_positive("learning_rate")
        self.require_seed()
        if self.dictionaries and self.objective != "ranking":
            raise OptionsError("dictionaries that grow are for the objective 'ranking'")
        if any(size < 2 for size in self.dictionaries) or sorted(set(self.dictionaries)) != list(self.dictionaries):
            raise OptionsError(f"dictionaries are rising numbers of words from 2 on, not {self.dictionaries}")

    def rate(self, words: int) -> float:
        """The learning rate at the beginning of training on so many words, those of all epochs."""
        if self.learning_rate is not None:
            return self.learning_rate
        usual = OBJECTIVES[self.objective].rates[self.method]
        return usual / 2 if (self.objective, self.method) == ("skipgram", "sgd") and words >= LONG else usual

    @property
    def method(self) -> str:
        """The optimizer."""
        return self.optimizer or OBJECTIVES[self.objective].optimizer
