"""The options of `build --resume`, with the meaning that the contract gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.conftest import Result, Shell, interrupt, task


def broken(shell: Shell) -> str:
    """Build a plan in which `b` fails until a file named `mended` is there; return the run's id."""
    shell.plan(
        task("a", "echo a >> ran"),
        task("b", "echo b >> ran; test -e mended", "a"),
        task("c", "echo c >> ran", "b"),
        task("d", "echo d >> ran", "a"),
    )
    done = shell("specular build --jobs 1")
    assert done.code == 1
    (run_id,) = shell.runs()
    return run_id


def ran(shell: Shell) -> list[str]:
    """Return what has run since this was last asked."""
    path = shell.folder / "ran"
    lines = path.read_text().split() if path.exists() else []
    path.write_text("")
    return lines


def decisions(result: Result) -> dict[str, str]:
    assert result.code == 0, result.err
    return {entry["task"]: entry["action"] for entry in result.json()["tasks"]}


def status(shell: Shell) -> Any:
    return shell("specular checkpoint show --last").json()["status"]


def test_a_failed_run_is_resumed_from_its_failure(shell: Shell) -> None:
    broken(shell)
    ran(shell)
    (shell.folder / "mended").touch()

    done = shell("specular build --resume")

    assert done.code == 0
    assert sorted(ran(shell)) == ["b", "c", "d"]
    assert status(shell) == "completed"


@pytest.mark.parametrize("claim", ["completed", "abandoned", "bogus", "in_progress"])
def test_a_run_is_what_its_journal_says_whatever_metadata_says(shell: Shell, claim: str) -> None:
    run_id = broken(shell)
    path = shell.checkpoints / run_id / "metadata.json"
    path.write_text(path.read_text().replace('"status": "failed"', f'"status": "{claim}"'))
    ran(shell)

    (listed,) = shell("specular checkpoint list --format json").json()
    assert (listed["status"], listed["failed_tasks"]) == ("failed", 1)
    assert listed["flaws"] == ["metadata.json: is not what was written"]
    refused = shell("specular build --resume")
    assert refused.code == 4
    assert "metadata.json: " in refused.err
    assert shell(f"specular checkpoint delete {run_id}").code != 0
    assert ran(shell) == []
    assert shell("specular checkpoint clean --failed --dry-run --format json").out.count(run_id) == 1


def test_retry_failed_runs_what_failed_and_what_waited_for_it(shell: Shell) -> None:
    broken(shell)
    ran(shell)
    (shell.folder / "mended").touch()

    done = shell("specular build --resume --retry-failed")

    assert done.code == 0
    assert ran(shell) == ["b", "c"]
    assert status(shell) == "paused"
    assert shell("specular build --resume").code == 0
    assert ran(shell) == ["d"]


def test_a_retry_that_was_interrupted_is_retried(shell: Shell) -> None:
    shell.plan(task("a", "test -e mended && { touch begun; test -e quick || sleep 60; }"), task("b", "true", "a"))
    assert shell("specular build").code == 1
    (shell.folder / "mended").touch()
    build = shell.start("specular build --resume --retry-failed")
    shell.wait_for("test -e begun")
    interrupt(build)
    (shell.folder / "quick").touch()

    assert shell("specular build --resume --retry-failed").code == 0
    assert status(shell) == "completed"


def test_skip_failed_goes_on_without_what_failed(shell: Shell) -> None:
    broken(shell)
    ran(shell)

    done = shell("specular build --resume --skip-failed")

    assert done.code == 0, done.err
    assert ran(shell) == ["d"]
    shown = shell("specular checkpoint show --last").json()
    assert (shown["status"], shown["skipped_tasks"]) == ("completed", 2)
    assert "b" in shown["progress"]["tasks"]["c"]["reason"]


def test_a_skipped_task_is_run_again_as_the_summary_says(shell: Shell) -> None:
    run_id = broken(shell)
    done = shell("specular build --resume --skip-failed")
    way_on = f"specular build --resume {run_id} --from-task TASK"
    assert done.out.splitlines()[-1].endswith(way_on)
    ran(shell)

    planned = shell(f"specular build --resume {run_id} --from-task d --dry-run --format json")
    reasons = {t["task"]: t["reason"] for t in planned.json()["tasks"]}
    assert reasons["b"].startswith("stays skipped (failed before")
    assert reasons["c"] == "stays skipped (needs b, which is skipped)"
    table = shell(f"specular build --resume {run_id} --from-task d --dry-run").out
    assert "skipped tasks stay skipped: --from-task TASK runs one" in table

    (shell.folder / "mended").touch()
    again = shell(way_on.replace("TASK", "b"))
    assert again.code == 0, again.err
    assert ran(shell) == ["b", "c"]
    assert "stay skipped" not in again.out


def test_skip_failed_may_run_dependents(shell: Shell) -> None:
    broken(shell)
    ran(shell)

    assert shell("specular build --resume --skip-failed --run-dependents").code == 0
    assert sorted(ran(shell)) == ["c", "d"]


