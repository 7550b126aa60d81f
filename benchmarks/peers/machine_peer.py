"""What one core of this machine can do: multiply-adds in registers, and bytes read from and written to memory.

The loops are LLVM IR, compiled for this processor as amigrad's own code is. They compute nothing that is asked for,
so nothing is checked; an elementwise call here reads and writes as many bytes as the chain has to.
"""

import argparse
import ctypes

import llvmlite
import llvmlite.binding as llvm
import numpy as np
from serve import Task, serve, stepping

CHAINS = 12  # of multiply-adds that do not wait for each other; with two constants they fit into 16 registers


def width():
    """How many float32 a register has."""
    features = llvm.get_host_cpu_features()
    return 16 if features.get("avx512f") else 8 if features.get("avx") else 4


def peak_ir(width):
    """peak(n): n turns of CHAINS multiply-adds of whole registers."""
    kind = f"<{width} x float>"
    names = range(CHAINS)
    phis = "\n".join(f"  %a{k} = phi {kind} [ %start, %entry ], [ %b{k}, %loop ]" for k in names)
    chains = "\n".join(f"  %b{k} = call {kind} @llvm.fma({kind} %a{k}, {kind} %x, {kind} %y)" for k in names)
    total = "\n".join(f"  %s{k} = fadd {kind} %b{k}, {f'%s{k - 1}' if k else 'zeroinitializer'}" for k in names)
    return f"""
declare {kind} @llvm.fma({kind}, {kind}, {kind})
define void @peak(i64 %n, ptr %data) {{
entry:
  %x = load {kind}, ptr %data
  %place = getelementptr {kind}, ptr %data, i64 1
  %y = load {kind}, ptr %place
  %start = fadd {kind} %x, %y
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{phis}
{chains}
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, %n
  br i1 %again, label %loop, label %end
end:
{total}
  store {kind} %s{CHAINS - 1}, ptr %data
  ret void
}}
"""


def stream_ir(width, past_caches):
    """stream(n, from, to): to = from * 2, n registers; past_caches: written without reading the lines before."""
    kind, mark = f"<{width} x float>", ", !nontemporal !0" if past_caches else ""
    name = "stream_past" if past_caches else "stream"
    return f"""
define void @{name}(i64 %n, ptr noalias %from, ptr noalias %to) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %source = getelementptr {kind}, ptr %from, i64 %i
  %x = load {kind}, ptr %source, align 4
  %y = fadd {kind} %x, %x
  %target = getelementptr {kind}, ptr %to, i64 %i
  store {kind} %y, ptr %target, align {4 * width}{mark}
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, %n
  br i1 %again, label %loop, label %end, !llvm.loop !1
end:
  ret void
}}
"""


class Machine:
    """The native loops."""

    def __init__(self):
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.width = width()
        text = peak_ir(self.width) + stream_ir(self.width, False) + stream_ir(self.width, True)
        text += '!0 = !{i32 1}\n!1 = distinct !{!1, !2}\n!2 = !{!"llvm.loop.unroll.count", i32 4}\n'
        module = llvm.parse_assembly(text)
        module.verify()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit" * (self.width == 16),
            opt=3,
        )
        passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(3))
        passes.getModulePassManager().run(module, passes)
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()

    def function(self, name, *kinds):
        return ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address(name))

    def peak(self, arrays, settings):
        """As many multiply-adds as the product has; those of all calls in one loop."""
        multiplications = settings["size"] ** 3 * settings.get("count", 1)
        loop = self.function("peak", ctypes.c_int64, ctypes.c_void_p)
        data = aligned(2 * self.width)
        data[:] = 0.25

        def run(batches):
            loop(max(1, multiplications * len(batches) // (CHAINS * self.width)), data.ctypes.data)

        return Task(run, [()])

    def stream(self, name):
        def form(arrays, settings):
            x = arrays["x"]
            loop = self.function(name, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
            output = aligned(x.shape[1])
            output[:] = 0.0
            count = x.shape[1] // self.width
            return Task(stepping(lambda row: loop(count, row.ctypes.data, output.ctypes.data)), [(row,) for row in x])

        return form


def copy(arrays, settings):
    """numpy.copyto, which is the system's memcpy."""
    output = np.zeros_like(arrays["x"][0])
    return Task(stepping(lambda row: np.copyto(output, row)), [(row,) for row in arrays["x"]])


def aligned(count):
    """float32 at an address that the widest registers may be stored to."""
    memory = np.empty(4 * count + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + 4 * count].view(np.float32)


def main():
    parser = argparse.ArgumentParser(description="What the machine can do")
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    machine = Machine()
    memory = {
        "memory, copy": copy,
        "memory, stream": machine.stream("stream"),
        "memory, stream past caches": machine.stream("stream_past"),
    }
    peak = {"peak": machine.peak}
    forms = {"elementwise": memory, "matmul": peak, "matmul many": peak} if threads == 1 else {}
    serve("machine", llvmlite.__version__, threads, forms)


if __name__ == "__main__":
    main()
