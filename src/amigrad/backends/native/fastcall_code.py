"""The IR of the native way to call compiled functions (`fastcall.py`), with the places of all that it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from amigrad.backends.executor import BUSY, PROCESS
from amigrad.backends.native import objects

MOST = 64
"""There is room to note so many inputs, and so many outputs."""

API = (
    *("Py_IncRef", "Py_DecRef", "PyType_GenericAlloc", "PyTuple_New", "PyTuple_SetItem"),
    *("PyObject_Call", "PyObject_GetAttr", "PyObject_Vectorcall", "PyEval_SaveThread", "PyEval_RestoreThread"),
    *("PyFloat_AsDouble", "PyLong_AsLongLongAndOverflow"),
)
"""What is used of CPython's C interface."""

# Words of the world; after them the addresses of the functions above.
TENSOR, NDARRAY, NEW, TRACES, NAME, NO, FUNCTIONS = range(7)

# Words of a card, after that which says where the address of the world is and that which says whether it is busy
TAKE, GIVE_BACK, FIRST = range(BUSY + 1, BUSY + 4)

# Words of a record. After them: what is wanted in the place of each argument, then for each output a tensor without
# a value, its dtype, its number of axes, their sizes.
NEXT, ARGUMENTS, NAMED, INPUTS, OUTPUTS, STEP, FRAME, TOKENS, ARENA, PRESENT_ARENA, IS_LONG, FINISH, WANTED = range(13)

# What FINISH is if the result is one tensor, or a tuple of all; else it is a function that makes the result of them.
ONE, ALL = range(2)

# What may be wanted: an array or a tensor (dtype, number of axes, their sizes), one object and no other, a list or a
# tuple (type, the functions that give its size and its items, its size, then what is wanted of each item), a number
# of Python (type).
ARRAY, CONSTANT, SEQUENCE, REAL, INTEGER = range(5)
CELL = 32
"""A number is given to the step in a cell that looks like an array: header, the address of the number, the number."""


def code(card: int, value: int, size: int) -> str:
    """The IR. card: where a compiled function has the array of the words of its card; value: where a tensor has its
    value; size: how many bytes a tensor has.
    """
    constants = {**vars(objects), **globals(), "PROCESS": PROCESS, "CARD": card, "VALUE": value, "SIZE": size}
    return _written_out(_CODE, {name: str(n) for name, n in constants.items() if name.isupper() and type(n) is int})


def _written_out(text: str, constants: Mapping[str, str]) -> str:
    """IR from text with names for constants and three shorthands: `get` and `put` for a word `pointer[number]` or a
    field `pointer.bytes`, and `api` for a call of a function of CPython's.
    """
    count = 0

    def pointer(base: str, unit: str, place: str) -> tuple[str, str]:
        nonlocal count
        count += 1
        return f"%at{count}", f"  %at{count} = getelementptr {unit}, ptr {base}, i64 {place}\n"

    def get(found: re.Match[str]) -> str:
        name, type_, base, bracket, place = found.groups()
        at, line = pointer(base, "i64" if bracket == "[" else "i8", place)
        return f"{line}  {name} = load {type_}, ptr {at}"

    def put(found: re.Match[str]) -> str:
        value, base, bracket, place = found.groups()
        at, line = pointer(base, "i64" if bracket == "[" else "i8", place)
        return f"{line}  store {value}, ptr {at}"

    def call(found: re.Match[str]) -> str:
        name, type_, function = found.groups()
        at, line = pointer("%world", "i64", str(FUNCTIONS + API.index(function)))
        return f"{line}  {at}f = load ptr, ptr {at}\n  {name or ''}call {type_} {at}f"

    text = re.sub(r"  (%\w+) = get (\w+) (%\w+)([\[.])(%?\w+)\]?", get, text)
    text = re.sub(r"  put (\w+ [%\w]+) (%\w+)([\[.])(%?\w+)\]?", put, text)
    text = re.sub(r"  (%\w+ = )?api (\w+) (\w+)", call, text)
    return re.sub(r"\b[A-Z][A-Z_]+\b", lambda found: constants.get(found[0], found[0]), text)


