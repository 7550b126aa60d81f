"""What can be chosen about a tagger: its features, its sizes and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amigrad.tasks.options import Options, OptionsError

OPTIMIZERS = {
    "adagrad": {"window": 0.1, "lstm": 0.05},
    "sgd": {"window": 0.1, "lstm": 0.1},
    "adam": {"window": 0.001, "lstm": 0.003},
}
"""The optimizers, each with the learning rates that the networks have if none is given."""

SCHEDULES = ("constant", "linear")
COSTS = ("auto", "word", "sentence")
SCHEMES = ("auto", "none", "IOB1", "IOB2", "IOBES")
NETWORKS: dict[str, dict[str, Any]] = {
    "window": {"window": 5, "hidden_size": 200, "dropout": 0.2, "optimizer": "adagrad", "average": 0.0},
    "lstm": {"window": 1, "hidden_size": 128, "dropout": 0.4, "optimizer": "adam", "average": 0.0},
}
"""The networks, each with what suits it where the options do not say otherwise."""

_BY_NETWORK: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerOptions(Options):
    """Everything that can be chosen about a tagger. Raises OptionsError for what makes no sense.

    `network` is that of Collobert et al. (2011), which sees a window of words, or a bidirectional LSTM ("lstm") of so
    many `layers`, which sees all of the sentence; `hidden_size` is then that of each direction. What is not given is as
    in `NETWORKS`.

    Features: the words of a window, in lower case and with digits as 0; their capitalisation; their suffixes
    and prefixes of some lengths. A word or an affix that occurs fewer times than its minimum count is unknown,
    and a word that occurs once is taken for unknown with some probability each time it is trained on.
    The learning rate, by default one that suits the optimizer, is the same all the time, or with the schedule
    "linear" rises in a share of the steps (`warm_up`: by default a twentieth with characters, else none) and then
    falls evenly to 0 at the last epoch. Dropout is the share of the looked-up numbers left out in training. `average`
    says over how many epochs, about, the mean of the parameters is taken, which is then the model; 0 for none.
    `scheme` says how tags mark chunks: found out by itself with "auto", not at all with "none".

    `cost` is the log-likelihood of each word's tag, or that of a sentence's tags together, with a score for each tag
    after the one before; "auto" takes that of sentences for chunks. A batch has so many words, by default 32, or
    sentences, by default 8; there are 4 epochs for words, 8 for sentences, if `epochs` does not say, and with an LSTM
    up to 16 where there are few sentences.
    With `characters`, a convolution over the characters of a word and its maximum over time are features too.
    `given`, `gazetteers` and `cascades` name further features of a word in its sentence: columns that come with the
    sentences, lists of phrases that it may be in, and the tags that other taggers give it. The training sentences get
    the tags of so many (`folds`) taggers, each trained on the others' part, or with 0 those of the tagger itself.

    The defaults were chosen by the scores on the last tenth of CoNLL-2000's training sentences (chunks) and on the
    development part of UD English EWT (parts of speech): figures given for these are of data that choices were made on.
    """

    network: str = "window"
    layers: int = 1
    window: int = _BY_NETWORK
    lower_case: bool = True
    zero_digits: bool = True
    capitalisation: bool = True
    suffixes: tuple[int, ...] = (2, 3)
    prefixes: tuple[int, ...] = (3,)
    minimum_count: int = 1
    affix_minimum_count: int = 2
    unknown_probability: float = 0.5
    scheme: str = "auto"
    cost: str = "auto"
    characters: bool = False
    given: tuple[str, ...] = ()
    gazetteers: tuple[str, ...] = ()
    cascades: tuple[str, ...] = ()
    folds: int = 5

    word_size: int = 50
    vector_scale: float = 0.3
    capitalisation_size: int = 10
    affix_size: int = 10
    character_size: int = 15
    spelling_size: int = 30
    feature_size: int = 20
    hidden_size: int = _BY_NETWORK
    dropout: float = _BY_NETWORK

    optimizer: str = _BY_NETWORK
    learning_rate: float | None = None
    schedule: str = "linear"
    warm_up: float | None = None
    weight_decay: float = 0.0
    batch_size: int | None = None
    epochs: int | None = None
    average: float = _BY_NETWORK
    patience: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        self.require_choice("network", NETWORKS)
        for name, suitable in NETWORKS[self.network].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, suitable)
        if self.layers > 1 and self.network == "window":
            raise OptionsError(f"the window network has one hidden layer, not {self.layers}: several are for lstm")
        if self.window < 1 or self.window % 2 == 0:
            raise OptionsError(f"the window has a word in its middle: an odd number of words, not {self.window}")
        self.require_at_least(1, "minimum_count", "affix_minimum_count", "word_size", "capitalisation_size")
        self.require_at_least(
            1, "affix_size", "hidden_size", "character_size", "spelling_size", "feature_size", "layers"
        )
        self.require_at_least(1, "batch_size", "epochs", "patience")
        if self.folds < 0 or self.folds == 1:
            raise OptionsError(f"folds are at least 2, or 0 for none, not {self.folds}")
        names = self.contextual
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise OptionsError(f"'{name}' is no name for a feature: one word, and a name of its own")
        for kind, lengths in (("suffixes", self.suffixes), ("prefixes", self.prefixes)):
            if any(length < 1 for length in lengths) or len(set(lengths)) < len(lengths):
                raise OptionsError(f"{kind} have different lengths of at least 1, not {lengths}")
        self.require_shares("unknown_probability", "dropout", "warm_up")
        self.require_positive("learning_rate", "vector_scale")
        self.require_not_negative("weight_decay", "average")
        self.require_seed()
        self.require_choice("optimizer", OPTIMIZERS)
        self.require_choice("schedule", SCHEDULES)
        self.require_choice("scheme", SCHEMES)
        self.require_choice("cost", COSTS)

    @property
    def rate(self) -> float:
        """The learning rate at the beginning."""
        return OPTIMIZERS[self.optimizer][self.network] if self.learning_rate is None else self.learning_rate

    def chained(self, chunks: bool) -> bool:
        """Whether the cost is that of sentences, for tags that mark chunks or others."""
        return self.cost == "sentence" or (self.cost == "auto" and chunks)

    def whole(self, chained: bool) -> bool:
        """Whether the examples are sentences: for their cost, or a network that sees them whole."""
        return chained or self.network == "lstm"

    @property
    def contextual(self) -> tuple[str, ...]:
        """The names of the features of a word in its sentence."""
        return (*self.given, *self.gazetteers, *self.cascades)

    @property
    def rising(self) -> float:
        """The share of the steps in which the learning rate rises: a convolution's first steps would be too long."""
        return self.warm_up if self.warm_up is not None else 0.05 if self.characters else 0.0

    def passes(self, whole: bool, batches: int) -> int:
        """How many epochs a training has, with sentences as examples or words, and so many batches an epoch."""
        if self.epochs is None and self.network == "lstm":
            return min(max(_EPOCHS, -(-_STEPS // max(batches, 1))), 2 * _EPOCHS)
        return self.epochs or (_EPOCHS if whole else _EPOCHS // 2)


_EPOCHS = 8
_STEPS = 6000
"""An LSTM is trained for so many steps at least, as far as twice the usual epochs go."""
