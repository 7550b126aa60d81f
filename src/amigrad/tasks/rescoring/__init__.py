"""Translation rescoring: joint models of source and target on the n-best lists of any decoder.

>>> from amigrad.data.bitext import read_bitext
>>> from amigrad.tasks import rescoring
>>> bitext = read_bitext("train.de", "train.en", "train.align")
>>> model = rescoring.train_joint(bitext, options=rescoring.JointOptions(epochs=5), output="model")
>>> features = rescoring.JointFeatures([model])
>>> for found, columns in features.of_lists(rescoring.read_nbest("dev.nbest.gz"), rescoring.read_sentences("dev.de")):
...     print(found.number, columns[0])
"""

from amigrad.tasks.folder import ModelError
from amigrad.tasks.options import OptionsError
from amigrad.tasks.rescoring.alignment import read_sentences
from amigrad.tasks.rescoring.discriminative import DiscriminativeLexicon, DiscriminativeOptions
from amigrad.tasks.rescoring.discriminative_train import train_discriminative
from amigrad.tasks.rescoring.joint import JointModel
from amigrad.tasks.rescoring.joint_features import JointFeatures, load_models
from amigrad.tasks.rescoring.nbest import NBestList, read_nbest
from amigrad.tasks.rescoring.options import JointOptions
from amigrad.tasks.rescoring.score import Candidates, Scorer
from amigrad.tasks.rescoring.train import train_joint

__all__ = [
    "Candidates",
    "DiscriminativeLexicon",
    "DiscriminativeOptions",
    "JointFeatures",
    "JointModel",
    "JointOptions",
    "ModelError",
    "NBestList",
    "OptionsError",
    "Scorer",
    "load_models",
    "read_nbest",
    "read_sentences",
    "train_discriminative",
    "train_joint",
]
