"""Errors that speak of graphs."""

from __future__ import annotations


class TraceError(RuntimeError):
    """A traced function asked for something that only a run could answer; names the line of the user's."""

    def __init__(self, message: str) -> None:
        from amigrad.graph.recording import caller

        place = caller()
        super().__init__(f"{message} (at {place})" if place else message)
