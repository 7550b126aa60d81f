"""A trained embedding's folder: what is written there, and what is checked when it is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from amigrad.data import Vocabulary, WordVectors, read_vectors
from amigrad.data.vectors import Keep
from amigrad.tasks import folder as files
from amigrad.tasks.folder import PARAMETERS, VOCABULARIES, Folder, ModelError, SavedModel, require_keys
from amigrad.train.progress import reading

FORMAT, VERSION = "amigrad.embedding", 1
WORDS, VECTORS = "words", "vectors"


def save_embedding(folder: Folder, options: dict[str, Any], vectors: WordVectors) -> None:
    """Write word vectors with counts, and the options they were trained with, into a folder; OSError if it fails."""
    if vectors.counts is None:
        raise ValueError("the words of an embedding have counts")
    vocabulary = Vocabulary(vectors.words, [int(count) for count in vectors.counts])
    model = SavedModel({"options": options}, {WORDS: vocabulary}, {VECTORS: vectors.matrix})
    files.save_folder(folder, FORMAT, VERSION, model)


def load_vectors(path: Folder, *, keep: Keep | None = None, progress: bool = False) -> WordVectors:
    """Word vectors of a trained embedding's folder, or of a file in any format that `data.read_vectors` knows.

    `keep(word)` says which words to keep: of a file, memory is needed for these alone. `progress` shows how far a file
    is read. Raises ModelError or DataError for what cannot be used, OSError for what cannot be opened.
    """
    if Path(path).is_dir():
        vectors = load_embedding(path)[0]
        return vectors if keep is None else vectors.only(keep)
    with open(path, "rb") as file, reading(f"reading {Path(path).name}", shown=progress) as advance:
        total = os.fstat(file.fileno()).st_size

        def wanted(word: str) -> bool:
            advance(file.tell(), total)
            return keep is None or keep(word)

        return read_vectors(file, keep=wanted if progress and file.seekable() else keep)


def load_embedding(folder: Folder) -> tuple[WordVectors, dict[str, Any]]:
    """The word vectors, with counts, and the options that a folder holds. Raises ModelError for whatever is wrong."""
    saved = files.load_folder(folder, FORMAT, VERSION)
    target = Path(folder)
    require_keys(target / VOCABULARIES, "the set of vocabularies", saved.vocabularies, {WORDS})
    require_keys(target / PARAMETERS, "the set of arrays", saved.parameters, {VECTORS})
    vocabulary, matrix = saved.vocabularies[WORDS], saved.parameters[VECTORS]
    if matrix.dtype != np.float32 or matrix.ndim != 2 or len(matrix) != len(vocabulary):
        problem = f"'{VECTORS}' is {matrix.dtype} {matrix.shape}, but there are {len(vocabulary)} words"
        raise ModelError(target / PARAMETERS, problem)
    return WordVectors(vocabulary.words, matrix, vocabulary.counts), dict(saved.configuration.get("options", {}))
