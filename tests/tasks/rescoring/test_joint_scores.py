"""Scores of hypotheses: as the network itself gives them, one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.data.bitext import Bitext
from amigrad.tasks.folder import ModelError
from amigrad.tasks.rescoring import joint_features, parts
from amigrad.tasks.rescoring.added import AddedFeatures, write_features
from amigrad.tasks.rescoring.examples import contexts_of, pairs_of
from amigrad.tasks.rescoring.joint import JointModel, create_network
from amigrad.tasks.rescoring.joint_features import JointFeatures, load_models
from amigrad.tasks.rescoring.lexicon import Lexicon
from amigrad.tasks.rescoring.nbest import NBestList, read_nbest
from amigrad.tasks.rescoring.options import VARIATIONS, JointOptions
from amigrad.tasks.rescoring.score import Candidates, Scorer
from amigrad.tasks.rescoring.words import Words

OPTIONS = JointOptions(word_size=8, first_size=16, second_size=16, window=5, history=2)


@pytest.fixture(scope="module")
def models(bitext: Bitext) -> dict[str, JointModel]:
    """A model of each variation, and two of which one side sees nothing; all of random parameters."""
    options = {
        name: replace(OPTIONS, direction=direction, order=order) for name, (direction, order) in VARIATIONS.items()
    }
    options["lm"] = replace(OPTIONS, window=0)
    options["window"] = replace(OPTIONS, history=0)
    source, target = (
        Words.build(side, minimum_count=2, maximum_size=100, classes=True) for side in (bitext.source, bitext.target)
    )
    lexicon = Lexicon.build(pairs_of(bitext, source, target), len(source))
    rng = np.random.default_rng(1)
    found = {}
    for name, one in options.items():
        network = create_network(one, source, target)
        for parameter in network.parameters():
            parameter.value[...] += rng.normal(0, 0.3, parameter.value.shape)
        found[name] = JointModel(one, source, target, lexicon, network, {"perplexity": 30.0, "log_z": 1.0})
    return found


@pytest.fixture(scope="module")
def candidates(dev_bitext: Bitext) -> Candidates:
    """Each sentence with its translation, with one that lost a word, and with an empty one."""
    hypotheses, mates, links = [], [], []
    for number in range(20):
        words = dev_bitext.target[number]
        for cut in (len(words), len(words) - 1, 0):
            assert dev_bitext.links is not None
            links += [(len(hypotheses), i, j) for i, j in dev_bitext.links[number].tolist() if j < cut]
            hypotheses.append(words[:cut])
            mates.append(number)
    return Candidates(dev_bitext.source[:20], hypotheses, np.array(mates), np.array(links))


def plain(model: JointModel, candidates: Candidates, *, exact: bool) -> np.ndarray:
    """The logarithms of the probabilities of all predictions, by the network as it is trained."""
    assert candidates.links is not None
    flat = Bitext([candidates.sources[mate] for mate in candidates.mates], list(candidates.hypotheses), [])
    for number in range(len(flat)):
        flat.links.append(candidates.links[candidates.links[:, 0] == number, 1:])  # type: ignore[union-attr]
    contexts = contexts_of(pairs_of(flat, model.source, model.target), model.options)
    found, normalisers = model.network.measure(contexts.windows(), contexts.histories(), contexts.targets())
    return found.value if exact else found.value + normalisers.value


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", [*VARIATIONS, "lm", "window"])
def test_scores_are_those_of_the_network(
    models: dict[str, JointModel], candidates: Candidates, name: str, exact: bool
) -> None:
    scorer = Scorer(models[name], exact=exact)
    found, lengths = scorer.predictions(candidates)
    expected = plain(models[name], candidates, exact=exact)
    # Sums in another order: rounding only. The product promises 1e-4.
    np.testing.assert_allclose(found, expected, atol=1e-5)
    ends = np.cumsum(lengths)
    sums = [expected[end - length : end].sum() for end, length in zip(ends, lengths, strict=True)]
    np.testing.assert_allclose(scorer.log_probabilities(candidates), sums, atol=1e-4)


def test_exact_probabilities_of_all_words_add_up_to_one(models: dict[str, JointModel], dev_bitext: Bitext) -> None:
    model = models["s2t-l2r"]
    words = list(model.target.vocabulary.words[model.target.vocabulary.specials :])
    source = dev_bitext.source[0]
    every = Candidates([source], [[word] for word in words], np.zeros(len(words), np.int64), np.empty((0, 3), np.int64))
    found, _ = Scorer(model, exact=True).predictions(every)
    known = float(np.exp(found[::2].astype(np.float64)).sum())
    contexts = contexts_of(pairs_of(Bitext([source], [words[:1]]), model.source, model.target), model.options)
    scores = model.network(contexts.windows(slice(1)), contexts.histories(slice(1))).value[0].astype(np.float64)
    chances = np.exp(scores) / np.exp(scores).sum()
    assert known + chances[: model.target.vocabulary.specials].sum() == pytest.approx(1.0, abs=1e-5)


def test_parts_are_computed_again_when_their_memory_is_full(
    models: dict[str, JointModel], candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["s2t-l2r"]
    monkeypatch.setattr(parts, "_MEMORY", 0)
    monkeypatch.setattr(parts, "_LEAST_WORDS", 60)
    scorer = Scorer(model, exact=False)
    half = [
        Candidates(
            candidates.sources,
            candidates.hypotheses[start : start + 30],
            candidates.mates[start : start + 30],
            candidates.links[(candidates.links[:, 0] // 30 == start // 30)] - [start, 0, 0],  # type: ignore[index]
        )
        for start in (0, 30)
    ]
    found = np.concatenate([scorer.predictions(half[k])[0] for k in (0, 1, 0)])
    expected = plain(model, candidates, exact=False)
    count = sum(len(words) + 1 for words in candidates.hypotheses[:30])
    np.testing.assert_allclose(found, np.concatenate([expected, expected[:count]]), atol=1e-5)


def nbest_file(folder: Path, candidates: Candidates, *, aligned: bool = True) -> Path:
    """A Moses list of these candidates, without the empty ones."""
    lines = []
    for number, (words, mate) in enumerate(zip(candidates.hypotheses, candidates.mates.tolist(), strict=True)):
        if words:
            own = candidates.links[candidates.links[:, 0] == number]  # type: ignore[index]
            links = " ".join(f"{i}-{j}" for _, i, j in own.tolist())
            lines.append(f"{mate} ||| {' '.join(words)} ||| LM0= -1.5 ||| -2.5{f' ||| {links}' if aligned else ''}\n")
    path = folder / "nbest"
    path.write_text("".join(lines))
    return path


def test_features_of_lists(
    models: dict[str, JointModel], candidates: Candidates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = nbest_file(tmp_path, candidates)
    features = JointFeatures([models["s2t-l2r"], models["lm"], models["s2t-l2r"]])
    assert features.names == ("joint-s2t-l2r", "lm-target-l2r")
    whole = list(features.of_lists(read_nbest(path), candidates.sources))
    monkeypatch.setattr(joint_features, "BLOCK_WORDS", 30)
    parts_of_it = list(features.of_lists(read_nbest(path), candidates.sources))
    expected = [Scorer(models[name]).log_probabilities(candidates) for name in ("s2t-l2r", "lm")]
    filled = [bool(words) for words in candidates.hypotheses]
    for found in (whole, parts_of_it):
        assert [one.number for one, _ in found] == list(range(20))
        np.testing.assert_allclose(np.concatenate([f for _, f in found]), np.column_stack(expected)[filled], atol=1e-4)
    alone: NBestList = whole[3][0]
    np.testing.assert_allclose(features(alone, candidates.sources[3]), whole[3][1], atol=1e-5)


def test_features_are_written_into_the_list(
    models: dict[str, JointModel], candidates: Candidates, tmp_path: Path
) -> None:
    path, written = nbest_file(tmp_path, candidates), tmp_path / "written.gz"
    models["s2t-l2r"].save(tmp_path / "model")
    features = AddedFeatures([tmp_path / "model"])
    done: list[int] = []
    write_features(features, read_nbest(path), candidates.sources, written, shown=done.append)
    assert done == list(range(1, 21))
    expected = JointFeatures([models["s2t-l2r"]]).of_lists(read_nbest(path), candidates.sources)
    for (before, columns), after in zip(expected, read_nbest(written), strict=True):
        assert after.names == ("LM0", "joint-s2t-l2r")
        assert after.hypotheses == before.hypotheses
        # Written with seven digits
        np.testing.assert_allclose(after.features[:, 1], columns[:, 0], rtol=1e-6)
    with pytest.raises(DataError, match=r"written\.gz, line 1: the list has a feature 'joint-s2t-l2r' already"):
        write_features(features, read_nbest(written), candidates.sources, tmp_path / "again")
    assert not list(tmp_path.glob("*again*"))


def test_lists_without_links_get_those_of_the_lexical_table(
    models: dict[str, JointModel], candidates: Candidates, tmp_path: Path
) -> None:
    path = nbest_file(tmp_path, candidates, aligned=False)
    model = models["s2t-l2r"]
    found = np.concatenate([f for _, f in JointFeatures([model]).of_lists(read_nbest(path), candidates.sources)])
    aligned = nbest_file(tmp_path, candidates)
    due = np.concatenate([f for _, f in JointFeatures([model]).of_lists(read_nbest(aligned), candidates.sources)])
    assert np.corrcoef(found[:, 0], due[:, 0])[0, 1] > 0.5


def test_lists_and_sentences_that_do_not_fit(
    models: dict[str, JointModel], candidates: Candidates, tmp_path: Path
) -> None:
    path = nbest_file(tmp_path, candidates)
    features = JointFeatures([models["s2t-l2r"]])
    with pytest.raises(DataError, match="nbest, line 31: sentence 15 is not among the 15 source sentences"):
        list(features.of_lists(read_nbest(path), candidates.sources[:15]))
    with pytest.raises(DataError, match="the last sentence is 19, but there are 21 source sentences"):
        list(features.of_lists(read_nbest(path), [*candidates.sources, ["a1"]]))
    with pytest.raises(DataError, match="outside"):
        list(features.of_lists(read_nbest(path), [["a1"]] * 20))


def test_the_lexical_table(bitext: Bitext, dev_bitext: Bitext, models: dict[str, JointModel]) -> None:
    model = models["s2t-l2r"]
    pairs = pairs_of(bitext, model.source, model.target)
    lexicon = Lexicon.build(pairs, len(model.source))
    source, target = (words.indices([word]) for words, word in ((model.source, "a7"), (model.target, "b7")))
    # Each b7 translates an a7, but some of these are c7 in the translation.
    count = sum(words.count("a7") for words in bitext.source)
    translated = sum(words.count("b7") for words in bitext.target)
    assert lexicon.share(source, target)[0] == pytest.approx(translated / count)
    assert lexicon.share(source, model.target.indices(["b9"]))[0] == 0.0
    dev = pairs_of(dev_bitext, model.source, model.target)
    links = lexicon.links(dev.source, dev.target, dev.mates)
    right = {tuple(link) for link in dev.links.tolist()} & {tuple(link) for link in links.tolist()}
    # Words that are twice in a sentence can go wrong, and the article has no link.
    assert len(right) > 0.95 * len(dev.links)
    assert len(links) < 1.05 * len(dev.links)


def test_a_model_is_saved_and_loaded(models: dict[str, JointModel], candidates: Candidates, tmp_path: Path) -> None:
    for name in ("t2s-r2l", "lm"):
        models[name].save(tmp_path / name)
    found = load_models([tmp_path])
    assert list(found) == [str(tmp_path / "lm"), str(tmp_path / "t2s-r2l")]
    for name in ("t2s-r2l", "lm"):
        loaded = found[str(tmp_path / name)]
        assert loaded.options == models[name].options
        assert loaded.figures == models[name].figures
        mine, theirs = (Scorer(model).log_probabilities(candidates) for model in (models[name], loaded))
        assert np.array_equal(mine, theirs)


def test_folders_that_hold_no_model(models: dict[str, JointModel], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model in this folder"):
        load_models([tmp_path])
    with pytest.raises(ModelError, match="no such folder"):
        load_models([tmp_path / "nowhere"])
    models["lm"].save(tmp_path)
    content = (tmp_path / "model.json").read_text()
    (tmp_path / "model.json").write_text(content.replace('"window": 0', '"window": 11'))
    with pytest.raises(ModelError, match="lacks 'others"):
        load_models([tmp_path])
