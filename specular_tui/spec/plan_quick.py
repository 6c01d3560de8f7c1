"""Telling a plan that is right without pydantic, which takes longer to load than a small build takes to run.

`spec.plan_types` is what decides. This module says yes where that would, and where it says no, that is asked: it tells
what is wrong, or that nothing is. The bounds here are never wider than there; tests/property holds both together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from specular_tui.spec.plan_tasks import MAX_RETRIES, MAX_VARIABLES, milliseconds

_Text = Annotated[str, Meta(min_length=1)]
_Shell = Annotated[str, Meta(pattern=r"\S")]
_Image = Annotated[str, Meta(pattern=r"^[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*\Z", max_length=512)]
_Variable = Annotated[str, Meta(pattern=r"^[^=\x00]+\Z")]
_Env = Annotated[dict[_Variable, str], Meta(max_length=MAX_VARIABLES)]
_Retries = Annotated[int, Meta(ge=0, le=MAX_RETRIES)]
_Priority = Literal["P0", "P1", "P2"]
_Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}\Z")]


class _Common(Struct, forbid_unknown_fields=True):
    env: _Env | UnsetType = UNSET
    image: _Image | UnsetType | None = UNSET
    priority: _Priority | UnsetType = UNSET
    retries: _Retries | UnsetType = UNSET
    retry_delay: str | UnsetType = UNSET
    timeout: str | UnsetType | None = UNSET
    workdir: _Text | UnsetType = UNSET


class _Task(_Common, kw_only=True, forbid_unknown_fields=True):
    id: _Id
    command: _Shell | Annotated[list[str], Meta(min_length=1)]
    title: str | UnsetType = UNSET
    depends_on: list[str] | UnsetType | None = UNSET
    inputs: list[_Text] | UnsetType = UNSET
    outputs: list[_Text] | UnsetType = UNSET
    estimate: Annotated[float, Meta(ge=0)] | UnsetType | None = UNSET
    allow_failure: bool | UnsetType = UNSET
    feature_id: str | UnsetType | None = UNSET
    expected_hash: str | UnsetType | None = UNSET
    skill: str | UnsetType | None = UNSET
    model_hint: str | UnsetType | None = UNSET


class _Outline(Struct, kw_only=True, forbid_unknown_fields=True):
    tasks: Annotated[list[Any], Meta(min_length=1)]
    version: Annotated[int, Meta(ge=1, le=1)] | UnsetType = UNSET
    name: _Shell | UnsetType = UNSET
    defaults: _Common | UnsetType = UNSET


def is_right(data: Any) -> bool:
    """Tell whether the data of a plan is certainly right, taken by itself: ids and dependencies are others' work."""
    try:
        outline = msgspec.convert(data, _Outline)
        # One by one, so that a large plan is not in the memory twice.
        return all(_is_right(msgspec.convert(task, _Task)) for task in outline.tasks) and (
            outline.defaults is UNSET or _are_durations(outline.defaults)
        )
    except (msgspec.ValidationError, RecursionError):
        return False


def _is_right(task: _Task) -> bool:
    return (isinstance(task.command, str) or bool(task.command[0].strip())) and _are_durations(task)


def _are_durations(fields: _Common) -> bool:
    try:
        if fields.retry_delay is not UNSET:
            milliseconds(fields.retry_delay)
        return fields.timeout is UNSET or fields.timeout is None or milliseconds(fields.timeout) > 0
    except ValueError:
        return False
