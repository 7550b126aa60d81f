"""Threads that take pieces of a kernel's work, and the native code that hands the pieces out.

Whoever runs a step takes pieces like all others, and waits at the end only for those that others have taken. So a
thread that sleeps, or that the machine gives to somebody else, holds nothing up. Who works on which piece changes no
bit of a result.

A worker looks for work for a fraction of a millisecond after the last one, and then sleeps.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import platform
import sys
import threading
import time
from functools import cache

from amigrad.backends.native.build import library

MOST_PIECES = 2**15
_BYTES = 1024
_AWAKE = 300e-6
"""So many seconds a worker without work looks for some before it goes to sleep."""
_TRIED = 4096
"""Rounds of looking by which their time is measured."""

# The pool's memory, in words of 64 bits: 0 the job (its number << 32 | end << 16 | first piece of those that are left),
# 8 how many pieces are done, 16 function and 17 arguments of the job, 18 how many threads may work on it, 19 how many
# pieces there are, 24 whether the pool is taken,
# 32 how many workers sleep, 33 whether they are to end, 34 on which processor the job was given out, 40 a mutex, 80 a
# condition. What different threads write is on different cache lines.
_CODE = """
declare i32 @sched_yield()
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)

define i32 @prepare(ptr %pool) {
  %mutex = getelementptr i64, ptr %pool, i64 40
  %condition = getelementptr i64, ptr %pool, i64 80
  %a = call i32 @pthread_mutex_init(ptr %mutex, ptr null)
  %b = call i32 @pthread_cond_init(ptr %condition, ptr null)
  %both = or i32 %a, %b
  ret i32 %both
}

define internal void @wake(ptr %pool) {
  %mutex = getelementptr i64, ptr %pool, i64 40
  %condition = getelementptr i64, ptr %pool, i64 80
  %a = call i32 @pthread_mutex_lock(ptr %mutex)
  %b = call i32 @pthread_cond_broadcast(ptr %condition)
  %c = call i32 @pthread_mutex_unlock(ptr %mutex)
  ret void
}

; Takes pieces of a job until none is left: every other thread the first one, the others the last one. So a thread gets
; about the same rows of one kernel after another, which its own caches hold.
define internal void @work(ptr %pool, i64 %number, i64 %thread) {
entry:
  %done_at = getelementptr i64, ptr %pool, i64 8
  %function_at = getelementptr i64, ptr %pool, i64 16
  %arguments_at = getelementptr i64, ptr %pool, i64 17
  %threads_at = getelementptr i64, ptr %pool, i64 18
  %pieces_at = getelementptr i64, ptr %pool, i64 19
  %parity = and i64 %thread, 1
  %backwards = icmp eq i64 %parity, 1
  br label %look
look:
  %job = load atomic i64, ptr %pool acquire, align 8
  %current = lshr i64 %job, 32
  %same = icmp eq i64 %current, %number
  %first = and i64 %job, 65535
  %high = lshr i64 %job, 16
  %end_of_all = and i64 %high, 65535
  %left = icmp ult i64 %first, %end_of_all
  %threads = load atomic i64, ptr %threads_at monotonic, align 8
  %allowed = icmp ult i64 %thread, %threads
  %other = and i1 %same, %left
  %any = and i1 %other, %allowed
  br i1 %any, label %take, label %end
take:
  %last = sub i64 %end_of_all, 1
  %piece = select i1 %backwards, i64 %last, i64 %first
  %change = select i1 %backwards, i64 -65536, i64 1
  %next = add i64 %job, %change
  %pair = cmpxchg ptr %pool, i64 %job, i64 %next acq_rel monotonic, align 8
  %taken = extractvalue { i64, i1 } %pair, 1
  br i1 %taken, label %do, label %look
do:
  %function = load ptr, ptr %function_at
  %arguments = load ptr, ptr %arguments_at
  %pieces = load i64, ptr %pieces_at
  %status = call i32 %function(ptr %arguments, i64 %piece, i64 %pieces, i64 %thread)
  %before = atomicrmw add ptr %done_at, i64 1 release, align 8
  br label %look
end:
  ret void
}

