"""Unfinished runs that nobody goes on with: protected, then expired, then removed."""

from __future__ import annotations

from tests.contract.conftest import Shell, task

#: Loaded by every Python that finds it: the clock is so many days behind, or ahead.
CLOCK = """\
import os, time
_real, _shift = time.time_ns, int(os.environ["DAYS"]) * 86_400 * 10**9
time.time_ns = lambda: _real() + _shift
"""


def at(shell: Shell, days: int) -> dict[str, str]:
    folder = shell.folder / "clock"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(CLOCK)
    return {"PYTHONPATH": str(folder), "DAYS": str(days)}


def left_unfinished(shell: Shell) -> None:
    shell.plan(task("a", "test -e mended"))
    assert shell("specular build --run-id left", **at(shell, -40)).code == 1


def states(shell: Shell) -> dict[str, str]:
    return {run["run_id"]: run["status"] for run in shell("specular checkpoint list --format json").json()}


def test_the_only_result_of_a_plan_never_expires(shell: Shell) -> None:
    left_unfinished(shell)

    assert shell("specular checkpoint clean").out == "nothing to remove\n"
    assert states(shell) == {"left": "failed"}
    (shell.folder / "mended").touch()
    assert shell("specular build --resume").code == 0


def test_a_run_whose_plan_was_completed_since_expires_and_is_removed_later(shell: Shell) -> None:
    left_unfinished(shell)
    (shell.folder / "mended").touch()

    done = shell("specular build --run-id done", **at(shell, -39))
    assert "left is abandoned" not in done.err
    looked = shell("specular checkpoint clean --dry-run")
    assert "left would be abandoned: expired: not updated for 40d" in looked.out
    assert states(shell)["left"] == "failed"
    cleaned = shell("specular checkpoint clean --format json").json()
    assert [run["run_id"] for run in cleaned["abandoned"]] == ["left"]
    assert states(shell) == {"left": "abandoned"}

    shown = shell("specular checkpoint show left").json()
    assert shown["reason"].startswith("expired: ")
    assert shell("specular checkpoint validate left").code == 0
    later = shell("specular checkpoint clean", **at(shell, 31))
    assert "left" in later.out
    assert shell.runs() == []


def test_a_build_lets_runs_expire_too(shell: Shell) -> None:
    left_unfinished(shell)
    (shell.folder / "mended").touch()

    done = shell("specular build")

    assert done.code == 0
    assert "left is abandoned: expired: " in done.err
    assert "abandoned" in states(shell).values()
