"""No text of a plan or of a task becomes a command in the log of a GitHub job, nor Markdown in its summary."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.ci.conftest import task
from tests.ci.runner import BIN, Command, Machine, commands

Make = Callable[..., Machine]

#: What tasks print, each so much that its last lines are all of it.
OUTPUT = (
    r"::set-output name=state::completed\n"
    r"  ::set-env name=PATH::/tmp\n"
    r"\302\240::add-path::/tmp\n"
    r"\033[31m::error::in colour\033[0m\n"
    r"\033]0;::warning::title\007\n"
    r"rewritten\r::notice::in place\n"
    r"vertical\v::debug::tab\f::debug::feed\n"
    r"\302\205::notice::next line\342\200\250::notice::line separator\n",
    r"\000::notice::after nul\n"
    r"\302\255\357\273\277::notice::soft\n"
    r"text ##[set-output name=state]completed\n"
    r"##[error]old\n"
    r"::stop-commands::token\n"
    r"::token::\n"
    r"::00000000000000000000000000000000::\n"
    r"::endgroup::\n"
    r"::add-mask::e\n",
    r"%%0A::error::escaped\n"
    r"</pre></td></table>\n\n# Heading\n\302\255\n<script>alert(1)</script>\n"
    r"::error::without an end",
)
NAME = "::error::name\n::set-output name=a::b\r##[error]name <b>bold</b> `code` %0A::notice::x"

HOSTILE = (
    task("first", f"printf '{OUTPUT[0]}'; exit 1", title=NAME),
    task("second", f"printf '{OUTPUT[1]}' >&2; exit 1", title=NAME),
    task("third", f"printf '{OUTPUT[2]}'; exit 1", title=NAME),
    task("done", f"printf '{''.join(OUTPUT)}'", title=NAME),
)


@pytest.fixture
def job(machine: Make) -> Machine:
    return machine("runner", *HOSTILE, name=NAME)


def shell(job: Machine, *lines: str) -> list[Command]:
    """Run lines as a step of a job and return the commands that they gave."""
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=job.workspace,
        env=job.env | {"PATH": f"{BIN}:{job.env['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert "internal error" not in done.stderr, done.stderr
    return ours(done.stdout) + ours(done.stderr)


def ours(log: str) -> list[Command]:
    """Return the commands of a log but for the groups that hold it together."""
    return [c for c in commands(log) if c.name not in ("group", "endgroup")]


def test_the_runner_of_these_tests_obeys_what_the_real_one_does() -> None:
    found = commands(
        "::error title=a,line=3::b\n  ::notice::c\nx ##[error]d\n::nothing::e\nx ::error::f\r\n::error:: g"
    )

    assert [(c.name, c.data) for c in found] == [("error", "b"), ("notice", "c"), ("error", "d"), ("error", " g")]
    assert found[0].properties == {"title": "a", "line": "3"}
    stopped = commands("::stop-commands::t\n::error::x\n##[error]x\n::t::\n::error::y")
    assert [c.name for c in stopped] == ["stop-commands", "t", "error"]


def test_a_build_gives_its_own_commands_and_no_others(job: Machine) -> None:
    done = job.run(args="--keep-going --jobs 1")

    assert done.code == 1
    assert done.outputs["state"] == "failed"
    told = ours(done.log)
    for stop, token, error in zip(told[::3], told[1::3], told[2::3], strict=True):
        assert stop.name == "stop-commands"
        assert re.fullmatch("[0-9a-f]{32}", stop.data)
        assert token.name == stop.data
        assert error.name == "error"
        assert error.data.startswith("exit code 1%0A")
    assert [c.properties["title"] for c in told[2::3]] == ["first failed", "second failed", "third failed"]
    assert len({c.data for c in told[::3]}) == 3
    names = [c.name for c in commands(done.log) if c.name in ("group", "endgroup")]
    assert names == ["group", "endgroup"] * 5  # each group is closed, by us
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", done.log)

    # In the summary it stays text: an empty line would end the HTML, and begin Markdown.
    head, table, rest = re.split(r"</?table>", done.summary)
    assert "\n\n" not in table
    assert not re.search(r"^\s+$", table.strip("\n"), re.M)
    assert set(re.findall(r"<[^>]*>", table)) == {
        *("<tr>", "</tr>", "<th>", "</th>", "<td>", "</td>", "<code>", "</code>", "<pre>", "</pre>")
    }
    assert "&lt;script&gt;" in table
    assert "::" not in head + rest
    assert not [char for char in done.summary if not (char.isprintable() or char == "\n")]


@pytest.mark.parametrize("form", ["--format plain", "--format json", "--format plain --quiet", "--dry-run"])
def test_other_ways_of_telling_give_no_commands(job: Machine, form: str) -> None:
    assert shell(job, f"specular build -k {form}", f"specular build -k {form} --resume") == []


def test_a_quiet_build_gives_the_same_commands(job: Machine) -> None:
    assert [c.properties for c in shell(job, "specular build -k -j 1 --quiet")[2::3]] == [
        {"title": "first failed"},
        {"title": "second failed"},
        {"title": "third failed"},
    ]


def test_the_other_commands_give_none(job: Machine) -> None:
    show, logs = "checkpoint show run", "logs"
    lines = [
        *("checkpoint list", "checkpoint list --format json", show, f"{show} --format table", "checkpoint delete run"),
        *("progress", "progress --stream", "progress --format table", "progress --short", "timeline"),
        *(f"{logs} first", f"{logs} second", f"{logs} third", f"{logs} done", f"{logs} $'\\n::error::x'"),
        *("plan show", "plan show --format json", "build --resume --from-task '::error::x'", "::error::x"),
        *("build --plan $'\\n::error::x'", "checkpoint show $'##[error]x'", "checkpoint clean --failed --dry-run"),
    ]

    assert shell(job, "specular build -k --run-id run >/dev/null", *(f"specular {line}" for line in lines)) == []


def test_a_broken_plan_is_told_of_without_commands(job: Machine) -> None:
    hostile = r"\n::error::x\n##[error]y"
    plans = (
        f'{{"tasks": [{{"id": "{hostile}", "command": "x"}}]}}',
        f'{{"tasks": [{{"id": "a", "command": "x", "{hostile}": 1, "timeout": "{hostile}"}}]}}',
        f'{{"tasks": [{{"id": "a", "command": "x", "depends_on": ["{hostile}"]}}]}}',
        '{"tasks": [\n::error::x\n##[error]y',
    )
    for number, plan in enumerate(plans):
        job.workspace.joinpath(f"{number}.json").write_text(plan)

    assert shell(job, *(f"specular build --plan {number}.json && exit" for number in range(len(plans)))) == []


def test_a_changed_plan_is_warned_of_in_one_command(job: Machine) -> None:
    shell(job, "specular build -k")
    plan = job.workspace / "plan.json"
    plan.write_text(plan.read_text().replace("exit 1", "exit 2").replace("bold", "bolder"))

    told = shell(job, "specular build --resume --no-keep-going --quiet --jobs 1")

    assert [c.name for c in told if len(c.name) < 32] == ["warning", "stop-commands", "error"]
    assert told[0].data == "plan.json has changed since checkpoint"
