"""`specular doctor`: what is usable here."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from specular_tui import __version__
from specular_tui.cli import output
from specular_tui.cli.options import current_folder, format_option
from specular_tui.errors import ExitCode, SpecularError
from specular_tui.model.policy import Policy

if TYPE_CHECKING:
    from specular_tui.workspace.health import Finding

_LIBRARIES: Final = ("textual", "rich", "click", "msgspec", "pydantic", "watchfiles", "blake3")


@click.command("doctor")
@format_option("table", "json")
def doctor_command(form: str | None) -> int:
    """Say what is usable here: versions, terminal, file system, container engine.

    The exit code is 1 where something is broken that every build needs.
    """
    from specular_tui.workspace.health import Verdict

    found = _look(current_folder())
    broken = any(finding.verdict is Verdict.BROKEN for finding in found)
    if form == "json":
        checks = [{"name": f.name, "verdict": f.verdict.value, "text": f.text} for f in found]
        output.emit_json({"ok": not broken, "checks": checks})
        return ExitCode.FAILED if broken else ExitCode.SUCCESS
    on = output.colour_on()
    marks = {
        Verdict.OK: output.style("✓", "green", on=on),
        Verdict.WARNING: output.style("!", "yellow", bold=True, on=on),
        Verdict.BROKEN: output.style("✗", "red", bold=True, on=on),
    }
    width = max(len(finding.name) for finding in found)
    for finding in found:
        output.emit(f"{marks[finding.verdict]} {finding.name.ljust(width)}  {output.plain(finding.text)}")
    if broken:
        output.tell("what is marked ✗ keeps every build from being checkpointed here")
    return ExitCode.FAILED if broken else ExitCode.SUCCESS


def _look(folder: Path) -> list[Finding]:
    from specular_tui.spec.settings import resolve
    from specular_tui.workspace import health
    from specular_tui.workspace.health import Finding, Verdict
    from specular_tui.workspace.plans import read_policy

    found = [
        Finding("specular", Verdict.OK, f"{__version__} in {Path(sys.argv[0]).absolute()}"),
        Finding("python", Verdict.OK, f"{platform.python_version()} on {platform.system()} {platform.release()}"),
        _libraries(),
        _terminal(),
    ]
    policy, root = Policy(), None
    try:
        policy, _, warnings = read_policy(None, folder)
        settings = resolve(policy, environ=os.environ, cwd=folder)
        root = settings.checkpoint_dir
        text = policy.file or "none here: the defaults hold"
        found.append(Finding("policy", Verdict.WARNING if warnings else Verdict.OK, "; ".join([text, *warnings])))
        found.append(Finding("jobs", Verdict.OK, f"{settings.jobs} at once"))
    except SpecularError as error:
        found.append(Finding("policy", Verdict.BROKEN, error.message))
    if root is not None:
        found += health.look_at_storage(root)
    return [*found, health.look_at_steering(), health.look_at_changes(), health.look_at_engine(policy.execution.docker)]


def _libraries() -> Finding:
    from specular_tui.workspace.health import Finding, Verdict

    known, missing = [], []
    for name in _LIBRARIES:
        try:
            known.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("libraries", Verdict.BROKEN, f"not installed: {', '.join(missing)}")
    return Finding("libraries", Verdict.OK, ", ".join(known))


def _terminal() -> Finding:
    from specular_tui.workspace.health import Finding, Verdict

    if not sys.stdout.isatty():
        return Finding("terminal", Verdict.OK, "none: lines are printed, and the full-screen app needs one")
    term = os.environ.get("TERM", "")
    size = shutil.get_terminal_size()
    text = f"{term or 'TERM is not set'}, {size.columns}x{size.lines}"
    if term in ("", "dumb"):
        return Finding("terminal", Verdict.WARNING, f"{text}: the full-screen app needs one that can move its cursor")
    if "utf" not in (sys.stdout.encoding or "").lower():
        return Finding("terminal", Verdict.WARNING, f"{text}, {sys.stdout.encoding}: some characters cannot be shown")
    colours = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM", "colours")
    if size.columns < 60 or size.lines < 16:
        return Finding("terminal", Verdict.WARNING, f"{text}: the full-screen app is at its best from 80x24 on")
    return Finding("terminal", Verdict.OK, f"{text}, {colours}")
