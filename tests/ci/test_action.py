"""The GitHub action, run as a runner runs it: its step, outputs and summary, over two jobs, and with hostile inputs."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.ci.conftest import task
from tests.ci.runner import ACTION, ROOT, Machine, artifact

EXAMPLES = ROOT / "docs" / "ci" / "examples"
Make = Callable[..., Machine]


def steps(example: str) -> dict[str, dict[str, Any]]:
    """Return what the steps of an example's jobs are given, by job and action."""
    jobs = yaml.safe_load((EXAMPLES / example).read_text())["jobs"]
    return {
        name: {step["uses"]: step.get("with", {}) for step in job["steps"] if "uses" in step}
        for name, job in jobs.items()
    }


def typed(given: dict[str, Any]) -> dict[str, str]:
    """Return inputs as the runner passes them on."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def counts(total: int, **others: int) -> str:
    return json.dumps({"total": total} | {"completed": 0, "failed": 0, "skipped": 0, "pending": 0} | others)


def test_a_job_fails_and_the_next_one_resumes_what_it_uploaded(machine: Make) -> None:
    jobs = steps("github-resume.yml")
    action, upload, download = (
        "./.github/actions/specular",
        "actions/upload-artifact@v4",
        "actions/download-artifact@v4",
    )
    first = machine("first")

    failed = first.run(**typed(jobs["build"][action]))

    assert failed.code == 1
    assert failed.outputs["state"] == "failed"
    assert failed.outputs["counts"] == counts(4, completed=2, failed=1, pending=1)
    run_id = failed.outputs["run-id"]
    assert first.workspace.joinpath(".specular/checkpoints", run_id).is_dir()
    assert failed.summary.startswith(f"## Specular: failed\n\n`{run_id}`: 2 of 4 tasks completed, 1 failed, 1 pending")
    row = "<td><code>three</code></td><td>exit code 1</td><td><pre>first line\nthe reason</pre></td>"
    assert row in failed.summary
    assert f"```yaml\nwith:\n  resume: true\n  run-id: {run_id}\n```" in failed.summary
    assert f"```sh\nspecular build --resume {run_id}\n```" in failed.summary
    assert [(c.name, c.data) for c in failed.commands if c.name == "error"] == [
        ("error", "exit code 1%0Afirst line%0Athe reason")
    ]

    second = machine("second")
    second.workspace.joinpath("mended").touch()
    artifact(first, second, jobs["build"][upload], jobs["resume"][download])
    shutil.rmtree(first.workspace)
    resumed = second.run(**typed(jobs["resume"][action]))

    assert resumed.code == 0, resumed.log
    assert resumed.outputs == {"run-id": run_id, "state": "completed", "counts": counts(4, completed=4)}
    assert "START three" in resumed.log
    assert "START two" not in resumed.log
    assert resumed.summary == f"## Specular: completed\n\n`{run_id}`: 4 of 4 tasks completed\n\n"


def test_the_second_checkout_is_built_though_the_first_is_still_there(machine: Make) -> None:
    jobs = steps("github-resume.yml")
    chain = [task("where", "test -e mended && touch built-here")]
    first, second = machine("first", *chain), machine("second", *chain)
    assert first.run().code == 1
    second.workspace.joinpath("mended").touch()
    artifact(first, second, jobs["build"]["actions/upload-artifact@v4"], jobs["resume"]["actions/download-artifact@v4"])

    assert second.run(**typed(jobs["resume"]["./.github/actions/specular"])).code == 0
    assert second.workspace.joinpath("built-here").exists()


def test_resuming_again_what_is_completed(machine: Make) -> None:
    job = machine("job", task("one"))
    done = job.run(resume="true")  # nothing to resume: a new build
    assert (done.code, done.outputs["state"]) == (0, "completed")

    again = job.run(resume="true")

    assert again.code == 0
    assert "nothing to resume" in again.log
    assert again.outputs == done.outputs


def test_the_run_id_names_a_new_run_and_the_one_to_resume(machine: Make) -> None:
    job = machine()
    assert job.run(run_id="mine").outputs["run-id"] == "mine"
    assert job.run(run_id="other").outputs["run-id"] == "other"
    job.workspace.joinpath("mended").touch()

    resumed = job.run(resume="true", run_id="mine")

    assert resumed.outputs == {"run-id": "mine", "state": "completed", "counts": counts(4, completed=4)}
    unknown = job.run(resume="true", run_id="nothing")
    assert unknown.code == 1
    assert set(unknown.outputs.values()) == {""}
    assert unknown.summary.startswith("## Specular: exit code 1\n")


def test_a_cancelled_job_leaves_a_checkpoint(machine: Make) -> None:
    slow_to_end = "trap 'sleep 1; touch ended; exit' TERM; touch started; while :; do sleep 0.1; done"
    job = machine("job", task("long", slow_to_end), task("next", "true", "long"))
    running = job.start()
    wait_for(job.workspace / "started")

    cancelled = running.cancel()

    assert cancelled.code == 130, cancelled.log
    assert job.workspace.joinpath("ended").exists()
    assert cancelled.outputs["state"] == "paused"
    assert cancelled.outputs["counts"] == counts(2, pending=2)
    assert cancelled.summary.startswith("## Specular: paused\n")
    assert f"specular build --resume {cancelled.outputs['run-id']}" in cancelled.summary


def test_a_task_meets_no_ignored_signals(machine: Make) -> None:
    assert machine("job", task("one", "grep 'SigIgn:.*[0189]$' /proc/self/status")).run().code == 0


def test_a_build_that_was_killed_is_told_of_all_the_same(machine: Make) -> None:
    job = machine(
        "job", task("one"), task("deadly", 'until test -s pid; do sleep 0.05; done; kill -9 "$(cat pid)"', "one")
    )
    running = job.start(run_id="killed")
    wait_for(job.workspace / ".specular/checkpoints/killed/lock")
    (build,) = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    job.workspace.joinpath("pid").write_text(build)

    killed = running.finish()

    assert killed.code == 137
    assert killed.outputs["run-id"] == "killed"
    assert killed.outputs["state"] == "paused"


def test_without_checkpoints(machine: Make) -> None:
    done = machine().run(checkpoint_enabled="false")

    assert done.code == 1
    assert done.outputs["state"] == "failed"
    assert done.outputs["counts"] == counts(4, completed=2, failed=1, pending=1)
    assert "<code>three</code>" in done.summary
    assert "There is no checkpoint" in done.summary
    assert "--resume" not in done.summary


def test_checkpoint_enabled_says_nothing_unless_it_is_given(machine: Make) -> None:
    job = machine("job", task("show", 'echo "[${SPECULAR_CHECKPOINT_ENABLED-unset}]"; exit 1'))

    assert "\n[unset]\n" in job.run().log
    assert "\n[true]\n" in job.run(checkpoint_enabled="true").log
    assert "\n[false]\n" in job.run(checkpoint_enabled="false").log


def test_args_are_split_into_words_and_nothing_else(machine: Make) -> None:
    job = machine()
    given = """
        --junit 'a report.xml'
        --jobs "1"
        --run-id $HOME-$(touch${IFS}pwned)-*
    """

    refused = job.run(args=given)

    assert refused.code == 2
    assert "$HOME-$(touch${IFS}pwned)-*" in refused.log
    done = job.run(args="--junit 'a report.xml' --jobs \"1\" --run-id mine\n--keep-going")
    assert done.code == 1
    assert job.workspace.joinpath("a report.xml").exists()
    assert done.outputs["run-id"] == "mine"
    assert "<code>three</code>" in done.summary
    assert not (job.workspace / "pwned").exists()


HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "a\n::set-output name=state::completed\ntouch pwned",
    "a\r::error::x\r",
    "--tui",
    "; touch pwned",
    "%0A::error::x",
    "##[error]x",
    "\x1b[31m",
)


def test_hostile_inputs_are_only_text(machine: Make) -> None:
    # One job, one step for each: what they leave behind would show at the end.
    job = machine("job", task("one"))
    refused_at_once = ("command", "checkpoint_enabled", "resume", "version")
    given = [{name: value} for name in refused_at_once for value in HOSTILE]
    given += [{"plan": value, "policy": value, "run_id": value} for value in HOSTILE[::2]]
    given += [{"resume": "true", "run_id": value} for value in HOSTILE[1::4]]
    for inputs in given:
        step = job.run(**inputs)

        assert step.code in (1, 2), (inputs, step.log)
        assert set(step.outputs.values()) == {""}
        told = [c for c in step.commands if c.name not in ("group", "endgroup")]
        assert [(c.name, c.properties) for c in told] in ([], [("error", {"title": "Specular"})]), step.log
        assert "\x1b" not in step.log
        assert step.summary.startswith("## Specular: exit code ")
        assert not [value for value in inputs.values() if value in step.summary and value != "true"]
    assert sorted(path.name for path in job.workspace.iterdir()) == ["plan.json"]


def test_what_cannot_be_meant_is_refused(machine: Make) -> None:
    job = machine()

    for given in (
        {"args": "--junit 'unclosed"},
        {"resume": "yes"},
        {"command": "checkpoint list", "resume": "true"},
        {"command": "checkpoint list", "plan": "plan.json"},
        {"version": "--index-url=https://example.org"},
        {"version": "1.0 --pre"},
    ):
        refused = job.run(**given)
        assert refused.code == 2, given
        assert [c.name for c in refused.commands if c.name == "error"] == ["error"]
        assert "Traceback" not in refused.log


def test_other_commands(machine: Make) -> None:
    job = machine("job", task("one"))
    run_id = job.run().outputs["run-id"]

    listed = job.run(command="checkpoint list", args="--format json")

    assert listed.code == 0
    assert json.loads(listed.log)[0]["run_id"] == run_id
    assert listed.summary == ""
    assert job.run(command="checkpoint show", args="nothing").code == 1


def test_what_is_installed(machine: Make, tmp_path: Path) -> None:
    job = machine("job", task("inputs", "env | grep ^INPUT_ && exit 1; command -v specular"))
    assert job.run().code == 0
    assert job.run(version="1.2.3").code == 0
    assert job.run(version="1.2.3").code == 0  # is there already
    alone = tmp_path / "project" / ".github" / "actions" / "specular"
    shutil.copytree(ACTION, alone)
    (tmp_path / "project" / "pyproject.toml").write_text('[project]\nname = "something-else"\n')
    job.action = alone
    assert job.run().code == 0

    assert job.installed.read_text().splitlines() == [str(ROOT), "specular-tui==1.2.3", "specular-tui"]


def test_modules_of_the_project_do_not_stand_in_for_those_of_python(machine: Make) -> None:
    job = machine("job", task("one"))
    for name in ("json", "shlex", "html", "venv", "pip", "sitecustomize"):
        job.workspace.joinpath(f"{name}.py").write_text("raise SystemExit('imported from the project')\n")

    assert job.run(args="--jobs 1").code == 0


def test_a_python_that_is_too_old_is_said_to_be(machine: Make) -> None:
    job = machine("job", task("one"))
    tools = Path(job.env["PATH"].split(":")[0])
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
        (tools / name).chmod(0o755)

    refused = job.run()

    assert refused.code == 2
    assert "actions/setup-python" in refused.log


def test_the_summary_is_cut_where_there_is_much_to_tell(machine: Make) -> None:
    noisy = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; printf '%01000d\\n' 7; exit 3"
    job = machine("job", *(task(f"t{number}", noisy if number == 0 else "exit 3") for number in range(30)))

    done = job.run(args="--keep-going")

    assert "<code>t0</code>" in done.summary
    assert done.summary.count("<tr>") == 22
    assert "… and 10 more" in done.summary
    assert "line 191\n" in done.summary
    assert "line 190\n" not in done.summary
    assert re.search(r"^0{300}</pre>", done.summary, re.M)
