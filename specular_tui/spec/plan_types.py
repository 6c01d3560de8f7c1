"""What a plan file may contain, as pydantic types; imported only for a plan that may be wrong (see `spec.plan_quick`).

TypedDicts instead of models: the values become `model.plan.Task` at once, and a plan of 100,000 tasks is checked in a
third of the time.
"""

from __future__ import annotations

import sys
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from specular_tui.spec.complaint import MAX_COMPLAINTS, Wording
from specular_tui.spec.plan_check import subject
from specular_tui.spec.plan_tasks import MAX_RETRIES, MAX_VARIABLES, milliseconds

if sys.version_info >= (3, 12):
    from typing import Required, TypedDict
else:
    from typing import Required

    from typing_extensions import TypedDict

#: No object with more fields than this can be right.
_MAX_FIELDS = 1_000


def _check_duration(text: str) -> str:
    milliseconds(text)
    return text


def _check_timeout(text: str) -> str:
    if milliseconds(text) == 0:
        raise ValueError("must be longer than 0s; leave it out for no limit")
    return text


def _check_arguments(arguments: list[str]) -> list[str]:
    if not arguments[0].strip():
        raise ValueError("must begin with the program to run, not with an empty text")
    return arguments


def _check_size(env: object) -> object:
    if isinstance(env, dict) and len(env) > MAX_VARIABLES:
        raise ValueError(f"has {len(env):,} variables; no more than {MAX_VARIABLES:,} are allowed")
    return env


def _command_kind(value: object) -> str:
    return "list" if isinstance(value, list) else "str"


_STRICT = ConfigDict(strict=True, extra="forbid")
_DURATION_PATTERN = r"^\s*([0-9]+(\.[0-9]+)?(ms|[smhdw]))+\s*$"

_Text = Annotated[str, Field(min_length=1)]
_Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN, "examples": ["90s", "5m", "1h30m"]}),
]
_Timeout = Annotated[
    str,
    AfterValidator(_check_timeout),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN, "examples": ["90s", "5m", "1h30m"]}),
]
_Shell = Annotated[str, Field(pattern=r"\S")]
_Arguments = Annotated[list[str], Field(min_length=1, fail_fast=True), AfterValidator(_check_arguments)]
_Command = Annotated[Annotated[_Shell, Tag("str")] | Annotated[_Arguments, Tag("list")], Discriminator(_command_kind)]
_Image = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*$", max_length=512)]
_Env = Annotated[dict[Annotated[str, Field(pattern=r"^[^=\x00]+$")], str], BeforeValidator(_check_size)]
_Retries = Annotated[int, Field(ge=0, le=MAX_RETRIES)]
_Priority = Literal["P0", "P1", "P2"]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}$")]


class DefaultsFields(TypedDict, total=False):
    """What holds for every task that does not say otherwise."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    env: Annotated[_Env, Field(description="Environment variables; a task's own are added to them.")]
    image: Annotated[_Image | None, Field(description="Container image.")]
    priority: Annotated[_Priority, Field(description="P0 starts before P1 before P2.")]
    retries: Annotated[_Retries, Field(description="Further attempts after the first one fails.")]
    retry_delay: Annotated[_Duration, Field(description="Wait before each further attempt.")]
    timeout: Annotated[_Timeout | None, Field(description="Longest duration of one attempt.")]
    workdir: Annotated[_Text, Field(description="Folder that commands run in, from the plan's folder.")]


class TaskFields(TypedDict, total=False):
    """One command of the build."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    id: Required[Annotated[_Id, Field(description="Unique name of the task.")]]
    command: Required[Annotated[_Command, Field(description="A text runs under sh -c, a list of arguments as it is.")]]
    title: Annotated[str, Field(description="What people see instead of the id.")]
    depends_on: Annotated[
        Annotated[list[str], Field(fail_fast=True)] | None,
        Field(description="Ids of the tasks that must have completed before this one starts."),
    ]
    env: Annotated[_Env, Field(description="Environment variables, besides those that the build inherits.")]
    image: Annotated[_Image | None, Field(description="Container image to run in; null for none.")]
    workdir: Annotated[_Text, Field(description="Folder to run in, from the plan's folder.")]
    timeout: Annotated[_Timeout | None, Field(description="Longest duration of one attempt; null for no limit.")]
    retries: Annotated[_Retries, Field(description="Further attempts after the first one fails.")]
    retry_delay: Annotated[_Duration, Field(description="Wait before each further attempt.")]
    inputs: Annotated[
        list[_Text], Field(fail_fast=True), Field(description="Glob patterns of the files that the task reads.")
    ]
    outputs: Annotated[
        list[_Text], Field(fail_fast=True), Field(description="Paths that exist once the task has completed.")
    ]
    priority: Annotated[_Priority, Field(description="P0 starts before P1 before P2, where both could start.")]
    estimate: Annotated[
        Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, Field(description="Expected duration in seconds.")
    ]
    allow_failure: Annotated[
        bool, Field(description="True: its failure lets dependents run and does not fail the build.")
    ]
    feature_id: Annotated[str | None, Field(description="Kept; of plans of the original Specular.")]
    expected_hash: Annotated[str | None, Field(description="Kept; of plans of the original Specular.")]
    skill: Annotated[str | None, Field(description="Kept; of plans of the original Specular.")]
    model_hint: Annotated[str | None, Field(description="Kept; of plans of the original Specular.")]


