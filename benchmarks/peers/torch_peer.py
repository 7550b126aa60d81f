"""PyTorch: eager with autograd and the library's optimizers, and whole steps under `torch.compile`."""

import argparse

import torch
import torch_sequence
from serve import Task, serve, stepping
from torch.nn import functional
from torch_models import MODELS, window_scores

SMALL_TABLE = 5000
FEW_ROWS = 32


def tensors(arrays, names):
    """Arrays as tensors: indices as int64, as the library wants them."""
    found = [torch.from_numpy(arrays[name].copy()) for name in names]
    return [tensor if tensor.is_floating_point() else tensor.long() for tensor in found]


def batches(workload, arrays):
    columns = [tensor.unbind() for tensor in tensors(arrays, MODELS[workload][3])]
    return list(zip(*columns, strict=True))


def parameters(workload, arrays):
    names = MODELS[workload][2]
    return {name: torch.tensor(arrays[name]) for name in names}


def eager(workload, dense_below):
    """Autograd; sparse gradients for lookup tables of at least so many rows, dense ones for the others."""

    def form(arrays, settings):
        lookup, cost, *_ = MODELS[workload]
        p = {name: value.requires_grad_() for name, value in parameters(workload, arrays).items()}
        tables = [name for name in p if name.endswith("_table")]
        sparse = [name for name in tables if len(p[name]) >= dense_below or settings["optimizer"] == "lazy adam"]
        others = [name for name in p if name not in sparse]
        groups = [([p[name] for name in others], False), ([p[name] for name in sparse], True)]
        optimizers = [optimizer(settings, group, rows) for group, rows in groups if group]
        everything = list(p.values())

        def step(*batch):
            for parameter in everything:
                parameter.grad = None
            rows = {
                name: functional.embedding(index, p[name], sparse=name in sparse)
                for name, index in lookup(batch).items()
            }
            value = cost(p, rows, batch)
            value.backward()
            for method in optimizers:
                method.step()
            return value.detach()

        return Task(stepping(step), batches(workload, arrays))

    return form


def optimizer(settings, group, sparse):
    """A fused update where there is one: for dense gradients only."""
    name, rate = settings["optimizer"], settings["rate"]
    if name == "sgd":
        return torch.optim.SGD(group, rate, fused=not sparse)
    if name == "adagrad":
        return torch.optim.Adagrad(group, rate, eps=1e-10, fused=not sparse)
    return torch.optim.SparseAdam(group, rate) if sparse else torch.optim.Adam(group, rate, fused=True)


def rule(settings, count=None):
    """The new value and moments of a parameter, for compiled steps."""
    rate = settings["rate"]
    if settings["optimizer"] == "sgd":
        return lambda value, gradient: (value - rate * gradient,)
    if settings["optimizer"] == "adagrad":

        def adagrad(value, gradient, squares):
            squares = squares + gradient * gradient
            return value - rate * gradient / (squares.sqrt() + 1e-10), squares

        return adagrad
    pace, scale = rate / (1 - 0.9**count), 1 / (1 - 0.999**count) ** 0.5

    def adam(value, gradient, mean, squares):
        mean = 0.9 * mean + 0.1 * gradient
        squares = 0.999 * squares + 0.001 * gradient * gradient
        return value - pace * mean / (squares.sqrt() * scale + 1e-8), mean, squares

    return adam


MOMENTS = {"sgd": 0, "adagrad": 1, "adam": 2, "lazy adam": 2}


def compiled(workload):
    """One compiled function for the whole step: gradients by torch.func, updates in place, of touched rows only."""

    def form(arrays, settings):
        torch._dynamo.reset()
        lookup, cost, *_ = MODELS[workload]
        p = parameters(workload, arrays)
        moments = {name: [torch.zeros_like(v) for _ in range(MOMENTS[settings["optimizer"]])] for name, v in p.items()}
        sums = {name: torch.zeros_like(v) for name, v in p.items() if name.endswith("_table") and moments[name]}
        count = torch.zeros(())

        def step(*batch):
            index = lookup(batch)
            rows = {name: p[name][where] for name, where in index.items()}
            dense = {name: value for name, value in p.items() if name not in rows}
            gradient, value = torch.func.grad_and_value(cost, (0, 1))(dense, rows, batch)
            update = rule(settings, count.add_(1) if settings["optimizer"].endswith("adam") else None)
            for name, found in gradient[0].items():
                for state, new in zip((p[name], *moments[name]), update(p[name], found, *moments[name]), strict=True):
                    state.copy_(new)
            for name, found in gradient[1].items():
                where, found = index[name].flatten(), found.flatten(0, -2)
                if moments[name]:
                    update_rows(update, where, found, sums[name], [p[name], *moments[name]])
                else:
                    p[name].index_add_(0, where, found, alpha=-settings["rate"])
            return value

        call = torch.compile(step, dynamic=False, fullgraph=True)
        return Task(torch.no_grad()(stepping(call)), batches(workload, arrays))

    return form


def update_rows(update, where, gradient, sums, states):
    """A table and its moments after the update of the rows that were looked up; sums: zeros, and again so after."""
    sums.index_add_(0, where, gradient)
    found = update(states[0][where], sums[where], *(state[where] for state in states[1:]))
    for state, new in zip(states, found, strict=True):
        state[where] = new
    sums[where] = 0.0


def inference(compile):
    def form(arrays, settings):
        torch._dynamo.reset()
        p = parameters("window", arrays)

        def scores(words, capitalisations):
            tables = (("word_table", words), ("capitalisation_table", capitalisations))
            return window_scores(p, {name: functional.embedding(index, p[name]) for name, index in tables})

        call = torch.compile(scores, dynamic=False, fullgraph=True) if compile else scores
        columns = [tensor.unbind() for tensor in tensors(arrays, ("words", "capitalisations"))]
        return Task(torch.inference_mode()(stepping(call)), list(zip(*columns, strict=True)))

    return form


def chain(x):
    x = torch.clamp(torch.abs(x * 1.5 + 0.5), max=4.0)
    x = torch.clamp(x * x - 1.0, min=-0.5) * 0.25 + 2.0
    return 1.0 / -torch.sqrt(x)


def elementwise(compile):
    def form(arrays, settings):
        torch._dynamo.reset()
        call = torch.compile(chain, dynamic=False, fullgraph=True) if compile else chain
        return Task(torch.inference_mode()(stepping(call)), [(row,) for row in tensors(arrays, ["x"])[0]])

    return form


def product(arrays, settings):
    a, b = tensors(arrays, ["a", "b"])
    output = torch.empty_like(a[0])
    call = torch.bmm if "count" in settings else torch.mm
    return Task(torch.inference_mode()(stepping(lambda a, b: call(a, b, out=output))), list(zip(a, b, strict=True)))


def main():
    parser = argparse.ArgumentParser(description="PyTorch's side of the benchmarks")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.sparse.check_sparse_tensor_invariants.disable()
    forms = {name: {"eager": eager(name, SMALL_TABLE), "compile": compiled(name)} for name in MODELS}
    forms["window"]["eager, all sparse"] = eager("window", 0)
    forms["window inference"] = {"eager": inference(False), "compile": inference(True)}
    forms["sequence elman"] = forms["sequence lstm"] = torch_sequence.FORMS
    forms["elementwise"] = {"eager": elementwise(False), "compile": elementwise(True)}
    forms["matmul"] = forms["matmul many"] = {"eager": product}
    serve("torch", torch.__version__, arguments.threads, forms)


if __name__ == "__main__":
    main()
