"""A trained joint model: its options, the words of both languages, the lexical table and the network."""

from __future__ import annotations

import os
from dataclasses import dataclass

from amigrad.functions import Generator
from amigrad.tasks.rescoring.lexicon import Lexicon
from amigrad.tasks.rescoring.model import JointNetwork
from amigrad.tasks.rescoring.options import JointOptions
from amigrad.tasks.rescoring.words import Words


@dataclass(frozen=True, slots=True)
class JointModel:
    """p(word | the words before it, a window of the other language), and what it takes to ask for it.

    figures: what was measured on the data that the epoch was chosen by: perplexity and mean |log Z|.
    """

    options: JointOptions
    source: Words
    target: Words
    lexicon: Lexicon
    network: JointNetwork
    figures: dict[str, float]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model into a folder. Raises OSError if it cannot be written."""
        from amigrad.tasks.rescoring.storage import save_joint

        save_joint(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> JointModel:
        """The model that a folder holds. Raises ModelError if it holds none."""
        from amigrad.tasks.rescoring.storage import load_joint

        return load_joint(folder)


def create_network(options: JointOptions, source: Words, target: Words) -> JointNetwork:
    """An untrained network, drawn from the options' seed."""
    others, words = (target, source) if options.to_source else (source, target)
    return JointNetwork(options, len(others), len(words), generator=Generator(options.seed))
