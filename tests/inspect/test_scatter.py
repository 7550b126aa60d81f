from itertools import combinations
from xml.etree import ElementTree

import numpy as np

from amigrad.inspect.scatter import scatter
from amigrad.inspect.svg import text_width


def test_all_words_stand_in_the_picture_and_none_covers_another():
    random = np.random.default_rng(1)
    words = [f"word-{number}" for number in range(40)]
    picture = ElementTree.fromstring(
        scatter(random.normal(size=(40, 2)), words, [n % 4 for n in range(40)], [False] * 40)
    )
    texts = [item for item in picture.iter() if item.tag.endswith("text")]
    assert [item.text for item in texts] == words
    boxes = []
    for item in texts:
        assert item.text
        x, y, width = float(item.attrib["x"]), float(item.attrib["y"]), text_width(item.text, 13)
        left = x - width if item.get("text-anchor") == "end" else x
        assert left > -1
        assert left + width < 901
        boxes.append((left, y - 10, left + width, y))
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_picture_of_one_word_and_of_words_at_one_place_is_drawn():
    assert "&lt;b&gt;" in scatter(np.zeros((1, 2)), ["<b>"], [0], [True])
    assert scatter(np.zeros((3, 2)), ["a", "b", "c"], [0, 0, 1], [True, False, False]).count("<circle") == 3
