"""gensim's word2vec on a file of tokens, a sentence a line: as a program that takes turns, or trained to the end.

    .venv-gensim/bin/python benchmarks/peers/gensim_peer.py serve TOKENS SETTINGS
    .venv-gensim/bin/python benchmarks/peers/gensim_peer.py train TOKENS SETTINGS VECTORS

SETTINGS is JSON: size, window, negatives, sample, minimum_count, epochs, seed, threads, objective. It reads the file by
itself in native code (`corpus_file`), its quickest way. "run N" answers with the seconds of N passes over the file; the
vocabulary is made before. This file is imported in the peer's own environment: it needs Python and gensim only.
"""

import json
import sys
import time

import gensim
from gensim.models import Word2Vec


def create(tokens, settings):
    model = Word2Vec(
        vector_size=settings["size"],
        window=settings["window"],
        negative=settings["negatives"],
        sample=settings["sample"],
        min_count=settings["minimum_count"],
        epochs=settings["epochs"],
        seed=settings["seed"],
        workers=settings["threads"],
        sg=int(settings["objective"] == "skipgram"),
    )
    model.build_vocab(corpus_file=tokens)
    return model


def train(model, tokens, epochs):
    start = time.perf_counter()
    model.train(
        corpus_file=tokens, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=epochs
    )
    return time.perf_counter() - start


def main():
    mode, tokens, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    model = create(tokens, settings)
    if mode == "train":
        seconds = train(model, tokens, settings["epochs"])
        model.wv.save_word2vec_format(sys.argv[4])
        print(json.dumps({"seconds": seconds, "words": model.corpus_total_words}))
        return
    print(json.dumps({"version": gensim.__version__, "words": model.corpus_total_words}), flush=True)
    for line in sys.stdin:
        print(train(model, tokens, int(line.split()[1])), flush=True)


if __name__ == "__main__":
    main()
