"""amigrad: computation graphs that you can run, see and compile."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from amigrad.backends import *  # noqa: F403
from amigrad.functions import *  # noqa: F403
from amigrad.graph import *  # noqa: F403

__version__ = "0.1.0"

if TYPE_CHECKING:
    from amigrad import data as data
    from amigrad import inspect as inspect
    from amigrad import nn as nn
    from amigrad import optim as optim
    from amigrad import tasks as tasks
    from amigrad import train as train
    from amigrad.inspect.draw import Drawing as Drawing
    from amigrad.inspect.draw import draw as draw
    from amigrad.inspect.explain import Explanation as Explanation
    from amigrad.inspect.explain import explain as explain
    from amigrad.train.trainer import Trainer as Trainer

_ROOMS = ("data", "inspect", "nn", "optim", "tasks", "train")
_LATER = {
    "Drawing": "amigrad.inspect.draw",
    "Explanation": "amigrad.inspect.explain",
    "Trainer": "amigrad.train.trainer",
    "draw": "amigrad.inspect.draw",
    "explain": "amigrad.inspect.explain",
}


def __getattr__(name: str) -> Any:
    """Rooms and functions that are imported when they are first asked for, so that `import amigrad` stays quick."""
    if name in _ROOMS:
        return _import_module(f"amigrad.{name}")
    if name in _LATER:
        return getattr(_import_module(_LATER[name]), name)
    raise AttributeError(f"amigrad has no {name}")
