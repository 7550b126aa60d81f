"""Embedding pretraining: vectors of words from plain text, and what they say about words.

>>> from amigrad.tasks import embedding
>>> vectors = embedding.train_embedding(["corpus.txt.gz"], embedding.EmbeddingOptions(size=50), output="model")
>>> vectors = embedding.load_vectors("model")  # or a file: word2vec, GloVe, fastText text
>>> embedding.neighbours(vectors, ["france"])[0].neighbours
>>> embedding.analogy(vectors, "man", "king", "woman")
>>> embedding.similarity(vectors, embedding.read_pairs("WordSim-353.txt")).spearman
"""

from amigrad.tasks.embedding.options import EmbeddingOptions
from amigrad.tasks.embedding.query import (
    EmbeddingError,
    Neighbour,
    Neighbourhood,
    Pair,
    Similarity,
    analogy,
    neighbours,
    plane,
    read_pairs,
    similarity,
)
from amigrad.tasks.embedding.storage import load_embedding, load_vectors, save_embedding
from amigrad.tasks.embedding.train import train_embedding
from amigrad.tasks.options import OptionsError

__all__ = [
    "EmbeddingError",
    "EmbeddingOptions",
    "Neighbour",
    "Neighbourhood",
    "OptionsError",
    "Pair",
    "Similarity",
    "analogy",
    "load_embedding",
    "load_vectors",
    "neighbours",
    "plane",
    "read_pairs",
    "save_embedding",
    "similarity",
    "train_embedding",
]
