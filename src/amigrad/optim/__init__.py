"""Optimizers, one file a method, and learning-rate schedules."""

from amigrad.optim import schedules
from amigrad.optim.adagrad import Adagrad
from amigrad.optim.adam import Adam
from amigrad.optim.adamw import AdamW
from amigrad.optim.optimizer import Optimizer
from amigrad.optim.rmsprop import RMSprop
from amigrad.optim.rows import RowGradient, add_rows, rows_of, set_rows
from amigrad.optim.schedules import Schedule
from amigrad.optim.search import StepSearch, Trial
from amigrad.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "RowGradient",
    "Schedule",
    "StepSearch",
    "Trial",
    "add_rows",
    "rows_of",
    "schedules",
    "set_rows",
]
