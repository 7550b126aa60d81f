"""Weights of features as a JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amigrad.data import DataError
from amigrad.data.aside import replacing
from amigrad.tasks.rescoring.nbest import NBestList

FORMAT, VERSION = "amigrad rescoring weights", 1


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight for each feature by its name, how sharp the model is for minimum Bayes risk, and where they come from.

    A score is the sum of weight times feature. `sharpness` times the score is the log probability of a hypothesis but
    for a constant; None if risk was not tuned.
    """

    values: Mapping[str, float]
    sharpness: float | None = None
    tuned: Mapping[str, Any] = field(default_factory=dict)

    def score(self, found: NBestList) -> NDArray[np.float64]:
        """Scores of a list, (N,). Raises DataError unless its features are those that have weights."""
        if self.values.keys() != set(found.names):
            remedy = "Tune weights on a list with the same features"
            for name in found.names:
                if name not in self.values:
                    raise DataError(found.path, found.line, f"feature '{name}' has no weight", remedy)
            missing = next(name for name in self.values if name not in found.names)
            raise DataError(found.path, found.line, f"there is no feature '{missing}', which has a weight", remedy)
        return np.asarray(found.features @ np.array([self.values[name] for name in found.names]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        with replacing(path) as file:
            file.write((json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Weights:
        """Read such a file. Raises DataError for anything else."""
        name, remedy = os.fspath(path), "Give a file that `amigrad rescorer tune` wrote"
        try:
            content = json.loads(Path(path).read_bytes())
        except (ValueError, RecursionError) as error:
            raise DataError(name, None, f"not JSON ({error})", remedy) from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(name, None, "not a file of weights", remedy)
        if content.get("version") != VERSION:
            problem = f"format version {content.get('version')}, but this amigrad reads {VERSION}"
            raise DataError(name, None, problem, "Tune the weights again")
        values, sharpness = content.get("values"), content.get("sharpness")
        if not isinstance(values, dict) or not values or not all(map(_is_number, values.values())):
            raise DataError(name, None, "'values' does not give a number for each feature", remedy)
        if sharpness is not None and not (_is_number(sharpness) and sharpness > 0):
            raise DataError(name, None, "'sharpness' is not a positive number", remedy)
        tuned = content.get("tuned")
        return cls(values, sharpness, tuned if isinstance(tuned, dict) else {})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def as_weights(names: Sequence[str], values: NDArray[np.float64], **more: Any) -> Weights:
    """Weights (F,) of features, with their names."""
    return Weights({name: float(value) for name, value in zip(names, values, strict=True)}, **more)
