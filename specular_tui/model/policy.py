"""The policy: how a build may run, as values with their defaults. Reading it is `spec.policy_file`'s work."""

from __future__ import annotations

from msgspec import Struct


class DockerPolicy(Struct, frozen=True, kw_only=True):
    """What a container of this build may be and use. Limits are as the engine's command line takes them."""

    engine: str = "auto"
    required: bool = False
    #: Shell-style patterns; None allows every image.
    image_allowlist: tuple[str, ...] | None = None
    cpu_limit: str | None = None
    mem_limit: str | None = None
    network: str | None = None
    pids_limit: int | None = None
    #: "task": a container for each task; "run": one for each image, shared by the tasks of a run.
    reuse: str = "task"


class ExecutionPolicy(Struct, frozen=True, kw_only=True):
    """Where tasks may run and how many at once."""

    #: False: a task without an image is a policy violation.
    allow_local: bool = True
    jobs: int | None = None
    docker: DockerPolicy = DockerPolicy()


class Gate(Struct, frozen=True, kw_only=True):
    """A check that runs after the last task; if one that must pass fails, the build fails."""

    #: `linters.python`, `formatters.python`, `tests`.
    id: str
    command: str
    must_pass: bool = True


class RetentionPolicy(Struct, frozen=True, kw_only=True):
    """Which stored runs stay."""

    max_age_days: float = 30
    max_count: int = 50
    keep_failed: bool = True
    keep_completed: bool = True


class CheckpointPolicy(Struct, frozen=True, kw_only=True):
    """The `checkpoints:` block."""

    enabled: bool = True
    directory: str = ".specular/checkpoints"
    interval_minutes: float = 5
    task_interval: int = 10
    retention: RetentionPolicy = RetentionPolicy()
    validate_on_resume: bool = True
    strict_hash_check: bool = False
    compress: bool = False
    max_size_mb: float = 500


class Policy(Struct, frozen=True, kw_only=True):
    """One policy; `Policy()` is what holds where there is no policy file."""

    execution: ExecutionPolicy = ExecutionPolicy()
    checkpoints: CheckpointPolicy = CheckpointPolicy()
    #: The enabled gates: formatters, linters, tests. They start in this order, as many at once as jobs allow.
    gates: tuple[Gate, ...] = ()
    #: The policy file as typed, or None without one.
    file: str | None = None
    #: `blake3:` and the digest of the file's bytes, or None without one.
    hash: str | None = None
