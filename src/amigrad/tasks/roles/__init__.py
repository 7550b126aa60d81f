"""Semantic roles: who did what to whom, the arguments of the predicates of a sentence.

>>> from amigrad.data import read_propositions
>>> from amigrad.tasks import roles
>>> labeller = roles.train_labeller(read_propositions("train.txt"), read_propositions("dev.txt"))
>>> labeller.label_text("She gave him a book.")[0].propositions
>>> print(roles.evaluate(labeller, read_propositions("dev.txt")).arguments.overall.f1)
>>> labeller.save("model")
>>> labeller = roles.RoleLabeller.load("model")
"""

from amigrad.tasks.folder import ModelError
from amigrad.tasks.options import OptionsError
from amigrad.tasks.roles.evaluate import RoleEvaluation, evaluate
from amigrad.tasks.roles.labeller import RoleLabeller
from amigrad.tasks.roles.options import RoleOptions
from amigrad.tasks.roles.scores import Argument, ArgumentScores, arguments, score_propositions
from amigrad.tasks.roles.train import train_labeller
from amigrad.tasks.tagging.corpus import hold_out

__all__ = [
    "Argument",
    "ArgumentScores",
    "ModelError",
    "OptionsError",
    "RoleEvaluation",
    "RoleLabeller",
    "RoleOptions",
    "arguments",
    "evaluate",
    "hold_out",
    "score_propositions",
    "train_labeller",
]
