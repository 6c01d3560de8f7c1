"""What is printed where: data and notices, pipes that close, colours, and text that means harm."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from tests.contract.conftest import Shell, task

ESCAPE = "\x1b"
HOSTILE = "\x1b[31mred\x1b]52;c;aGk=\x07 \u202eevil [/b] [bold]x \x9b2J\r over"


def test_lines_are_as_specified(shell: Shell) -> None:
    shell.plan(task("task-1", "true", title="Install"), task("task-2", "exit 3", "task-1"), task("task-3"))

    done = shell("specular build --jobs 1 --keep-going")

    assert done.code == 1
    at = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(rf"^{at} START task-1 Install$", done.out, re.M)
    assert re.search(rf"^{at} DONE task-1 Install \([\d.]+s\)$", done.out, re.M)
    assert re.search(rf"^{at} FAIL task-2 exit code 3 \([\d.]+s\)$", done.out, re.M)
    assert "failed: 2 of 3 tasks completed, 1 failed" in done.out
    assert f"logs: {shell.checkpoints}" in done.out


def test_quiet_is_failures_and_the_summary(shell: Shell) -> None:
    shell.plan(task("a"), task("b", "echo why; exit 1", "a"))

    done = shell("specular build --quiet")

    assert "START" not in done.out
    assert "DONE" not in done.out
    assert "FAIL b" in done.out
    assert "  | why" in done.out
    assert done.out.splitlines()[-1].startswith("resume with: specular build --resume ")


def test_json_is_one_object_a_line(shell: Shell) -> None:
    shell.plan(task("a", "true", title=HOSTILE), task("b", "false"), name=HOSTILE)

    done = shell("specular build --format json --jobs 1")

    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["event"] for event in events] == [
        "build_started",
        "task_started",
        "task_ended",
        "task_started",
        "task_ended",
        "build_ended",
    ]
    assert {"event", "time", "run_id"} <= set.intersection(*(set(event) for event in events))
    assert events[0]["plan"] == HOSTILE
    assert events[-1]["exit_code"] == done.code == 1
    assert events[-1]["failed"] == ["b"]


def test_nothing_that_people_or_tasks_write_steers_the_terminal(shell: Shell) -> None:
    # `shell` itself looks for control characters in everything.
    shell.plan(task("a", ["printf", HOSTILE + "\n"], title=HOSTILE), task("b", "exit 1", title=HOSTILE), name=HOSTILE)
    folder = "\x1b[7mfolder"
    assert shell(f"mkdir $'{folder}' && cp plan.json $'{folder}' && cd $'{folder}' && specular build").code == 1
    for line in (
        "build --quiet; true",
        "checkpoint list",
        "checkpoint show --last --format table",
        "checkpoint show --last",
        "progress",
        "progress --short",
        "progress --format table",
        "progress --stream",
        "timeline",
        "timeline --format trace",
        "plan show",
        "build --dry-run",
        "checkpoint clean --dry-run --older-than 0s",
    ):
        assert shell(f"specular {line}").code == 0, line
    assert shell("specular logs a").out == " overvil [/b] [bold]x \n"
    assert shell("specular logs $'\\x1b[31m'").code == 2
    raw = subprocess.run(["bash", "-c", "specular logs a --raw"], cwd=shell.folder, env=shell.env, capture_output=True)
    assert raw.stdout == (HOSTILE + "\n").encode()


def test_colours_on_a_terminal_only(shell: Shell) -> None:
    shell.plan(task("a"), task("b", "false"))
    shell("specular build --run-id x")

    coloured = shell.on_terminal("specular checkpoint list")
    assert ESCAPE in coloured.out
    assert ESCAPE not in shell.on_terminal("specular checkpoint list", env={"NO_COLOR": "1"}).out
    assert ESCAPE not in shell.on_terminal("specular checkpoint list", env={"TERM": "dumb"}).out
    for env in ({"NO_COLOR": "1", "TERM": "dumb"}, {"TERM": "dumb"}):
        assert ESCAPE not in shell.on_terminal("specular build", env=env).out


def test_the_live_display_is_for_terminals(shell: Shell) -> None:
    shell.plan(task("a", "sleep 0.5", title=HOSTILE), task("b", "sleep 0.5; exit 1"))

    drawn = shell.on_terminal("specular build", size=(24, 60))

    assert drawn.code == 1
    assert "building" in drawn.out
    assert "\x1b[?25h" in drawn.out  # the cursor is there again
    for harm in ("\x1b]52", "\u202e", "\x9b"):
        assert harm not in drawn.out
    lines = shell.on_terminal("specular build --format plain")
    assert " START a " in lines.out
    assert "building" not in lines.out


@pytest.mark.parametrize("size", [(5, 10), (1, 1), (24, 300)])
def test_a_terminal_of_any_size(shell: Shell, size: tuple[int, int]) -> None:
    shell.plan(*(task(f"task-{n}", "sleep 0.3", title="a title") for n in range(30)))

    assert shell.on_terminal("specular build --jobs 15 && specular checkpoint list", size=size).code == 0


def test_notices_and_errors_are_not_data(shell: Shell) -> None:
    shell.plan(task("a"))

    assert shell("specular build --resume --quiet 2>/dev/null; specular build --resume").out.count("resume") == 0
    missing = shell("specular checkpoint show nothing")
    assert missing.out == ""
    assert missing.err.count("\n") == 2


def test_a_closed_pipe_ends_a_command_quietly(shell: Shell) -> None:
    shell.plan(*(task(f"task-{number}") for number in range(300)))
    assert shell("specular build --quiet --run-id big").code == 0
    lines = ["checkpoint list", "checkpoint show --last", "progress --stream", "plan schema", "--help"]
    for line in lines:
        piped = shell(f"set -o pipefail; specular {line} | head -1 >/dev/null")
        assert piped.code in (0, 141), line
        assert piped.err == "", line
    gone = shell("set -o pipefail; " + "; ".join(f"specular {line} | true" for line in lines[1:]))
    assert gone.code in (0, 141)
    assert gone.err == ""


def test_a_closed_pipe_does_not_stop_a_build(shell: Shell) -> None:
    shell.plan(*(task(f"task-{number}", f"echo {number} >> ran") for number in range(50)))

    piped = shell("set -o pipefail; specular build --run-id piped | head -2")

    assert piped.code == 0
    assert len(piped.out.splitlines()) == 2
    assert len((shell.folder / "ran").read_text().split()) == 50
    assert shell("specular checkpoint list --status completed").code == 0
    failing = shell('echo \'{"tasks": [{"id": "a", "command": "exit 1"}]}\' > plan.json; specular build 2>&1 | true')
    assert failing.code == 0
    assert shell("specular build >&-").code == 1
    assert shell("specular build >/dev/full").code == 1
    assert shell("specular build 2>&- >&- <&-").code == 1


def test_closed_and_full_streams_for_the_other_commands(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("specular build")

    assert shell("specular checkpoint list >&-").code == 0
    full = shell("specular checkpoint list >/dev/full")
    assert full.code == 1
    assert "no space left" in full.err
    assert shell("specular checkpoint show nothing 2>/dev/full").code == 1
    assert shell("specular checkpoint show nothing 2>&-").code == 1


def test_an_ascii_terminal_is_not_an_error(shell: Shell) -> None:
    shell.plan(task("a", "printf '\\342\\234\\223\\n'", title="✓ ü"), task("b", "exit 1"))

    env = {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert shell("specular build", **env).code == 1
    assert shell("specular checkpoint validate --last", **env).code == 0
    assert shell("specular logs a", **env).out == "+\n"


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_pipes_into_jq(shell: Shell) -> None:
    shell.plan(task("a"), task("b", "true", "a"))
    shell("specular build")

    monitor = (
        "specular checkpoint show --last --format json | jq '{ status, completed: .completed_tasks, "
        "total: .total_tasks, progress: (.completed_tasks / .total_tasks * 100 | round) }'"
    )
    assert shell(monitor).json() == {"status": "completed", "completed": 2, "total": 2, "progress": 100}
    assert shell("specular build --format json | jq -r .event").out.split()[-1] == "build_ended"
    assert shell("specular progress --stream | jq -r 'select(.event == \"task_ended\").task'").out.split() == ["a", "b"]
    assert shell("specular progress --format json | jq .counts.completed").out == "2\n"
    assert shell("specular plan show --format json | jq -c .critical_path").out == '["a","b"]\n'
    assert shell("specular plan schema | jq -r .title").code == 0
    assert shell("specular doctor --format json | jq .ok").out == "true\n"


def test_of_a_failure_the_line_is_told_that_says_why(shell: Shell) -> None:
    noise = "; ".join(["echo 'a.c:4:5: error: unknown type'", "seq 20", "echo 'make: *** [Makefile:3: a.o] Error 1'"])
    trouble = "seq 3000 | sed 's/$/ of no consequence, and long enough to be out of sight/'; echo 'ValueError: bad'"
    shell.plan(task("far", f"{noise}; exit 2"), task("near", f"{trouble}; exit 1"), task("silent", "false"))
    done = shell("specular build --jobs 1 --keep-going --run-id one --junit report.xml")
    lines = done.out.splitlines()
    at = lines.index("FAILED far: exit code 2")
    assert lines[at + 1] == "  > a.c:4:5: error: unknown type  (line 1)"
    assert lines[at + 11] == "  | make: *** [Makefile:3: a.o] Error 1"
    at = lines.index("FAILED near: exit code 1")
    assert lines[at + 10] == "  | ValueError: bad", "it is among the last lines"
    assert not lines[at + 1].startswith("  >")
    assert lines[lines.index("FAILED silent: exit code 1") + 1].startswith("  log: ")
    assert 'message="exit code 2: a.c:4:5: error: unknown type"' in (shell.folder / "report.xml").read_text()
    ended = json.loads(shell("specular build --resume --format json -j1").out.splitlines()[-1])
    assert ended["failures"] == [
        {"task": "far", "reason": "exit code 2", "line": 1, "text": "a.c:4:5: error: unknown type"},
        {"task": "near", "reason": "exit code 1", "line": 3001, "text": "ValueError: bad"},
        {"task": "silent", "reason": "exit code 1", "line": None, "text": None},
    ]
