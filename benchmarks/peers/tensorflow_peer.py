"""TensorFlow: whole steps under `tf.function`, and compiled by XLA where its operations can be."""

import argparse
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from sentences import padded
from serve import NotOfferedError, Task, serve


def cross_entropy(scores, target):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=scores))


def line(p, rows, batch):
    return tf.reduce_sum((p["w"] * batch[0] + p["b"] - batch[1]) ** 2)


def gates(p, rows, batch):
    x = batch[0]
    for k in range(3):
        x = tf.sigmoid(x @ p[f"weight_{k}"] + p[f"bias_{k}"])
    return tf.reduce_sum((x - batch[1]) ** 2)


def mlp(p, rows, batch):
    x = batch[0]
    for k in range(2):
        x = tf.nn.relu(x @ p[f"weight_{k}"] + p[f"bias_{k}"])
    return cross_entropy(x @ p["weight_2"] + p["bias_2"], batch[1])


def flat(rows):
    return tf.reshape(rows, (rows.shape[0], -1))


def window_lookup(batch):
    return {"word_table": batch[0], "capitalisation_table": batch[1]}


def window_scores(p, rows):
    x = tf.concat([flat(rows["word_table"]), flat(rows["capitalisation_table"])], 1)
    hidden = tf.clip_by_value(x @ p["hidden_weight"] + p["hidden_bias"], -1.0, 1.0)
    return hidden @ p["output_weight"] + p["output_bias"]


def window(p, rows, batch):
    return cross_entropy(window_scores(p, rows), batch[2])


def ranking_lookup(batch):
    return {"word_table": tf.concat(batch, 0)}


def ranking(p, rows, batch):
    hidden = tf.clip_by_value(flat(rows["word_table"]) @ p["hidden_weight"] + p["hidden_bias"], -1.0, 1.0)
    true, corrupt = tf.split(hidden @ p["output_weight"] + p["output_bias"], 2)
    return tf.reduce_mean(tf.nn.relu(1 - true + corrupt))


def joint_lookup(batch):
    return {"source_table": batch[0], "target_table": batch[1]}


def joint(p, rows, batch):
    x = tf.concat([flat(rows["source_table"]), flat(rows["target_table"])], 1)
    for k in range(2):
        x = tf.tanh(x @ p[f"weight_{k}"] + p[f"bias_{k}"])
    return cross_entropy(x @ p["weight_2"] + p["bias_2"], batch[2])


def sequence_lookup(batch):
    return {"word_table": batch[0]}


def sequence(p, rows, batch):
    """Padded to the longest sentence of all, the loop over time in the graph."""
    _, tags, weights = batch
    z = rows["word_table"] @ p["input_weight"] + p["hidden_bias"]
    size, gates = p["hidden_weight"].shape

    def step(state, row):
        now = row + state[0] @ p["hidden_weight"]
        if gates == size:
            return (tf.tanh(now),)
        i, f, g, o = tf.split(now, 4, -1)
        cell = tf.sigmoid(f) * state[1] + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(cell), cell

    zeros = tf.zeros((z.shape[1], size))
    hidden = tf.scan(step, z, (zeros,) * (1 if gates == size else 2), parallel_iterations=1)[0]
    scores = hidden @ p["output_weight"] + p["output_bias"]
    return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tags, logits=scores) * weights)


def nothing(batch):
    return {}


LAYERS = tuple(f"{part}_{k}" for k in range(3) for part in ("weight", "bias"))
HEAD = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")
MODELS = {
    "line": (nothing, line, ("w", "b"), ("x", "y")),
    "gates": (nothing, gates, LAYERS, ("x", "y")),
    "mlp": (nothing, mlp, LAYERS, ("x", "y")),
    "window": (
        window_lookup,
        window,
        ("word_table", "capitalisation_table", *HEAD),
        ("words", "capitalisations", "tags"),
    ),
    "ranking": (ranking_lookup, ranking, ("word_table", *HEAD), ("true", "corrupt")),
    "joint": (joint_lookup, joint, ("source_table", "target_table", *LAYERS), ("source", "target", "next")),
    "sequence elman": (sequence_lookup, sequence, ("word_table", "input_weight", *HEAD), ()),
    "sequence lstm": (sequence_lookup, sequence, ("word_table", "input_weight", *HEAD), ()),
}
MOMENTS = {"sgd": 0, "adagrad": 1, "adam": 2, "lazy adam": 2}


