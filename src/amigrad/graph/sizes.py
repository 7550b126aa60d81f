"""Sizes of axes: integers, or run-time sizes of a traced function's data.

A `Size` is a polynomial with integer coefficients in symbols, one symbol for each axis of each input. While a
function is traced every symbol has a hint, the size that the example has; a comparison is answered from the
hints and remembered as a guard, so that compiled code is used again only where the answers would be the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, Union

Dim: TypeAlias = Union[int, "Size"]
Shape: TypeAlias = tuple[Dim, ...]
Monomial: TypeAlias = tuple[str, ...]

_LARGE = 1 << 20


class Quotient(NamedTuple):
    """An atom that stands for `numerator // divisor`."""

    numerator: Size
    divisor: int


class Guard(NamedTuple):
    """What a trace relied on: `difference` is zero (or positive), or is not."""

    difference: Size
    relation: str
    holds: bool

    def __str__(self) -> str:
        sign = {("==", True): "==", ("==", False): "!=", (">", True): ">", (">", False): "<="}
        return f"{self.difference} {sign[self.relation, self.holds]} 0"

    def check(self, sizes: Mapping[str, int]) -> bool:
        """Whether the guard holds for these sizes of the symbols."""
        value = self.difference.evaluate(sizes)
        return ((value == 0) if self.relation == "==" else (value > 0)) == self.holds


@dataclass
class Scope:
    """The symbols of one trace: their hints, what is known to be equal, and the guards."""

    hints: dict[str, int] = field(default_factory=dict)
    quotients: dict[str, Quotient] = field(default_factory=dict)
    limits: dict[str, Dim] = field(default_factory=dict)
    known: dict[str, Dim] = field(default_factory=dict)
    guards: list[Guard] = field(default_factory=list)

    def symbol(self, hint: int) -> Size:
        """A new symbol for the size of an axis."""
        name = f"s{len(self.hints)}"
        self.hints[name] = hint
        return Size(self, {(name,): 1})

    def varying(self, limit: Dim) -> Size:
        """A new symbol for a size that changes while compiled code runs, from 1 up to a limit. It is taken to be
        different from every other size, without a guard.
        """
        name = f"n{len(self.limits)}"
        self.hints[name] = _LARGE
        self.limits[name] = limit
        return Size(self, {(name,): 1})

    def with_limits(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """The sizes of all symbols, those that vary at their limits."""
        return {**sizes, **{name: evaluate(limit, sizes) for name, limit in self.limits.items()}}

    def quotient(self, numerator: Size, divisor: int) -> Size:
        """The symbol that stands for `numerator // divisor`."""
        for name, found in self.quotients.items():
            if found.divisor == divisor and found.numerator.key == numerator.key:
                return Size(self, {(name,): 1})
        name = f"q{len(self.quotients)}"
        self.quotients[name] = Quotient(numerator, divisor)
        return Size(self, {(name,): 1})

    def guard(self, difference: Size, relation: str, holds: bool) -> None:
        """Remember that compiled code relies on this; an equality of a symbol simplifies what follows."""
        if relation == "==" and holds:
            difference = self._reduced(difference)
        if any(g.difference.key == difference.key and g.relation == relation for g in self.guards):
            return
        self.guards.append(Guard(difference, relation, holds))
        if relation == "==" and holds:
            for monomial, coefficient in sorted(difference.terms.items(), reverse=True):
                if len(monomial) == 1 and abs(coefficient) == 1 and monomial[0] not in self.quotients:
                    rest = {m: -c * coefficient for m, c in difference.terms.items() if m != monomial}
                    if not any(monomial[0] in m for m in rest):
                        self.known[monomial[0]] = simplify(Size(self, rest))
                        return

    def _reduced(self, difference: Size) -> Size:
        """A difference that is 0, without factors that are not: 50ab - 250a tells that b is 5."""
        common = math.gcd(*difference.terms.values())
        shared = list(next(iter(difference.terms)))
        for monomial in difference.terms:
            shared = [name for name in shared if shared.count(name) <= monomial.count(name)]
        shared = [name for name in shared if Size(self, {(name,): 1}).hint != 0]
        terms = {}
        for monomial, coefficient in difference.terms.items():
            left = list(monomial)
            for name in shared:
                left.remove(name)
            terms[tuple(left)] = coefficient // common
        return Size(self, terms)


class Size:
    """The size of an axis that is known at run time only."""

    __slots__ = ("scope", "terms")

    def __init__(self, scope: Scope, terms: dict[Monomial, int]) -> None:
        self.scope = scope
        self.terms = {m: c for m, c in terms.items() if c}

    @property
    def key(self) -> tuple[tuple[Monomial, int], ...]:
        """What tells this expression from others."""
        return tuple(sorted(self.terms.items()))

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        parts = []
        for monomial, coefficient in sorted(self.terms.items(), reverse=True):
            factors = ([] if coefficient == 1 and monomial else [str(coefficient)]) + [
                self._atom(name) for name in monomial
            ]
            parts.append("*".join(factors))
        return " + ".join(parts) or "0"

    def _atom(self, name: str) -> str:
        if name in self.scope.quotients:
            quotient = self.scope.quotients[name]
            return f"(({quotient.numerator}) // {quotient.divisor})"
        return name

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number that this is for these sizes of the symbols."""
        total = 0
        for monomial, coefficient in self.terms.items():
            for name in monomial:
                if name in self.scope.quotients:
                    quotient = self.scope.quotients[name]
                    coefficient *= quotient.numerator.evaluate(sizes) // quotient.divisor
                else:
                    coefficient *= sizes[name]
            total += coefficient
        return total

    @property
    def hint(self) -> int:
        """The number that this is for the traced example."""
        return self.evaluate(self.scope.hints)

    def _combine(self, other: Dim, sign: int) -> Dim:
        terms = dict(self.terms)
        for monomial, coefficient in terms_of(other).items():
            terms[monomial] = terms.get(monomial, 0) + sign * coefficient
        return simplify(Size(self.scope, terms))

    def __add__(self, other: Dim) -> Dim:
        return self._combine(other, 1) if isinstance(other, int | Size) else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        return self._combine(other, -1) if isinstance(other, int | Size) else NotImplemented

    def __rsub__(self, other: Dim) -> Dim:
        return -1 * self + other

    def __neg__(self) -> Dim:
        return -1 * self

    def __mul__(self, other: Dim) -> Dim:
        if not isinstance(other, int | Size):
            return NotImplemented
        terms: dict[Monomial, int] = {}
        for m, c in self.terms.items():
            for n, d in terms_of(other).items():
                product = tuple(sorted(m + n))
                terms[product] = terms.get(product, 0) + c * d
        return simplify(Size(self.scope, terms))

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        exact = divide(self, other)
        if exact is not None:
            return exact
        if not isinstance(other, int):
            other = int(other)
        return self.scope.quotient(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return other // int(self)

    def __mod__(self, other: Dim) -> Dim:
        return self - (self // other) * other

    def __index__(self) -> int:
        """Asking for the number makes it a constant of the compiled code."""
        value = self.hint
        self._compare(value, "==")
        return value

    __int__ = __index__

    def __float__(self) -> float:
        return float(int(self))

    def __bool__(self) -> bool:
        return self != 0

    def _compare(self, other: Dim, relation: str) -> bool:
        difference = self - other
        if isinstance(difference, int):
            return difference == 0 if relation == "==" else difference > 0
        holds = difference.hint == 0 if relation == "==" else difference.hint > 0
        if not any(name in self.scope.limits for monomial in difference.terms for name in monomial):
            self.scope.guard(difference, relation, holds)
        return holds

    def __eq__(self, other: object) -> bool:
        return self._compare(other, "==") if isinstance(other, int | Size) else NotImplemented

    def __gt__(self, other: Dim) -> bool:
        return self._compare(other, ">")

    def __ge__(self, other: Dim) -> bool:
        return self._compare(other - 1, ">")

    def __lt__(self, other: Dim) -> bool:
        return not self >= other

    def __le__(self, other: Dim) -> bool:
        return not self > other


def terms_of(dim: Dim) -> dict[Monomial, int]:
    """The terms of the polynomial that a size is."""
    return dim.terms if isinstance(dim, Size) else {(): int(dim)}


def simplify(size: Size) -> Dim:
    """The same size with what is known put in; an int where no symbol is left."""
    terms, known = size.terms, size.scope.known
    for monomial in terms:
        for name in monomial:
            if name in known:
                return _with(size, name, known[name])
    if not terms:
        return 0
    return terms[()] if len(terms) == 1 and () in terms else size


def _with(size: Size, name: str, value: Dim) -> Dim:
    """The same size with a value in the place of a symbol."""
    if size.terms == {(name,): 1}:
        return simplify(value) if isinstance(value, Size) else value
    total: Dim = 0
    for monomial, coefficient in size.terms.items():
        product: Dim = coefficient
        for atom in monomial:
            product = product * (value if atom == name else Size(size.scope, {(atom,): 1}))
        total = total + product
    return simplify(total) if isinstance(total, Size) else total


def hint(dim: Dim) -> int:
    """The number that a size is, or was for the traced example."""
    return dim.hint if isinstance(dim, Size) else dim


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The number that a size is for these sizes of the symbols."""
    return dim.evaluate(sizes) if isinstance(dim, Size) else dim


def map_sizes(value: object, function: Callable[[Size], object]) -> object:
    """`value` (a size, or nested tuples with sizes in them) with each run-time size mapped."""
    if isinstance(value, Size):
        return function(value)
    if isinstance(value, tuple):
        return tuple(map_sizes(v, function) for v in value)
    return value


def product(dims: Iterable[Dim]) -> Dim:
    """How many elements a shape has."""
    total: Dim = 1
    for dim in dims:
        total = dim * total if isinstance(dim, Size) else total * dim
    return total


def divide(numerator: Dim, divisor: Dim) -> Dim | None:
    """The exact quotient of two sizes, or None if it is not seen to be one."""
    if isinstance(numerator, int) and isinstance(divisor, int):
        return numerator // divisor if divisor and numerator % divisor == 0 else None
    if isinstance(divisor, int):
        terms = terms_of(numerator)
        if divisor and all(c % divisor == 0 for c in terms.values()):
            return simplify(Size(numerator.scope, {m: c // divisor for m, c in terms.items()}))  # type: ignore[union-attr]
        return None
    if isinstance(numerator, int):
        return None if numerator else 0
    if len(divisor.terms) != 1:
        return 1 if numerator.key == divisor.key else None
    ((atoms, coefficient),) = divisor.terms.items()
    quotient: dict[Monomial, int] = {}
    for monomial, c in numerator.terms.items():
        left = list(monomial)
        for atom in atoms:
            if atom not in left:
                return None
            left.remove(atom)
        if c % coefficient:
            return None
        quotient[tuple(left)] = c // coefficient
    return simplify(Size(numerator.scope, quotient))


def same(a: Dim, b: Dim) -> bool:
    """Whether two sizes that have to be equal are; if so that is guarded, if not nothing is."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    difference = a - b
    if isinstance(difference, int):
        return difference == 0
    return difference.hint == 0 and bool(difference == 0)


def is_one(dim: Dim) -> bool:
    """Whether a size that may broadcast is 1; if so that is guarded, if not nothing is."""
    return same(dim, 1)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape to which all of these broadcast. ValueError with the shapes if there is none."""
    rank = max((len(shape) for shape in shapes), default=0)
    result: list[Dim] = []
    for axis in range(-rank, 0):
        size: Dim = 1
        for shape in shapes:
            if len(shape) < -axis:
                continue
            dim = shape[axis]
            if isinstance(dim, int) and dim == 1:
                continue
            if isinstance(size, int) and size == 1:
                size = dim
            elif not same(size, dim):
                if is_one(dim):
                    continue
                if not is_one(size):
                    listed = " and ".join(format_shape(s) for s in shapes)
                    raise ValueError(
                        f"shapes {listed} do not broadcast: sizes {hint(size)} and {hint(dim)} of axis {axis}"
                        " differ and neither is 1"
                    )
                size = dim
        result.append(size)
    return tuple(result)


def format_shape(shape: Shape) -> str:
    """A shape for a message: (32, 5)."""
    inner = ", ".join(str(dim) for dim in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
