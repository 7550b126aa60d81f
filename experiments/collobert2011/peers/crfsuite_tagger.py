"""A conditional random field by sklearn-crfsuite, with the features and the settings of its tutorial.

The tutorial's features of a word and of its two neighbours: the word in lower case, its last two and three letters,
how it is capitalised, whether it is a number, and, where a part of speech comes with the words, this and its first
two letters.
"""

from __future__ import annotations

from typing import Any

import sklearn_crfsuite
from exchange import Clock, Sentence, fastest, main


def features(words: list[str], parts: list[str] | None, i: int) -> dict[str, Any]:
    """The features of one word."""
    word = words[i]
    found = {
        "bias": 1.0,
        "word.lower()": word.lower(),
        "word[-3:]": word[-3:],
        "word[-2:]": word[-2:],
        "word.isupper()": word.isupper(),
        "word.istitle()": word.istitle(),
        "word.isdigit()": word.isdigit(),
    }
    if parts:
        found |= {"postag": parts[i], "postag[:2]": parts[i][:2]}
    for name, j in (("-1", i - 1), ("+1", i + 1)):
        if 0 <= j < len(words):
            found |= {
                f"{name}:word.lower()": words[j].lower(),
                f"{name}:word.istitle()": words[j].istitle(),
                f"{name}:word.isupper()": words[j].isupper(),
            }
            if parts:
                found |= {f"{name}:postag": parts[j], f"{name}:postag[:2]": parts[j][:2]}
        else:
            found["BOS" if j < 0 else "EOS"] = True
    return found


def sentence_features(sentence: Sentence) -> list[dict[str, Any]]:
    """The features of all words of a sentence; the first of its further columns is the part of speech."""
    columns = sentence.get("columns") or [None]
    return [features(sentence["words"], columns[0], i) for i in range(len(sentence["words"]))]


def work(train: list[Sentence], dev: list[Sentence], settings: dict[str, Any]) -> dict[str, Any]:
    clock = Clock()
    crf = sklearn_crfsuite.CRF(
        algorithm="lbfgs", c1=0.1, c2=0.1, max_iterations=100, all_possible_transitions=True, **settings
    )
    crf.fit([sentence_features(sentence) for sentence in train], [sentence["tags"] for sentence in train])
    training = clock.seconds()
    tags, tagging = fastest(lambda: crf.predict([sentence_features(sentence) for sentence in dev]))
    return {"tags": [list(row) for row in tags], "training": training, "tagging": tagging}


if __name__ == "__main__":
    main("sklearn-crfsuite", work)
