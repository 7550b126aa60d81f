"""Ways to run a graph: the reference backend in NumPy, and the native compiler."""

from amigrad.backends.compile import Compiled, compile

__all__ = ["Compiled", "compile"]
