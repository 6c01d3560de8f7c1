"""What a policy file may contain, as pydantic types; imported only when a policy is read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter

from specular_tui.model.policy import (
    CheckpointPolicy,
    ExecutionPolicy,
    Gate,
    Policy,
)
from specular_tui.spec.complaint import Complaint, Wording, dotted
from specular_tui.spec.source import Path, Place

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    from typing_extensions import TypedDict

MAX_JOBS = 10_000
#: Larger numbers of minutes, days, tasks or megabytes mean nothing: a hundred years, a petabyte.
MAX_MINUTES = 52_704_000
MAX_DAYS = 36_600
MAX_COUNT = 1_000_000_000
#: The engines refuse a container with less memory.
MIN_MEMORY = 6 << 20

_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([bkmgtp]?)(?:i?b)?", re.IGNORECASE)
_SHIFTS = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_CPUS = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


def _limit_text(value: object) -> object:
    """Return a limit that is written as a number (`cpu_limit: 2`) as the text that an engine takes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _check_cpus(text: str) -> str:
    if len(text) > 20 or not _CPUS.fullmatch(text) or not 0 < float(text) <= MAX_COUNT:
        raise ValueError("")
    return text


def _check_memory(text: str) -> str:
    match = _MEMORY.fullmatch(text)
    if len(text) > 24 or match is None:
        raise ValueError("")
    size = float(match[1]) * (1 << _SHIFTS[match[2].lower()])
    if size < MIN_MEMORY:
        unit = "; without a unit it counts bytes" if not match[2] else ""
        raise ValueError(f"must be at least 6m, the least that a container can have, not '{text}'{unit}")
    return text


def _check_gate(gate: GateFields) -> GateFields:
    if gate.get("enabled", True) and "cmd" not in gate:
        raise ValueError("is enabled but has no cmd; add one, or write enabled: false")
    return gate


# Keys that are not known are reported as warnings: see `spec.policy_file`.
_STRICT = ConfigDict(strict=True, extra="forbid")

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Minutes = Annotated[_Positive, Field(le=MAX_MINUTES)]
_Days = Annotated[_Positive, Field(le=MAX_DAYS)]
_Megabytes = Annotated[_Positive, Field(le=MAX_COUNT)]
_Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]
_Command = Annotated[str, Field(pattern=r"\S")]
_Text = Annotated[str, Field(min_length=1)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
_Network = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:=-]*$", max_length=256)]
_Cpus = Annotated[str, BeforeValidator(_limit_text), AfterValidator(_check_cpus)]
_Memory = Annotated[str, BeforeValidator(_limit_text), AfterValidator(_check_memory)]


class DockerFields(TypedDict, total=False):
    """`execution.docker`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    engine: Literal["auto", "docker", "podman"]
    required: bool
    image_allowlist: list[_Text]
    cpu_limit: _Cpus | None
    mem_limit: _Memory | None
    network: _Network | None
    pids_limit: _Count | None
    reuse: Literal["task", "run"]


class ExecutionFields(TypedDict, total=False):
    """`execution`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    allow_local: bool
    jobs: Annotated[int, Field(ge=1, le=MAX_JOBS)] | None
    docker: DockerFields | None


class GateFields(TypedDict, total=False):
    """One linter or formatter."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    enabled: bool
    cmd: _Command


class TestsFields(TypedDict, total=False):
    """`tests`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    require_pass: bool
    cmd: _Command


class RetentionFields(TypedDict, total=False):
    """`checkpoints.retention`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    max_age_days: _Days
    max_count: _Count
    keep_failed: bool
    keep_completed: bool


class CheckpointFields(TypedDict, total=False):
    """`checkpoints`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    enabled: bool
    directory: _Text
    interval_minutes: _Minutes
    task_interval: _Count
    retention: RetentionFields | None
    validate_on_resume: bool
    strict_hash_check: bool
    compress: bool
    max_size_mb: _Megabytes


_Gates = dict[_Name, Annotated[GateFields, AfterValidator(_check_gate)]]


