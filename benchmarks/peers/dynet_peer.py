"""DyNet: a graph for each batch, operations on whole batches, and updates of the rows of tables that were looked up."""

import argparse

import dynet_config

dynet_config.set(mem=1024, random_seed=1)

import dynet as dy  # noqa: E402
import numpy as np  # noqa: E402
from sentences import cut  # noqa: E402
from serve import NotOfferedError, Task, serve, stepping  # noqa: E402

TRAINERS = {"sgd": dy.SimpleSGDTrainer, "adagrad": dy.AdagradTrainer}
SIZE = "size of the batch"


def hardtanh(x):
    return dy.rectify(x + 1) - dy.rectify(x - 1) - 1


def cross_entropy(scores, target):
    return dy.sum_batches(dy.pickneglogsoftmax_batch(scores, target)) / len(target)


def looked_up(table, columns):
    """The rows of each column of a batch of windows, one below the other."""
    return [dy.lookup_batch(table, column) for column in columns]


def line(p, x, y):
    """As one example, a vector of the points."""
    ones, x = dy.inputVector(np.ones_like(x)), dy.inputVector(x)
    return dy.squared_distance(x * p["w"] + ones * p["b"], dy.inputVector(y))


def gates(p, x, y):
    x = dy.inputTensor(x.T, batched=True)
    for k in range(3):
        x = dy.logistic(dy.affine_transform([p[f"bias_{k}"], p[f"weight_{k}"], x]))
    return dy.sum_batches(dy.squared_distance(x, dy.inputTensor(y.T, batched=True)))


def window_scores(p, words, capitalisations):
    rows = looked_up(p["word_table"], words) + looked_up(p["capitalisation_table"], capitalisations)
    hidden = hardtanh(dy.affine_transform([p["hidden_bias"], p["hidden_weight"], dy.concatenate(rows)]))
    return dy.affine_transform([p["output_bias"], p["output_weight"], hidden])


def window(p, words, capitalisations, tags):
    return cross_entropy(window_scores(p, words, capitalisations), tags)


def ranking(p, true, corrupt):
    def score(windows):
        x = dy.concatenate(looked_up(p["word_table"], windows))
        hidden = hardtanh(dy.affine_transform([p["hidden_bias"], p["hidden_weight"], x]))
        return dy.affine_transform([p["output_bias"], p["output_weight"], hidden])

    return dy.sum_batches(dy.pairwise_rank_loss(score(true), score(corrupt), 1.0)) / len(true[0])


def joint(p, source, target, following):
    x = dy.concatenate(looked_up(p["source_table"], source) + looked_up(p["target_table"], target))
    for k in range(2):
        x = dy.tanh(dy.affine_transform([p[f"bias_{k}"], p[f"weight_{k}"], x]))
    return cross_entropy(dy.affine_transform([p["bias_2"], p["weight_2"], x]), following)


def elman(p, words, tags):
    return over_time(p, words, tags, 1, lambda x, state: (dy.tanh(affine(p, x, state[0])),))


def lstm(p, words, tags):
    def step(x, state):
        hidden, cell = state
        gates = dy.vanilla_lstm_gates(x, hidden, p["input_weight"], p["hidden_weight"], p["hidden_bias"])
        cell = dy.vanilla_lstm_c(cell, gates)
        return dy.vanilla_lstm_h(cell, gates), cell

    return over_time(p, words, tags, 2, step)


def affine(p, x, hidden):
    return dy.affine_transform([p["hidden_bias"], p["input_weight"], x, p["hidden_weight"], hidden])


