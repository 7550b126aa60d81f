"""The networks: what they compute, that groups do not matter, and that sizes are run-time ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import amigrad as ag
from amigrad.data import PropositionSentence
from amigrad.tasks.roles import RoleOptions
from amigrad.tasks.roles.examples import RoleExamples, Sentences
from amigrad.tasks.roles.labeller import create_network
from amigrad.tasks.roles.model import ConvolutionNetwork, RoleNetwork
from amigrad.tasks.roles.tags import tags_of
from amigrad.tasks.tagging.features import Features

OPTIONS = RoleOptions(
    word_size=6, affix_size=3, suffixes=(2,), prefixes=(), distance_size=4, hidden_size=5, output_size=7, distances=3,
    dropout=0.0, tag_cost=0.5, batch_size=3,
)  # fmt: skip


def parts(world: list[PropositionSentence], options: RoleOptions) -> tuple[RoleNetwork, RoleExamples]:
    told = [s for s in world if s.propositions][:40]
    tags = sorted({t for s in told for p in s.propositions for t in tags_of(p, len(s))})
    pos = sorted({t for s in told for t in s.tags})
    features = Features.build(options.words(), {word: 2 for s in told for word in s.words})
    index = {t: i for i, t in enumerate(tags)}, {t: i for i, t in enumerate(pos)}
    examples = RoleExamples(features, told, *index, options)
    return create_network(options, features, len(tags), len(pos)), examples


@pytest.fixture(params=["lstm", "convolution"])
def options(request: pytest.FixtureRequest) -> RoleOptions:
    return replace(OPTIONS, network=request.param)


def test_the_convolution_is_that_of_the_paper(world: list[PropositionSentence]) -> None:
    """Equations of section 3.3.1, computed for each verb and word from the whole window of features and distances."""
    network, examples = parts(world, replace(OPTIONS, network="convolution"))
    assert isinstance(network, ConvolutionNetwork)
    columns, sentence, predicate, tags, _ = examples.batch(np.array([len(examples) // 2]))
    found = network(columns, sentence, predicate).numpy().reshape(*tags.shape, -1)
    tables = [table.table.numpy() for table in network.tables.values()]
    words = np.concatenate([table[column] for table, column in zip(tables, columns, strict=True)], axis=2)
    weight = network.convolution.weight.numpy(), network.verb_part.weight.numpy(), network.word_part.weight.numpy()
    count, length = tags.shape
    for n in range(count):
        for word in range(length):
            convolved = []
            for t in range(length):
                places = [t - 1, t, t + 1]
                row = network.convolution.bias.numpy().copy()
                row += words[sentence[n], t : t + 3].ravel() @ weight[0]
                for table, part, origin in (
                    (network.verb_distance, weight[1], predicate[n]),
                    (network.word_distance, weight[2], word),
                ):
                    rows = [table.table.numpy()[np.clip(place - origin, -3, 3) + 3] for place in places]
                    row += np.concatenate(rows) @ part
                convolved.append(row)
            hidden = np.max(convolved, axis=0) @ network.hidden.weight.numpy() + network.hidden.bias.numpy()
            scores = np.clip(hidden, -1, 1) @ network.output.weight.numpy() + network.output.bias.numpy()
            # The sums are the same, in another order.
            np.testing.assert_allclose(found[n, word], scores, rtol=1e-4, atol=1e-5)


def test_sentences_do_not_see_one_another(world: list[PropositionSentence], options: RoleOptions) -> None:
    network, examples = parts(world, options)
    columns, sentence, predicate, tags, _ = examples.batch(np.array([len(examples) // 2]))
    assert len(columns[0]) > 1
    together = network(columns, sentence, predicate).numpy().reshape(*tags.shape, -1)
    for n, (row, place) in enumerate(zip(sentence, predicate, strict=True)):
        alone = network([c[row : row + 1] for c in columns], np.zeros(1, np.int32), np.array([place], np.int32))
        np.testing.assert_allclose(alone.numpy(), together[n], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cost", ["word", "sentence"])
def test_one_compilation_serves_all_sizes_and_computes_the_same(
    world: list[PropositionSentence], options: RoleOptions, cost: str
) -> None:
    network, examples = parts(world, replace(options, cost=cost))
    compiled = ag.compile(network.cost)
    for group in (0, len(examples) // 2, len(examples) - 1):
        batch = examples.batch(np.array([group]))
        assert compiled(*batch).item() == pytest.approx(network.cost(*batch).item(), rel=1e-4)
    assert compiled.compilations == 1


def test_parts_of_speech_have_their_share_of_the_cost(world: list[PropositionSentence], options: RoleOptions) -> None:
    network, examples = parts(world, options)
    batch = examples.batch(np.array([0]))
    both = network.cost(*batch).item()
    network.tag_cost = 0.0
    roles = network.cost(*batch).item()
    tags = ag.cross_entropy(network.tag_scores(network.encode(batch[0])), batch[4]).item()
    assert both == pytest.approx(roles + 0.5 * tags, rel=1e-5)


def test_groups_are_of_one_length_and_drawn_anew(world: list[PropositionSentence]) -> None:
    _, examples = parts(world, OPTIONS)
    _, again = parts(world, OPTIONS)
    epochs = []
    for _ in range(2):
        epoch = [examples.batch(np.array([i])) for i in range(len(examples))]
        for batch in epoch:
            assert batch[3].shape == (len(batch[1]), batch[0][0].shape[1])
            assert len(batch[0][0]) <= OPTIONS.batch_size
        epochs.append(epoch)
    assert sum(batch[3].size for batch in epochs[0]) == sum(batch[3].size for batch in epochs[1])
    assert any(not np.array_equal(a[3], b[3]) for a, b in zip(*epochs, strict=True))
    # A run that goes on in the second epoch has its groups.
    again.batches.value[...] = len(again) + 2
    for mine, theirs in zip(again.batch(np.array([2]))[1:], epochs[1][2][1:], strict=True):
        assert np.array_equal(mine, theirs)


def test_predicates_are_taken_a_few_at_a_time() -> None:
    """Of a long sentence with many predicates too, whose scores would not be in memory together."""
    sentences = Sentences(np.arange(10, dtype=np.int32), [4, 2, 4], [[3, 0, 1], [], [2]], 1)
    groups = list(sentences.groups(8))
    assert [group.predicate.tolist() for group in groups] == [[3, 0], [1, 2]]
    assert [group.which.tolist() for group in groups] == [[0, 1], [2, 0]]
    assert [group.rows[group.sentence].tolist() for group in groups] == [[0, 0], [0, 2]]
    assert groups[1].types.tolist() == [[0, 0, 1, 2, 3, 0], [0, 6, 7, 8, 9, 0]]
    assert [group.predicate.tolist() for group in sentences.groups(1)] == [[3], [0], [1], [2]]
    assert list(Sentences(np.arange(2, dtype=np.int32), [2], [[]], 0).groups(8)) == []


def test_groups_have_so_many_words_and_pairs_at_most() -> None:
    lengths, predicates = [3, 9, 9, 40, 9], [[0, 2], [1, 4, 8], [0], [5, 6, 7], []]
    sentences = Sentences(np.arange(1, 71, dtype=np.int32), lengths, predicates, 0)
    for size, pairs in ((20, None), (1000, 200), (18, 1 << 20)):
        groups = list(sentences.groups(size, pairs=pairs))
        for group in groups:
            count, length = len(group.predicate), group.types.shape[1]
            assert count == 1 or count * length <= size
            assert pairs is None or count == 1 or count * length**2 <= pairs
        found = sorted((int(g.rows[s]), int(w)) for g in groups for s, w in zip(g.sentence, g.which, strict=True))
        assert found == [(row, which) for row, places in enumerate(predicates) for which in range(len(places))]