class PolicyFields(TypedDict, total=False):
    """The whole policy. A block of which nothing is written (`checkpoints:`) reads as null, and means its defaults."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    execution: ExecutionFields | None
    linters: _Gates | None
    formatters: _Gates | None
    tests: TestsFields | None
    checkpoints: CheckpointFields | None
    # Of policies of the original Specular; nothing here reads them.
    routing: Any
    security: Any


POLICY: TypeAdapter[PolicyFields] = TypeAdapter(PolicyFields)


def policy_of(fields: PolicyFields, *, file: str, digest: str) -> Policy:
    """Return the policy that checked `fields` mean."""
    return Policy(
        execution=msgspec.convert(_without_nulls(fields.get("execution")), ExecutionPolicy),
        checkpoints=msgspec.convert(_without_nulls(fields.get("checkpoints")), CheckpointPolicy),
        gates=tuple(_gates(fields)),
        file=file,
        hash=digest,
    )


def warnings_of(data: object) -> list[Complaint]:
    """Return what is allowed in the policy `data` but probably not meant."""
    tests = data.get("tests") if isinstance(data, dict) else None
    if isinstance(tests, dict) and tests.get("require_pass") is True and "cmd" not in tests:
        text = "tests.require_pass is true, but without a tests.cmd there are no tests to run"
        return [Complaint(Place(("tests", "require_pass"), key=True), lambda: text)]
    return []


def _without_nulls(value: object) -> dict[str, object]:
    """Return a mapping of the file without its nulls, at any depth: null is the default wherever it is allowed."""
    if not isinstance(value, dict):
        return {}
    return {
        key: _without_nulls(inner) if isinstance(inner, dict) else inner
        for key, inner in value.items()
        if inner is not None
    }


def _gates(fields: PolicyFields) -> Iterator[Gate]:
    for kind, gates in (("formatters", fields.get("formatters")), ("linters", fields.get("linters"))):
        for name, gate in (gates or {}).items():
            if gate.get("enabled", True):
                yield Gate(id=f"{kind}.{name}", command=gate["cmd"])
    tests = fields.get("tests") or {}
    if "cmd" in tests:
        yield Gate(id="tests", command=tests["cmd"], must_pass=tests.get("require_pass", True))


def _subject(path: Path, data: object) -> str:
    return dotted(path)


_BOOLEAN = "true or false"
_PHRASES = {
    "": "a mapping with blocks such as execution and checkpoints",
    "execution": "a mapping",
    "allow_local": _BOOLEAN,
    "jobs": f"a whole number from 1 to {MAX_JOBS}",
    "docker": "a mapping",
    "engine": "auto, docker or podman",
    "required": _BOOLEAN,
    "image_allowlist": "a list of image patterns; an empty list allows none, without this key all are allowed",
    "image_allowlist.*": "text: an image or a pattern such as golang:*",
    "cpu_limit": "a number of CPUs above 0, such as 2 or 0.5",
    "mem_limit": "an amount of memory such as 512m or 2g",
    "network": "the name of a network: none, bridge, host or one of your own",
    "pids_limit": "a whole number above 0",
    "reuse": "task or run",
    "linters": "a mapping of names to {enabled, cmd}",
    "linters.*": "a mapping of enabled and cmd",
    "linters.*.[key]": "a name must be up to 64 of A-Z a-z 0-9 . _ + - and begin with a letter or digit",
    "formatters": "a mapping of names to {enabled, cmd}",
    "formatters.*": "a mapping of enabled and cmd",
    "formatters.*.[key]": "a name must be up to 64 of A-Z a-z 0-9 . _ + - and begin with a letter or digit",
    "tests": "a mapping of require_pass and cmd",
    "require_pass": _BOOLEAN,
    "cmd": "text: a shell command",
    "checkpoints": "a mapping",
    "enabled": _BOOLEAN,
    "directory": "text: the path of a folder",
    "interval_minutes": "a number of minutes above 0",
    "task_interval": "a whole number of tasks, 1 or more",
    "retention": "a mapping",
    "max_age_days": f"a number of days above 0 and up to {MAX_DAYS}",
    "max_count": "a whole number of runs, 1 or more",
    "keep_failed": _BOOLEAN,
    "keep_completed": _BOOLEAN,
    "validate_on_resume": _BOOLEAN,
    "strict_hash_check": _BOOLEAN,
    "compress": _BOOLEAN,
    "max_size_mb": "a number of megabytes above 0",
}
WORDING = Wording(
    phrases=_PHRASES,
    fields={
        "": tuple(PolicyFields.__annotations__),
        "execution": tuple(ExecutionFields.__annotations__),
        "execution.docker": tuple(DockerFields.__annotations__),
        "linters.*": tuple(GateFields.__annotations__),
        "formatters.*": tuple(GateFields.__annotations__),
        "tests": tuple(TestsFields.__annotations__),
        "checkpoints": tuple(CheckpointFields.__annotations__),
        "checkpoints.retention": tuple(RetentionFields.__annotations__),
    },
    free=frozenset({"linters", "formatters"}),
    root="policy",
    noun="mapping",
    member="key",
    subject=_subject,
    names={"": "a policy", "linters.*": "a linter", "formatters.*": "a formatter"},
)
