"""amigrad, as one of the programs that take turns."""

import argparse
from importlib import import_module

from benchmarks.peers.serve import serve
from benchmarks.workloads import MODULES

import amigrad as ag


def main() -> None:
    parser = argparse.ArgumentParser(description="amigrad's side of the benchmarks")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    ag.set_threads(arguments.threads)
    forms = {
        case.workload: {"compile": module.task}
        for module in (import_module(f"benchmarks.workloads.{name}") for name in MODULES)
        for case in module.cases()
    }
    serve("amigrad", ag.__version__, arguments.threads, forms)


if __name__ == "__main__":
    main()
