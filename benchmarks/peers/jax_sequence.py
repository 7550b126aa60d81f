"""The sentence taggers in JAX: `lax.scan` over time, the input's product outside of it, all batches of one shape.

The gradient of the hidden weight is one product too, behind the scan back in time, and not a sum of products in it:
that was 5 to 10% faster. Doing several steps of time in one turn of the loop was slower.

Sentences are padded to the longest of all, or several of them share a row: then there are fewer rows.
"""

import jax
import jax.numpy as jnp
from sentences import joined, padded
from serve import Task

NAMES = ("word_table", "input_weight", "hidden_weight", "hidden_bias", "output_weight", "output_bias")


def elman(weight, state, z):
    hidden = jnp.tanh(z + state[0] @ weight)
    return (hidden,)


def lstm(weight, state, z):
    hidden, cell = state
    i, f, g, o = jnp.split(z + hidden @ weight, 4, -1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


LAYERS = {"elman": (elman, 1), "lstm": (lstm, 2)}


def sequence(together):
    """together: sentences share rows."""

    def form(arrays, settings):
        layer, count = LAYERS[settings["layer"]]
        rate = settings["rate"]

        def hidden_states(z, weight, starts):
            """z: (time, rows, gates) without the part of the state before -> outputs (time, rows, size)."""
            zeros = jnp.zeros((z.shape[1], weight.shape[0]))

            def body(state, inputs):
                if starts:
                    inputs, goes_on = inputs
                    state = tuple(s * goes_on[:, None] for s in state)
                state = layer(weight, state, inputs)
                return state, state[0]

            return jax.lax.scan(body, (zeros,) * count, (z, *starts) if starts else z)[1]

        def cost(p, weight, rows, later, tags, weights, *starts):
            hidden = hidden_states(rows @ p["input_weight"] + p["hidden_bias"] + later, weight, starts)
            scores = hidden @ p["output_weight"] + p["output_bias"]
            chosen = jnp.take_along_axis(scores, tags[..., None], -1)[..., 0]
            return jnp.sum((jax.nn.logsumexp(scores, axis=-1) - chosen) * weights), hidden

        def step(values, words, *batch):
            p = dict(zip(NAMES, values, strict=True))
            table, weight = p.pop("word_table"), p["hidden_weight"]
            later = jnp.zeros((*words.shape, weight.shape[1]))
            (value, hidden), (gradients, of_rows, of_z) = jax.value_and_grad(cost, (0, 2, 3), has_aux=True)(
                p, weight, table[words], later, *batch
            )
            before = jnp.concatenate([jnp.zeros_like(hidden[:1]), hidden[:-1]])
            if together:
                before = before * batch[2][..., None]
            gradients["hidden_weight"] = jnp.einsum("tri,trj->ij", before, of_z)
            new = {name: p[name] - rate * gradients[name] for name in p}
            new["word_table"] = table.at[words].add(-rate * of_rows)
            return tuple(new[name] for name in NAMES), value

        call = jax.jit(step, donate_argnums=0)
        values = tuple(jnp.array(arrays[name]) for name in NAMES)

        def run(batches):
            nonlocal values
            now = values
            for batch in batches:
                now, value = call(now, *batch)
            values = now
            return jax.block_until_ready(value)

        batches = joined(arrays) if together else padded(arrays)
        return Task(run, [tuple(map(jnp.array, batch)) for batch in batches])

    return form


FORMS = {"scan, padded": sequence(together=False), "scan, joined": sequence(together=True)}
