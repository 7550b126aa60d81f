"""What can be chosen about a tagger: its features, its sizes and how it is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

OPTIMIZERS = {"adagrad": 0.1, "sgd": 0.1, "adam": 0.001}
"""The optimizers, each with the learning rate that it has if none is given."""

SCHEDULES = ("constant", "linear")
COSTS = ("auto", "word", "sentence")
SCHEMES = ("auto", "none", "IOB1", "IOB2", "IOBES")


class OptionsError(ValueError):
    """An option of a tagger that cannot be used, and what could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerOptions:
    """Everything that can be chosen about a tagger. Raises OptionsError for what makes no sense.

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
    sentences, by default 8; there are 4 epochs for words, 8 for sentences, if `epochs` does not say.
    With `characters`, a convolution over the characters of a word and its maximum over time are features too.
    `given`, `gazetteers` and `cascades` name further features of a word in its sentence: columns that come with the
    sentences, lists of phrases that it may be in, and the tags that other taggers give it. The training sentences get
    the tags of so many (`folds`) taggers, each trained on the others' part, or with 0 those of the tagger itself.

    The defaults were chosen by the scores on the last tenth of CoNLL-2000's training sentences (chunks) and on the
    development part of UD English EWT (parts of speech): figures given for these are of data that choices were made on.
    """

    window: int = 5
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
    hidden_size: int = 200
    dropout: float = 0.2

    optimizer: str = "adagrad"
    learning_rate: float | None = None
    schedule: str = "linear"
    warm_up: float | None = None
    weight_decay: float = 0.0
    batch_size: int | None = None
    epochs: int | None = None
    average: float = 0.0
    patience: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0:
            raise OptionsError(f"the window has a word in its middle: an odd number of words, not {self.window}")
        for name in ("minimum_count", "affix_minimum_count", "word_size", "capitalisation_size", "affix_size"):
            self._at_least(name, 1)
        for name in ("hidden_size", "character_size", "spelling_size", "feature_size"):
            self._at_least(name, 1)
        for name in ("batch_size", "epochs", "patience"):
            if getattr(self, name) is not None:
                self._at_least(name, 1)
        if self.folds < 0 or self.folds == 1:
            raise OptionsError(f"folds are at least 2, or 0 for none, not {self.folds}")
        names = self.contextual
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise OptionsError(f"'{name}' is no name for a feature: one word, and a name of its own")
        for kind, lengths in (("suffixes", self.suffixes), ("prefixes", self.prefixes)):
            if any(length < 1 for length in lengths) or len(set(lengths)) < len(lengths):
                raise OptionsError(f"{kind} have different lengths of at least 1, not {lengths}")
        for name in ("unknown_probability", "dropout", "warm_up"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < 1.0:
                raise OptionsError(f"{_words(name)} is in [0, 1), not {value}")
        if self.learning_rate is not None and not 0.0 < self.learning_rate < float("inf"):
            raise OptionsError(f"the learning rate is greater than 0, not {self.learning_rate}")
        if not 0.0 <= self.weight_decay < float("inf"):
            raise OptionsError(f"the weight decay is not negative, but {self.weight_decay} is")
        if not 0.0 < self.vector_scale < float("inf"):
            raise OptionsError(f"the scale of vectors is greater than 0, not {self.vector_scale}")
        if not 0.0 <= self.average < float("inf"):
            raise OptionsError(f"the epochs to average over are not negative, but {self.average} is")
        if not 0 <= self.seed < 2**63:
            raise OptionsError(f"a seed is an integer from 0 to 2^63 - 1, not {self.seed}")
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("scheme", self.scheme, SCHEMES)
        _one_of("cost", self.cost, COSTS)

    @property
    def rate(self) -> float:
        """The learning rate at the beginning."""
        return OPTIMIZERS[self.optimizer] if self.learning_rate is None else self.learning_rate

    @property
    def contextual(self) -> tuple[str, ...]:
        """The names of the features of a word in its sentence."""
        return (*self.given, *self.gazetteers, *self.cascades)

    @property
    def rising(self) -> float:
        """The share of the steps in which the learning rate rises: a convolution's first steps would be too long."""
        return self.warm_up if self.warm_up is not None else 0.05 if self.characters else 0.0

    def passes(self, sentences: bool) -> int:
        """How many epochs a training has, with the cost of sentences or of words."""
        return self.epochs or (8 if sentences else 4)

    def to_json(self) -> dict[str, Any]:
        """The options by name, as JSON has them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TaggerOptions:
        """Options from what `to_json` gave. Raises OptionsError if one is missing, unknown or of another type."""
        names = {field.name for field in fields(cls)}
        for name in sorted(names ^ content.keys()):
            raise OptionsError(f"the option '{name}' is {'missing' if name in names else 'not known'}")
        types = get_type_hints(cls)
        return cls(**{name: _typed(name, value, types[name]) for name, value in content.items()})

    def _at_least(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if value < least:
            raise OptionsError(f"{_words(name)} is at least {least}, not {value}")


def _typed(name: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is tuple:
        if isinstance(value, list) and all(type(item) is get_args(kind)[0] for item in value):
            return tuple(value)
    elif type(value) is kind or type(value) in get_args(kind):
        return value
    elif float in (kind, *get_args(kind)) and type(value) is int:
        return float(value)
    raise OptionsError(f"the option '{name}' cannot be {value!r}")


def _one_of(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise OptionsError(f"{_words(name)} is one of {', '.join(choices)}, not '{value}'")


def _words(name: str) -> str:
    return name.replace("_", " ")
