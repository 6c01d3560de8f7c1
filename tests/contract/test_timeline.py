"""What took the time of a build."""

from __future__ import annotations

import re

from tests import recorded
from tests.contract.conftest import Shell, task


def test_a_completed_build(shell: Shell) -> None:
    shell.plan(task("quick"), task("slow", "sleep 0.6"), task("after", "sleep 0.2", "slow"), name="webapp")
    shell.policy("tests: {require_pass: true, cmd: 'true'}\n")
    assert shell("specular build --run-id done --jobs 2").code == 0

    told = shell("specular timeline")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == "done  webapp  completed"
    assert re.fullmatch(r"  critical path  [0-9.]+s in 2 tasks, [0-9]+% of the time", lines[3])
    path = lines.index("")
    assert [line.split()[0] for line in lines[path + 1 : path + 4]] == ["CRITICAL", "slow", "after"]
    assert lines[path + 5].split() == ["SLOWEST", "STATE", "TOOK", "SHARE", "USUALLY"]
    assert [line.split()[0] for line in lines[path + 6 : path + 8]] == ["slow", "after"]
    assert lines[path + 6].endswith("critical path")

    facts = shell("specular timeline done --format json --slowest 1").json()
    assert [entry["task"] for entry in facts["critical_path"]] == ["slow", "after"]
    assert facts["critical_path"][1]["started_after"] == "slow"
    assert 700 <= facts["critical_path_ms"] <= facts["elapsed_ms"]
    assert (len(facts["slowest"]), facts["slowest"][0]["task"], facts["jobs"]) == (1, "slow", 2)
    trace = shell("specular timeline --last --format trace").json()
    assert {e["name"] for e in trace["traceEvents"] if e["ph"] == "X"} == {"quick", "slow", "after", "@tests"}
    assert shell("specular timeline --slowest -1").code == 2
    assert "did you mean 'timeline'?" in shell("specular profile").err


def test_against_past_runs(shell: Shell) -> None:
    shell.plan(task("a", "[ ! -e slow ] || sleep 1.2"))
    shell("specular build --run-id before && touch slow && specular build --run-id after")
    facts = shell("specular timeline after --format json").json()
    assert facts["slowest"][0]["slower_than_usual"] is True
    assert facts["slowest"][0]["usual_ms"] < 1000
    assert "slower than usual, critical path" in shell("specular timeline after").out


def test_of_one_that_failed_what_it_did(shell: Shell) -> None:
    failing = task("b", "sleep 0.02; exit 1", "a", retries=1, retry_delay="50ms")
    shell.plan(task("a", "sleep 0.1"), failing, task("c", "true", "b"))
    assert shell("specular build").code == 1
    told = shell("specular timeline").out
    assert "limited by" not in told, "it did not come to its end"
    facts = shell("specular timeline --format json").json()
    assert [(entry["task"], entry["status"]) for entry in facts["critical_path"]] == [
        ("a", "completed"),
        ("b", "failed"),
    ]
    assert facts["critical_path"][1]["attempts"] == 2
    (shell.checkpoints / shell.runs()[0] / "plan.json").write_text("{}")
    unknown = shell("specular timeline")
    assert unknown.code == 0
    assert "critical path  not known: the copy of the plan is damaged" in unknown.out
    assert shell("specular timeline --format json").json()["critical_path"] is None


def test_a_live_one(shell: Shell) -> None:
    shell.plan(task("a", "touch begun; until [ -e go ]; do sleep 0.02; done"), task("b", "true", "a", estimate=60))
    build = shell.start("specular build --run-id live")
    shell.wait_for("test -e begun")
    facts = shell("specular timeline --format json").json()
    assert facts["live"] is True
    assert [(entry["task"], entry["expected_ms"]) for entry in facts["critical_path"]] == [("a", None), ("b", 60_000)]
    assert "EXPECTED" in shell("specular timeline").out
    (shell.folder / "go").touch()
    assert build.wait(20) == 0


def test_one_in_which_nothing_has_run(shell: Shell) -> None:
    recorded.Recorded(shell.checkpoints, "begun").vanish()
    told = shell("specular timeline")
    assert (told.code, told.err) == (0, "nothing has run yet\n")
    assert told.out == "begun  webapp  paused\n  worked for  0.00s\n"
    facts = shell("specular timeline --format json").json()
    assert (facts["critical_path"], facts["slowest"], facts["jobs_average"]) == ([], [], 0)
    assert shell("specular timeline --format trace").code == 0