def test_from_task_runs_it_and_what_depends_on_it_again(shell: Shell) -> None:
    run_id = broken(shell)
    (shell.folder / "mended").touch()
    shell("specular build --resume")
    ran(shell)

    done = shell(f"specular build --resume {run_id} --from-task b")

    assert done.code == 0
    assert ran(shell) == ["b", "c"]
    unknown = shell(f"specular build --resume {run_id} --from-task bb")
    assert unknown.code == 2
    assert "did you mean 'b'" in unknown.err


def test_from_task_refuses_what_cannot_start(shell: Shell) -> None:
    broken(shell)

    refused = shell("specular build --resume --from-task c")

    assert refused.code == 2
    assert "b" in refused.err.splitlines()[1]


def test_dry_run_says_what_would_be_done_and_does_nothing(shell: Shell) -> None:
    broken(shell)
    ran(shell)
    before = shell("cd .specular/checkpoints && find . -type f | sort | xargs cat | cksum").out

    assert decisions(shell("specular build --resume --dry-run --format json")) == {
        "a": "reuse",
        "b": "run",
        "c": "run",
        "d": "run",
    }
    assert decisions(shell("specular build --resume --retry-failed --dry-run --format json"))["d"] == "blocked"
    assert decisions(shell("specular build --resume --skip-failed --dry-run --format json"))["c"] == "skip"
    table = shell("specular build --resume --dry-run")
    assert table.out.splitlines()[0].split() == ["ACTION", "TASK", "LAST", "REASON"]
    assert "nothing was written" in table.out
    assert shell("cd .specular/checkpoints && find . -type f | sort | xargs cat | cksum").out == before
    assert ran(shell) == []


def test_keep_going_runs_what_does_not_need_the_failure(shell: Shell) -> None:
    broken(shell)
    ran(shell)

    assert shell("specular build --jobs 1 --keep-going").code == 1
    assert sorted(ran(shell)) == ["a", "b", "d"]


def test_keep_going_is_kept_by_a_resume_that_does_not_say_otherwise(shell: Shell) -> None:
    broken(shell)
    assert shell("specular build -k --run-id again").code == 1
    planned = shell("specular build --resume again --dry-run")
    assert "after a failure, what does not need it still runs" in planned.out
    assert shell("specular build --resume again --dry-run --format json").json()["keep_going"] is True
    off = shell("specular build --resume again --dry-run --format json --no-keep-going")
    assert off.json()["keep_going"] is False
    first = shell("specular build --resume again --jobs 1").out.splitlines()[0]
    assert first.endswith("; keeps going after a failure")


def test_the_resume_plan_is_grouped_by_what_happens(shell: Shell) -> None:
    broken(shell)
    table = shell("specular build --resume --dry-run").out.splitlines()
    assert [line.split()[:2] for line in table[1:5]] == [["run", "b"], ["run", "c"], ["run", "d"], ["reuse", "a"]]


def test_a_task_is_run_again_alone(shell: Shell) -> None:
    broken(shell)
    ran(shell)
    (shell.folder / "mended").touch()
    done = shell("specular build --resume --from-task b --alone")
    assert (done.code, ran(shell)) == (0, ["b"])
    assert status(shell) == "paused"


def test_a_changed_plan_is_told_of_and_what_changed_runs_again(shell: Shell) -> None:
    broken(shell)
    ran(shell)
    plan = json.loads((shell.folder / "plan.json").read_text())
    plan["tasks"][0]["command"] = "echo a2 >> ran"
    plan["tasks"][1]["command"] = "echo b >> ran"
    plan["tasks"][3]["title"] = "only a title"
    plan["tasks"].append(task("e", "echo e >> ran"))
    (shell.folder / "plan.json").write_text(json.dumps(plan))

    done = shell("specular build --resume --jobs 1")

    assert done.code == 0, done.err
    assert "Warning: plan.json has changed since checkpoint" in done.err
    assert "changed: a" in done.err
    assert "added:   e" in done.err
    assert sorted(ran(shell)) == ["a2", "b", "c", "d", "e"]


def test_strict_hash_check_refuses_a_changed_plan(shell: Shell) -> None:
    broken(shell)
    shell.policy("checkpoints: {strict_hash_check: true}\n")
    (shell.folder / "plan.json").write_text((shell.folder / "plan.json").read_text() + "\n")

    refused = shell("specular build --resume --policy .specular/policy.yaml")

    assert refused.code == 4
    assert "--force" in refused.err


def test_the_ways_on_from_a_changed_plan_can_be_pasted(shell: Shell) -> None:
    shell.plan(task("a", "exit 1"), file="my plan.json")
    (shell.folder / "the policy.yaml").write_text("checkpoints: {strict_hash_check: true, directory: elsewhere}\n")
    assert shell("specular build --plan 'my plan.json' --policy 'the policy.yaml'").code == 1
    shell.plan(task("a", "true"), file="my plan.json")

    refused = shell("specular build --resume --policy 'the policy.yaml'")
    assert refused.code == 4
    fresh = refused.err.partition("start fresh (")[2].partition(")")[0]
    assert "and resume with --policy 'the policy.yaml'" in refused.err
    again = shell(fresh)
    assert again.code == 0, again.err
    assert len(list((shell.folder / "elsewhere").glob("build-*"))) == 2

    unknown = shell("specular build --resume --plan 'my plan.json' --from-task nope")
    listing = unknown.err.partition("list its tasks: ")[2].strip()
    assert "a" in shell(listing).out.split()