def update(settings, count, value, gradient, moments):
    """Change a parameter and its moments; an IndexedSlices gradient has each row once."""
    rate, sparse = settings["rate"], isinstance(gradient, tf.IndexedSlices)
    if settings["optimizer"] == "sgd":
        if sparse:
            value.scatter_sub(tf.IndexedSlices(gradient.values * rate, gradient.indices))
        else:
            value.assign_sub(rate * gradient)
    elif settings["optimizer"] == "adagrad":
        handles = {"var": value.handle, "accum": moments[0].handle, "lr": rate, "epsilon": 1e-10}
        if sparse:
            tf.raw_ops.ResourceSparseApplyAdagradV2(**handles, grad=gradient.values, indices=gradient.indices)
        else:
            tf.raw_ops.ResourceApplyAdagradV2(**handles, grad=gradient)
    elif sparse:
        rows = gradient.indices
        mean = 0.9 * tf.gather(moments[0], rows) + 0.1 * gradient.values
        squares = 0.999 * tf.gather(moments[1], rows) + 0.001 * gradient.values**2
        moments[0].scatter_update(tf.IndexedSlices(mean, rows))
        moments[1].scatter_update(tf.IndexedSlices(squares, rows))
        pace, scale = rate / (1 - 0.9**count), 1 / tf.sqrt(1 - 0.999**count)
        value.scatter_sub(tf.IndexedSlices(pace * mean / (tf.sqrt(squares) * scale + 1e-8), rows))
    else:
        tf.raw_ops.ResourceApplyAdam(
            var=value.handle,
            m=moments[0].handle,
            v=moments[1].handle,
            beta1_power=0.9**count,
            beta2_power=0.999**count,
            lr=rate,
            beta1=0.9,
            beta2=0.999,
            epsilon=1e-8 * tf.sqrt(1 - 0.999**count),  # TensorFlow adds it before the correction
            grad=gradient,
        )


def once(index, gradient):
    """The gradient of a table with the rows of equal indices added up."""
    rows, place = tf.unique(tf.reshape(index, (-1,)))
    values = tf.reshape(gradient, (-1, gradient.shape[-1]))
    return tf.IndexedSlices(tf.math.unsorted_segment_sum(values, place, tf.shape(rows)[0]), rows)


def training(workload, xla=False):
    def form(arrays, settings):
        lookup, cost, names, columns = MODELS[workload]
        if xla and settings["optimizer"] not in ("sgd", "adam"):
            raise NotOfferedError  # XLA has no rows of which the number depends on the data
        p = {name: tf.Variable(arrays[name]) for name in names}
        count = tf.Variable(0.0)
        moments = {
            n: [tf.Variable(tf.zeros_like(v)) for _ in range(MOMENTS[settings["optimizer"]])] for n, v in p.items()
        }

        @tf.function(jit_compile=xla or None, autograph=False)
        def step(*batch):
            index = lookup(batch)
            rows = {name: tf.gather(p[name], where) for name, where in index.items()}
            dense = {name: value for name, value in p.items() if name not in rows}
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(dense)
                tape.watch(rows)
                value = cost(p, rows, batch)
            gradients, of_rows = tape.gradient(value, (dense, rows))
            if settings["optimizer"].endswith("adam"):
                count.assign_add(1.0)
            for name, gradient in gradients.items():
                update(settings, count, p[name], gradient, moments[name])
            for name, gradient in of_rows.items():
                slices = once(index[name], gradient) if moments[name] else tf.IndexedSlices(gradient, index[name])
                update(settings, count, p[name], slices, moments[name])
            return value

        if columns:
            batches = list(zip(*([tf.constant(a) for a in arrays[name]] for name in columns), strict=True))
        else:
            batches = [tuple(map(tf.constant, batch)) for batch in padded(arrays)]
        return Task(finished(step.get_concrete_function(*batches[0])), batches, lambda value: value.numpy())

    return form


def finished(call):
    def run(batches):
        for batch in batches:
            found = call(*batch)
        np.asarray(found)
        return found

    return run


def inference(arrays, settings):
    p = {name: tf.constant(arrays[name]) for name in MODELS["window"][2]}

    @tf.function(autograph=False)
    def scores(words, capitalisations):
        index = {"word_table": words, "capitalisation_table": capitalisations}
        return window_scores(p, {name: tf.gather(p[name], where) for name, where in index.items()})

    batches = list(zip(*([tf.constant(a) for a in arrays[n]] for n in ("words", "capitalisations")), strict=True))
    return Task(finished(scores.get_concrete_function(*batches[0])), batches)


def main():
    parser = argparse.ArgumentParser(description="TensorFlow's side of the benchmarks")
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    forms = {name: {"function": training(name), "XLA": training(name, xla=True)} for name in MODELS}
    forms["window inference"] = {"function": inference}
    serve("tensorflow", tf.__version__, threads, forms)


if __name__ == "__main__":
    main()