_CODE = """
; Whether a value is as wanted: gives what is wanted after it, or null. Notes the arrays in it; numbers go into cells.
define internal ptr @match(ptr %world, ptr %value, ptr %wanted, ptr %note, ptr %cells) {
entry:
  %kind = get i64 %wanted[0]
  %one = get ptr %wanted[1]
  %type = get ptr %value.TYPE
  switch i64 %kind, label %no [
    i64 ARRAY, label %array
    i64 CONSTANT, label %constant
    i64 SEQUENCE, label %sequence
    i64 REAL, label %number
    i64 INTEGER, label %number
  ]
constant:
  %same = icmp eq ptr %value, %one
  br i1 %same, label %constant_found, label %no
constant_found:
  %after_constant = getelementptr i64, ptr %wanted, i64 2
  ret ptr %after_constant

array:
  %tensor = get ptr %world[TENSOR]
  %is_tensor = icmp eq ptr %type, %tensor
  br i1 %is_tensor, label %inside, label %look
inside:
  %held = get ptr %value.VALUE
  %holds = icmp ne ptr %held, null
  br i1 %holds, label %look, label %no
look:
  %object = phi ptr [ %value, %array ], [ %held, %inside ]
  %ndarray = get ptr %world[NDARRAY]
  %object_type = get ptr %object.TYPE
  %is_array = icmp eq ptr %object_type, %ndarray
  br i1 %is_array, label %fields, label %no
fields:
  %descr = get ptr %object.DESCR
  %axes = get i32 %object.AXES
  %flags = get i32 %object.FLAGS
  %well = and i32 %flags, WELL
  %wanted_axes = get i64 %wanted[2]
  %axes_wide = sext i32 %axes to i64
  %same_descr = icmp eq ptr %descr, %one
  %same_axes = icmp eq i64 %axes_wide, %wanted_axes
  %is_well = icmp eq i32 %well, WELL
  %same_type = and i1 %same_descr, %same_axes
  %fits = and i1 %same_type, %is_well
  br i1 %fits, label %sizes, label %no
sizes:
  %dimensions = get ptr %object.DIMENSIONS
  %wanted_sizes = getelementptr i64, ptr %wanted, i64 3
  br label %axis
axis:
  %i = phi i64 [ 0, %sizes ], [ %next_i, %compare ]
  %more = icmp slt i64 %i, %axes_wide
  br i1 %more, label %compare, label %array_found
compare:
  %have = get i64 %dimensions[%i]
  %want = get i64 %wanted_sizes[%i]
  %next_i = add i64 %i, 1
  %equal = icmp eq i64 %have, %want
  br i1 %equal, label %axis, label %no
array_found:
  %place = load ptr, ptr %note
  store ptr %object, ptr %place
  %next_place = getelementptr ptr, ptr %place, i64 1
  store ptr %next_place, ptr %note
  %after_array = getelementptr i64, ptr %wanted_sizes, i64 %axes_wide
  ret ptr %after_array

sequence:
  %right_type = icmp eq ptr %type, %one
  br i1 %right_type, label %count, label %no
count:
  %size_of = get ptr %wanted[2]
  %item_of = get ptr %wanted[3]
  %wanted_items = get i64 %wanted[4]
  %first_item = getelementptr i64, ptr %wanted, i64 5
  %items = call i64 %size_of(ptr %value)
  %right_count = icmp eq i64 %items, %wanted_items
  br i1 %right_count, label %items_left, label %no
items_left:
  %k = phi i64 [ 0, %count ], [ %next_k, %item ]
  %here = phi ptr [ %first_item, %count ], [ %after_item, %item ]
  %left = icmp slt i64 %k, %items
  br i1 %left, label %item, label %sequence_found
item:
  %inner = call ptr %item_of(ptr %value, i64 %k)
  %after_item = call ptr @match(ptr %world, ptr %inner, ptr %here, ptr %note, ptr %cells)
  %next_k = add i64 %k, 1
  %item_fits = icmp ne ptr %after_item, null
  br i1 %item_fits, label %items_left, label %no
sequence_found:
  ret ptr %here

number:
  %is_number = icmp eq ptr %type, %one
  br i1 %is_number, label %into_cell, label %no
into_cell:
  %cell_place = load ptr, ptr %note
  %cell = load ptr, ptr %cells
  %content = getelementptr i64, ptr %cell, i64 3
  put ptr null %cell.TYPE
  put ptr %content %cell.PLACE
  %is_real = icmp eq i64 %kind, REAL
  br i1 %is_real, label %real, label %integer
real:
  %double = api double PyFloat_AsDouble(ptr %value)
  %float = fptrunc double %double to float
  store float %float, ptr %content
  %back = fpext float %float to double
  %size = call double @llvm.fabs.f64(double %back)
  %is_infinite = fcmp oeq double %size, 0x7FF0000000000000
  %differs = fcmp une double %back, %double
  %is_too_large = and i1 %is_infinite, %differs
  br i1 %is_too_large, label %no, label %number_found
integer:
  %overflow = getelementptr i64, ptr %cell, i64 0
  %long = api i64 PyLong_AsLongLongAndOverflow(ptr %value, ptr %overflow)
  store i64 %long, ptr %content
  %beyond = load i32, ptr %overflow
  %is_inside = icmp eq i32 %beyond, 0
  br i1 %is_inside, label %number_found, label %no
number_found:
  store ptr %cell, ptr %cell_place
  %next_cell_place = getelementptr ptr, ptr %cell_place, i64 1
  store ptr %next_cell_place, ptr %note
  %next_cell = getelementptr i8, ptr %cell, i64 CELL
  store ptr %next_cell, ptr %cells
  %after_number = getelementptr i64, ptr %wanted, i64 2
  ret ptr %after_number
no:
  ret ptr null
}

; Take or give back references to so many objects; a cell is none.
define internal void @each(ptr %function, ptr %objects, i64 %count) {
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %after ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  %object = get ptr %objects[%i]
  %type = get ptr %object.TYPE
  %is_object = icmp ne ptr %type, null
  br i1 %is_object, label %refer, label %after
refer:
  call void %function(ptr %object)
  br label %after
after:
  %next = add i64 %i, 1
  br label %head
done:
  ret void
}

; A new tensor, with a new array: null after an error.
define internal ptr @make(ptr %world, ptr %spec) {
entry:
  %template = get ptr %spec[0]
  %descr = get ptr %spec[1]
  %axes = get i32 %spec[2]
  %sizes = getelementptr i64, ptr %spec, i64 3
  %ndarray = get ptr %world[NDARRAY]
  %new = get ptr %world[NEW]
  api void Py_IncRef(ptr %descr)
  %array = call ptr %new(ptr %ndarray, ptr %descr, i32 %axes, ptr %sizes, ptr null, ptr null, i32 0, ptr null)
  %has_array = icmp ne ptr %array, null
  br i1 %has_array, label %wrap, label %failed
wrap:
  %type = get ptr %world[TENSOR]
  %tensor = api ptr PyType_GenericAlloc(ptr %type, i64 0)
  %has_tensor = icmp ne ptr %tensor, null
  br i1 %has_tensor, label %fill, label %drop
drop:
  api void Py_DecRef(ptr %array)
  br label %failed
failed:
  ret ptr null
fill:
  %place = phi i64 [ HEADER, %wrap ], [ %next, %filled ]
  %from = getelementptr i8, ptr %template, i64 %place
  %content = load ptr, ptr %from
  %has_content = icmp ne ptr %content, null
  br i1 %has_content, label %copy, label %filled
copy:
  api void Py_IncRef(ptr %content)
  put ptr %content %tensor.%place
  br label %filled
filled:
  %next = add i64 %place, 8
  %more = icmp slt i64 %next, SIZE
  br i1 %more, label %fill, label %done
done:
  put ptr %array %tensor.VALUE
  ret ptr %tensor
}

define ptr @call(ptr %self, ptr %args, i64 %count, ptr %names) {
entry:
  %inputs = alloca [MOST x ptr]
  %results = alloca [MOST x ptr]
  %cells = alloca [MOST x [CELL x i8]], align 8
  %note = alloca ptr
  %next_cell = alloca ptr
  %no_value = alloca ptr
  %words = get ptr %self.CARD
  %is_set_up = icmp ne ptr %words, null
  br i1 %is_set_up, label %begin, label %lost
begin:
  %card = get ptr %words.PLACE
  %world_at = get ptr %card[PROCESS]
  %world = load ptr, ptr %world_at
  %increase = get ptr %world[FUNCTIONS]
  %decrease_at = getelementptr i64, ptr %world, i64 FUNCTIONS
  %decrease = get ptr %decrease_at[1]
  %traces_at = get ptr %world[TRACES]
  %traces = load i64, ptr %traces_at
  %busy = get i64 %card[BUSY]
  %first = get ptr %card[FIRST]
  %no_trace = icmp eq i64 %traces, 0
  %is_free = icmp eq i64 %busy, 0
  %has_names = icmp ne ptr %names, null
  %ready = and i1 %no_trace, %is_free
  br i1 %ready, label %search, label %otherwise

; The record for arguments like these
search:
  %record = phi ptr [ %first, %begin ], [ %following, %other ]
  %exists = icmp ne ptr %record, null
  br i1 %exists, label %try, label %otherwise
try:
  store ptr %inputs, ptr %note
  store ptr %cells, ptr %next_cell
  %wanted_count = get i64 %record[ARGUMENTS]
  %named = get i64 %record[NAMED]
  %wanted = getelementptr i64, ptr %record, i64 WANTED
  %wants_names = icmp ne i64 %named, 0
  %same_names = icmp eq i1 %has_names, %wants_names
  %same_count = icmp eq i64 %wanted_count, %count
  %same_call = and i1 %same_names, %same_count
  %all_count = add i64 %count, %named
  br i1 %same_call, label %names_first, label %other
names_first:
  br i1 %has_names, label %match_names, label %next_argument
match_names:
  %after_names = call ptr @match(ptr %world, ptr %names, ptr %wanted, ptr %note, ptr %next_cell)
  %names_fit = icmp ne ptr %after_names, null
  br i1 %names_fit, label %next_argument, label %other
other:
  %following = get ptr %record[NEXT]
  br label %search
next_argument:
  %a = phi i64 [ 0, %names_first ], [ 0, %match_names ], [ %after_a, %argument ]
  %here = phi ptr [ %wanted, %names_first ], [ %after_names, %match_names ], [ %after, %argument ]
  %has_argument = icmp slt i64 %a, %all_count
  br i1 %has_argument, label %argument, label %found
argument:
  %value = get ptr %args[%a]
  %after = call ptr @match(ptr %world, ptr %value, ptr %here, ptr %note, ptr %next_cell)
  %after_a = add i64 %a, 1
  %fits = icmp ne ptr %after, null
  br i1 %fits, label %next_argument, label %other

; The tensors of the result. As they are made, Python may collect garbage and do anything.
found:
  %input_count = get i64 %record[INPUTS]
  %output_count = get i64 %record[OUTPUTS]
  call void @each(ptr %increase, ptr %inputs, i64 %input_count)
  br label %next_result
next_result:
  %r = phi i64 [ 0, %found ], [ %after_r, %made ]
  %spec = phi ptr [ %here, %found ], [ %after_spec, %made ]
  %lacks_result = icmp slt i64 %r, %output_count
  br i1 %lacks_result, label %result, label %take
result:
  %tensor = call ptr @make(ptr %world, ptr %spec)
  %is_made = icmp ne ptr %tensor, null
  br i1 %is_made, label %made, label %no_memory
made:
  put ptr %tensor %results[%r]
  %after_r = add i64 %r, 1
  %result_axes = get i64 %spec[2]
  %result_words = add i64 %result_axes, 3
  %after_spec = getelementptr i64, ptr %spec, i64 %result_words
  br label %next_result
no_memory:
  call void @each(ptr %decrease, ptr %inputs, i64 %input_count)
  call void @each(ptr %decrease, ptr %results, i64 %r)
  ret ptr null

; A long step takes the function's lock, since others may run meanwhile. From here on no Python runs until the end.
take:
  %is_long = get i64 %record[IS_LONG]
  %keeps = icmp eq i64 %is_long, 0
  br i1 %keeps, label %check, label %lock
lock:
  %no = get ptr %world[NO]
  store ptr %no, ptr %no_value
  %take_lock = get ptr %card[TAKE]
  %taken = api ptr PyObject_Vectorcall(ptr %take_lock, ptr %no_value, i64 1, ptr null)
  %has_answer = icmp ne ptr %taken, null
  br i1 %has_answer, label %answer, label %no_lock
no_lock:
  call void @each(ptr %decrease, ptr %inputs, i64 %input_count)
  call void @each(ptr %decrease, ptr %results, i64 %output_count)
  ret ptr null
answer:
  api void Py_DecRef(ptr %taken)
  %is_taken = icmp ne ptr %taken, %no
  br i1 %is_taken, label %check, label %give_up
check:
  %arena_at = get ptr %record[ARENA]
  %present_arena_at = get ptr %record[PRESENT_ARENA]
  %arena = load i64, ptr %arena_at
  %present_arena = load i64, ptr %present_arena_at
  %busy_now = get i64 %card[BUSY]
  %is_current = icmp eq i64 %arena, %present_arena
  %is_still_free = icmp eq i64 %busy_now, 0
  %goes = and i1 %is_current, %is_still_free
  br i1 %goes, label %tell, label %stale
stale:
  br i1 %keeps, label %give_up, label %unlock_stale
unlock_stale:
  call void @unlock(ptr %world, ptr %card)
  br label %give_up
give_up:
  call void @each(ptr %decrease, ptr %inputs, i64 %input_count)
  call void @each(ptr %decrease, ptr %results, i64 %output_count)
  br label %otherwise

; The step
tell:
  %tokens = get ptr %record[TOKENS]
  %input_bytes = mul i64 %input_count, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %tokens, ptr %inputs, i64 %input_bytes, i1 false)
  %output_tokens = getelementptr i64, ptr %tokens, i64 %input_count
  br label %next_token
next_token:
  %t = phi i64 [ 0, %tell ], [ %after_t, %token ]
  %lacks_token = icmp slt i64 %t, %output_count
  br i1 %lacks_token, label %token, label %run
token:
  %output = get ptr %results[%t]
  %output_array = get ptr %output.VALUE
  put ptr %output_array %output_tokens[%t]
  %after_t = add i64 %t, 1
  br label %next_token
run:
  %frame = get ptr %record[FRAME]
  %step = get ptr %record[STEP]
  br i1 %keeps, label %short, label %long
short:
  %short_status = call i32 %step(ptr %frame)
  br label %end
long:
  put i64 1 %card[BUSY]
  %thread = api ptr PyEval_SaveThread()
  %long_status = call i32 %step(ptr %frame)
  api void PyEval_RestoreThread(ptr %thread)
  put i64 0 %card[BUSY]
  call void @unlock(ptr %world, ptr %card)
  br label %end
end:
  %status = phi i32 [ %short_status, %short ], [ %long_status, %long ]
  call void @each(ptr %decrease, ptr %inputs, i64 %input_count)
  %is_good = icmp eq i32 %status, 0
  br i1 %is_good, label %good, label %bad
bad:
  call void @each(ptr %decrease, ptr %results, i64 %output_count)
  br label %otherwise
good:
  %finish = get ptr %record[FINISH]
  %is_one = icmp eq ptr %finish, inttoptr (i64 ONE to ptr)
  br i1 %is_one, label %give_one, label %give_many
give_one:
  %only = get ptr %results[0]
  ret ptr %only
give_many:
  %many = call ptr @together(ptr %world, ptr %finish, ptr %results, i64 %output_count)
  ret ptr %many

; In Python: all that native code was not told of, and the errors
otherwise:
  %name = get ptr %world[NAME]
  %method = api ptr PyObject_GetAttr(ptr %self, ptr %name)
  %has_method = icmp ne ptr %method, null
  br i1 %has_method, label %ask, label %lost
lost:
  ret ptr null
ask:
  %answered = api ptr PyObject_Vectorcall(ptr %method, ptr %args, i64 %count, ptr %names)
  api void Py_DecRef(ptr %method)
  ret ptr %answered
}

define internal void @unlock(ptr %world, ptr %card) {
entry:
  %give_back = get ptr %card[GIVE_BACK]
  %nothing = api ptr PyObject_Vectorcall(ptr %give_back, ptr null, i64 0, ptr null)
  api void Py_DecRef(ptr %nothing)
  ret void
}

; What a function makes of tensors, to which references are given.
define internal ptr @together(ptr %world, ptr %function, ptr %tensors, i64 %count) {
entry:
  %tuple = api ptr PyTuple_New(i64 %count)
  %has_tuple = icmp ne ptr %tuple, null
  br i1 %has_tuple, label %head, label %failed
failed:
  %decrease_at = getelementptr i64, ptr %world, i64 FUNCTIONS
  %decrease = get ptr %decrease_at[1]
  call void @each(ptr %decrease, ptr %tensors, i64 %count)
  ret ptr null
head:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  %tensor = get ptr %tensors[%i]
  %status = api i32 PyTuple_SetItem(ptr %tuple, i64 %i, ptr %tensor)
  %next = add i64 %i, 1
  br label %head
done:
  %is_result = icmp eq ptr %function, inttoptr (i64 ALL to ptr)
  br i1 %is_result, label %all, label %ask
all:
  ret ptr %tuple
ask:
  %result = api ptr PyObject_Call(ptr %function, ptr %tuple, ptr null)
  api void Py_DecRef(ptr %tuple)
  ret ptr %result
}

declare double @llvm.fabs.f64(double)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""
