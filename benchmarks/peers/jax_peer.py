"""JAX: steps under `jit` with donated parameters, and whole runs over prepared batches in `lax.scan`."""

import argparse
import os

parser = argparse.ArgumentParser(description="JAX's side of the benchmarks")
parser.add_argument("--threads", type=int, default=1)
THREADS = parser.parse_args().threads
if THREADS == 1:  # before JAX is imported
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import jax_sequence  # noqa: E402
from serve import Task, serve  # noqa: E402

# A model is lookup(batch) -> {table: index} and cost(parameters, rows, batch), as in the rest of this file.


def line(parameters, rows, batch):
    x, y = batch
    return jnp.sum((parameters["w"] * x + parameters["b"] - y) ** 2)


def gates(parameters, rows, batch):
    x, y = batch
    for k in range(3):
        x = jax.nn.sigmoid(x @ parameters[f"weight_{k}"] + parameters[f"bias_{k}"])
    return jnp.sum((x - y) ** 2)


def cross_entropy(scores, target):
    chosen = jnp.take_along_axis(scores, target[:, None], 1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - chosen)


def mlp(parameters, rows, batch):
    x, y = batch
    for k in range(2):
        x = jax.nn.relu(x @ parameters[f"weight_{k}"] + parameters[f"bias_{k}"])
    return cross_entropy(x @ parameters["weight_2"] + parameters["bias_2"], y)


def window_lookup(batch):
    return {"word_table": batch[0], "capitalisation_table": batch[1]}


def window_scores(parameters, rows):
    words, capitalisations = rows["word_table"], rows["capitalisation_table"]
    count = words.shape[0]
    x = jnp.concatenate([words.reshape(count, -1), capitalisations.reshape(count, -1)], 1)
    hidden = jnp.clip(x @ parameters["hidden_weight"] + parameters["hidden_bias"], -1, 1)
    return hidden @ parameters["output_weight"] + parameters["output_bias"]


def window(parameters, rows, batch):
    return cross_entropy(window_scores(parameters, rows), batch[2])


def ranking_lookup(batch):
    return {"word_table": jnp.concatenate(batch)}  # both windows in one product


def ranking(parameters, rows, batch):
    x = rows["word_table"].reshape(2 * len(batch[0]), -1)
    hidden = jnp.clip(x @ parameters["hidden_weight"] + parameters["hidden_bias"], -1, 1)
    true, corrupt = jnp.split(hidden @ parameters["output_weight"] + parameters["output_bias"], 2)
    return jnp.mean(jax.nn.relu(1 - true + corrupt))


def joint_lookup(batch):
    return {"source_table": batch[0], "target_table": batch[1]}


def joint(parameters, rows, batch):
    count = len(batch[0])
    x = jnp.concatenate([rows["source_table"].reshape(count, -1), rows["target_table"].reshape(count, -1)], 1)
    for k in range(2):
        x = jnp.tanh(x @ parameters[f"weight_{k}"] + parameters[f"bias_{k}"])
    return cross_entropy(x @ parameters["weight_2"] + parameters["bias_2"], batch[2])


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

# Updates. Moments: {name: [...]}. SGD adds rows to a table as they are; all other methods need the sum of the rows of
# equal indices first. What is fastest for that was tried: few rows through a matrix of which are equal, more of them
# sorted, and a small table as a dense one of which only the rows that were looked up change. (A scratch table to add
# them up in would have been the obvious way, but XLA copies it as a whole.)

FEW_ROWS, SMALL_TABLE = 32, 1000


def rule(settings, count=None):
    """The new value and moments of a parameter."""
    rate = settings["rate"]
    if settings["optimizer"] == "sgd":
        return lambda value, gradient: (value - rate * gradient,)
    if settings["optimizer"] == "adagrad":

        def adagrad(value, gradient, squares):
            squares = squares + gradient * gradient
            return value - rate * gradient / (jnp.sqrt(squares) + 1e-10), squares

        return adagrad
    pace, scale = rate / (1 - 0.9**count), 1 / jnp.sqrt(1 - 0.999**count)

    def adam(value, gradient, mean, squares):
        mean = 0.9 * mean + 0.1 * gradient
        squares = 0.999 * squares + 0.001 * gradient * gradient
        return value - pace * mean / (jnp.sqrt(squares) * scale + 1e-8), mean, squares

    return adam


MOMENTS = {"sgd": 0, "adagrad": 1, "adam": 2, "lazy adam": 2}


def initial(workload, arrays, settings):
    """The state of a training: parameters, moments, count of steps."""
    parameters = {name: jnp.array(arrays[name]) for name in MODELS[workload][2]}
    count = MOMENTS[settings["optimizer"]]
    moments = {name: [jnp.zeros_like(value) for _ in range(count)] for name, value in parameters.items()}
    steps = [jnp.zeros((), jnp.float32)] if settings["optimizer"].endswith("adam") else []
    return parameters, moments, steps


