"""The user's configuration of the full-screen application: `~/.config/specular/config.yaml`.

It is read as strictly as a policy. What is wrong in it is told, with its place; the rest of it holds, and the
application starts. Which themes and which keys there are is not known here: the names are only handed on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from specular_tui.errors import SettingsError
from specular_tui.model.config import Config, Wish
from specular_tui.model.nearest import nearest
from specular_tui.model.quote import quote
from specular_tui.spec.complaint import Complaint, complaint_lines, did_you_mean, file_position, show
from specular_tui.spec.source import START, Document, Place

#: A larger file is no configuration.
MAX_BYTES: Final = 1 << 20

_SWITCHES: Final = ("unicode", "monochrome", "notifications", "mouse", "line_numbers")
_KNOWN: Final = ("theme", "keys", *_SWITCHES)


def config_path(environ: Mapping[str, str]) -> Path:
    """Return where the configuration file is looked for; a relative XDG_CONFIG_HOME counts for nothing."""
    home = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(home) if home.startswith("/") else Path(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return folder / "specular" / "config.yaml"


def read_config(environ: Mapping[str, str]) -> tuple[Config, list[str]]:
    """Return what the configuration file of a user with this environment says, and what is wrong with it."""
    path = config_path(environ)
    return load_config(path, typed=name_of(path, environ))


def name_of(path: Path, environ: Mapping[str, str]) -> str:
    """Return how people write the path: `~/.config/specular/config.yaml`."""
    home = environ.get("HOME", "").rstrip("/")
    return f"~{str(path)[len(home) :]}" if home and str(path).startswith(home + "/") else str(path)


def load_config(path: Path, *, typed: str) -> tuple[Config, list[str]]:
    """Return what the file at `path` says, and what is wrong with it, a line each; `typed` is what those call it.

    A file that is not there says nothing, and neither does one that cannot be read: the reason is a complaint then.
    """
    if not os.path.lexists(path):
        return Config(), []
    from specular_tui.spec.intake import read_bytes

    try:
        data = read_bytes(
            path, typed=typed, noun="configuration", limit=MAX_BYTES, error=SettingsError, missing_hint=""
        )
    except SettingsError as error:
        return Config(), [error.message]
    return parse_config(data, file=typed)


def parse_config(data: bytes, *, file: str) -> tuple[Config, list[str]]:
    """Return what the YAML text `data` says, and what is wrong with it, a line each, in the order of the text."""
    from specular_tui.spec.policy_file import read_document

    try:
        document = read_document(data, file)
    except SettingsError as error:
        return Config(), [error.message, *error.details]
    if document.value is None:
        return Config(), []
    complaints: list[Complaint] = []
    config = _config(document, file, complaints)
    return config, complaint_lines(file, document, complaints)


def _config(document: Document, file: str, complaints: list[Complaint]) -> Config:
    data = document.value
    if not isinstance(data, dict):
        _complain(complaints, Place(()), f"the configuration must be a mapping, not {show(data, 'mapping')}")
        return Config()
    fields: dict[str, Any] = {}
    for name, value in data.items():
        if name == "theme":
            if isinstance(value, str) and value:
                place = Place(("theme",))
                at = document.positions([place]).get(place, START)
                fields |= {"theme": value, "theme_place": file_position(file, at)}
            else:
                _complain(complaints, Place((name,)), f"theme must be the name of a theme, not {_shown(value)}")
        elif name == "keys":
            fields["keys"] = _keys(document, file, value, complaints)
        elif name in _SWITCHES:
            if isinstance(value, bool):
                fields[name] = value
            else:
                _complain(complaints, Place((name,)), f"{name} must be true or false, not {_shown(value)}")
        else:
            near = nearest(name, _KNOWN)
            note = "" if near else f"there are: {', '.join(_KNOWN)}"
            _complain(complaints, Place((name,), key=True), f"unknown setting {quote(name)}{did_you_mean(near)}", note)
    return Config(**fields)


def _keys(document: Document, file: str, value: object, complaints: list[Complaint]) -> dict[str, Wish]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _complain(complaints, Place(("keys",)), f"keys must be a mapping of actions to keys, not {_shown(value)}")
        return {}
    wishes: dict[str, Wish] = {}
    at = document.positions(Place(("keys", name), key=True) for name in value)
    for name, wanted in value.items():
        place = file_position(file, at.get(Place(("keys", name), key=True), START))
        names = list(_names(wanted))
        if any(key is None for key in names):
            said = f"keys.{name} must be a key, a list of keys, or none, not {_shown(wanted)}"
            _complain(complaints, Place(("keys", name)), said)
        else:
            wishes[name] = Wish(tuple(key for key in names if key), place)
    return wishes


def _names(wanted: object) -> Iterator[str | None]:
    """Yield the names of keys that are written; None for what is none. A digit is a key too."""
    if wanted is None or wanted == "none":
        return
    for each in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= 9:
            yield str(each)
        elif isinstance(each, str) and each.strip():
            # A comma alone is a key; between names it parts them.
            yield from [each.strip()] if each.strip() == "," else [name.strip() for name in each.split(",")]
        else:
            yield None


def _shown(value: object) -> str:
    return show(value, "mapping")


def _complain(complaints: list[Complaint], place: Place, text: str, note: str = "") -> None:
    complaints.append(Complaint(place, lambda: text, note=note))
