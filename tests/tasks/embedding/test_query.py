import math

import numpy as np
import pytest

from amigrad.data import DataError, WordVectors
from amigrad.tasks.embedding import EmbeddingError, Pair, analogy, neighbours, plane, read_pairs, similarity
from amigrad.tasks.embedding.query import spearman

VECTORS = WordVectors(
    ("man", "king", "woman", "queen", "apple", "zero"),
    np.array([[1, 0, 0.1], [1, 2, 0], [-1, 0, 0.1], [-1, 2, 0], [0, 0.1, 5], [0, 0, 0]], np.float32),
)


def test_neighbours_are_the_words_of_largest_cosine_with_frequency_ranks():
    king, apple = neighbours(VECTORS, ["King", "apple"], 2)
    assert (king.word, king.rank) == ("king", 2)
    assert [near.word for near in king.neighbours] == ["queen", "man"]
    assert king.neighbours[0].cosine == pytest.approx(3 / 5)
    assert [near.word for near in apple.neighbours] == ["man", "woman"]
    assert len(neighbours(VECTORS, ["man"], 99)[0].neighbours) == 5


def test_an_analogy_leaves_out_its_own_words():
    assert analogy(VECTORS, "man", "king", "woman", 1)[0].word == "queen"
    assert {near.word for near in analogy(VECTORS, "man", "king", "woman", 99)} == {"queen", "apple", "zero"}


def test_words_without_a_vector_are_named():
    with pytest.raises(EmbeddingError, match=r"'emperor', 'pear': not among the 6 words"):
        analogy(VECTORS, "man", "emperor", "pear")
    with pytest.raises(EmbeddingError, match=r"'queeen' \(like queen\), 'x': not among"):
        neighbours(VECTORS, ["queeen", "x", "man"])


def test_spearman_is_the_correlation_of_ranks():
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert spearman(x, -x) == pytest.approx(-1.0)
    assert spearman(x, np.array([5.0, 6.0, 7.0, 8.0, 7.0])) == pytest.approx(0.8207826816681233)  # SciPy's value
    assert math.isnan(spearman(x, np.ones(5)))


def test_similarity_counts_the_pairs_that_are_known():
    pairs = [Pair("man", "king", 5), Pair("KING", "queen", 9), Pair("man", "woman", 1), Pair("man", "pear", 3)]
    found = similarity(VECTORS, pairs)
    assert (found.spearman, found.found, found.pairs) == (pytest.approx(1.0), 3, 4)
    assert math.isnan(similarity(VECTORS, [Pair("a", "b", 1)]).spearman)


@pytest.mark.parametrize(
    "content",
    [
        "# pairs\nman\tking\t5.5\nman\twoman\t1\n",
        "Word 1,Word 2,Mean\nman,king,5.5\nman,woman,1\n",
        "man king 5.5\nman woman 1",
    ],
)
def test_pairs_are_read_from_columns_of_all_kinds(content, tmp_path):
    (tmp_path / "pairs").write_text(content)
    assert read_pairs(tmp_path / "pairs") == [("man", "king", 5.5), ("man", "woman", 1.0)]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("man king 5\nman woman\n", "line 2: two words and a score"),
        ("man king x\nman woman y\n", "line 2"),
        ("", "no pairs"),
    ],
)
def test_faults_in_pairs_are_named_with_file_and_line(content, part, tmp_path):
    (tmp_path / "pairs").write_text(content)
    with pytest.raises(DataError, match=part):
        read_pairs(tmp_path / "pairs")


def test_the_plane_keeps_distances_of_points_that_lie_in_one():
    random = np.random.default_rng(1)
    flat = random.normal(size=(7, 2))
    axes, _ = np.linalg.qr(random.normal(size=(5, 2)))
    places = plane(flat @ axes.T + 3.0)
    distances = [np.linalg.norm(points[:, None] - points[None], axis=2) for points in (flat, places)]
    assert np.allclose(*distances)
    assert plane(np.ones((1, 5))).shape == (1, 2)
