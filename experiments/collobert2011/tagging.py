"""Words a second of a tagger on the words of a file, in a process of its own: `… MODEL FILE` prints JSON."""

from __future__ import annotations

import json
import sys
import time

from amigrad.tasks.tagging import Tagger
from amigrad.tasks.tagging.corpus import column_numbers, read_tagged


def main(model: str, path: str) -> None:
    """Load, tag, print; three times."""
    sentences = read_tagged(path, columns=column_numbers(Tagger.load(model).options.given))
    words = sum(map(len, sentences))
    most = {"wall": 0.0, "cpu": 0.0}
    for _ in range(3):
        tagger = Tagger.load(model)
        wall, cpu = time.perf_counter(), time.process_time()
        for block in tagger.blocks(sentences, key=lambda item: item.words, given=lambda item: item.columns):
            assert len(block.tags) == len(block.words)
        most["wall"] = max(most["wall"], words / (time.perf_counter() - wall))
        most["cpu"] = max(most["cpu"], words / (time.process_time() - cpu))
    print(json.dumps(most))


if __name__ == "__main__":
    main(*sys.argv[1:])
