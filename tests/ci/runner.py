"""What a runner of GitHub does with an action, as far as it concerns ours: inputs, the shell step, its log, its files.

Follows the runner's own code: src/Runner.Worker (CompositeActionHandler, ScriptHandler, ActionCommandManager) and
src/Runner.Common/ActionCommand of github.com/actions/runner.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github" / "actions" / "specular"
BIN = Path(sys.executable).parent

#: Stands in for Python and pip where the action installs Specular: no network, and what was asked for is in a file.
_PYTHON = textwrap.dedent("""\
    #!/bin/sh
    case "$*" in
        *"-m venv "*)
            for folder; do :; done
            mkdir -p "$folder/bin"
            cp "$0" "$folder/bin/python"
            ;;
        *"-m pip install "*)
            for requirement; do :; done
            echo "$requirement" >> '{log}'
            ln -s '{bin}/specular' "$(dirname "$0")/specular"
            ;;
        *) exec '{python}' "$@" ;;
    esac
""")


class Command(NamedTuple):
    """A command that a line of a log has given to the runner."""

    name: str
    properties: dict[str, str]
    data: str


class Step(NamedTuple):
    """What came of a step."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def commands(self) -> list[Command]:
        return commands(self.log)


class Machine:
    """A runner at work on a job: a checkout, and a folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "checkout"
        self.temporary = folder / "temporary files"  # a blank, as in /Users/runner/My Work
        self.installed = folder / "installed"
        self.action = ACTION
        tools = folder / "tools"
        for new in (self.workspace, self.temporary, tools):
            new.mkdir(parents=True)
        python = tools / "python3"
        python.write_text(_PYTHON.format(log=self.installed, bin=BIN, python=sys.executable))
        python.chmod(0o755)
        self.env = {
            "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
            "RUNNER_OS": "Linux",
        }

    def start(self, **inputs: str) -> Running:
        """Start the action's step; `_` in a name is `-`."""
        return Running(self, {name.replace("_", "-"): value for name, value in inputs.items()})

    def run(self, **inputs: str) -> Step:
        """Run the action."""
        return self.start(**inputs).finish()


class Running:
    """A step of the action that has been started."""

    def __init__(self, machine: Machine, inputs: Mapping[str, str]) -> None:
        action = machine.action
        definition = yaml.safe_load((action / "action.yml").read_text())
        unknown = set(inputs) - set(definition["inputs"])
        assert not unknown, f"the action has no inputs {unknown}"
        given = {name: inputs.get(name, entry["default"]) for name, entry in definition["inputs"].items()}
        (step,) = definition["runs"]["steps"]
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        self._outputs = definition["outputs"]
        self._id = step["id"]
        scratch = machine.temporary / str(uuid.uuid4())
        scratch.mkdir()
        script = scratch / "step.sh"
        script.write_text(step["run"])
        self._files = {name: scratch / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
        for file in self._files.values():
            file.touch()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            cwd=machine.workspace,
            env=machine.env
            | {name: _evaluate(value, {"inputs": given}) for name, value in step["env"].items()}
            | {name: str(file) for name, file in self._files.items()}
            # A local action's path has a dot in it, as the workflow has.
            | {"GITHUB_ACTION_PATH": f"{action.parents[2]}/./{action.relative_to(action.parents[2])}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def cancel(self) -> Step:
        """Do what the runner does when a job is cancelled: signal the step's own process, and no other."""
        self.process.send_signal(signal.SIGINT)
        return self.finish()

    def finish(self) -> Step:
        """Wait for the end."""
        log, _ = self.process.communicate(timeout=60)
        lines = self._files["GITHUB_OUTPUT"].read_text().splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        assert len(outputs) == len(lines)
        values = {
            name: _evaluate(entry["value"], {f"steps.{self._id}.outputs": outputs})
            for name, entry in self._outputs.items()
        }
        return Step(self.process.returncode, log.decode(), values, self._files["GITHUB_STEP_SUMMARY"].read_text())


def _evaluate(value: str, context: Mapping[str, Mapping[str, str]]) -> str:
    """Return the value of an expression that is a name."""
    found = re.fullmatch(r"\$\{\{ (\S+)\.([\w-]+) \}\}", value)
    assert found is not None, value
    return context[found[1]].get(found[2], "")


# The log -------------------------------------------------------------------------------------------------------------

_REGISTERED = {
    *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path"),
    *("notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"),
}


def commands(log: str) -> list[Command]:
    """Return the commands that the runner obeys, `stop-commands` and the token that ends it included."""
    found = []
    stopped: str | None = None
    for line in re.split(r"\r\n|\n|\r", log):
        command = _version_2(line, stopped) or _version_1(line, stopped)
        if command is None:
            continue
        if stopped is not None:
            if command.name == stopped:
                found.append(command)
                stopped = None
            continue
        found.append(command)
        if command.name == "stop-commands":
            stopped = command.data
    return found


def _version_2(line: str, token: str | None) -> Command | None:
    line = line.lstrip()
    head, separator, data = line[2:].partition("::")
    name, _, properties = head.partition(" ")
    if not line.startswith("::") or not separator or not _is_command(name, token):
        return None
    return Command(name, _properties(properties, ","), data)


def _version_1(line: str, token: str | None) -> Command | None:
    _, prefix, rest = line.partition("##[")
    head, separator, data = rest.partition("]")
    name, _, properties = head.partition(" ")
    if not prefix or not separator or not _is_command(name, token):
        return None
    return Command(name, _properties(properties, ";"), data)


def _is_command(name: str, token: str | None) -> bool:
    return name.lower() in _REGISTERED or (token is not None and name.lower() == token.lower())


def _properties(text: str, separator: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in text.strip().split(separator) if "=" in part)
    return dict(pair for pair in pairs)


# Artifacts -----------------------------------------------------------------------------------------------------------


def artifact(source: Machine, target: Machine, upload: Mapping[str, Any], download: Mapping[str, Any]) -> None:
    """Bring files from one job to another, as upload-artifact and download-artifact do with these inputs.

    Hidden files stay behind unless they are asked for: those whose names begin with a dot, and all that is in folders
    whose names do. Modes are lost, and so are empty folders.
    """
    root = Path(upload["path"])
    assert upload["name"] == download["name"]
    for file in sorted(source.workspace.joinpath(root).rglob("*")):
        path = file.relative_to(source.workspace)
        hidden = any(part.startswith(".") for part in path.parts)
        if file.is_dir() or (hidden and not upload.get("include-hidden-files", False)):
            continue
        copy = target.workspace / download.get("path", "") / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copy.chmod(0o644)
    for folder in target.workspace.rglob("*"):
        if folder.is_dir():
            folder.chmod(0o755)
