"""GitHub Actions and JUnit."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.contract.conftest import Shell, task

EVIL = "printf '::set-output name=a::b\\n::error::boo\\n##[add-matcher]x\\n\\033[31m\\001'; exit 1"


def commands(out: str) -> list[str]:
    """Return the lines that a runner would take for commands, as it does."""
    found, stopped = [], ""
    for line in out.splitlines():
        if stopped:
            if line.strip() == f"::{stopped}::":
                stopped = ""
        elif line.lstrip().startswith("::") or "##[" in line:
            found.append(line)
            if line.startswith("::stop-commands::"):
                stopped = line.removeprefix("::stop-commands::")
    assert not stopped
    return found


def test_groups_and_annotations_and_no_command_of_a_task(shell: Shell) -> None:
    shell.plan(task("evil", EVIL, title="::error::x ##[group]y"), task("fine"), name="::warning::n ##[x]")

    done = shell("specular build --jobs 1 --keep-going 2>&1", GITHUB_ACTIONS="true")

    assert done.code == 1
    words = [re.match(r"\s*::([a-z-]+)", line) for line in commands(done.out)]
    assert [match[1] for match in words if match] == [
        "group",
        "endgroup",
        "group",
        "stop-commands",
        "endgroup",
        "error",
    ]
    assert "title=evil failed::exit code 1%0A" in done.out
    for line in ("logs evil", "checkpoint show", "progress", "progress --format table", "plan show", "checkpoint list"):
        printed = shell(f"specular {line} 2>&1", GITHUB_ACTIONS="true")
        assert printed.code == 0
        assert commands(printed.out) == [], line
    lines = shell("specular build --format json 2>&1", GITHUB_ACTIONS="true")
    assert commands(lines.out) == []


def test_a_green_build_has_no_annotation(shell: Shell) -> None:
    shell.plan(task("fine", "echo '::error::x'"))

    done = shell("specular build 2>&1", GITHUB_ACTIONS="true")

    assert [line.split(" ")[0] for line in commands(done.out)] == ["::group::specular", "::endgroup::"]


def test_a_junit_report(shell: Shell) -> None:
    shell.plan(
        task("a", "sleep 0.1"),
        task("b", "echo ']]> <b>'; " + EVIL, "a"),
        task("c", "true", "b"),
        task("d", "false", allow_failure=True),
        name='<"&\x1b>',
    )
    shell.policy("tests: {cmd: 'true'}\n")

    assert shell("specular build --junit reports/junit.xml --keep-going --quiet").code == 1

    suite = ElementTree.parse(shell.folder / "reports" / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "2")
    assert suite.get("name") == '<"&\ufffd>'
    cases = {case.get("name"): case for case in suite}
    assert set(cases) == {"a", "b", "c", "d", "@tests"}
    assert float(cases["a"].get("time") or 0) >= 0.05, "the clock starts when the process is there"
    failure = cases["b"].find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "##[add-matcher]x" in failure.text
    assert cases["c"].find("skipped") is not None
    (shell.folder / "reports").rename(shell.folder / "elsewhere")
    (shell.folder / "reports").write_text("in the way")
    refused = shell("specular build --junit reports/junit.xml --quiet")
    assert refused.code == 2, "before anything is run, while that can still be mended"
    assert "reports is no folder" in refused.err
