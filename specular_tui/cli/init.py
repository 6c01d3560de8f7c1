"""`specular init`: a plan and a policy to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from specular_tui.cli import output
from specular_tui.cli.options import current_folder
from specular_tui.errors import SpecularError

#: JSON has no comments: the titles say what there is to say.
PLAN: Final = """\
{
  "version": 1,
  "name": "example",
  "defaults": {"timeout": "30m"},
  "tasks": [
    {
      "id": "prepare",
      "title": "A command runs under sh -c, in the folder of this file",
      "command": "mkdir -p build && date > build/started.txt",
      "outputs": ["build/started.txt"]
    },
    {
      "id": "compile",
      "title": "Tasks that need nothing of each other run at the same time",
      "command": "sleep 2 && echo compiled > build/program.txt",
      "depends_on": ["prepare"],
      "outputs": ["build/program.txt"]
    },
    {
      "id": "lint",
      "title": "A list is run as it is, without a shell",
      "command": ["echo", "no complaints"],
      "depends_on": ["prepare"],
      "allow_failure": true
    },
    {
      "id": "test",
      "title": "What fails can be tried again by itself",
      "command": "test -s build/program.txt && echo passed",
      "depends_on": ["compile", "lint"],
      "env": {"CI": "1"},
      "timeout": "10m",
      "retries": 1,
      "retry_delay": "5s"
    }
  ]
}
"""

POLICY: Final = """\
# How builds of this folder may run, and how their checkpoints are kept.
# Everything here is optional; what stands behind a # is the default or an example.

execution:
  allow_local: true            # false: a task without an image is refused
  # jobs: 4                    # so many tasks at once; by default as many as there are CPUs
  docker:
    engine: auto               # docker, podman, or auto
    # image_allowlist: ["golang:*", "node:22"]
    # cpu_limit: "2"
    # mem_limit: "2g"
    # network: none
    # pids_limit: 256
    # reuse: run              # keep containers for the tasks that follow; by default each task has its own

# Gates run after the last task; one that fails makes the build fail.
# formatters: {python: {enabled: true, cmd: "ruff format --check ."}}
# linters:    {python: {enabled: true, cmd: "ruff check ."}}
# tests:      {require_pass: true, cmd: "pytest -q"}

checkpoints:
  enabled: true
  interval_minutes: 5          # the JSON files are written again this often …
  task_interval: 10            # … and after so many tasks; the journal has every task at once
  retention:
    max_age_days: 30
    max_count: 50
    keep_failed: true
    keep_completed: true
  validate_on_resume: true     # prove a checkpoint before going on with it
  strict_hash_check: false     # true: refuse to resume when the plan has changed
  compress: false              # true: pack a run's files when it has ended
  max_size_mb: 500             # of all runs together; the oldest go first
"""


@click.command("init")
@click.argument("folder", required=False, metavar="[FOLDER]")
def init_command(folder: str | None) -> None:
    """Write plan.json and .specular/policy.yaml to start from, here or in FOLDER. What is there stays as it is.

    Then: `specular plan validate`, and `specular build`.
    """
    base = current_folder() / (folder or "")
    written = []
    for name, text in (("plan.json", PLAN), (".specular/policy.yaml", POLICY)):
        path = base / name
        shown = os.path.join(folder, name) if folder else name
        if _write(path, text):
            written.append(shown)
            output.emit(f"wrote {output.plain(shown)}")
        else:
            output.tell(f"{shown} is there already: it stays as it is")
    if not written:
        raise SpecularError("nothing was written: plan and policy are there already", hint="build it: specular build")
    output.tell("look at it: specular plan show; build it: specular build")


def _write(path: Path, text: str) -> bool:
    """Write a new file; False where there is one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if not os.path.lexists(path):
            raise SpecularError(f"{path.parent} is in the way: it is not a folder") from None
        return False
    except OSError as error:
        raise SpecularError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
    return True
