"""Ways to run a graph: the reference backend in NumPy, and the native compiler."""

from amigrad.backends.compile import Compiled, compile
from amigrad.backends.workers import set_threads, threads

__all__ = ["Compiled", "compile", "set_threads", "threads"]
