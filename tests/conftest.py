"""How the tests draw their random cases: the same ones each time in continuous integration, new ones elsewhere; and
LLVM verifies what it is given. Ctrl-C reaches the tests also where the shell that began them has it ignored.
"""

import os
import signal

from hypothesis import settings

settings.register_profile("amigrad", deadline=None, database=None, max_examples=60, derandomize="CI" in os.environ)
settings.load_profile("amigrad")

os.environ["AMIGRAD_VERIFY"] = "1"
signal.signal(signal.SIGINT, signal.default_int_handler)
