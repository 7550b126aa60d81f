"""Whether threads help is tried: now and then a few steps with them and a few without, and the quicker way is kept.

It depends on the machine of the moment as much as on the work: what else runs on it, and how quickly its processors
exchange data. The bits of the results are the same either way.
"""

from __future__ import annotations

import sys

from amigrad.backends.native.frame import ALONE, COUNT, THREADS, TOGETHER, WORTH

_PERIOD = 256
"""Steps from one trial to the next, a power of two."""
_TRIED = 4
"""So many steps each way; the quickest of them counts."""

# choose: how many threads the next step may use. note: what time it took.
_CODE = """
declare i32 @clock_gettime(i32, ptr)

define internal i64 @now() {
  %time = alloca [2 x i64]
  %ignored = call i32 @clock_gettime(i32 CLOCK, ptr %time)
  %seconds = load i64, ptr %time
  %at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %at
  %whole = mul i64 %seconds, 1000000000
  %all = add i64 %whole, %rest
  ret i64 %all
}

define internal i64 @choose(ptr %frame) {
  %count_at = getelementptr i64, ptr %frame, i64 COUNT
  %count = load i64, ptr %count_at
  %place = and i64 %count, MASK
  %tries_all = icmp ult i64 %place, TRIED
  %tries_one = icmp ult i64 %place, TWICE
  %all_at = getelementptr i64, ptr %frame, i64 THREADS
  %all = load i64, ptr %all_at
  %alone_at = getelementptr i64, ptr %frame, i64 ALONE
  %alone = load i64, ptr %alone_at
  %together_at = getelementptr i64, ptr %frame, i64 TOGETHER
  %together = load i64, ptr %together_at
  %part = lshr i64 %together, WORTH
  %worth = add i64 %together, %part
  %slower = icmp slt i64 %alone, %worth
  %either = or i1 %tries_one, %slower
  %not_all = xor i1 %tries_all, true
  %single = and i1 %either, %not_all
  %threads = select i1 %single, i64 1, i64 %all
  ret i64 %threads
}

define internal void @note(ptr %frame, i64 %time) {
entry:
  %count_at = getelementptr i64, ptr %frame, i64 COUNT
  %count = load i64, ptr %count_at
  %more = add i64 %count, 1
  store i64 %more, ptr %count_at
  %place = and i64 %count, MASK
  %trial = icmp ult i64 %place, TWICE
  br i1 %trial, label %keep, label %end
keep:
  %all = icmp ult i64 %place, TRIED
  %word = select i1 %all, i64 TOGETHER, i64 ALONE
  %at = getelementptr i64, ptr %frame, i64 %word
  %before = load i64, ptr %at
  %begins = icmp eq i64 %place, 0
  %begins_too = icmp eq i64 %place, TRIED
  %first = or i1 %begins, %begins_too
  %less = icmp slt i64 %time, %before
  %takes = or i1 %first, %less
  %best = select i1 %takes, i64 %time, i64 %before
  store i64 %best, ptr %at
  br label %end
end:
  ret void
}
"""


def code() -> str:
    """The functions of a trial: now() -> nanoseconds, choose(frame) -> threads, note(frame, nanoseconds)."""
    text = _CODE
    for name, value in {
        "CLOCK": 6 if sys.platform == "darwin" else 1,  # CLOCK_MONOTONIC
        "COUNT": COUNT,
        "MASK": _PERIOD - 1,
        "TRIED": _TRIED,
        "TWICE": 2 * _TRIED,
        "THREADS": THREADS,
        "ALONE": ALONE,
        "TOGETHER": TOGETHER,
        "WORTH": WORTH,
    }.items():
        text = text.replace(name, str(value))
    return text
