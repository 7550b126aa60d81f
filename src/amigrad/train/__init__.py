"""Training: the trainer, checkpoints, progress, metrics."""

from amigrad.train.trainer import Result, Trainer

__all__ = ["Result", "Trainer"]