def update_rows(update, index, gradient, states):
    """A table and its moments after the update of the rows that were looked up."""
    index, gradient = index.reshape(-1), gradient.reshape(-1, gradient.shape[-1])
    size, count = len(states[0]), len(index)
    if size < SMALL_TABLE:
        total = jnp.zeros_like(states[0]).at[index].add(gradient)
        touched = jnp.zeros((size, 1), bool).at[index].set(True)
        found = update(states[0], total, *states[1:])
        return [jnp.where(touched, new, old) for new, old in zip(found, states, strict=True)]
    if count < FEW_ROWS:
        total = (index[:, None] == index[None, :]).astype(gradient.dtype) @ gradient
        where = index
    else:
        order = jnp.argsort(index)
        ascending = index[order]
        starts = jnp.concatenate([jnp.ones(1, bool), ascending[1:] != ascending[:-1]])
        group = jnp.cumsum(starts) - 1
        total = jax.ops.segment_sum(gradient[order], group, num_segments=count, indices_are_sorted=True)
        where = jnp.full(count, size, index.dtype).at[group].set(ascending)  # beyond the table where there is no group
    value, *moments = (state.at[where].get(mode="fill", fill_value=0.0) for state in states)
    found = update(value, total, *moments)
    return [state.at[where].set(new, mode="drop") for state, new in zip(states, found, strict=True)]


def make_step(workload, settings):
    lookup, cost, *_ = MODELS[workload]

    def step(state, *batch):
        parameters, moments, steps = state
        index = lookup(batch)
        rows = {name: parameters[name][where] for name, where in index.items()}
        dense = {name: value for name, value in parameters.items() if name not in rows}
        value, (gradients, of_rows) = jax.value_and_grad(cost, (0, 1))(dense, rows, batch)
        steps = [count + 1 for count in steps]
        update = rule(settings, *steps)
        new, moved = {}, {}
        for name, gradient in gradients.items():
            new[name], *moved[name] = update(parameters[name], gradient, *moments[name])
        for name, gradient in of_rows.items():
            if moments[name]:
                states = [parameters[name], *moments[name]]
                new[name], *moved[name] = update_rows(update, index[name], gradient, states)
            else:
                new[name], moved[name] = parameters[name].at[index[name]].add(-settings["rate"] * gradient), []
        return (new, moved, steps), value

    return step


def training(workload, over_all=False):
    def form(arrays, settings):
        step = make_step(workload, settings)
        leaves, tree = jax.tree.flatten(initial(workload, arrays, settings))

        def flat(leaves, *batch):  # a call costs less with a plain tuple of arrays
            state, cost = step(jax.tree.unflatten(tree, leaves), *batch)
            return tuple(jax.tree.leaves(state)), cost

        def whole(leaves, *batches):
            return jax.lax.scan(lambda leaves, batch: flat(leaves, *batch), leaves, batches)

        call = jax.jit(whole if over_all else flat, donate_argnums=0)
        leaves = tuple(leaves)

        def run(batches):
            nonlocal leaves
            now = leaves
            for batch in batches:
                now, cost = call(now, *batch)
            leaves = now
            return jax.block_until_ready(cost)

        columns = [list(jnp.array(arrays[name])) for name in MODELS[workload][3]]
        return Task(run, list(zip(*columns, strict=True)))

    return form


def inference(arrays, settings):
    """With the parameters compiled in: faster than with parameters as arguments."""
    parameters, *_ = initial("window", arrays, {"optimizer": "sgd"})

    def scores(words, capitalisations):
        index = window_lookup((words, capitalisations))
        return window_scores(parameters, {name: parameters[name][where] for name, where in index.items()})

    return function(scores, "words", "capitalisations")(arrays, settings)


def function(call, *names):
    """A function of the batch alone."""

    def form(arrays, settings):
        compiled = jax.jit(call)

        def run(batches):
            for batch in batches:
                found = compiled(*batch)
            return jax.block_until_ready(found)

        return Task(run, list(zip(*(list(jnp.array(arrays[name])) for name in names), strict=True)))

    return form


def chain(x):
    x = jnp.minimum(jnp.abs(x * 1.5 + 0.5), 4.0)
    x = jnp.maximum(x * x - 1.0, -0.5) * 0.25 + 2.0
    return 1.0 / -jnp.sqrt(x)


FORMS = {name: {"jit": training(name)} for name in MODELS}
FORMS["window inference"] = {"jit": inference}
FORMS["window prepared"] = {"scan": training("window", over_all=True)}
FORMS["sequence elman"] = FORMS["sequence lstm"] = jax_sequence.FORMS
FORMS["elementwise"] = {"jit": function(chain, "x")}
FORMS["matmul"] = {"jit": function(jnp.matmul, "a", "b")}
FORMS["matmul many"] = {
    "jit": function(jnp.matmul, "a", "b"),
    "map": function(lambda a, b: jax.lax.map(lambda pair: pair[0] @ pair[1], (a, b)), "a", "b"),
}

if __name__ == "__main__":
    serve("jax", jax.__version__, THREADS, FORMS)
