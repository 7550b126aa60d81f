"""What the options of all applications share: checks whose messages can be acted on, and JSON of what was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints


class OptionsError(ValueError):
    """An option that cannot be used, and what could be."""


class UnknownOptionError(OptionsError):
    """An option that this version does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be chosen about a model: a dataclass of numbers, words, truth values, and tuples of these.

    An option that is None is not given, so no check applies to it.
    """

    saved_before: ClassVar[Mapping[str, Any]] = {}
    """What models have that were saved before an option was there, if it is not the option's default."""

    def to_json(self) -> dict[str, Any]:
        """The options by name, as JSON has them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Options from what `to_json` gave. One that is missing is as it was before there was a choice.

        Raises OptionsError if one has a value of another type, UnknownOptionError if it is not known.
        """
        names = {field.name for field in fields(cls)}
        for name in content:
            if name not in names:
                raise UnknownOptionError(f"the option '{name}' is not known here: it is of a newer amigrad")
        types = get_type_hints(cls)
        given = {**cls.saved_before, **content}
        return cls(**{name: _typed(name, value, types[name]) for name, value in given.items()})

    def require_at_least(self, least: int, *names: str) -> None:
        """Raise OptionsError unless these options are at least so much."""
        for name, value in self._given(names):
            if value < least:
                raise OptionsError(f"{_words(name)} is at least {least}, not {value}")

    def require_shares(self, *names: str) -> None:
        """Raise OptionsError unless these options are in [0, 1)."""
        for name, value in self._given(names):
            if not 0.0 <= value < 1.0:
                raise OptionsError(f"{_words(name)} is in [0, 1), not {value}")

    def require_positive(self, *names: str) -> None:
        """Raise OptionsError unless these options are finite and greater than 0."""
        for name, value in self._given(names):
            if not 0.0 < value < inf:
                raise OptionsError(f"{_words(name)} is greater than 0, not {value}")

    def require_not_negative(self, *names: str) -> None:
        """Raise OptionsError unless these options are finite and at least 0."""
        for name, value in self._given(names):
            if not 0.0 <= value < inf:
                raise OptionsError(f"{_words(name)} is not negative, but {value} is")

    def require_choice(self, name: str, choices: Iterable[str]) -> None:
        """Raise OptionsError unless this option is one of the choices."""
        for _, value in self._given([name]):
            if value not in choices:
                raise OptionsError(f"{_words(name)} is one of {', '.join(choices)}, not '{value}'")

    def require_seed(self) -> None:
        """Raise OptionsError unless the seed can be one."""
        for _, value in self._given(["seed"]):
            if not 0 <= value < 2**63:
                raise OptionsError(f"a seed is an integer from 0 to 2^63 - 1, not {value}")

    def _given(self, names: Iterable[str]) -> list[tuple[str, Any]]:
        return [(name, value) for name in names if (value := getattr(self, name)) is not None]


def _typed(name: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is tuple:
        if isinstance(value, list) and all(type(item) is get_args(kind)[0] for item in value):
            return tuple(value)
    elif type(value) is kind or type(value) in get_args(kind):
        return value
    elif float in (kind, *get_args(kind)) and type(value) is int:
        return float(value)
    raise OptionsError(f"the option '{name}' cannot be {value!r}")


def _words(name: str) -> str:
    return name.replace("_", " ")
