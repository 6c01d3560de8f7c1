"""What is wrong with the content of a file, as sentences with a position.

The rules of a file are pydantic types; the words are ours. Every type of the files is described by one phrase in a
`Wording`, and any value that does not fit it becomes `FIELD must be PHRASE, not VALUE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from specular_tui.model.nearest import nearest
from specular_tui.model.quote import plain, quote
from specular_tui.model.secret import MASK, looks_secret
from specular_tui.spec.source import MAX_FAULTS, START, Document, Fault, Path, Place, Position

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: So many details are shown below the first complaint.
MAX_DETAILS = 20
#: After so many complaints nobody needs more, and looking for them ends soon.
MAX_COMPLAINTS = 1_000

#: A longer name is nobody's slip of the keys, and nothing to keep in a cache.
_MAX_NAME = 100


class Complaint(NamedTuple):
    """One thing that is wrong. `text` is called only if the complaint is shown."""

    place: Place
    text: Callable[[], str]
    #: A second place; its position is written behind the text.
    other: Place | None = None
    #: What is said once, behind the first of the complaints that have it.
    note: str = ""


class Wording(NamedTuple):
    """How the complaints about one kind of file are worded.

    Paths are written with `*` for a list's index or a free name, joined by dots: `tasks.*.env.*`.
    """

    #: What a value must be, by the longest end of its path that is in here; under `….[key]`, what a name must be.
    phrases: Mapping[str, str]
    #: The fields that an object may have, by its whole path.
    fields: Mapping[str, Sequence[str]]
    #: Whole paths of the objects whose keys are free names.
    free: frozenset[str]
    #: The file itself: `plan`.
    root: str
    #: What this kind of file calls an object.
    noun: str
    #: … and what it calls a member of one.
    member: str
    #: Turns a path and the data into the subject of a sentence: `task 'build': env.CI`; empty for the root.
    subject: Callable[[Path, object], str]
    #: Names that other programs have for a field, where no near one tells.
    elsewhere: Mapping[str, str] = MappingProxyType({})
    #: What the objects of `fields` are called, where their path does not say it: `a task`.
    names: Mapping[str, str] = MappingProxyType({})


def file_position(file: str, position: Position) -> str:
    """Return `plan.json:12:7`."""
    return f"{plain(file)}:{position.line}:{position.column}"


def fault_lines(file: str, faults: Sequence[Fault]) -> list[str]:
    """Return a line for each of the first of `faults`, and one that says how many more there are."""
    lines = [f"{file_position(file, fault.position)}: {fault.reason}" for fault in faults[: MAX_DETAILS + 1]]
    return _bounded(lines, len(faults), MAX_FAULTS)


def complaint_lines(file: str, document: Document, complaints: Sequence[Complaint]) -> list[str]:
    """Return a line for each of the first of `complaints` in the text, and one that says how many more there are."""
    places = {complaint.place for complaint in complaints}
    places.update(complaint.other for complaint in complaints if complaint.other)
    at = document.positions(places)
    ordered = sorted(complaints, key=lambda complaint: at.get(complaint.place, START))
    lines: list[str] = []
    noted: set[str] = set()
    for complaint in ordered[: MAX_DETAILS + 1]:
        line = f"{file_position(file, at.get(complaint.place, START))}: {complaint.text()}"
        if complaint.other:
            other = at.get(complaint.other, START)
            line += f" at line {other.line}, column {other.column}"
        if complaint.note and complaint.note not in noted:
            noted.add(complaint.note)
            line += f"; {complaint.note}"
        lines.append(line)
    return _bounded(lines, len(complaints), MAX_COMPLAINTS)


def _bounded(lines: list[str], total: int, limit: int) -> list[str]:
    """Return `lines` and how many more there are; from `limit` on nobody counted them."""
    if total <= len(lines):
        return lines
    return [*lines, "… and many more" if total >= limit else f"… and {total - len(lines):,} more"]


def did_you_mean(near: str | None) -> str:
    """Return `; did you mean 'command'?`, or nothing for None; `near` is what `model.nearest` found."""
    return f"; did you mean {quote(near, 128)}?" if near else ""


def show(value: object, noun: str) -> str:
    """Return a value of a file as a sentence names it; `noun` is what the file calls an object."""
    if isinstance(value, str):
        return quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}" if value else f"an empty {noun}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return str(value)


def from_pydantic(errors: Iterable[ErrorDetails], data: object, wording: Wording) -> list[Complaint]:
    """Return what pydantic found wrong with `data` as complaints, one for each place.

    A missing field is not mentioned where an unknown field of the same object looks like it.
    """
    complaints: dict[Place, Complaint] = {}
    missing: list[tuple[Path, str]] = []
    misspelt: set[tuple[Path, str | None]] = set()
    for error in errors:
        path, value = _follow(error["loc"], data)
        kind = error["type"]
        if kind == "missing":
            missing.append((path, str(error["loc"][-1])))
        elif kind == "extra_forbidden":
            known = _known_fields(path[:-1], wording)
            meant = _meant(str(path[-1]), known, wording)
            misspelt.add((path[:-1], meant))
            place = Place(path, key=True)
            note = "" if meant else _may_have(path[:-1], known, wording)
            complaints[place] = Complaint(place, _unknown_field(path, meant, data, wording), note=note)
        elif error["loc"][-1:] == ("[key]",):
            place = Place(path, key=True)
            complaints[place] = Complaint(place, _wrong_key(path, data, wording))
        elif (place := Place(path)) not in complaints:
            reason = str(error.get("ctx", {}).get("error", ""))
            complaints[place] = Complaint(place, _wrong_value(path, value, reason, data, wording))
    listed = list(complaints.values())
    listed.extend(
        Complaint(Place(path), _missing_field(path, name, data, wording))
        for path, name in missing
        if (path, name) not in misspelt
    )
    return listed


def dotted(path: Path) -> str:
    """Return `env.CI` or `command[1]`; names that do not look like one are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("-", "_").isidentifier() and step.isascii() and len(step) <= 60:
            text += f".{step}" if text else step
        else:
            text += f"[{quote(step)}]" if text else quote(step)
    return text


