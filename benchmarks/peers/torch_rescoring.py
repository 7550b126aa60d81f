"""A joint model scored by PyTorch with the full softmax, in batches: run by `benchmarks.rescoring_speed`.

    python torch_rescoring.py CONTEXTS ANSWER

CONTEXTS is a safetensors file of windows, histories, targets and parameters. Writes log p and log p + log Z of each
target to ANSWER, and prints the seconds that the best of some batch sizes took.
"""

from __future__ import annotations

import json
import os
import sys
import time

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

import numpy as np
import torch
from safetensors.torch import load_file

BATCHES = (128, 512, 2048)


@torch.inference_mode()
def score(arrays: dict[str, torch.Tensor], batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """log p, and log p + log Z, of all targets."""
    exact, scores = [], []
    windows, histories, targets = (arrays[name] for name in ("windows", "histories", "targets"))
    for start in range(0, len(targets), batch):
        part = slice(start, start + batch)
        rows = [arrays["others.table"][windows[part]].flatten(1), arrays["words.table"][histories[part]].flatten(1)]
        top = torch.cat(rows, 1)
        for layer in ("first", "second"):
            top = torch.tanh(torch.addmm(arrays[f"{layer}.bias"], top, arrays[f"{layer}.weight"]))
        logits = torch.addmm(arrays["bias"][:, 0], top, arrays["output.table"].T)
        chosen = targets[part, None]
        exact.append(torch.log_softmax(logits, 1).gather(1, chosen)[:, 0])
        scores.append(logits.gather(1, chosen)[:, 0])
    return torch.cat(exact), torch.cat(scores)


def main() -> None:
    torch.set_num_threads(1)
    arrays = load_file(sys.argv[1])
    for name in ("windows", "histories", "targets"):
        arrays[name] = arrays[name].long()
    part = {**arrays, **{name: arrays[name][:2048] for name in ("windows", "histories", "targets")}}
    speeds = {}
    for batch in BATCHES:
        score(part, batch)
        start = time.perf_counter()
        score(part, batch)
        speeds[batch] = time.perf_counter() - start
    batch = min(speeds, key=speeds.__getitem__)
    start = time.perf_counter()
    found = score(arrays, batch)
    seconds = time.perf_counter() - start
    np.save(sys.argv[2], np.stack([part.numpy() for part in found]))
    count = len(arrays["targets"])
    print(json.dumps({"seconds": seconds, "positions": count, "batch": batch, "version": torch.__version__}))


if __name__ == "__main__":
    main()
