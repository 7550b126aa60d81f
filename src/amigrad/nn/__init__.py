"""Modules: parameters plus a call; their initial values."""

from amigrad.nn import initializers
from amigrad.nn.crf import CRF, Legal
from amigrad.nn.dropout import Dropout
from amigrad.nn.initializers import Initializer
from amigrad.nn.linear import Linear
from amigrad.nn.lookup import LookupTable
from amigrad.nn.module import Module, arrays_of, load_arrays
from amigrad.nn.recurrent import GRU, LSTM, Bidirectional, Elman, Recurrent
from amigrad.nn.sequential import MLP, Sequential

__all__ = [
    "CRF",
    "GRU",
    "LSTM",
    "MLP",
    "Bidirectional",
    "Dropout",
    "Elman",
    "Initializer",
    "Legal",
    "Linear",
    "LookupTable",
    "Module",
    "Recurrent",
    "Sequential",
    "arrays_of",
    "initializers",
    "load_arrays",
]
