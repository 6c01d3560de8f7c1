"""How a user likes the full-screen application: the values of their configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Wish(Struct, frozen=True):
    """The keys that one row of the table of keys shall have."""

    #: As they are written; none: it shall have no key.
    keys: tuple[str, ...]
    #: `config.yaml:4:3`, for what there may be to complain about.
    place: str


class Config(Struct, frozen=True, kw_only=True):
    """What the file says; None where it says nothing."""

    theme: str | None = None
    #: Where it says so: `config.yaml:1:8`.
    theme_place: str = ""
    #: By the id of the row.
    keys: Mapping[str, Wish] = MappingProxyType({})
    unicode: bool | None = None
    monochrome: bool = False
    notifications: bool = True
    mouse: bool = True
    #: Number the lines of logs; None: where there is room.
    line_numbers: bool | None = None
