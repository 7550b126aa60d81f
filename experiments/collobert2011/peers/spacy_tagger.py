"""spaCy's blank English pipeline with a tagger, or for chunks with its `ner`, as `nlp.add_pipe` configures them.

It is trained for so many seconds of the processor (`seconds` in the settings; at least one epoch) with the loop of
spaCy's documentation: batches of growing size, dropout. After each epoch a part of the training sentences that was held
out is tagged, which does not count as training; the best epoch is kept.
"""

from __future__ import annotations

import random
from typing import Any

import spacy
from exchange import Clock, Sentence, fastest, main
from spacy.tokens import Doc, Span
from spacy.training import Example, biluo_tags_to_spans, iob_to_biluo
from spacy.util import compounding, fix_random_seed, minibatch

HELD_OUT = 0.05


def work(train: list[Sentence], dev: list[Sentence], settings: dict[str, Any]) -> dict[str, Any]:
    fix_random_seed(settings["seed"])
    nlp = spacy.blank("en")
    chunks = settings["chunks"]
    pipe = nlp.add_pipe("ner" if chunks else "tagger")
    shuffled = random.Random(settings["seed"])
    order = list(train)
    shuffled.shuffle(order)
    cut = max(1, int(len(order) * HELD_OUT))
    held, order = order[:cut], order[cut:]

    def example(sentence: Sentence) -> Example:
        doc = Doc(nlp.vocab, words=sentence["words"])
        gold = Doc(nlp.vocab, words=sentence["words"], **({} if chunks else {"tags": sentence["tags"]}))
        if chunks:
            gold.set_ents(biluo_tags_to_spans(gold, iob_to_biluo(sentence["tags"])))
        return Example(doc, gold)

    def tag(sentences: list[Sentence]) -> list[list[str]]:
        docs = [Doc(nlp.vocab, words=sentence["words"]) for sentence in sentences]
        return [tags_of(doc, chunks) for doc in pipe.pipe(docs, batch_size=256)]

    examples = [example(sentence) for sentence in order]
    optimizer = nlp.initialize(lambda: examples)
    training, best, epochs, kept = {"wall": 0.0, "cpu": 0.0}, -1.0, 0, b""
    while epochs == 0 or training["cpu"] < settings["seconds"]:
        clock = Clock()
        shuffled.shuffle(examples)
        for batch in minibatch(examples, size=compounding(4.0, 64.0, 1.001)):
            nlp.update(batch, drop=0.2, sgd=optimizer)
            spent = clock.seconds()["cpu"]
            if epochs and training["cpu"] + spent > settings["seconds"]:
                break
        training = {name: training[name] + value for name, value in clock.seconds().items()}
        epochs += 1
        score = agreement(tag(held), [sentence["tags"] for sentence in held])
        if score > best:
            best, kept = score, nlp.to_bytes()
    nlp.from_bytes(kept)
    tags, tagging = fastest(lambda: tag(dev))
    return {"tags": list(tags), "training": training, "tagging": tagging, "epochs": epochs}


def tags_of(doc: Doc, chunks: bool) -> list[str]:
    """The tags of a sentence, those of chunks as IOB2."""
    if not chunks:
        return [token.tag_ for token in doc]
    found = ["O"] * len(doc)
    span: Span
    for span in doc.ents:
        found[span.start : span.end] = [f"I-{span.label_}"] * len(span)
        found[span.start] = f"B-{span.label_}"
    return found


def agreement(found: list[list[str]], gold: list[list[str]]) -> float:
    """The share of words that have the right tag."""
    pairs = [pair for a, b in zip(found, gold, strict=True) for pair in zip(a, b, strict=True)]
    return sum(a == b for a, b in pairs) / len(pairs)


if __name__ == "__main__":
    main("spaCy", work)
