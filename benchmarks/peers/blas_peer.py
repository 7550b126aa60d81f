"""Matrix products by BLAS: NumPy's (OpenBLAS), and MKL's where `make peers` could install it."""

import argparse
import ctypes
from pathlib import Path

import numpy as np
from serve import Task, serve, stepping

ROW_MAJOR, AS_IT_IS = 101, 111


def shape(arrays):
    return arrays["a"].shape[1:]


def numpy_product(arrays, settings):
    """Into an output that is there; of many matrices in one call."""
    output = np.empty(shape(arrays), np.float32)
    pairs = list(zip(arrays["a"], arrays["b"], strict=True))
    return Task(stepping(lambda a, b: np.matmul(a, b, out=output)), pairs)


def find_mkl():
    """MKL's library; None where there is none."""
    for path in sorted(Path(__file__).parents[2].glob(".venv-mkl/**/*mkl_rt.*")):
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None


def mkl_product(library, threads):
    library.MKL_Set_Num_Threads(threads)
    one, zero = ctypes.c_float(1.0), ctypes.c_float(0.0)

    def form(arrays, settings):
        n, count = settings["size"], settings.get("count")
        output = np.empty(shape(arrays), np.float32)
        size = ctypes.c_int(n)
        order = [ctypes.c_int(ROW_MAJOR), ctypes.c_int(AS_IT_IS), ctypes.c_int(AS_IT_IS), size, size, size, one]
        if count is None:
            call, apart, more = library.cblas_sgemm, [], []
        else:
            call, apart, more = library.cblas_sgemm_batch_strided, [ctypes.c_int(n * n)], [ctypes.c_int(count)]
        pointer = lambda array: ctypes.c_void_p(array.ctypes.data)  # noqa: E731
        batches = [
            (*order, pointer(a), size, *apart, pointer(b), size, *apart, zero, pointer(output), size, *apart, *more)
            for a, b in zip(arrays["a"], arrays["b"], strict=True)
        ]
        return Task(stepping(call), batches, lambda _, inputs=arrays: output)  # the inputs stay as long as this

    return form


def main():
    parser = argparse.ArgumentParser(description="BLAS's side of the benchmarks")
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    forms = {"numpy": numpy_product}
    library = find_mkl()
    if library is not None:
        forms["MKL"] = mkl_product(library, threads)
    serve("blas", np.__version__, threads, {"matmul": forms, "matmul many": forms})


if __name__ == "__main__":
    main()
