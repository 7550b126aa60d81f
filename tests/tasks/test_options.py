"""What holds for the options of every application."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from amigrad.tasks.embedding import EmbeddingOptions
from amigrad.tasks.options import Options, OptionsError, UnknownOptionError
from amigrad.tasks.rescoring import JointOptions
from amigrad.tasks.roles import RoleOptions
from amigrad.tasks.tagging import TaggerOptions

ALL = [TaggerOptions, RoleOptions, JointOptions, EmbeddingOptions]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added(Options):
    """Options of which `network` came later: what was saved before is of the network that there was."""

    saved_before: ClassVar[Mapping[str, Any]] = {"network": "window"}

    size: int = 3
    network: str = "lstm"
    shares: tuple[float, ...] = ()


@pytest.mark.parametrize("kind", ALL)
def test_options_go_to_json_and_back(kind: type[Options]) -> None:
    assert kind.from_json(kind().to_json()) == kind()


@pytest.mark.parametrize("kind", ALL)
def test_an_option_of_a_newer_amigrad_is_named(kind: type[Options]) -> None:
    with pytest.raises(UnknownOptionError, match=r"'colour' is not known here: it is of a newer amigrad"):
        kind.from_json({**kind().to_json(), "colour": 1})


def test_what_was_saved_before_an_option_was_there_is_as_it_was() -> None:
    assert Added.from_json({"size": 4}) == Added(size=4, network="window")
    assert Added().network == "lstm"
    assert Added.from_json(Added().to_json()).network == "lstm"


def test_values_of_another_type_are_not_read() -> None:
    for content in ({"size": "3"}, {"size": True}, {"network": None}, {"shares": [1, "2"]}, {"shares": 1.0}):
        with pytest.raises(OptionsError, match="cannot be"):
            Added.from_json(content)


def test_a_seed_is_checked_everywhere() -> None:
    for kind in ALL:
        with pytest.raises(OptionsError, match=r"a seed is an integer from 0 to 2\^63 - 1, not -1"):
            kind(seed=-1)  # type: ignore[call-arg]
