"""The workloads in PyTorch: functions of parameters, rows of lookup tables, and a batch."""

import torch
from torch.nn import functional


def line(p, rows, batch):
    x, y = batch
    return ((p["w"] * x + p["b"] - y) ** 2).sum()


def gates(p, rows, batch):
    x, y = batch
    for k in range(3):
        x = torch.sigmoid(torch.addmm(p[f"bias_{k}"], x, p[f"weight_{k}"]))
    return ((x - y) ** 2).sum()


def mlp(p, rows, batch):
    x, y = batch
    for k in range(2):
        x = functional.relu(torch.addmm(p[f"bias_{k}"], x, p[f"weight_{k}"]))
    return functional.cross_entropy(torch.addmm(p["bias_2"], x, p["weight_2"]), y)


def window_lookup(batch):
    return {"word_table": batch[0], "capitalisation_table": batch[1]}


def window_scores(p, rows):
    x = torch.cat([rows["word_table"].flatten(1), rows["capitalisation_table"].flatten(1)], 1)
    hidden = functional.hardtanh(torch.addmm(p["hidden_bias"], x, p["hidden_weight"]))
    return torch.addmm(p["output_bias"], hidden, p["output_weight"])


def window(p, rows, batch):
    return functional.cross_entropy(window_scores(p, rows), batch[2])


def ranking_lookup(batch):
    return {"word_table": torch.cat(batch)}  # both windows in one product


def ranking(p, rows, batch):
    hidden = functional.hardtanh(torch.addmm(p["hidden_bias"], rows["word_table"].flatten(1), p["hidden_weight"]))
    true, corrupt = torch.addmm(p["output_bias"], hidden, p["output_weight"]).chunk(2)
    return functional.relu(1 - true + corrupt).mean()


def joint_lookup(batch):
    return {"source_table": batch[0], "target_table": batch[1]}


def joint(p, rows, batch):
    x = torch.cat([rows["source_table"].flatten(1), rows["target_table"].flatten(1)], 1)
    for k in range(2):
        x = torch.tanh(torch.addmm(p[f"bias_{k}"], x, p[f"weight_{k}"]))
    return functional.cross_entropy(torch.addmm(p["bias_2"], x, p["weight_2"]), batch[2])


def nothing(batch):
    return {}


LAYERS = tuple(f"{part}_{k}" for k in range(3) for part in ("weight", "bias"))

MODELS = {
    "line": (nothing, line, ("w", "b"), ("x", "y")),
    "gates": (nothing, gates, LAYERS, ("x", "y")),
    "mlp": (nothing, mlp, LAYERS, ("x", "y")),
    "window": (
        window_lookup,
        window,
        ("word_table", "capitalisation_table", "hidden_weight", "hidden_bias", "output_weight", "output_bias"),
        ("words", "capitalisations", "tags"),
    ),
    "ranking": (
        ranking_lookup,
        ranking,
        ("word_table", "hidden_weight", "hidden_bias", "output_weight", "output_bias"),
        ("true", "corrupt"),
    ),
    "joint": (joint_lookup, joint, ("source_table", "target_table", *LAYERS), ("source", "target", "next")),
}
"""lookup(batch) -> {table: index}; cost(parameters, rows, batch); names of the parameters; of what a batch is made."""