; Has all pieces of some work done, by so many threads if they are free; their numbers begin at 0, the caller's.
define void @share(ptr %pool, ptr %function, ptr %arguments, i64 %pieces, i64 %threads) {
entry:
  %taken_at = getelementptr i64, ptr %pool, i64 24
  %pair = cmpxchg ptr %taken_at, i64 0, i64 1 acquire monotonic, align 8
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %begin, label %alone
alone:
  %piece = phi i64 [ 0, %entry ], [ %following, %alone ]
  %ignored = call i32 %function(ptr %arguments, i64 %piece, i64 %pieces, i64 0)
  %following = add i64 %piece, 1
  %last = icmp eq i64 %following, %pieces
  br i1 %last, label %end, label %alone
begin:
  %done_at = getelementptr i64, ptr %pool, i64 8
  store atomic i64 0, ptr %done_at monotonic, align 8
  %function_at = getelementptr i64, ptr %pool, i64 16
  store ptr %function, ptr %function_at
  %arguments_at = getelementptr i64, ptr %pool, i64 17
  store ptr %arguments, ptr %arguments_at
  %threads_at = getelementptr i64, ptr %pool, i64 18
  store atomic i64 %threads, ptr %threads_at monotonic, align 8
  %pieces_at = getelementptr i64, ptr %pool, i64 19
  store i64 %pieces, ptr %pieces_at
  call void @place(ptr %pool)
  %before = load atomic i64, ptr %pool monotonic, align 8
  %old = lshr i64 %before, 32
  %new = add i64 %old, 1
  %number = and i64 %new, 4294967295
  %high = shl i64 %number, 32
  %low = shl i64 %pieces, 16
  %job = or i64 %high, %low
  store atomic i64 %job, ptr %pool seq_cst, align 8
  %sleeping_at = getelementptr i64, ptr %pool, i64 32
  %sleeping = load atomic i64, ptr %sleeping_at seq_cst, align 8
  %some = icmp ne i64 %sleeping, 0
  br i1 %some, label %call, label %go
call:
  call void @wake(ptr %pool)
  br label %go
go:
  call void @work(ptr %pool, i64 %number, i64 0)
  br label %wait
wait:
  %tries = phi i64 [ 0, %go ], [ %more, %pause ], [ 0, %tired ]
  %done = load atomic i64, ptr %done_at acquire, align 8
  %all = icmp eq i64 %done, %pieces
  br i1 %all, label %release, label %again
again:
  %more = add i64 %tries, 1
  %long = icmp ugt i64 %more, 4096
  br i1 %long, label %tired, label %pause
pause:
  PAUSE
  br label %wait
tired:
  %yielded = call i32 @sched_yield()
  br label %wait
release:
  store atomic i64 0, ptr %taken_at release, align 8
  br label %end
end:
  ret void
}

; So many rounds of looking, to know what they take.
define i32 @look(ptr %pool, i64 %rounds) {
entry:
  br label %look
look:
  %round = phi i64 [ 0, %entry ], [ %more, %look ]
  %job = load atomic i64, ptr %pool acquire, align 8
  PAUSE
  %more = add i64 %round, 1
  %done = icmp uge i64 %more, %rounds
  br i1 %done, label %end, label %look
end:
  ret i32 0
}

; What a worker does until it is to end. It looks so many rounds for work before it sleeps.
define i32 @serve(ptr %pool, i64 %thread, i64 %rounds) {
entry:
  %sleeping_at = getelementptr i64, ptr %pool, i64 32
  %end_at = getelementptr i64, ptr %pool, i64 33
  %mutex = getelementptr i64, ptr %pool, i64 40
  %condition = getelementptr i64, ptr %pool, i64 80
  br label %look
look:
  %seen = phi i64 [ 0, %entry ], [ %seen, %rest ], [ %number, %work ]
  %round = phi i64 [ 0, %entry ], [ %more, %rest ], [ 0, %work ]
  %job = load atomic i64, ptr %pool acquire, align 8
  %current = lshr i64 %job, 32
  %new = icmp ne i64 %current, %seen
  br i1 %new, label %work, label %none
none:
  %more = add i64 %round, 1
  %tired = icmp uge i64 %more, %rounds
  br i1 %tired, label %bed, label %rest
rest:
  PAUSE
  br label %look
bed:
  %a = call i32 @pthread_mutex_lock(ptr %mutex)
  %b = atomicrmw add ptr %sleeping_at, i64 1 seq_cst, align 8
  br label %asleep
asleep:
  %later = load atomic i64, ptr %pool seq_cst, align 8
  %later_number = lshr i64 %later, 32
  %changed = icmp ne i64 %later_number, %seen
  %end = load atomic i64, ptr %end_at seq_cst, align 8
  %ends = icmp ne i64 %end, 0
  %up = or i1 %changed, %ends
  br i1 %up, label %awake, label %sleep
sleep:
  %c = call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %asleep
awake:
  %d = atomicrmw sub ptr %sleeping_at, i64 1 seq_cst, align 8
  %e = call i32 @pthread_mutex_unlock(ptr %mutex)
  br i1 %ends, label %leave, label %work
work:
  %number = phi i64 [ %current, %look ], [ %later_number, %awake ]
  call void @part(ptr %pool)
  call void @work(ptr %pool, i64 %number, i64 %thread)
  br label %look
leave:
  ret i32 0
}

define i32 @close(ptr %pool) {
  %end_at = getelementptr i64, ptr %pool, i64 33
  store atomic i64 1, ptr %end_at seq_cst, align 8
  call void @wake(ptr %pool)
  ret i32 0
}
"""


# On a busy machine Linux lets a worker wait on the very processor that whoever runs the step is on, though another one
# is used for less urgent things. A worker that finds itself there goes elsewhere.
_PLACES = """
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @sched_setaffinity(i32, i64, ptr)

