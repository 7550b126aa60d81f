"""The window tagger in eager PyTorch, as a peer to measure against.

Runs in an environment of its own (torch and numpy, nothing of amigrad). The model, its initial parameters and
the examples all come from one .npz, so both sides compute the same thing:

    table_K        (rows, width) float32, lookup table K = 0, 1, …
    windows_K      (examples, words) int, rows of table K for each example's window
    hidden_weight  (inputs, hidden), hidden_bias (hidden,), output_weight (hidden, tags), output_bias (tags,)
    targets        (examples,) int

Step i takes the examples from j * batch on, j being i modulo the number of whole batches. The model concatenates
the rows, table by table and in each table word by word -> linear -> hardtanh -> linear -> mean softmax
cross-entropy; then one update (Adagrad adds 1e-10 to the root). The first --costs steps warm up and are printed.

    python torch_window.py DATA.npz --batch 32 --optimizer sgd --rate 0.01

prints one JSON line. With --serve a driver can alternate it with other programs, a line in and a line out:

    at the start   {"torch": …, "threads": …, "batch": …, "parameters": …, "costs": […], …}
    run STEPS      the seconds that the next STEPS steps took
    cost           the cost of the next batch, without an update
    save PATH      writes the present parameters under the names above and answers PATH
    end, or EOF    the first line again with {"examples_per_second": {"runs": …, "median": …, …}}; exits
"""

import argparse
import json
import statistics
import sys
import timeit
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


def linear(weight: np.ndarray, bias: np.ndarray) -> nn.Linear:
    layer = nn.Linear(*weight.shape)
    layer.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(weight.T)))
    layer.bias = nn.Parameter(torch.from_numpy(bias))
    return layer


class WindowTagger(nn.Module):
    def __init__(self, arrays: Mapping[str, np.ndarray], dense_below: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList()
        while (name := f"table_{len(self.tables)}") in arrays:
            rows = torch.from_numpy(arrays[name])
            self.tables.append(nn.Embedding.from_pretrained(rows, freeze=False, sparse=len(rows) >= dense_below))
        self.hidden = linear(arrays["hidden_weight"], arrays["hidden_bias"])
        self.output = linear(arrays["output_weight"], arrays["output_bias"])

    def forward(self, windows: list[Tensor]) -> Tensor:
        rows = [table(w).flatten(1) for table, w in zip(self.tables, windows, strict=True)]
        return self.output(functional.hardtanh(self.hidden(torch.cat(rows, 1))))

    def save(self, path: str) -> None:
        named = {f"table_{k}": table.weight for k, table in enumerate(self.tables)}
        named |= {"hidden_weight": self.hidden.weight.T, "hidden_bias": self.hidden.bias}
        named |= {"output_weight": self.output.weight.T, "output_bias": self.output.bias}
        np.savez(path, **{name: value.detach().numpy() for name, value in named.items()})


class Training:
    """The model, its optimizers and its batches: slices, cut once, of index tensors that stay in memory."""

    def __init__(self, arrays: Mapping[str, np.ndarray], options: argparse.Namespace) -> None:
        self.model = WindowTagger(arrays, options.dense_below)
        names = [*(f"windows_{k}" for k in range(len(self.model.tables))), "targets"]
        *windows, targets = (torch.from_numpy(arrays[name].astype(np.int64)) for name in names)
        cut = [slice(end - options.batch, end) for end in range(options.batch, len(targets) + 1, options.batch)]
        self.batches = [([w[part] for w in windows], targets[part]) for part in cut]
        self.next = 0
        sparse = [table.weight for table in self.model.tables if table.sparse]
        self.parameters = list(self.model.parameters())
        dense = [p for p in self.parameters if not any(p is q for q in sparse)]
        self.optimizers: list[torch.optim.Optimizer] = []
        for group, fused in ((dense, True), (sparse, False)):  # a fused update takes dense gradients only
            if group and options.optimizer == "sgd":
                self.optimizers.append(torch.optim.SGD(group, options.rate, fused=fused))
            elif group:
                self.optimizers.append(torch.optim.Adagrad(group, options.rate, eps=1e-10, fused=fused))

    def cost(self) -> Tensor:
        windows, targets = self.batches[self.next]
        return functional.cross_entropy(self.model(windows), targets)

    def step(self) -> Tensor:
        for parameter in self.parameters:
            parameter.grad = None
        cost = self.cost()
        cost.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.next = (self.next + 1) % len(self.batches)
        return cost.detach()

    def run(self, steps: int) -> float:
        return timeit.timeit(self.step, number=steps)


def main() -> None:
    parser = argparse.ArgumentParser(description="The window tagger in eager PyTorch")
    parser.add_argument("data", help="an .npz of parameters and examples")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--optimizer", choices=("sgd", "adagrad"), default="sgd")
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dense-below", type=int, default=0, help="tables of fewer rows: dense gradients")
    parser.add_argument("--costs", type=int, default=10, help="first steps, whose costs are printed")
    parser.add_argument("--runs", type=int, default=7, help="of 300 steps, without --serve")
    parser.add_argument("--serve", action="store_true", help="take commands from standard input")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.sparse.check_sparse_tensor_invariants.disable()
    training = Training(dict(np.load(options.data)), options)
    report = {name: value for name, value in vars(options).items() if name != "runs"}
    report |= {"torch": torch.__version__, "parameters": sum(p.numel() for p in training.parameters)}
    report["costs"] = [training.step().item() for _ in range(options.costs)]
    speeds: list[float] = []
    if options.serve:
        print(json.dumps(report), flush=True)
    for line in sys.stdin if options.serve else ["run 300"] * options.runs:
        match line.split(maxsplit=1):
            case ["run", steps]:
                answer = str(seconds := training.run(int(steps)))
                speeds.append(int(steps) * options.batch / seconds)
            case ["cost"]:
                answer = str(training.cost().item())
            case ["save", path]:
                training.model.save(answer := path.rstrip("\n"))
            case ["end"]:
                break
            case _:
                sys.exit(f"unknown command: {line!r}")
        if options.serve:
            print(answer, flush=True)
    if speeds:
        spread = {"median": statistics.median(speeds), "best": max(speeds), "worst": min(speeds)}
        report["examples_per_second"] = spread | {"runs": len(speeds)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