def over_time(p, words, tags, states, step):
    """words, tags: a list for each time, of the sentences that are as long, the longest first."""
    size, costs, rows = p["output_weight"].dim()[0][1], [], len(words[0])
    state = tuple(dy.zeros((size,), batch_size=rows) for _ in range(states))
    for now, right in zip(words, tags, strict=True):
        if len(now) < rows:
            rows = len(now)
            state = tuple(dy.pick_batch_elems(part, list(range(rows))) for part in state)
        state = step(dy.lookup_batch(p["word_table"], now), state)
        scores = dy.affine_transform([p["output_bias"], p["output_weight"], state[0]])
        costs.append(dy.sum_batches(dy.pickneglogsoftmax_batch(scores, right)))
    return dy.esum(costs) / sum(map(len, words))


def by_time(arrays):
    """For each batch the words and the tags of each time."""
    found = []
    for sentences in cut(arrays):
        ordered = sorted(sentences, key=lambda sentence: -len(sentence[0]))
        parts = ([s[part].tolist() for s in ordered] for part in (0, 1))
        found.append(tuple([[s[t] for s in part if len(s) > t] for t in range(len(part[0]))] for part in parts))
    return found


def as_lists(*names):
    """Indices as DyNet takes them: a list for each word of the window."""

    def batches(arrays):
        columns = [[batch.T.tolist() for batch in arrays[name]] for name in names]
        return list(zip(*columns, strict=True))

    return batches


def as_arrays(*names):
    return lambda arrays: list(zip(*(list(arrays[name]) for name in names), strict=True))


MODELS = {
    "line": (line, as_arrays("x", "y")),
    "gates": (gates, as_arrays("x", "y")),
    "window": (window, as_lists("words", "capitalisations", "tags")),
    "ranking": (ranking, as_lists("true", "corrupt")),
    "joint": (joint, as_lists("source", "target", "next")),
    "sequence elman": (elman, by_time),
    "sequence lstm": (lstm, by_time),
}


def parameters(model, arrays):
    found = {}
    for name, value in arrays.items():
        if name.endswith("_table"):
            found[name] = model.lookup_parameters_from_numpy(value)
        elif name.startswith(("weight", "bias")) or name.endswith(("_weight", "_bias")) or name in ("w", "b"):
            transposed = np.ascontiguousarray(value.T if value.ndim == 2 else np.atleast_1d(value))
            found[name] = model.parameters_from_numpy(transposed)
    return found


def lstm_order(arrays):
    """Gates in the order input, forget, output, new; DyNet adds 1 to what the forget gate takes."""
    changed = dict(arrays)
    for name in ("input_weight", "hidden_weight", "hidden_bias"):
        i, f, g, o = np.split(arrays[name], 4, -1)
        changed[name] = np.concatenate([i, f - 1 if name == "hidden_bias" else f, o, g], -1)
    return changed


def training(workload):
    def form(arrays, settings):
        if settings["optimizer"] not in TRAINERS:
            raise NotOfferedError  # its Adam adds epsilon elsewhere
        model = dy.ParameterCollection()
        p = parameters(model, lstm_order(arrays) if workload == "sequence lstm" else arrays)
        trainer = TRAINERS[settings["optimizer"]](model, settings["rate"])
        trainer.set_clip_threshold(-1)
        cost, batches = MODELS[workload]

        def step(*batch):
            dy.renew_cg()
            value = cost(p, *batch)
            result = value.value()
            value.backward()
            trainer.update()
            return result

        return Task(stepping(step), batches(arrays), lambda result, model=model: result)

    return form


def inference(arrays, settings):
    model = dy.ParameterCollection()
    p = parameters(model, arrays)

    def scores(*batch):
        dy.renew_cg()
        return window_scores(p, *batch).npvalue()

    return Task(stepping(scores), as_lists("words", "capitalisations")(arrays), lambda r, model=model: r)


def main():
    parser = argparse.ArgumentParser(description="DyNet's side of the benchmarks")
    parser.add_argument("--threads", type=int, default=1)  # it has no threads of its own
    threads = parser.parse_args().threads
    forms = {name: {"dynamic": training(name)} for name in MODELS}
    forms["window inference"] = {"dynamic": inference}
    serve("dynet", dy.__version__, threads, forms)


if __name__ == "__main__":
    main()
