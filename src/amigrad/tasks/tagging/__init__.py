"""Tagging: a tag for each word of a sentence, or chunks of words, from the window of words around it.

Chunks are learnt as IOBES tags, and the tags of a sentence are the best sequence that is legal in this scheme.

>>> from amigrad.tasks import tagging
>>> tagger = tagging.train_tagger(tagging.read_tagged("train.conllu"), tagging.read_tagged("dev.conllu"))
>>> tagger.tag([["He", "runs", "."]])
[['PRON', 'VERB', 'PUNCT']]
>>> print(tagging.evaluate(tagger, tagging.read_tagged("dev.conllu")).accuracy.value)
>>> tagger.save("model")
>>> tagger = tagging.Tagger.load("model")
"""

from amigrad.tasks.folder import ModelError
from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.context import Gazetteer
from amigrad.tasks.tagging.corpus import hold_out, read_tagged
from amigrad.tasks.tagging.errors import Errors, find_errors
from amigrad.tasks.tagging.evaluate import Evaluation, evaluate
from amigrad.tasks.tagging.joint import JointTaggers, TaskData, train_joint
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.tagger import Tagger
from amigrad.tasks.tagging.together import Taggers
from amigrad.tasks.tagging.train import train_tagger

__all__ = [
    "Errors",
    "Evaluation",
    "Gazetteer",
    "JointTaggers",
    "ModelError",
    "OptionsError",
    "Tagger",
    "TaggerOptions",
    "Taggers",
    "TaskData",
    "evaluate",
    "find_errors",
    "hold_out",
    "read_tagged",
    "train_joint",
    "train_tagger",
]
