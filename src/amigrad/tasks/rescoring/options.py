"""What can be chosen about a joint model: what it sees, its sizes and how it is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args, get_type_hints

from amigrad.tasks.tagging.options import OptionsError

DIRECTIONS = ("source-to-target", "target-to-source")
ORDERS = ("left-to-right", "right-to-left")
OBJECTIVES = ("nce", "self-normalised", "softmax")
UNKNOWN = ("class", "unk")
SCHEDULES = ("linear", "constant")

OPTIMIZERS = {"adam": 0.003, "adagrad": 0.05}
"""The optimizers, each with the learning rate that it has if none is given."""

VARIATIONS = {
    "s2t-l2r": ("source-to-target", "left-to-right"),
    "s2t-r2l": ("source-to-target", "right-to-left"),
    "t2s-l2r": ("target-to-source", "left-to-right"),
    "t2s-r2l": ("target-to-source", "right-to-left"),
}
"""The four combinations of direction and order (Devlin et al. 2014, section 4), by their short names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointOptions:
    """Everything that can be chosen about a joint model. Raises OptionsError for what makes no sense.

    direction, order: which side is predicted, and from which end. window: words of the other side; 0 makes a language
    model of one side. history: words before the predicted one. The vocabularies hold the most frequent words; others
    are known by their class, or with unknown="unk" not at all.

    objective: "nce", noise-contrastive estimation with `noise` words drawn for a batch by their frequency (Mnih and Teh
    2012), which costs no sum over all words; "softmax", the cross entropy; "self-normalised", with alpha · log² Z added
    (Devlin et al. 2014, equation 4). The first and the last give probabilities without the sum Z over all words.
    dropout: the share of the looked-up words' numbers left out in training; hidden_dropout: of the layers' outputs.
    The learning rate, by default one that suits the optimizer, falls evenly to 0 at the last epoch with the schedule
    "linear".
    smoothing: the share of the cost that asks for all words alike (not with "nce").

    The defaults were chosen by the perplexity of pairs kept back from Multi30k's German-English training part.
    The paper's sizes are word_size=192, first_size=512, second_size=512, source_words=16000, target_words=32000.
    """

    direction: str = "source-to-target"
    order: str = "left-to-right"
    window: int = 11
    history: int = 3
    source_words: int = 16_000
    target_words: int = 16_000
    minimum_count: int = 2
    unknown: str = "class"

    word_size: int = 96
    first_size: int = 256
    second_size: int = 256
    dropout: float = 0.3
    hidden_dropout: float = 0.4

    objective: str = "nce"
    alpha: float = 0.1
    noise: int = 512
    smoothing: float = 0.0

    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "linear"
    weight_decay: float = 0.0
    batch_size: int = 256
    epochs: int = 8
    patience: int | None = 2
    seed: int = 1

    def __post_init__(self) -> None:
        _one_of("direction", self.direction, DIRECTIONS)
        _one_of("order", self.order, ORDERS)
        _one_of("objective", self.objective, OBJECTIVES)
        _one_of("unknown", self.unknown, UNKNOWN)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        if self.window != 0 and (self.window < 0 or self.window % 2 == 0):
            raise OptionsError(f"the window has a word in its middle: an odd number of words or 0, not {self.window}")
        if self.history < 0 or self.history + self.window == 0:
            raise OptionsError("a model needs a history or a window to predict from")
        for name in ("source_words", "target_words"):
            self._at_least(name, 5)
        for name in ("minimum_count", "word_size", "first_size", "second_size", "noise", "batch_size", "epochs"):
            self._at_least(name, 1)
        for name in ("dropout", "hidden_dropout", "smoothing"):
            value = getattr(self, name)
            if not 0.0 <= value < 1.0:
                raise OptionsError(f"{_words(name)} is in [0, 1), not {value}")
        if self.learning_rate is not None and not 0.0 < self.learning_rate < float("inf"):
            raise OptionsError(f"the learning rate is greater than 0, not {self.learning_rate}")
        for name in ("alpha", "weight_decay"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise OptionsError(f"{_words(name)} is not negative, but {getattr(self, name)} is")
        if self.patience is not None:
            self._at_least("patience", 1)
        if not 0 <= self.seed < 2**63:
            raise OptionsError(f"a seed is an integer from 0 to 2^63 - 1, not {self.seed}")

    @property
    def rate(self) -> float:
        """The learning rate at the beginning."""
        return OPTIMIZERS[self.optimizer] if self.learning_rate is None else self.learning_rate

    @property
    def to_source(self) -> bool:
        """Whether source words are predicted."""
        return self.direction == "target-to-source"

    @property
    def from_right(self) -> bool:
        """Whether the last word is predicted first."""
        return self.order == "right-to-left"

    @property
    def variation(self) -> str:
        """The short name of direction and order; `lm` in front for a language model."""
        found = next(name for name, both in VARIATIONS.items() if both == (self.direction, self.order))
        if self.window:
            return found
        return f"lm-{'source' if self.to_source else 'target'}-{found[-3:]}"

    def to_json(self) -> dict[str, Any]:
        """The options by name, as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> JointOptions:
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
    if type(value) is kind or type(value) in get_args(kind):
        return value
    if float in (kind, *get_args(kind)) and type(value) is int:
        return float(value)
    raise OptionsError(f"the option '{name}' cannot be {value!r}")


def _one_of(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise OptionsError(f"{_words(name)} is one of {', '.join(choices)}, not '{value}'")


def _words(name: str) -> str:
    return name.replace("_", " ")
