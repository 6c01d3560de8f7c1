"""A plan from its file: JSON or YAML, checked whole before anything starts.

Light to import: pydantic and the rules of the format (`spec.plan_types`) are loaded for a plan that is not plainly
right.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from specular_tui.errors import PlanError
from specular_tui.model.plan import Plan
from specular_tui.model.quote import plain

if TYPE_CHECKING:
    from specular_tui.spec.complaint import Complaint
    from specular_tui.spec.source import Document

#: A larger file is no plan.
MAX_BYTES: Final = 64 << 20
#: Names that end so are read as YAML, all others as JSON.
YAML_SUFFIXES: Final = (".yaml", ".yml")

_SCHEMA_HINT = "specular plan schema prints what a plan may contain"
_START_HINT = "specular init writes a plan to start from; --plan FILE names another one"
_NO_COMMAND_HINT = "plans of the original Specular say what to do, not how: add a 'command' to each task"


def load_plan(path: Path, typed: str | None = None) -> tuple[Plan, bytes]:
    """Return the plan in the file `path`, and the file's exact bytes.

    `typed` is the name on the command line: what messages and `Plan.file` say (default: `path` as it is). The plan's
    folder is the one that `path` is in, links to the folder followed, a link that is the file itself not.

    Raises:
        PlanError: the file is missing, unreadable, no regular file or over 64 MiB, or its content is refused
            (see `parse_plan`).
    """
    from specular_tui.spec.intake import read_bytes

    name = typed if typed is not None else str(path)
    data = read_bytes(path, typed=name, noun="plan", limit=MAX_BYTES, error=PlanError, missing_hint=_START_HINT)
    folder = path.absolute().parent.resolve()
    return parse_plan(data, file=name, folder=folder, yaml=path.suffix.lower() in YAML_SUFFIXES), data


def parse_plan(data: bytes, *, file: str, folder: Path, yaml: bool = False) -> Plan:
    """Return the plan that `data` holds.

    `file` is what messages and `Plan.file` say; `folder` is the absolute folder that relative paths start from, and
    whose name is the plan's name where it gives none.

    Raises:
        PlanError: `data` is not valid JSON (or YAML), or not a valid plan. The message is the first mistake of the
            text with file, line and column; the details are the further ones.
    """
    if len(data) > MAX_BYTES:
        raise PlanError(f"{plain(file)} is larger than {MAX_BYTES >> 20} MiB, more than a plan may be")
    with _collector_paused():
        document = _read(data, file, yaml)
        plan = _check(document, file)
        from specular_tui.spec.plan_tasks import tasks_of

        return Plan(
            name=plan.get("name") or folder.name or "plan",
            tasks=tasks_of(plan),
            hash=_digest(data),
            file=file,
            folder=str(folder),
        )


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of plan files."""
    from specular_tui.spec.plan_types import json_schema

    return json_schema()


def _read(data: bytes, file: str, yaml: bool) -> Document:
    from specular_tui.spec.source import TextError

    if not data.strip():
        raise PlanError(f"{plain(file)} is empty", hint=_START_HINT)
    try:
        document = _read_yaml(data) if yaml else _read_json(data)
    except TextError as error:
        from specular_tui.spec.complaint import fault_lines

        first, *others = fault_lines(file, error.faults)
        raise PlanError(first, details=others) from None
    if yaml and document.value is None:
        raise PlanError(f"{plain(file)} is empty", hint=_START_HINT)
    return document


def _read_yaml(data: bytes) -> Document:
    from specular_tui.spec import yamltext

    return yamltext.read(data)


def _read_json(data: bytes) -> Document:
    from specular_tui.spec import jsontext

    return jsontext.read(data)


def _check(document: Document, file: str) -> Mapping[str, Any]:
    from specular_tui.spec.plan_check import check
    from specular_tui.spec.plan_quick import is_right

    complaints = check(document.value)
    if not complaints and isinstance(document.value, dict) and is_right(document.value):
        return document.value

    from specular_tui.spec.complaint import from_pydantic
    from specular_tui.spec.plan_types import WORDING, validate

    plan, errors = validate(document.value)
    if plan is not None and not complaints:
        return plan
    complaints.extend(from_pydantic(errors, document.value, WORDING))
    without_command = any(error["type"] == "missing" and error["loc"][-1] == "command" for error in errors)
    raise _refusal(file, document, complaints, without_command)


def _refusal(file: str, document: Document, complaints: list[Complaint], without_command: bool) -> PlanError:
    from specular_tui.spec.complaint import complaint_lines

    first, *others = complaint_lines(file, document, complaints)
    hint = _NO_COMMAND_HINT if without_command and _is_original(document.value) else _SCHEMA_HINT
    return PlanError(first, details=others, hint=hint)


def _is_original(value: object) -> bool:
    """Tell whether this looks like a plan of the original Specular, in which no task has a command."""
    tasks = value.get("tasks") if isinstance(value, dict) else None
    if not isinstance(tasks, list):
        return False
    return any(isinstance(task, dict) and {"feature_id", "skill"} & task.keys() for task in tasks) and not any(
        isinstance(task, dict) and "command" in task for task in tasks
    )


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return "blake3:" + blake3(data).hexdigest()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, the large tree that is being read."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
