"""Batches of sentences as the peers like them: packed in steps, padded, or several in a row. Imported by peers."""

import numpy as np


def cut(arrays):
    """For each batch the words and the tags of each sentence."""
    ends = np.cumsum(arrays["lengths"].reshape(-1))[:-1]
    count = arrays["lengths"].shape[1]
    words, tags = (np.split(arrays[name], ends) for name in ("words", "tags"))
    return [
        list(zip(words[start : start + count], tags[start : start + count], strict=True))
        for start in range(0, len(words), count)
    ]


def padded(arrays):
    """(words, tags, weights) of each batch, (longest of all, sentences); a weight is 0 behind a sentence's end,
    else 1 / words in the batch.
    """
    return in_rows(arrays, arrays["lengths"].shape[1], lambda lengths: [[i] for i in range(len(lengths))], starts=False)


def joined(arrays):
    """(words, tags, weights, starts) of each batch, (longest of all, rows): sentences share a row where they fit,
    and starts is 0 where another one begins, else 1.
    """
    plans = [_plan(row, int(arrays["lengths"].max())) for row in arrays["lengths"]]
    return in_rows(arrays, max(map(len, plans)), lambda lengths: _plan(lengths, int(arrays["lengths"].max())))


def in_rows(arrays, rows, plan, starts=True):
    longest, found = int(arrays["lengths"].max()), []
    for lengths, sentences in zip(arrays["lengths"], cut(arrays), strict=True):
        words, tags = np.zeros((2, longest, rows), np.int32)
        weights, begins = np.zeros((2, longest, rows), np.float32)
        for row, members in enumerate(plan(lengths)):
            place = 0
            for member in members:
                size = int(lengths[member])
                words[place : place + size, row], tags[place : place + size, row] = sentences[member]
                weights[place : place + size, row] = 1.0 / lengths.sum()
                begins[place, row] = 1.0
                place += size
        found.append((words, tags, weights, 1.0 - begins) if starts else (words, tags, weights))
    return found


def _plan(lengths, longest):
    """Which sentences share a row: the longest first, each into the first row that has room."""
    rows, room = [], []
    for member in np.argsort(-lengths, kind="stable"):
        size = int(lengths[member])
        place = next((i for i, left in enumerate(room) if left >= size), len(rows))
        if place == len(rows):
            rows.append([])
            room.append(longest)
        rows[place].append(member)
        room[place] -= size
    return rows
