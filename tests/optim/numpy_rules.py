"""The methods once more, in plain NumPy and float64, from their papers: what the optimizers are held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Rule = Callable[[int, Any, Any, dict[str, Any], dict[str, Any]], Any]
"""(t from 1, w, g, memory, options) -> the new w"""


def sgd(t: int, w: Any, g: Any, memory: dict[str, Any], o: dict[str, Any]) -> Any:
    g = g + o.get("weight_decay", 0.0) * w
    mu = o.get("momentum", 0.0)
    v = memory["v"] = mu * memory.get("v", 0.0) + g
    return w - o["learning_rate"] * (g + mu * v if o.get("nesterov") else v)


def adagrad(t: int, w: Any, g: Any, memory: dict[str, Any], o: dict[str, Any]) -> Any:
    g = g + o.get("weight_decay", 0.0) * w
    memory["G"] = memory.get("G", o.get("initial_squares", 0.0)) + g**2
    return w - o["learning_rate"] * g / (np.sqrt(memory["G"]) + o.get("epsilon", 1e-10))


def rmsprop(t: int, w: Any, g: Any, memory: dict[str, Any], o: dict[str, Any]) -> Any:
    g = g + o.get("weight_decay", 0.0) * w
    rho = o.get("decay", 0.9)
    memory["s"] = rho * memory.get("s", 0.0) + (1 - rho) * g**2
    return w - o["learning_rate"] * g / (np.sqrt(memory["s"]) + 1e-8)


def adam(t: int, w: Any, g: Any, memory: dict[str, Any], o: dict[str, Any], decoupled: bool = False) -> Any:
    decay = o.get("weight_decay", 0.01 if decoupled else 0.0)
    b1, b2 = o.get("betas", (0.9, 0.999))
    if not decoupled:
        g = g + decay * w
    m = memory["m"] = b1 * memory.get("m", 0.0) + (1 - b1) * g
    v = memory["v"] = b2 * memory.get("v", 0.0) + (1 - b2) * g**2
    new = w - o["learning_rate"] * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
    return new - o["learning_rate"] * decay * w if decoupled else new


def adamw(t: int, w: Any, g: Any, memory: dict[str, Any], o: dict[str, Any]) -> Any:
    return adam(t, w, g, memory, o, decoupled=True)


def clipped(gradients: list[Any], limit: float | None) -> list[Any]:
    if limit is None:
        return gradients
    norm = np.sqrt(sum(float(np.sum(g**2)) for g in gradients))
    return [g * min(1.0, limit / norm) for g in gradients] if norm else gradients
