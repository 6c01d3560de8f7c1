"""The keys that a configuration asks for, made into ones that do not fight: pure.

A wish goes before the keys that a row of the table has by itself; of two wishes for one key the first holds. Whatever
cannot be as it is written is said, with its place, and everything else holds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from specular_tui.model.config import Wish
from specular_tui.model.nearest import nearest
from specular_tui.model.quote import quote
from specular_tui.tui import keys

_MODIFIERS: Final = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_SAID: Final = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "del": "delete",
    "ins": "insert",
    "spacebar": "space",
    "control": "ctrl",
    "option": "alt",
}
#: The names of keys that stand alone: `enter`, `f5`, `left`, …
_NAMED: Final = frozenset(key.value for key in Keys if "+" not in key.value and "<" not in key.value)


def key_name(written: str) -> str | None:
    """Return Textual's name of a key as people write it (`^d`, `Ctrl-D`, `?`, `F5`); None where it is none."""
    if len(written) == 1:
        return _of_character(written)
    text = written
    if text[0] == "^" and len(text) == 2:
        text = f"ctrl+{text[1]}"
    # The last character may itself be a plus or a minus: `ctrl++`.
    head, last = text[:-1], text[-1]
    *modifiers, base = (head.replace("-", "+") + last).split("+") if last not in "+-" else [*head[:-1].split("+"), last]
    modifiers = [_SAID.get(name.lower(), name.lower()) for name in modifiers]
    if any(name not in _MODIFIERS for name in modifiers) or len(set(modifiers)) < len(modifiers):
        return None
    if len(base) == 1:
        if "ctrl" in modifiers:
            base = base.lower()
        elif modifiers == ["shift"] and base.isalpha():
            modifiers, base = [], base.upper()
        name = _of_character(base)
    else:
        name = _SAID.get(base.lower(), base.lower())
        name = name if name in _NAMED or _has_character(name) else None
    return "+".join([*sorted(modifiers, key=_MODIFIERS.index), name]) if name else None


def _of_character(char: str) -> str | None:
    """Return the name of the key that types a character: a letter or digit itself, else Unicode's name of it."""
    if char.isalnum():
        return char
    if char == " ":
        return "space"
    name = unicodedata.name(char, "").lower().replace("-", "_").replace(" ", "_") if char.isprintable() else ""
    return KEY_NAME_REPLACEMENTS.get(name, name) or None


def _has_character(name: str) -> bool:
    """Tell whether a name is that of a character's key: `question_mark`."""
    if name in KEY_NAME_REPLACEMENTS.values():
        return True
    try:
        return _of_character(unicodedata.lookup(name.replace("_", " "))) == name
    except KeyError:
        return False


def resolve(wishes: Mapping[str, Wish]) -> tuple[dict[str, str], list[str]]:
    """Return the keys of each row that has not its own any more, and what is wrong with the wishes, a line each."""
    complaints: list[str] = []
    rows = {row.id: row for row in keys.TABLE}
    wanted: dict[str, list[str]] = {}
    for row_id, wish in wishes.items():
        if row_id not in rows:
            complaints.append(f"{wish.place}: {_unknown(row_id, rows)}")
            continue
        found: list[str] = []
        for written in wish.keys:
            name = key_name(written)
            if name is None:
                complaints.append(f"{wish.place}: {row_id}: {quote(written)} is no key{_meant(written)}")
                continue
            rival = next((other for other in wanted if name in wanted[other] and keys.together(other, row_id)), None)
            if rival is not None:
                complaints.append(f"{wish.place}: {row_id}: {quote(written)} is the key of {rival} already")
            elif name not in found:
                found.append(name)
        if found or not wish.keys:
            wanted[row_id] = found
    return _settled(wanted, wishes, complaints), complaints


def _settled(wanted: dict[str, list[str]], wishes: Mapping[str, Wish], complaints: list[str]) -> dict[str, str]:
    """Return the wishes, and what other rows have left of their own keys."""
    settled = {row_id: ",".join(names) or keys.NONE for row_id, names in wanted.items()}
    for row in keys.TABLE:
        if row.id in wanted:
            continue
        own = row.keys.split(",")
        takers = {
            name: taker
            for name in own
            for taker, names in wanted.items()
            if name in names and keys.together(taker, row.id)
        }
        if not takers:
            continue
        left = [name for name in own if name not in takers]
        settled[row.id] = ",".join(left) or keys.NONE
        if not left:
            taker = takers[own[0]]
            complaints.append(f"{wishes[taker].place}: {taker} takes {keys.shown(own[0])}, so {row.id} has no key now")
    return settled


def _unknown(row_id: str, rows: Iterable[str]) -> str:
    place, _, action = row_id.partition(".")
    # What the footer and the help call it: `app.quit` for `app.leave`.
    labelled = next((row.id for row in keys.TABLE if row.where == place and row.label.lower() == action.lower()), None)
    near = labelled or nearest(row_id, rows) or nearest(row_id, (row.partition(".")[2] for row in rows))
    # The action alone is often what was meant: `pause` for `run.pause`.
    whole = next((row for row in rows if row == near or row.endswith(f".{near}")), None)
    return f"unknown action {quote(row_id)}" + (f"; did you mean {quote(whole)}?" if whole else "")


def _meant(written: str) -> str:
    *modifiers, base = written.lower().replace("-", "+").split("+")
    near = nearest(base, sorted({*_NAMED, *_SAID}))
    return f"; did you mean {quote('+'.join([*modifiers, near]))}?" if near else ""