def test_resume_without_a_checkpoint_starts_a_new_build(shell: Shell) -> None:
    shell.plan(task("a"))

    done = shell("specular build --resume")
    assert done.code == 0
    assert "no checkpoint to resume" in done.err
    again = shell("specular build --resume")
    assert again.code == 0
    assert "nothing to resume" in again.err
    assert len(shell.runs()) == 1


def test_retries_are_attempts_in_one_run(shell: Shell) -> None:
    shell.plan(task("a", "echo try >> ran; echo attempt $(wc -l < ran); test $(wc -l < ran) = 3", retries=2))

    done = shell("specular build")

    assert done.code == 0
    assert ran(shell) == ["try"] * 3
    assert shell("specular logs a").out == "attempt 3\n"
    assert shell("specular logs a --attempt 1").out == "attempt 1\n"
    assert shell("specular logs a --attempt 4").code == 2


def test_a_failure_that_is_allowed_fails_nothing(shell: Shell) -> None:
    shell.plan(task("a", "false", allow_failure=True), task("b", "true", "a"))

    done = shell("specular build")

    assert done.code == 0
    assert "DONE b" in done.out


@pytest.mark.parametrize(
    "options",
    [
        "--from-task a",
        "--skip-failed",
        "--retry-failed",
        "--validate",
        "--revalidate",
        "--repair",
        "--resume --force",
        "--resume --run-id x",
        "--resume --skip-failed --retry-failed",
        "--resume --run-dependents",
        "--resume RUN --resume-last",
        "--resume=",
        "--tui --detach",
        "--run-id ../x",
        "--run-id .x",
        "--jobs 0",
        "--grace soon",
        "--format xml",
        "--unknown",
        "plan.json",
    ],
)
def test_options_that_contradict_each_other_or_mean_nothing_are_refused(shell: Shell, options: str) -> None:
    shell.plan(task("a"))

    refused = shell(f"specular build {options}")

    assert refused.code == 2
    assert refused.err.startswith("Error: ")
    assert not shell.checkpoints.exists()


def test_a_completed_run_is_proved_and_repaired_where_that_is_asked_for(shell: Shell) -> None:
    shell.plan(task("a", "echo a >> ran"), task("b", "echo b >> ran", "a"))
    assert shell("specular build").code == 0
    (run_id,) = shell.runs()
    ran(shell)
    assert shell("specular build --resume --validate").code == 0
    with (shell.checkpoints / run_id / "outputs" / "a.log").open("a") as log:
        log.write("more")

    for line in ("--resume --validate", f"--resume {run_id} --validate"):
        refused = shell(f"specular build {line}")
        assert refused.code == 4
        assert "Error: checkpoint validation failed: hash mismatch: outputs/a.log" in refused.err
    assert shell("specular build --resume").code == 0, "unasked, a completed run is only said to be one"
    assert ran(shell) == []
    assert shell("specular build --resume --repair").code == 0
    assert sorted(ran(shell)) == ["a", "b"]
    assert shell("specular build --resume --validate").code == 0


def test_what_a_resume_skips_is_told_task_by_task(shell: Shell) -> None:
    broken(shell)
    told = shell("specular build --resume --skip-failed --format json").out
    skipped = [event["task"] for event in map(json.loads, told.splitlines()) if event["event"] == "task_skipped"]
    assert skipped == ["b", "c"]

    shell.plan(task("x", "false"))
    shell("specular build --force")
    assert " SKIP x " in shell("specular build --resume --skip-failed").out


def test_the_command_that_resumes_names_the_policy_that_says_where_the_checkpoint_is(shell: Shell) -> None:
    shell.plan(task("a", "test -e mended"))
    (shell.folder / "other.yaml").write_text("checkpoints: {directory: elsewhere}\n")
    failed = shell("specular build --policy other.yaml")
    command = failed.out.partition("resume with: ")[2].splitlines()[0]
    assert command.endswith("--policy other.yaml")
    (shell.folder / "mended").touch()
    assert shell(command).code == 0


def test_a_task_that_is_in_no_plan_starts_nothing(shell: Shell) -> None:
    shell.plan(task("a", "echo a >> ran"))
    refused = shell("specular build --resume --from-task zz")
    assert refused.code == 2
    assert "the plan has no task 'zz'" in refused.err
    assert ran(shell) == []
    assert shell("specular build --resume --from-task a").code == 0


def test_what_others_may_read_after_a_download_is_closed_to_them_again(shell: Shell) -> None:
    run_id = broken(shell)
    for path in (shell.checkpoints, *shell.checkpoints.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shell("specular build --resume")
    run = shell.checkpoints / run_id
    for path in (shell.checkpoints, run, run / "outputs"):
        assert path.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in run.iterdir() if path.is_file() and path.stat().st_mode & 0o077} == set()
