"""amigrad: computation graphs that you can run, see and compile."""

from amigrad.backends import *  # noqa: F403
from amigrad.functions import *  # noqa: F403
from amigrad.graph import *  # noqa: F403

__version__ = "0.1.0"
