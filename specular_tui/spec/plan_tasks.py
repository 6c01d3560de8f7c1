"""The tasks of a plan whose data was found right: defaults filled in, durations read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from specular_tui.model import duration
from specular_tui.model.plan import Priority, Task

#: Bounds of the format, for both who check it.
MAX_RETRIES: Final = 1_000
MAX_VARIABLES: Final = 10_000


@lru_cache(maxsize=4096)
def milliseconds(text: str) -> int:
    """Return a duration of the plan in milliseconds.

    Raises:
        ValueError: with the end of a sentence about it, or with nothing where it is no duration at all.
    """
    try:
        return duration.parse(text)
    except ValueError as error:
        raise ValueError("is longer than 100 years" if "longer" in str(error) else "") from None


def tasks_of(plan: Mapping[str, Any]) -> tuple[Task, ...]:
    """Return the tasks of a plan that was checked, with its defaults where they say nothing themselves.

    The list of tasks in `plan` is used up: of a large plan the data need not be there twice.
    """
    defaults = plan.get("defaults") or {}
    env = defaults.get("env")
    tasks: list[Any] = plan["tasks"]
    for number, task in enumerate(tasks):
        merged = {**defaults, **task} if defaults else task
        if env and "env" in task:
            merged["env"] = {**env, **task["env"]}
        tasks[number] = _task(merged)
    return tuple(tasks)


def _task(fields: Mapping[str, Any]) -> Task:
    command = fields["command"]
    timeout = fields.get("timeout")
    delay = fields.get("retry_delay")
    estimate = fields.get("estimate")
    return Task(
        id=fields["id"],
        command=command if isinstance(command, str) else tuple(command),
        title=fields.get("title", ""),
        depends_on=tuple(fields.get("depends_on") or ()),
        image=fields.get("image"),
        env=fields.get("env", _NO_ENV),
        workdir=fields.get("workdir", "."),
        timeout_ms=None if timeout is None else milliseconds(timeout),
        retries=fields.get("retries", 0),
        retry_delay_ms=0 if delay is None else milliseconds(delay),
        inputs=tuple(fields.get("inputs", ())),
        outputs=tuple(fields.get("outputs", ())),
        priority=_PRIORITIES[fields.get("priority", "P2")],
        estimate=None if estimate is None else float(estimate),
        allow_failure=fields.get("allow_failure", False),
        feature_id=fields.get("feature_id"),
        expected_hash=fields.get("expected_hash"),
        skill=fields.get("skill"),
        model_hint=fields.get("model_hint"),
    )


#: One for all tasks that set nothing; nobody writes to it.
_NO_ENV: dict[str, str] = {}
_PRIORITIES = {str(priority): priority for priority in Priority}