class _Outline(TypedDict, total=False):
    __pydantic_config__ = _STRICT  # type: ignore[misc]

    version: Annotated[
        Annotated[int, Field(ge=1, le=1), WithJsonSchema({"const": 1})],
        Field(description="Version of this format."),
    ]
    name: Annotated[
        Annotated[str, Field(pattern=r"\S")],
        Field(description="Name of the build; else that of the plan's folder."),
    ]
    defaults: Annotated[DefaultsFields, Field(description="What holds for every task that does not say otherwise.")]


class _PlanOutline(_Outline):
    __pydantic_config__ = _STRICT  # type: ignore[misc]

    tasks: Required[Annotated[list[Any], Field(min_length=1)]]


class PlanFields(_Outline):
    """A plan of Specular: the tasks of a build and what they need of each other."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    tasks: Required[Annotated[list[TaskFields], Field(min_length=1, description="The tasks, in any order.")]]


_OUTLINE = TypeAdapter(_PlanOutline)
_TASK: TypeAdapter[TaskFields] = TypeAdapter(TaskFields)


def validate(data: object) -> tuple[PlanFields | None, list[ErrorDetails]]:
    """Return the checked plan, or None and what is wrong with it, up to about `MAX_COMPLAINTS` mistakes.

    Tasks are validated one by one, and of an object with an absurd number of fields only the first ones are looked
    at: so a hostile plan cannot fill the memory with mistakes.
    """
    errors: list[ErrorDetails] = []
    outline: _PlanOutline | None = None
    try:
        outline = _OUTLINE.validate_python(_first_fields(data))
    except ValidationError as error:
        errors.extend(error.errors(include_url=False))
    listed = data.get("tasks") if isinstance(data, dict) else None
    tasks: list[TaskFields] = []
    validate_task = _TASK.validator.validate_python
    for number, task in enumerate(listed if isinstance(listed, list) else ()):
        try:
            tasks.append(validate_task(_first_fields(task)))
        except ValidationError as error:
            for details in error.errors(include_url=False):
                details["loc"] = ("tasks", number, *details["loc"])
                errors.append(details)
            if len(errors) > MAX_COMPLAINTS:
                break
    if outline is None or errors:
        return None, errors
    return {**outline, "tasks": tasks}, []


def _first_fields(value: object) -> object:
    if not isinstance(value, dict) or len(value) <= _MAX_FIELDS:
        return value
    return dict(islice(value.items(), _MAX_FIELDS))


class _Schema(GenerateJsonSchema):
    """Without the titles that repeat the names of the fields."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of plan files."""
    schema = TypeAdapter(PlanFields).json_schema(schema_generator=_Schema)
    for fields in schema["$defs"].values():
        fields.pop("title", None)
    return {"$schema": _Schema.schema_dialect, **schema, "title": "Specular plan"}


_FIELDS = {
    "": ("version", "name", "defaults", "tasks"),
    "defaults": tuple(DefaultsFields.__annotations__),
    "tasks.*": tuple(TaskFields.__annotations__),
}
_DURATION = 'a duration such as "90s", "5m" or "1h30m"'
_PHRASES = {
    "": "an object with 'tasks'",
    "version": "1, the only version of plans there is",
    "name": "text that is not blank",
    "defaults": "an object",
    "tasks": "a list of at least one task",
    "tasks.*": "an object",
    "id": "1 to 128 characters of A-Z a-z 0-9 . _ : @ / + - that begin with a letter or digit",
    "command": "a shell command, or a list of a program and its arguments",
    "command.*": "text",
    "title": "text",
    "depends_on": "a list of task ids",
    "depends_on.*": "text: the id of a task",
    "env": "an object of names and texts",
    "env.*": "text",
    "env.*.[key]": "a variable's name must be text without '=' that is not empty",
    "image": "the name of a container image such as node:22",
    "workdir": "text: a folder",
    "timeout": _DURATION,
    "retries": f"a whole number from 0 to {MAX_RETRIES}",
    "retry_delay": _DURATION,
    "inputs": "a list of file patterns",
    "inputs.*": "text that is not empty",
    "outputs": "a list of paths",
    "outputs.*": "text that is not empty",
    "priority": "P0, P1 or P2",
    "estimate": "a number of seconds, 0 or more",
    "allow_failure": "true or false",
    "feature_id": "text",
    "expected_hash": "text",
    "skill": "text",
    "model_hint": "text",
}
_ELSEWHERE = {
    "name": "title",
    "description": "title",
    "run": "command",
    "script": "command",
    "args": "command",
    "needs": "depends_on",
    "after": "depends_on",
    "requires": "depends_on",
    "cwd": "workdir",
    "dir": "workdir",
    "container": "image",
    "sources": "inputs",
    "artifacts": "outputs",
    "produces": "outputs",
    "continue_on_error": "allow_failure",
    "ignore_errors": "allow_failure",
}
WORDING = Wording(
    phrases=_PHRASES,
    fields=_FIELDS,
    free=frozenset({"tasks.*.env", "defaults.env"}),
    root="plan",
    noun="object",
    member="field",
    subject=subject,
    elsewhere=_ELSEWHERE,
    names={"": "a plan", "tasks.*": "a task"},
)
