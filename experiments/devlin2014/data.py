"""A pair of languages: its lists with the features of its models."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amigrad.tasks.folder import MODEL
from amigrad.tasks.rescoring.added import AddedFeatures
from amigrad.tasks.rescoring.alignment import read_sentences
from amigrad.tasks.rescoring.features import TuningSet, with_references
from amigrad.tasks.rescoring.nbest import read_nbest
from amigrad.tasks.rescoring.options import VARIATIONS

PAIRS = ("de-en", "ja-en")


@dataclass(frozen=True)
class Lists:
    """Lists with all features: what tuning needs, and the words of hypotheses and references."""

    candidates: TuningSet
    hypotheses: list[tuple[tuple[str, ...], ...]]
    references: list[tuple[str, ...]]


@dataclass(frozen=True)
class Pair:
    """Folders of data, of models (a folder for each) and of what is kept."""

    data: Path
    models: Path
    output: Path

    @property
    def report(self) -> str | None:
        """The set that is reported; None: by cross-validation on dev."""
        return "devtest" if (self.data / "devtest.src").exists() else None

    def train(self, epochs: int | None) -> None:
        """Train the models that are not there, by the command line."""
        files = [f"--source={self.data / 'train.src.gz'}", f"--target={self.data / 'train.tgt.gz'}"]
        for name in ("lexical", "discriminative"):
            self._command(name, *files, folder=self.models / name)
        more = [f"--alignment={self.data / 'train.align.gz'}", *([f"--epochs={epochs}"] if epochs else [])]
        for name in VARIATIONS:
            if not any(self.models.glob(f"{name}*/{MODEL}")):
                self._command("train", *files, *more, f"--variation={name}", folder=self.models / name)

    def _command(self, command: str, *arguments: str, folder: Path) -> None:
        if not (folder / MODEL).exists():
            print(f"{command} {folder}", flush=True)
            line = [sys.executable, "-m", "amigrad.cli.main", "rescorer", command, *arguments, f"--output={folder}"]
            subprocess.run(line, check=True)

    def lists(self, name: str) -> Lists:
        """The lists of a set, with the decoder's features and those of all models."""
        references = read_sentences(self.data / f"{name}.ref")
        path = self.data / f"{name}.nbest.gz"
        pairs = list(with_references(read_nbest(path), [self.data / f"{name}.ref"]))
        own = TuningSet.of(pairs)
        names, added = self._added(name, path)
        features = np.concatenate([own.features, added.astype(np.float32)], axis=1)
        whole = TuningSet((*own.names, *names), features, own.statistics, own.scores, own.counts)
        return Lists(whole, [found.hypotheses for found, _ in pairs], references)

    def _added(self, name: str, path: Path) -> tuple[tuple[str, ...], np.ndarray]:
        """What the models say of a set, kept until a model changes. (M, F)"""
        models = sorted(self.models.glob(f"*/{MODEL}"))
        key = hashlib.sha256(b"".join(model.read_bytes() for model in models)).hexdigest()[:16]
        kept = self.output / f"{name}-{key}.npz"
        if not kept.exists():
            print(f"{self.data.name} {name}: scoring by {', '.join(model.parent.name for model in models)}", flush=True)
            features = AddedFeatures([self.models])
            sources = read_sentences(self.data / f"{name}.src")
            columns = [column for _, column in features.of_lists(read_nbest(path), sources)]
            self.output.mkdir(parents=True, exist_ok=True)
            np.savez(kept, names=np.array(features.names), values=np.concatenate(columns))
        with np.load(kept) as content:
            return tuple(map(str, content["names"])), content["values"]
