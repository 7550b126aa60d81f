"""N-best lists: what is read is written again as it was, and what is wrong is named with its line."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from amigrad.data import DataError
from amigrad.data.aside import replacing
from amigrad.tasks.rescoring.nbest import NBestList, format_hypotheses, read_nbest

MOSES = """\
0 ||| a small house  ||| LM0= -3.5 Tm= -1 -2 ||| -4.25 ||| 0-0 1-1 2-2
0 ||| the house  ||| LM0= -4 Tm= 0 -2.5 ||| -5 ||| 0-0 2-1
1 ||| yes  ||| LM0= -1e-2 Tm= 0 0 ||| -0.5 ||| 0-0
"""
JSON = """\
{"id": 0, "text": "a small house", "score": -4.25, "features": {"LM0": -3.5, "Tm": [-1, -2]}, "model": "big"}
{"id": 0, "text": "the house", "score": -5, "features": {"Tm": [0, -2.5], "LM0": -4}}
{"id": 1, "text": "yes", "score": -0.5, "features": {"LM0": -0.01, "Tm": [0, 0]}}
"""


def read(text: str | bytes, **options: bool) -> list[NBestList]:
    return list(read_nbest(io.BytesIO(text.encode() if isinstance(text, str) else text), **options))


@pytest.mark.parametrize("text", [MOSES, JSON, MOSES.replace("\n", "\r\n")])
def test_both_formats_give_the_same_lists(text: str) -> None:
    first, second = read(text)
    assert (first.number, first.line, second.number, second.line) == (0, 1, 1, 3)
    assert first.hypotheses == (("a", "small", "house"), ("the", "house"))
    assert first.names == second.names == ("LM0", "Tm.0", "Tm.1")
    np.testing.assert_array_equal(first.features, [[-3.5, -1, -2], [-4, 0, -2.5]])
    np.testing.assert_array_equal(second.features, [[-0.01, 0, 0]])
    assert first.scores is not None
    np.testing.assert_array_equal(first.scores, [-4.25, -5])


def test_compressed_lists_are_read(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(gzip.compress(MOSES.encode()))
    assert [found.hypotheses for found in read_nbest(path)] == [found.hypotheses for found in read(MOSES)]


def test_without_features_the_score_is_the_feature() -> None:
    for text in ("0 ||| a b ||| ||| -1.5\n", '{"id": 0, "text": "a b", "score": -1.5}\n'):
        (only,) = read(text)
        assert only.names == ("score",)
        np.testing.assert_array_equal(only.features, [[-1.5]])


def test_a_list_of_marian_is_read() -> None:
    (only,) = read("0 ||| ein Haus ||| F0= -1.2 F1= -3 ||| -0.7\n0 ||| Haus ||| F0= -2 F1= -4 ||| -1\n")
    assert only.names == ("F0", "F1")
    assert only.alignments is None


def test_values_without_names_are_numbered() -> None:
    (only,) = read("0 ||| a ||| -1 -2 lm: -3 ||| -1\n")
    assert only.names == ("feature.0", "feature.1", "lm")


def test_what_is_read_is_written_as_it_was() -> None:
    for text in (MOSES, JSON):
        assert b"".join(map(format_hypotheses, read(text))).decode() == text


def test_features_scores_and_order_are_written() -> None:
    for text in (MOSES, JSON, "0 ||| a ||| ||| -1\n0 ||| b ||| ||| -2\n"):
        first = read(text)[0]
        added = {"joint": np.array([-7.5, -1.25])}
        (again,) = read(format_hypotheses(first, added, np.array([-9.0, -8.0]), [1, 0]))
        assert again.hypotheses == first.hypotheses[::-1]
        np.testing.assert_array_equal(again.features[:, again.names.index("joint")], [-1.25, -7.5])
        if first.names != ("score",):
            columns = [again.names.index(name) for name in first.names]
            np.testing.assert_array_equal(again.features[:, columns], first.features[::-1])
        assert again.scores is not None
        np.testing.assert_array_equal(again.scores, [-8, -9])


def test_a_feature_is_not_added_twice() -> None:
    with pytest.raises(DataError, match="<stream>, line 1: there is a feature 'LM0' already"):
        format_hypotheses(read(MOSES)[0], {"LM0": np.zeros(2)})


def line(number: int, words: str = "a", features: str = "LM= -1", score: str = "-1", alignment: str = "0-0") -> str:
    return f"{number} ||| {words} ||| {features} ||| {score} ||| {alignment}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no hypothesis"),
        (line(1), "line 1: the first id is 1, not 0"),
        (line(0) + line(2), "line 2: id 2 follows id 0: id 1 is missing"),
        (line(0) + line(4), "ids 1 to 3 are missing"),
        (line(0) + line(1) + line(0), "line 3: id 0 comes back after id 1"),
        (line(0) + "\n", "line 2: '' is not a sentence's id"),
        (line(0) + line(0).replace("0 |||", "-1 |||"), "line 2: '-1' is not a sentence's id"),
        (line(0) + "0 ||| a\n", "line 2: 2 fields"),
        (line(0) + "0 ||| a ||| LM= -1 ||| -1\n", "line 2: 4 fields between '|||', but 5 before"),
        (line(0) + line(1, features="TM= -1"), "line 2: feature 'LM' is missing"),
        (line(0) + line(1, features="LM= -1 TM= -1"), "line 2: feature 'TM' is not on the first line"),
        (line(0) + line(1, features="LM= -1 -2"), "line 2: 2 values where the first line has 1"),
        (line(0, features="A= 1 B= 2") + line(0, features="B= 2 A= 1"), "line 2: features in another order"),
        (line(0, features="A= 1 A= 2"), "line 1: feature 'A=' comes twice"),
        (line(0, features="A= B= 2"), "line 1: feature 'A' has no value"),
        (line(0) + line(1, features="LM= x"), "line 2: the feature 'x' is not a finite number"),
        (line(0) + line(1, features="LM= nan"), "line 2: the feature 'nan' is not a finite number"),
        (line(0) + line(1, score="-inf"), "line 2: the score '-inf' is not a finite number"),
        (line(0) + line(1, words=""), "line 2: a hypothesis of sentence 1 has no words"),
        ('{"id": 0, "text": "a", "score": -1}\n{"id": 0', "line 2: not JSON"),
        ('{"id": "0", "text": "a", "score": -1}', "line 1: no 'id'"),
        ('{"id": 0, "score": -1}', "line 1: no 'text'"),
        ('{"id": 0, "text": "a"}', "line 1: neither a score nor features"),
        ('{"id": 0, "text": "a", "score": true}', "line 1: 'score' is True, not a finite number"),
        (
            '{"id": 0, "text": "a", "score": -1}\n{"id": 0, "text": "a", "features": {"b": 1}}',
            "line 2: 'features' is not",
        ),
        (JSON + '{"id": 2, "text": "a", "score": 1, "features": {"LM0": 1}}', "line 4: features LM0, where the first"),
        (
            JSON + '{"id": 3, "text": "a", "score": 1, "features": {"LM0": 1, "Tm": [0, 0]}}',
            "line 4: id 3 follows id 1",
        ),
    ],
)
def test_bad_lists_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match="<stream>") as caught:
        read(text)
    assert message in str(caught.value)


def test_empty_hypotheses_can_be_allowed() -> None:
    (only,) = read(line(0, words="", alignment="") + line(0), allow_empty=True)
    assert only.hypotheses == ((), ("a",))
    assert [len(points) for points in only.points(1)] == [0, 1]


def test_points_outside_the_sentence_are_named() -> None:
    (only,) = read(line(0) + line(0, words="a b", alignment="0-0 1-1"))
    assert only.points(2)[1].tolist() == [[0, 0], [1, 1]]
    with pytest.raises(DataError, match="line 2: alignment point 1-1 is outside a pair of 1 source and 2 target words"):
        only.points(1)


def test_a_long_list_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "long.nbest.gz"
    names = " ".join(f"F{place}= -{place}.5" for place in range(14))
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(300):
            file.write(line(number, "some words of a sentence " * 3, names).encode() * 100)
    tracemalloc.start()
    assert sum(len(found) for found in read_nbest(path)) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000  # the file has 9 MB


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    def write(content: bytes, fail: Callable[[], None]) -> None:
        with replacing(tmp_path / "out.gz") as file:
            file.write(content)
            fail()

    write(b"one", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        write(b"two", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == b"one"
    assert os.listdir(tmp_path) == ["out.gz"]


def test_lists_of_a_real_decoder() -> None:
    folder = os.environ.get("AMIGRAD_DATA")
    if not folder:
        pytest.skip("AMIGRAD_DATA does not name the folder of the real corpora")
    path = Path(folder) / "translation" / "ja-en" / "dev.nbest.gz"
    lists = list(read_nbest(path))
    assert (len(lists), sum(map(len, lists))) == (500, 100_000)
    assert len(lists[0].names) == 14
    assert b"".join(map(format_hypotheses, lists)) == gzip.decompress(path.read_bytes())
    assert json.dumps(lists[0].hypotheses[0]) == '["on", "my", "own", "."]'


def test_empty_hypotheses_lose_their_alignment_points(tmp_path: Path) -> None:
    path = tmp_path / "nbest"
    path.write_text("0 ||| a b ||| lm= 1 ||| -1 ||| 0-0 1-1\n0 |||  ||| lm= 1 ||| -1 ||| 0-0\n")
    (found,) = read_nbest(path, allow_empty=True)
    assert [points.tolist() for points in found.points(2)] == [[[0, 0], [1, 1]], []]
    assert format_hypotheses(found).decode() == path.read_text()
