"""A small training as a program: a table, dropout, Adam and a schedule; `python regression.py FOLDER [SECONDS]`.

The second argument slows each step down, so that a test can stop the program in the middle of anything.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

import amigrad as ag
from amigrad import nn, optim


class Model(nn.Module):
    def __init__(self, generator: ag.Generator) -> None:
        self.words = nn.LookupTable(12, 4, generator=generator)
        self.layers = nn.MLP([8, 6, 3], generator=generator, dropout=0.2)

    def __call__(self, words: Any) -> ag.Tensor:
        rows = self.words(words)
        return self.layers(ag.reshape(rows, (rows.shape[0], 8)))


class Data:
    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.words = random.integers(0, 12, (90, 2))
        self.classes = (self.words.sum(1) // 8).clip(0, 2)

    def __len__(self) -> int:
        return len(self.words)

    def batch(self, indices: Any) -> tuple[Any, ...]:
        return self.words[indices], self.classes[indices]


def trainer(folder: Any = None, *, pause: float = 0.0, epochs: int = 3, **options: Any) -> ag.Trainer:
    model, data = Model(ag.Generator(4)), Data()
    schedule = optim.schedules.exponential(0.02, 0.99)
    optimizer = optim.Adam(model.named_parameters(), schedule, clip_norm=1.0, lookup="lazy")

    @ag.compile(backend="reference")
    def update(words: ag.Tensor, classes: ag.Tensor) -> ag.Tensor:
        cost = ag.cross_entropy(model(words), classes)
        optimizer.minimize(cost)
        return cost

    def step(words: Any, classes: Any) -> ag.Tensor:
        time.sleep(pause)
        return update(words, classes)

    def evaluate() -> dict[str, float]:
        found = np.argmax(model(data.words).numpy(), -1)
        return {"score": float(np.mean(found == data.classes)), "threes": float(np.sum(found == 2))}

    options = {
        "evaluate": evaluate,
        "checkpoint_steps": 3,
        "log_steps": 1,
        "batch_size": 7,
        "seed": 5,
        "progress": False,
        **options,
    }
    return ag.Trainer(step, data, model=model, optimizer=optimizer, epochs=epochs, folder=folder, **options)


if __name__ == "__main__":
    print(trainer(sys.argv[1], pause=float(sys.argv[2]) if len(sys.argv) > 2 else 0.0, progress=True).run())
