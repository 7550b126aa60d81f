"""What can be chosen about a joint model: what it sees, its sizes and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass

from amigrad.tasks.options import Options, OptionsError

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
class JointOptions(Options):
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
    dropout: float = 0.2
    hidden_dropout: float = 0.3

    objective: str = "nce"
    alpha: float = 0.1
    noise: int = 512
    smoothing: float = 0.0

    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "linear"
    weight_decay: float = 0.0
    batch_size: int = 256
    epochs: int = 6
    patience: int | None = 2
    seed: int = 1

    def __post_init__(self) -> None:
        self.require_choice("direction", DIRECTIONS)
        self.require_choice("order", ORDERS)
        self.require_choice("objective", OBJECTIVES)
        self.require_choice("unknown", UNKNOWN)
        self.require_choice("schedule", SCHEDULES)
        self.require_choice("optimizer", OPTIMIZERS)
        if self.window != 0 and (self.window < 0 or self.window % 2 == 0):
            raise OptionsError(f"the window has a word in its middle: an odd number of words or 0, not {self.window}")
        if self.history < 0 or self.history + self.window == 0:
            raise OptionsError("a model needs a history or a window to predict from")
        self.require_at_least(5, "source_words", "target_words")
        self.require_at_least(1, "minimum_count", "word_size", "first_size", "second_size", "noise")
        self.require_at_least(1, "batch_size", "epochs", "patience")
        self.require_shares("dropout", "hidden_dropout", "smoothing")
        self.require_positive("learning_rate")
        self.require_not_negative("alpha", "weight_decay")
        self.require_seed()

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