define internal void @place(ptr %pool) {
  %at = getelementptr i64, ptr %pool, i64 34
  %processor = call i32 @sched_getcpu()
  %wide = sext i32 %processor to i64
  store atomic i64 %wide, ptr %at monotonic, align 8
  ret void
}

define internal void @part(ptr %pool) {
entry:
  %all = alloca [16 x i64]
  %others = alloca [16 x i64]
  %at = getelementptr i64, ptr %pool, i64 34
  %theirs = load atomic i64, ptr %at monotonic, align 8
  %processor = call i32 @sched_getcpu()
  %mine = sext i32 %processor to i64
  %same = icmp eq i64 %mine, %theirs
  %known = icmp ult i64 %mine, 1024
  %close = and i1 %same, %known
  br i1 %close, label %ask, label %end
ask:
  store [16 x i64] zeroinitializer, ptr %all
  %read = call i32 @sched_getaffinity(i32 0, i64 128, ptr %all)
  %fine = icmp sge i32 %read, 0
  br i1 %fine, label %go, label %end
go:
  %places = load [16 x i64], ptr %all
  store [16 x i64] %places, ptr %others
  %word = lshr i64 %mine, 6
  %bit = and i64 %mine, 63
  %word_at = getelementptr i64, ptr %others, i64 %word
  %here = shl i64 1, %bit
  %not_here = xor i64 %here, -1
  %before = load i64, ptr %word_at
  %after = and i64 %before, %not_here
  store i64 %after, ptr %word_at
  %moved = call i32 @sched_setaffinity(i32 0, i64 128, ptr %others)
  %free = call i32 @sched_setaffinity(i32 0, i64 128, ptr %all)
  br label %end
end:
  ret void
}
"""
_NO_PLACES = """
define internal void @place(ptr %pool) {
  ret void
}
define internal void @part(ptr %pool) {
  ret void
}
"""


def _code() -> str:
    declared, pause = "", ""
    if platform.machine() in ("x86_64", "AMD64"):
        declared, pause = "declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"
    elif platform.machine() in ("aarch64", "arm64"):
        declared, pause = "declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"
    code = _CODE.replace("PAUSE", pause)
    places = _PLACES if sys.platform == "linux" else _NO_PLACES
    return f"{declared}\n{code}{places}"


class Pool:
    """The process's workers. `address` is the memory that they share, `share` the function that hands out work."""

    def __init__(self) -> None:
        self._library = library(_code())
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
        self._prepare, self._close = kind(self._library.address("prepare")), kind(self._library.address("close"))
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64)
        self._look = kind(self._library.address("look"))
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self._serve = kind(self._library.address("serve"))
        self.share = self._library.address("share")
        # It is never given back: a worker may look at it as long as the process lives.
        memory = (ctypes.c_char * (_BYTES + 64))()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(memory))
        self._memory = memory
        self.address = -(-ctypes.addressof(memory) // 64) * 64
        self.workers: list[threading.Thread] = []
        self._starting = threading.Lock()
        self._begin()
        self._rounds = self._measure()
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Without workers: they do not come along into a process that is forked."""
        ctypes.memset(ctypes.addressof(self._memory), 0, ctypes.sizeof(self._memory))
        if self._prepare(self.address):
            raise OSError("the system gives no mutex")
        self.workers = []
        self._starting = threading.Lock()

    def _measure(self) -> int:
        """How many rounds a worker looks for work: the quickest of some tries tells how long they take."""
        times = []
        for _ in range(5):
            start = time.perf_counter()
            self._look(self.address, _TRIED)
            times.append(time.perf_counter() - start)
        return max(1, int(_AWAKE / max(min(times), 1e-9) * _TRIED))

    def start(self, threads: int) -> None:
        """Have so many threads, the caller counted."""
        if len(self.workers) >= threads - 1:
            return
        with self._starting:
            while len(self.workers) < threads - 1:
                arguments = (self.address, len(self.workers) + 1, self._rounds)
                worker = threading.Thread(target=self._serve, args=arguments, daemon=True, name="amigrad-worker")
                worker.start()
                self.workers.append(worker)

    @property
    def jobs(self) -> int:
        """How many kernels were shared until now."""
        return ctypes.c_uint64.from_address(self.address).value >> 32

    @property
    def sleeping(self) -> int:
        """How many workers sleep."""
        return ctypes.c_uint64.from_address(self.address + 8 * 32).value

    def _end(self) -> None:
        """Let the workers end before the interpreter takes their code away."""
        if self.workers:
            self._close(self.address)
            for worker in self.workers:
                worker.join(timeout=1.0)


@cache
def pool() -> Pool | None:
    """The process's pool, made at first use; None where the system has no threads of POSIX."""
    return Pool() if os.name == "posix" else None
