"""What can be chosen about a role labeller: its network, its features, its sizes and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass

from amigrad.tasks.options import Options
from amigrad.tasks.tagging.options import SCHEDULES, TaggerOptions

NETWORKS = ("lstm", "convolution")
COSTS = ("sentence", "word")
RATES = {
    "adam": {"lstm": 0.003, "convolution": 0.002},
    "adagrad": {"lstm": 0.05, "convolution": 0.02},
    "sgd": {"lstm": 0.1, "convolution": 0.02},
}
"""The optimizers, each with the learning rates that the networks have if none is given."""


SIZES = {
    "lstm": {"word_size": 100, "distance_size": 20, "hidden_size": 128, "batch_size": 12},
    "convolution": {"word_size": 50, "distance_size": 5, "hidden_size": 300, "batch_size": 4},
}
"""What suits each network, where the options do not say otherwise."""

WORD_FEATURES = (
    "word_size",
    "vector_scale",
    "lower_case",
    "zero_digits",
    "capitalisation",
    "suffixes",
    "prefixes",
    "minimum_count",
    "affix_minimum_count",
    "unknown_probability",
    "capitalisation_size",
    "affix_size",
    "cascades",
    "folds",
    "feature_size",
    "window",
    "dropout",
    "seed",
)
"""The options that taggers have too, with the same meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleOptions(Options):
    """Everything that can be chosen about a role labeller. Raises OptionsError for what makes no sense.

    network: "convolution" is the sentence network of Collobert et al. (2011, section 3.3.1): a convolution over the
    words of the sentence and their distances to the verb and to the word to tag, the maximum over time, a hidden layer.
    "lstm" is a bidirectional LSTM over the sentence, once for all its predicates, and one more for each predicate,
    which sees how far each word is from it and what the first one found there (after Zhou and Xu 2015).
    cost: "sentence" scores sequences of tags, "word" each word's tag by itself.

    Features: words, in lower case and with digits as 0; capitalisation; suffixes and prefixes of some lengths. A word
    that occurs once is taken for unknown with some probability each time it is trained on. Distances beyond
    `distances` words count as that many. `cascades` names taggers whose tags are features; the training sentences get
    those of so many (`folds`) taggers, each trained on the others' part, or with 0 those of the tagger itself.

    `hidden_size` is that of an LSTM in each direction, or of the convolution; `output_size` that of the convolution
    network's hidden layer. Sizes of 0 are those in `SIZES`. Parts of speech are learnt too where the training
    data have them; `tag_cost` is the weight of their cost.
    """

    network: str = "lstm"
    cost: str = "sentence"

    word_size: int = 0
    vector_scale: float = 0.4
    lower_case: bool = True
    zero_digits: bool = True
    capitalisation: bool = True
    suffixes: tuple[int, ...] = (2, 3)
    prefixes: tuple[int, ...] = (3,)
    minimum_count: int = 1
    affix_minimum_count: int = 2
    unknown_probability: float = 0.5
    capitalisation_size: int = 10
    affix_size: int = 20
    cascades: tuple[str, ...] = ()
    folds: int = 5
    feature_size: int = 20
    distances: int = 30
    distance_size: int = 0

    window: int = 3
    hidden_size: int = 0
    output_size: int = 500
    encoder_layers: int = 1
    layers: int = 1
    dropout: float = 0.4
    tag_cost: float = 0.5

    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "linear"
    clip_norm: float | None = None
    batch_size: int = 0
    epochs: int = 7
    patience: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        self.require_choice("network", NETWORKS)
        self.require_choice("cost", COSTS)
        for name, size in SIZES[self.network].items():
            if getattr(self, name) == 0:
                object.__setattr__(self, name, size)
        self.require_choice("optimizer", RATES)
        self.require_choice("schedule", SCHEDULES)
        self.require_at_least(1, "hidden_size", "output_size", "distances", "distance_size", "encoder_layers", "layers")
        self.require_at_least(1, "batch_size", "epochs", "patience")
        self.require_positive("learning_rate", "clip_norm")
        self.require_not_negative("tag_cost")
        self.words()

    @property
    def rate(self) -> float:
        """The learning rate at the beginning."""
        return RATES[self.optimizer][self.network] if self.learning_rate is None else self.learning_rate

    @property
    def margin(self) -> int:
        """How many words the window reaches beyond its middle."""
        return self.window // 2 if self.network == "convolution" else 0

    def words(self) -> TaggerOptions:
        """The features of words, as a tagger's options."""
        return TaggerOptions(**{name: getattr(self, name) for name in WORD_FEATURES})
