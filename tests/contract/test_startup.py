"""Commands that status bars and prompts call all the time import what they need and no more."""

from __future__ import annotations

from tests.contract.conftest import BIN, Shell, task

HEAVY = {"asyncio", "pydantic", "rich", "statistics", "textual", "watchfiles", "yaml"}


def test_quick_commands_on_a_stored_run(shell: Shell) -> None:
    shell.plan(task("a"), task("b", "false", "a"))
    assert shell("specular build --quiet").code == 1
    for line in (
        "checkpoint list",
        "checkpoint show",
        "progress --short",
        "timeline",
        "logs a",
        "checkpoint clean --dry-run --failed",
    ):
        done = shell(f"{BIN}/python -X importtime -m specular_tui {line}")
        assert done.code == 0, line
        imported = {row.rpartition("|")[2].strip().partition(".")[0] for row in done.err.splitlines() if "|" in row}
        assert "click" in imported
        assert not imported & HEAVY, line
