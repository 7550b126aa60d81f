"""Embedding pretraining: vectors of words from plain text.

>>> from amigrad.tasks import embedding
>>> vectors = embedding.load_vectors("vectors.txt.gz")
"""

from amigrad.tasks.embedding.storage import load_embedding, load_vectors, save_embedding

__all__ = ["load_embedding", "load_vectors", "save_embedding"]
