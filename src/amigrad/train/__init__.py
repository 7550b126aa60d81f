"""Training: the trainer, checkpoints, progress, metrics."""

from amigrad.train.averaging import Average
from amigrad.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from amigrad.train.errors import CheckpointError, Interrupted, TrainingError
from amigrad.train.metrics import Accuracy, ChunkScore, ChunkScores, TokenAccuracy
from amigrad.train.trainer import Examples, Result, Trainer

__all__ = [
    "Accuracy",
    "Average",
    "Checkpoint",
    "CheckpointError",
    "ChunkScore",
    "ChunkScores",
    "Examples",
    "Interrupted",
    "Result",
    "TokenAccuracy",
    "Trainer",
    "TrainingError",
    "load_checkpoint",
    "save_checkpoint",
]
