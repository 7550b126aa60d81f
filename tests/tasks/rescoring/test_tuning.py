"""Tuning on generated lists: what is known to be best is found, without looking at what is held out."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.tasks.options import OptionsError
from amigrad.tasks.rescoring.evaluate import compare, first_and_oracle, read_texts
from amigrad.tasks.rescoring.features import TuningSet, with_references
from amigrad.tasks.rescoring.lexical import LexicalModel, learn_lexical
from amigrad.tasks.rescoring.mira import mira
from amigrad.tasks.rescoring.nbest import NBestList, read_nbest
from amigrad.tasks.rescoring.rescore import rescore, tune_risk
from amigrad.tasks.rescoring.tuning import TuningOptions, bleu_of, initial_weights, tune
from amigrad.tasks.rescoring.weights import Weights

QUICK = TuningOptions(limits=(0.003, 0.03), epochs=4, folds=3, restarts=2)


def made_lists(sentences: int = 60, size: int = 12, seed: int = 3) -> tuple[bytes, list[str]]:
    """An n-best list in Moses' format and its references.

    Hypotheses are references with some words replaced. Feature `good` falls with their number, `noise` tells nothing,
    and the decoder's score is 0.5 · noise + 0.1 · length, so that it knows nothing.
    """
    random = np.random.default_rng(seed)
    lines, references = [], []
    for number in range(sentences):
        words = random.integers(50, size=int(random.integers(6, 12)))
        references.append(" ".join(f"w{word}" for word in words))
        for _ in range(size):
            wrong = random.random(len(words)) < random.random()
            made = np.where(wrong, random.integers(50, 99, size=len(words)), words)
            good, noise = -float(wrong.sum()) + 0.5 * random.normal(), random.normal()
            length = len(words)
            score = 0.5 * noise + 0.1 * length
            text = " ".join(f"w{word}" for word in made)
            lines.append(f"{number} ||| {text} ||| good= {good:.4f} noise= {noise:.4f} W= {length} ||| {score:.6f}\n")
    return "".join(lines).encode(), references


@pytest.fixture(scope="module")
def made() -> tuple[list[NBestList], TuningSet, list[tuple[str, ...]]]:
    text, references = made_lists()
    lists = list(read_nbest(io.BytesIO(text)))
    words = [tuple(reference.split()) for reference in references]
    return lists, TuningSet.of((one, [words[one.number]]) for one in lists), words


def test_the_decoders_weights_are_found_in_its_scores(made) -> None:
    weights = initial_weights(made[1])
    np.testing.assert_allclose(weights[:2], [0, 0.5], atol=1e-4)
    assert weights[2] == pytest.approx(0, abs=1e-4)  # the length is the same in all of a list


def test_mira_finds_what_is_good_and_keeps_its_seed(made) -> None:
    candidates = made[1]
    first = initial_weights(candidates)
    tuned = mira(candidates, first, limit=0.03, epochs=4, seed=1)
    assert bleu_of(candidates, tuned) > bleu_of(candidates, first) + 20
    assert tuned[0] > 3 * abs(tuned[1])
    np.testing.assert_array_equal(tuned, mira(candidates, first, limit=0.03, epochs=4, seed=1))
    assert not np.array_equal(tuned, mira(candidates, first, limit=0.03, epochs=4, seed=2))


def test_tuning_says_what_to_expect(made) -> None:
    lists, candidates, references = made
    steps = []
    tuned = tune(candidates, QUICK, lambda: steps.append(1))
    assert len(steps) == QUICK.runs(60) == 4 * (2 * 3 + 2)
    assert set(tuned.restarts) == {1, 2}
    assert tuned.held_out[tuned.limit] == max(tuned.held_out.values())
    others, more = made_lists(seed=8)
    words = [tuple(line.split()) for line in more]
    unseen = TuningSet.of((one, [words[one.number]]) for one in read_nbest(io.BytesIO(others)))
    assert tuned.bleu == pytest.approx(bleu_of(candidates, tuned.weights))
    assert abs(bleu_of(unseen, tuned.weights) - tuned.held_out[tuned.limit]) < 8
    weights = tuned.to_weights(candidates)
    best = [rescore(one, weights).best for one in lists]
    columns = [[" ".join(words) for words in references]]
    assert compare({"best": best}, columns).bleu["best"].value == pytest.approx(tuned.bleu, abs=1e-6)


def test_minimum_bayes_risk_is_tuned_and_used(made) -> None:
    lists, candidates, references = made
    weights = tune(candidates, QUICK).to_weights(candidates)
    pairs = [(one, [references[one.number]]) for one in lists]
    risk = tune_risk(pairs, weights, candidates.spread(np.array(list(weights.values.values()))))
    assert risk.weights.sharpness == max(risk.tried, key=risk.tried.__getitem__)
    texts = [rescore(one, risk.weights, risk=True).best for one in lists]
    columns = [[" ".join(words) for words in references]]
    bleu = compare({"risk": texts}, columns).bleu["risk"].value
    assert bleu == pytest.approx(risk.tried[risk.weights.sharpness], abs=1e-6)
    with pytest.raises(DataError, match="tuned with --no-mbr"):
        rescore(lists[0], weights, risk=True)


def test_rescoring_keeps_the_order_of_equal_scores_and_the_list_readable(made) -> None:
    one = made[0][0]
    equal = rescore(one, Weights({"good": 0.0, "noise": 0.0, "W": 1.0}))
    assert equal.order.tolist() == list(range(len(one)))
    new = rescore(one, Weights({"good": 1.0, "noise": 0.0, "W": 0.0}))
    (again,) = read_nbest(io.BytesIO(new.lines()))
    assert again.scores is not None
    assert (np.diff(again.scores) <= 0).all()
    np.testing.assert_allclose(again.scores, again.features[:, 0])
    assert " ".join(again.hypotheses[0]) == new.best


def test_weights_belong_to_their_features(made, tmp_path: Path) -> None:
    one = made[0][0]
    weights = Weights({"good": 1.0, "noise": 2.0, "W": 0.5}, sharpness=2.0, tuned={"limit": 0.1})
    weights.save(tmp_path / "weights.json")
    assert Weights.load(tmp_path / "weights.json") == weights
    with pytest.raises(DataError, match="line 1: feature 'W' has no weight"):
        Weights({"good": 1.0, "noise": 1.0}).score(one)
    with pytest.raises(DataError, match="no feature 'lm', which has a weight"):
        Weights({**weights.values, "lm": 1.0}).score(one)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "amigrad rescoring weights", "version": 1, "values": {}}']
)
def test_other_files_are_no_weights(tmp_path: Path, text: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"weights\.json: "):
        Weights.load(path)


def test_features_can_be_left_out(made) -> None:
    part = made[1].without(["noise", "W"], "file")
    assert part.names == ("good",)
    assert part.features.shape == (720, 1)
    with pytest.raises(DataError, match="file: there is no feature 'lm' to leave out"):
        made[1].without(["lm"], "file")
    with pytest.raises(DataError, match="no feature is left"):
        made[1].without(["good", "noise", "W"], "file")


@pytest.mark.parametrize(
    "options", [{"limits": (0.001, -1.0)}, {"limits": (float("nan"),)}, {"folds": 1}, {"epochs": 0}]
)
def test_options_of_tuning_make_sense(options: dict[str, Any]) -> None:
    with pytest.raises(OptionsError):
        TuningOptions(**options)


def test_references_must_be_as_many_as_lists(made, tmp_path: Path) -> None:
    lists, path = made[0], tmp_path / "references"
    for count, message in ((59, "sentence 59 has no reference"), (61, "line 61: reference 61 of 61")):
        path.write_text("a\n" * count)
        with pytest.raises(DataError, match=message):
            list(with_references(lists, [path]))


def test_no_text_is_no_translation() -> None:
    with pytest.raises(DataError, match="there is no sentence in it"):
        read_texts(io.BytesIO())


def test_the_same_text_is_no_better_by_chance_or_otherwise() -> None:
    texts = ["a b c d e", "f g h i j"]
    found = compare({"one": texts, "same": list(texts), "worse": ["a b x d e", "f g h"]}, [texts], samples=50)
    assert found.bleu["one"].p is None
    assert found.bleu["same"].p == 1.0
    assert found.bleu["worse"].value < 60
    assert "tok:none" in found.signatures[0]


def test_a_lexical_model_prefers_words_that_belong_together(tmp_path: Path) -> None:
    source = [["das", "haus"], ["das", "buch"], ["ein", "haus"], ["ein", "buch"]] * 3
    target = [["the", "house"], ["the", "book"], ["a", "house"], ["a", "book"]] * 3
    model = learn_lexical(source, target)
    text = b"0 ||| the house ||| LM= 1 ||| 1\n0 ||| a house ||| LM= 1 ||| 1\n0 ||| house the zzz ||| LM= 1 ||| 1\n"
    (one,) = read_nbest(io.BytesIO(text))
    columns = model.features(one, ["das", "haus"])
    assert (columns[0] > columns[1] + 0.5).all()
    assert columns[2, 0] < columns[0, 0] - 10  # no source word explains zzz
    copied = model.features(one, ["das", "haus", "zzz"])
    assert copied[2, 0] > copied[0, 0] - 5  # now it is a copy
    model.save(tmp_path / "lexical")
    np.testing.assert_allclose(
        LexicalModel.load(tmp_path / "lexical").features(one, ["das", "haus"]), columns, rtol=1e-5
    )


def test_model_1_is_the_mean_over_all_alignments() -> None:
    model = learn_lexical([["a", "b"], ["a"]], [["x", "y"], ["x"]], iterations=1)
    # after one iteration from uniform tables: x is given by a with 1/3 + 1/2, y with 1/3
    (one,) = read_nbest(io.BytesIO(b"0 ||| x ||| F= 1 ||| 1\n"))
    expected = np.log(np.mean([(1 / 3 + 1 / 2) / (1 / 3 + 1 / 3 + 1 / 2)] * 2))
    assert model.features(one, ["a"])[0, 0] == pytest.approx(expected, abs=1e-6)


def test_the_real_decoders_figures_are_those_of_its_data() -> None:
    folder = os.environ.get("AMIGRAD_DATA")
    if not folder:
        pytest.skip("AMIGRAD_DATA does not name the folder of the real corpora")
    data = Path(folder) / "translation" / "ja-en"
    lists = list(with_references(read_nbest(data / "dev.nbest.gz"), [data / "dev.ref"]))
    first, oracle = first_and_oracle(lists)
    references = [(data / "dev.ref").read_text().splitlines()]
    found = compare({"first": first, "oracle": oracle}, references, samples=10)
    assert round(found.bleu["first"].value, 2) == 36.07
    assert round(found.bleu["oracle"].value, 2) == 60.45
    printed = [float(value) for line in (data / "weights.txt").read_text().splitlines() for value in line.split()[1:]]
    np.testing.assert_allclose(initial_weights(TuningSet.of(lists)), printed[:14], atol=2e-4)
