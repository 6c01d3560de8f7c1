"""Quick commands import what they need and no more; the faces of the program stay apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"asyncio", "pydantic", "rich", "textual", "watchfiles"}


def imported(*arguments: str) -> set[str]:
    """Return the top-level packages that a Python process imports, as `-X importtime` lists them."""
    child = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    times: list[str] = []
    others: list[str] = []
    for line in child.stderr.splitlines():
        (times if line.startswith("import time:") else others).append(line)
    assert child.returncode == 0, "\n".join(others)
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in times}


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "import specular_tui.cli"],
        ["-m", "specular_tui", "--version"],
        ["-m", "specular_tui", "--help"],
        ["-m", "specular_tui", "checkpoint", "list"],
        ["-m", "specular_tui", "checkpoint", "list", "--format", "json"],
    ],
    ids=["import of the cli", "--version", "--help", "list", "list as JSON"],
)
def test_a_quick_command_imports_nothing_heavy(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert not imported(*arguments) & HEAVY


def test_a_build_of_a_plan_that_is_right_needs_no_pydantic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("plan.json").write_text('{"tasks": [{"id": "a", "command": "true", "timeout": "5m"}]}')

    packages = imported("-m", "specular_tui", "build")

    assert "asyncio" in packages
    assert not packages & {"pydantic", "textual", "yaml", "watchfiles"}


def test_the_measure_sees_an_import() -> None:
    assert "asyncio" in imported("-c", "import asyncio")


def test_the_model_needs_no_more_than_msgspec() -> None:
    modules = ["duration", "event", "graph", "plan", "policy", "run"]
    program = "; ".join(f"import specular_tui.model.{module}" for module in modules)

    packages = imported("-c", program)

    assert "msgspec" in packages
    assert not packages & (HEAVY | {"blake3", "click", "yaml"})


@pytest.mark.parametrize(("module", "frames"), [("start", "1000"), ("app", "1000"), ("browser", "60")])
def test_the_frame_rate_is_set_before_textual_reads_it(
    module: str, frames: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEXTUAL_FPS", raising=False)
    program = (
        f"import os, specular_tui.tui.{module}, textual.constants as c; print(c.MAX_FPS, 'TEXTUAL_FPS' in os.environ)"
    )

    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert child.stdout.split() == [frames, "False"]


@pytest.mark.parametrize("screen", ["checkpoints", "build"])
def test_the_first_screen_is_painted_before_what_reads_for_it_is_imported(screen: str) -> None:
    program = (
        f"import sys, specular_tui.tui.start, specular_tui.tui.screens.{screen}; "
        "print(*(name for name in sys.modules if name.startswith('specular_tui.')))"
    )

    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    rooms = {name.split(".")[1] for name in child.stdout.split()}
    assert "tui" in rooms
    assert not rooms & {"workspace", "store", "engine"}
