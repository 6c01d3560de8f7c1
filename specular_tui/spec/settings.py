"""Settings that hold for one command: command line before environment before policy before default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from specular_tui.errors import SettingsError
from specular_tui.model.policy import CheckpointPolicy, Policy, RetentionPolicy
from specular_tui.model.quote import quote

ENABLED: Final = "SPECULAR_CHECKPOINT_ENABLED"
DIRECTORY: Final = "SPECULAR_CHECKPOINT_DIR"
INTERVAL: Final = "SPECULAR_CHECKPOINT_INTERVAL"

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_MAX_MINUTES = 52_704_000  # 100 years, as in a policy


class Settings(Struct, frozen=True, kw_only=True):
    """What holds for one build or command, whoever said it."""

    policy: Policy
    #: False: no checkpoint is written, and the build cannot be resumed.
    checkpoints_enabled: bool
    #: Absolute; it need not exist.
    checkpoint_dir: Path
    #: The JSON files of the checkpoint are written again after so many milliseconds …
    interval_ms: int
    #: … and after so many ended tasks.
    task_interval: int
    #: So many tasks run at once.
    jobs: int
    validate_on_resume: bool
    strict_hash_check: bool
    compress: bool
    #: Bound of the whole checkpoint directory; a megabyte is 2**20 bytes, as in `du -m`.
    max_size_bytes: int
    retention: RetentionPolicy


def resolve(
    policy: Policy,
    *,
    environ: Mapping[str, str],
    cwd: Path,
    checkpoint_dir: str | None = None,
    interval_ms: int | None = None,
    task_interval: int | None = None,
    jobs: int | None = None,
) -> Settings:
    """Return the settings; the last four arguments are what the command line says, None where it says nothing.

    Relative folders start from `cwd`, which is absolute. A variable of the environment that is empty counts as not
    set.

    Raises:
        SettingsError: a variable has a value that cannot be read; the message names it.
    """
    checkpoints = policy.checkpoints
    minutes = _minutes(environ)
    if interval_ms is None:
        interval_ms = round((checkpoints.interval_minutes if minutes is None else minutes) * 60_000)
    enabled = _boolean(environ, ENABLED)
    folder = checkpoint_dir or environ.get(DIRECTORY) or checkpoints.directory
    return Settings(
        policy=policy,
        checkpoints_enabled=checkpoints.enabled if enabled is None else enabled,
        checkpoint_dir=_folder(folder, cwd),
        interval_ms=max(1, interval_ms),
        task_interval=checkpoints.task_interval if task_interval is None else task_interval,
        jobs=jobs or policy.execution.jobs or _cpus(),
        validate_on_resume=checkpoints.validate_on_resume,
        strict_hash_check=checkpoints.strict_hash_check,
        compress=checkpoints.compress,
        max_size_bytes=round(checkpoints.max_size_mb * (1 << 20)),
        retention=checkpoints.retention,
    )


def checkpoint_directory(
    cli: str | None, environ: Mapping[str, str], cwd: Path, policy_file: Path | None = None
) -> Path:
    """Return the absolute checkpoint directory; it need not exist.

    For commands that need nothing else: the policy (`policy_file`, else the default one if it is there) is read only
    if neither `cli` nor the environment names the directory, and only that one value of it is looked at.

    Raises:
        SettingsError: the policy cannot be read, or names no valid directory.
    """
    folder = cli or environ.get(DIRECTORY) or _policy_directory(cwd, policy_file)
    return _folder(folder or CheckpointPolicy().directory, cwd)


def _policy_directory(cwd: Path, policy_file: Path | None) -> str | None:
    from specular_tui.spec.policy_file import DEFAULT_POLICY, read_document, read_policy

    path = cwd / (policy_file or DEFAULT_POLICY)
    if policy_file is None and not os.path.lexists(path):
        return None
    name = str(policy_file or DEFAULT_POLICY)
    data = read_policy(path, name)
    if b"directory" not in data and b"\\" not in data:
        return None  # without the parser, which takes longer to load than all the rest of a quick command
    document = read_document(data, name)
    checkpoints = document.value.get("checkpoints") if isinstance(document.value, dict) else None
    if not isinstance(checkpoints, dict) or "directory" not in checkpoints:
        return None
    directory: object = checkpoints["directory"]
    if isinstance(directory, str) and directory:
        return directory
    from specular_tui.spec.policy_file import parse_policy

    return parse_policy(data, file=name)[0].checkpoints.directory  # raises, with words and a position


def _folder(text: str, cwd: Path) -> Path:
    """Return a folder of the settings as an absolute path; `~` at its beginning is the home folder."""
    if "\0" in text:
        raise SettingsError(f"the checkpoint directory {quote(text)} cannot be the name of a folder")
    return cwd / (os.path.expanduser(text) if text == "~" or text.startswith("~/") else text)


def _boolean(environ: Mapping[str, str], name: str) -> bool | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise SettingsError(f"{name} must be true or false, not {quote(text)}", hint=f"unset it, or export {name}=false")


def _minutes(environ: Mapping[str, str]) -> float | None:
    text = environ.get(INTERVAL, "").strip()
    if not text:
        return None
    if len(text) <= 30 and _NUMBER.fullmatch(text) and 0 < float(text) <= _MAX_MINUTES:
        return float(text)
    raise SettingsError(
        f"{INTERVAL} must be a number of minutes above 0, not {quote(text)}",
        hint=f"unset it, or export {INTERVAL}=5",
    )


def _cpus() -> int:
    from specular_tui.spec.cpus import available_cpus

    return available_cpus()