def _follow(loc: tuple[int | str, ...], data: object) -> tuple[Path, object]:
    """Return the path of `loc` in `data` and the value there; pydantic's own words in `loc` are left out."""
    path: Path = ()
    value = data
    for step in loc:
        if isinstance(value, dict) and step in value:  # noqa: SIM114
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            continue
        path = (*path, step)
    return path, value


def _phrase(path: Path, wording: Wording) -> str:
    steps = _general(path, wording)
    for start in range(len(steps) + 1):
        phrase = wording.phrases.get(".".join(steps[start:]))
        if phrase is not None:
            return phrase
    return "something else"


def _known_fields(path: Path, wording: Wording) -> tuple[str, ...]:
    return tuple(wording.fields.get(".".join(_general(path, wording)), ()))


def _general(path: Path, wording: Wording) -> list[str]:
    """Return the steps of `path` with `*` for indexes and free names."""
    steps: list[str] = []
    for step in path:
        free = isinstance(step, int) or ".".join(steps) in wording.free
        steps.append("*" if free else str(step))
    return steps


def _meant(name: str, known: tuple[str, ...], wording: Wording) -> str | None:
    other = wording.elsewhere.get(name)
    return other if other in known else _nearest(name, known)


def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    return _nearest_short(name, known) if len(name) <= _MAX_NAME else None


@lru_cache(maxsize=1024)
def _nearest_short(name: str, known: tuple[str, ...]) -> str | None:
    return nearest(name, known)


def _may_have(path: Path, known: tuple[str, ...], wording: Wording) -> str:
    """Return which fields there are: `a task may have: id, command, …`."""
    general = ".".join(_general(path, wording))
    return f"{wording.names.get(general, general)} may have: {', '.join(known)}" if known else ""


def _unknown_field(path: Path, meant: str | None, data: object, wording: Wording) -> Callable[[], str]:
    def text() -> str:
        subject = wording.subject(path[:-1], data)
        name = str(path[-1])
        hint = did_you_mean(meant)
        return f"{subject}{': ' if subject else ''}unknown {wording.member} {quote(name)}{hint}"

    return text


def _missing_field(path: Path, name: str, data: object, wording: Wording) -> Callable[[], str]:
    def text() -> str:
        subject = wording.subject(path, data)
        return f"{subject}{': ' if subject else ''}{quote(name)} is missing"

    return text


def _wrong_key(path: Path, data: object, wording: Wording) -> Callable[[], str]:
    def text() -> str:
        subject = wording.subject(path[:-1], data)
        return f"{subject}: {_phrase((*path, '[key]'), wording)}, not {quote(str(path[-1]))}"

    return text


def _wrong_value(path: Path, value: object, reason: str, data: object, wording: Wording) -> Callable[[], str]:
    """Word what is wrong with a value; `reason` is what a rule of ours said after the subject, or empty."""

    def text() -> str:
        subject = wording.subject(path, data) or f"the {wording.root}"
        if reason:
            return f"{subject} {reason}"
        phrase = _phrase(path, wording)
        hint = "; put it in quotes" if phrase.startswith("text") and isinstance(value, int | float) else ""
        is_secret = path[-2:-1] == ("env",) and looks_secret(str(path[-1]))
        shown = MASK if is_secret else show(value, wording.noun)
        return f"{subject} must be {phrase}, not {shown}{hint}"

    return text
