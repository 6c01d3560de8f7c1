"""Builds from the first run to the last resume, as both faces start them."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specular_tui.engine import processes
from specular_tui.errors import (
    CheckpointError,
    ExitCode,
    PolicyViolationError,
    RunHeldError,
    RunNotFoundError,
    SpecularError,
    StorageError,
    UsageError,
)
from specular_tui.model import event as ev
from specular_tui.model.run import RunStatus
from specular_tui.store import commit, creating, reopening
from specular_tui.store.checks import check
from specular_tui.store.reopening import open_run
from specular_tui.workspace import abandoning, resuming, session
from tests.unit.workspace.site import Listener, Site, task

FLAKY = "test -e mended"


def chain(site: Site, second: str = FLAKY, **more: Any) -> None:
    """a <- b <- c, and d by itself; each leaves a line in `ran`."""
    note = "echo $SPECULAR_TASK_ID >> ran; "
    site.plan(
        task("a", note + "echo a"),
        task("b", note + second, "a"),
        task("c", note + "true", "b"),
        task("d", note + "true"),
        **more,
    )


def ran(site: Site) -> list[str]:
    """The side effects of all builds of a chain so far."""
    path = site.folder / "ran"
    return path.read_text().split() if path.exists() else []


# New builds ----------------------------------------------------------------------------------------------------------


def test_a_build_runs_everything_and_says_so(site: Site) -> None:
    chain(site, "true")
    result = site.build()
    assert result is not None
    assert (result.status, result.exit_code, result.resumable) == (RunStatus.COMPLETED, 0, True)
    assert ran(site) == ["a", "b", "c", "d"]
    assert set(site.statuses().values()) == {"completed"}
    metadata = site.metadata()
    assert (metadata["status"], metadata["completed_tasks"], metadata["plan_file"]) == ("completed", 4, "plan.json")
    assert metadata["policy_file"] is None


def test_a_failure_is_answered_with_1_and_keeps_the_rest_to_be_done(site: Site) -> None:
    chain(site)
    assert site.code() == 1
    assert site.statuses() == {"a": "completed", "b": "failed", "c": "pending", "d": "pending"}
    assert site.metadata()["status"] == "failed"


def test_runs_started_in_one_second_get_names_of_their_own(site: Site) -> None:
    site.plan(task("a"))
    for _ in range(3):
        site.build()
    assert len(site.runs()) == 3
    site.build(run_id="mine")
    assert "mine" in site.runs()
    with pytest.raises(StorageError, match="a run 'mine' is already there"):
        site.build(run_id="mine")
    for wrong in ("", "../x", ".hidden", "a/b", "a\n", "x" * 101):
        with pytest.raises(UsageError, match="is no run id"):
            site.build(run_id=wrong)


def test_a_dry_run_of_a_new_build_writes_nothing(site: Site) -> None:
    chain(site)
    before = site.everything()
    assert site.build(dry_run=True) is None
    assert site.everything() == before


def test_a_policy_violation_is_answered_with_3_before_anything_starts(site: Site) -> None:
    chain(site)
    site.policy("execution:\n  allow_local: false\n")
    before = site.everything()
    with pytest.raises(PolicyViolationError, match="policy violation: task a: it has no image") as refused:
        site.build()
    assert refused.value.exit_code is ExitCode.POLICY
    assert [line[:6] for line in refused.value.details] == ["task b", "task c", "task d"]
    assert site.everything() == before


def test_without_checkpoints_a_build_leaves_nothing_and_says_that(site: Site) -> None:
    site.plan(task("a", "echo hello"))
    site.environ = {"SPECULAR_CHECKPOINT_ENABLED": "false"}
    result = site.build()
    assert result is not None
    assert (result.exit_code, result.resumable) == (0, False)
    assert site.face.warnings == [("checkpoints are disabled: this build cannot be resumed", ())]
    assert not (site.folder / ".specular").exists()
    site.environ = {}
    site.plan(task("a", "exit 1"))
    site.build()
    site.environ = {"SPECULAR_CHECKPOINT_ENABLED": "false"}
    with pytest.raises(UsageError, match="checkpoints are disabled"):
        site.build(resume="")


def test_force_abandons_an_unfinished_run_of_the_same_plan_and_no_other(site: Site) -> None:
    chain(site)
    site.build(run_id="first")
    site.plan(task("x", "exit 1"), name="other.json")
    site.build(plan="other.json", run_id="other")
    (site.folder / "mended").touch()
    assert site.code(force=True, run_id="second") == 0
    assert site.face.notices == ["first is abandoned"]
    assert [site.metadata(run)["status"] for run in ("first", "other", "second")] == [
        "abandoned",
        "failed",
        "completed",
    ]
    with pytest.raises(SpecularError, match="first is abandoned: it cannot be resumed"):
        site.build(resume="first")


def test_force_gets_past_a_run_whose_plan_is_damaged(site: Site) -> None:
    chain(site)
    site.build(run_id="first")
    (site.root / "first" / "plan.json").write_text("{")
    (site.folder / "mended").touch()
    assert site.code(force=True, run_id="second") == 0
    assert "first cannot be abandoned" in site.face.warnings[0][0]


# Which run -----------------------------------------------------------------------------------------------------------


def test_resume_without_a_run_starts_a_new_build(site: Site) -> None:
    chain(site, "true")
    assert site.code(resume="", retry_failed=True, validate=True) == 0
    assert site.face.notices == ["there is no checkpoint to resume: starting a new build"]
    assert len(site.runs()) == 1


def test_resume_of_a_run_that_is_not_there(site: Site) -> None:
    chain(site)
    with pytest.raises(RunNotFoundError, match="checkpoint not found: nope"):
        site.build(resume="nope")


def test_resume_takes_the_newest_that_is_not_finished(site: Site) -> None:
    chain(site)
    site.build(run_id="one")
    site.build(run_id="two")
    site.plan(task("a"))
    site.build(run_id="three")
    site.build(resume="", dry_run=True)
    assert site.face.planned_run == "two"


def test_resume_of_what_is_completed_says_so(site: Site) -> None:
    chain(site, "true")
    site.build(run_id="one")
    for name in ("", "one"):
        assert site.build(resume=name) is None
        assert site.face.notices == ["nothing to resume: one is completed"]
    assert ran(site) == ["a", "b", "c", "d"]


def test_resume_from_a_task_goes_on_with_what_is_completed(site: Site) -> None:
    chain(site, "true")
    site.build(run_id="one")
    assert site.code(resume="", from_task="b") == 0
    assert site.face.ran == ["b", "c"]
    assert ran(site) == ["a", "b", "c", "d", "b", "c"]
    assert site.runs() == ["one"]
    assert [past.status for past in site.state().sessions] == ["completed", "completed"]


def test_resume_where_the_newest_is_damaged_or_abandoned(site: Site) -> None:
    chain(site)
    site.build(run_id="one")
    abandoning.abandon(site.root, "one", "")
    (site.folder / "mended").touch()
    assert site.code(resume="") == 0
    assert site.face.notices[0] == "there is nothing to resume (one is abandoned): starting a new build"
    newest = next(run for run in site.runs() if run != "one")
    journal = site.root / newest / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-500])
    with pytest.raises(CheckpointError, match=f"the newest run, {newest}, is damaged") as refused:
        site.build(resume="")
    assert refused.value.exit_code is ExitCode.CHECKPOINT


def test_a_run_that_another_process_holds_is_answered_with_5(site: Site) -> None:
    chain(site)
    site.build(run_id="one")
    held = open_run(site.root, "one", tasks={}, now=0)
    try:
        with pytest.raises(RunHeldError, match="one is being built by another process") as refused:
            site.build(resume="one")
        assert refused.value.exit_code is ExitCode.HELD
    finally:
        held.recorder.release()


def test_a_run_that_somebody_finished_meanwhile_is_left_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(site)
    site.build(run_id="one")
    (site.folder / "mended").touch()
    real = open_run

    def late(root: Path, run_id: str, **more: Any) -> reopening.OpenedRun:
        monkeypatch.setattr(resuming, "open_run", real)
        assert Site(site.folder).code(resume="one") == 0
        return real(root, run_id, **more)

    monkeypatch.setattr(resuming, "open_run", late)
    with pytest.raises(RunHeldError, match="has just been worked on"):
        site.build(resume="one")
    assert ran(site) == ["a", "b", "b", "c", "d"]
    assert site.metadata()["status"] == "completed"


# Going on ------------------------------------------------------------------------------------------------------------


def test_a_resume_keeps_the_run_its_history_and_what_is_done(site: Site) -> None:
    chain(site)
    site.build(run_id="one")
    (site.folder / "mended").touch()
    assert site.code(resume="") == 0
    assert ran(site) == ["a", "b", "b", "c", "d"]
    assert site.runs() == ["one"]
    known = site.state().tasks["b"]
    assert (known.attempt, [old.outcome for old in known.earlier]) == (2, ["failed"])
    assert (site.root / "one" / "outputs" / "b.1.log").exists()
    assert [event.status for event in site.face.events if isinstance(event, ev.SessionStarted)] == ["retrying"]


def test_a_dry_run_of_a_resume_tells_and_writes_nothing(site: Site) -> None:
    chain(site)
    site.build()
    before = site.everything()
    assert site.build(resume="", dry_run=True) is None
    assert site.face.actions() == {"a": "reuse", "b": "run", "c": "run", "d": "run"}
    assert site.everything() == before


def test_retry_failed_leaves_other_work_and_ends_paused_with_0(site: Site) -> None:
    chain(site)
    site.build()
    (site.folder / "mended").touch()
    assert site.code(resume="", retry_failed=True) == 0
    assert site.face.ran == ["b", "c"]
    assert site.statuses() == {"a": "completed", "b": "completed", "c": "completed", "d": "pending"}
    assert (site.metadata()["status"], site.metadata()["interrupted"]) == ("paused", False)
    assert site.code(resume="") == 0
    assert site.metadata()["status"] == "completed"


def test_retry_failed_that_fails_again_is_answered_with_1(site: Site) -> None:
    chain(site)
    site.build()
    assert site.code(resume="", retry_failed=True) == 1
    assert site.metadata()["status"] == "failed"


def test_skip_failed_completes_with_0_and_counts_what_it_left_out(site: Site) -> None:
    chain(site)
    site.build()
    assert site.code(resume="", skip_failed=True) == 0
    metadata = site.metadata()
    assert (metadata["status"], metadata["completed_tasks"], metadata["skipped_tasks"]) == ("completed", 2, 2)
    assert site.statuses() == {"a": "completed", "b": "skipped", "c": "skipped", "d": "completed"}
    assert site.state().tasks["c"].reason == "needs b, which is skipped"


def test_skip_failed_with_run_dependents_runs_what_needs_it(site: Site) -> None:
    chain(site)
    site.build()
    assert site.code(resume="", skip_failed=True, run_dependents=True) == 0
    assert site.statuses() == {"a": "completed", "b": "skipped", "c": "completed", "d": "completed"}


def test_a_resume_keeps_going_as_the_session_before_did(site: Site) -> None:
    site.plan(task("bad", FLAKY), task("e"), task("also", "test -e never"), task("f"))
    assert site.code(keep_going=True) == 1
    assert site.statuses() == {"bad": "failed", "e": "completed", "also": "failed", "f": "completed"}
    assert site.state().keeps_going
    site.build(resume="", dry_run=True)
    assert site.face.resume is not None
    assert site.face.resume.keep_going

    assert site.code(resume="") == 1
    assert site.face.ran == ["bad", "also"]
    assert site.code(resume="", keep_going=False) == 1
    assert site.face.ran == ["bad"], "it was told not to"
    assert not site.state().keeps_going
    assert site.code(resume="") == 1
    assert site.face.ran == ["bad"], "and that is remembered too"


def test_one_task_of_a_completed_run_is_run_again_alone(site: Site) -> None:
    chain(site, "true")
    site.build()
    before = site.state().tasks["c"]
    assert site.code(resume="", from_task="b", alone=True) == 0
    assert site.face.ran == ["b"]
    state = site.state()
    assert state.status is RunStatus.COMPLETED
    assert state.tasks["b"].attempt == 2
    assert state.tasks["c"] == before
    assert site.code(resume="") == 0
    assert site.face.ran == []


def test_a_session_says_which_tasks_it_is_to_run_and_no_longer(site: Site) -> None:
    chain(site)
    site.build()
    site.build(resume="", retry_failed=True)
    (started,) = [event for event in site.face.events if isinstance(event, ev.SessionStarted)]
    assert started.only == ("b", "c")
    assert site.state().only is None
    site.build(resume="")
    (started,) = [event for event in site.face.events if isinstance(event, ev.SessionStarted)]
    assert started.only is None


def test_a_task_that_runs_alone_leaves_the_rest_for_later(site: Site) -> None:
    site.plan(task("bad", FLAKY), task("also", "test -e never"), task("after", "true", "bad"))
    site.build(keep_going=True)
    (site.folder / "mended").touch()
    assert site.code(resume="", from_task="bad", alone=True) == 1, "the build has failed still"
    assert site.face.ran == ["bad"]
    assert site.statuses() == {"bad": "completed", "also": "failed", "after": "pending"}
    with pytest.raises(UsageError, match="--alone says what --from-task runs"):
        site.build(resume="", alone=True)


def test_from_task_refuses_where_what_it_needs_is_not_done(site: Site) -> None:
    chain(site)
    site.build()
    before = site.everything()
    with pytest.raises(UsageError, match="cannot start from c: 1 task that it needs did not complete") as refused:
        site.build(resume="", from_task="c", dry_run=True)
    assert refused.value.details == ("b",)
    assert site.everything() == before


# Outputs and inputs --------------------------------------------------------------------------------------------------


def test_an_output_that_is_gone_is_made_again(site: Site) -> None:
    site.plan(task("make", "echo x > out", outputs=["out"]), task("use", "cat out", "make"), task("bad", FLAKY))
    site.build(keep_going=True)
    (site.folder / "out").unlink()
    (site.folder / "mended").touch()
    assert site.code(resume="") == 0
    assert sorted(site.face.ran) == ["bad", "make", "use"]


def test_an_input_that_changed_makes_its_task_run_again(site: Site) -> None:
    (site.folder / "in.txt").write_text("1")
    site.plan(task("read", "cat in.txt", inputs=["*.txt"]), task("bad", FLAKY))
    site.build()
    (site.folder / "in.txt").write_text("2")
    site.build(resume="", dry_run=True)
    assert site.face.actions()["read"] == "run"
    (site.folder / "in.txt").write_text("1")
    site.build(resume="", dry_run=True)
    assert site.face.actions()["read"] == "reuse"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_content_is_compared_where_the_run_comes_from_another_machine(
    site: Site, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    site.plan(task("make", "printf one > out", outputs=["out"]), task("bad", FLAKY))
    site.build()
    (site.folder / "out").write_text("two")
    if elsewhere:
        monkeypatch.setattr("socket.gethostname", lambda: "another-machine")
    site.build(resume="", dry_run=True)
    assert site.face.actions()["make"] == ("run" if elsewhere else "reuse")


# Changed plans -------------------------------------------------------------------------------------------------------


def test_a_changed_plan_is_warned_of_and_only_what_it_concerns_runs(site: Site) -> None:
    chain(site)
    site.build()
    site.plan(task("a", "echo $SPECULAR_TASK_ID >> ran; echo a"), task("b", "true", "a"), task("new"))
    assert site.code(resume="") == 0
    assert site.face.warnings == [
        (
            "plan.json has changed since checkpoint",
            ("changed: b (its command)", "added:   new", "removed: c", "removed: d"),
        )
    ]
    assert site.face.ran == ["b", "new"]
    assert list(site.statuses()) == ["a", "b", "new"]
    assert (site.root / site.runs()[0] / "plan.json").read_bytes() == (site.folder / "plan.json").read_bytes()


def test_a_changed_plan_is_refused_where_hashes_are_strict(site: Site) -> None:
    chain(site)
    site.policy("checkpoints:\n  strict_hash_check: true\n")
    site.build()
    chain(site, "true")
    with pytest.raises(
        CheckpointError, match=r"plan.json has changed since checkpoint .* strict_hash_check"
    ) as refused:
        site.build(resume="")
    assert refused.value.exit_code is ExitCode.CHECKPOINT
    assert "--force" in str(refused.value.hint)


def test_a_plan_that_is_gone_is_taken_from_the_checkpoint(site: Site) -> None:
    chain(site)
    site.build()
    (site.folder / "plan.json").unlink()
    (site.folder / "mended").touch()
    assert site.code(resume="") == 0
    assert ran(site) == ["a", "b", "b", "c", "d"]


def test_a_project_that_was_copied_goes_on_in_itself(site: Site) -> None:
    home = site.folder / "home"
    home.mkdir()
    first = Site(home)
    chain(first)
    first.build()
    copy = Site(site.folder / "copy")
    shutil.copytree(home, copy.folder)
    (copy.folder / "mended").touch()
    before = ran(first)
    result = copy.build(resume="")
    assert result is not None
    assert result.status is RunStatus.COMPLETED
    assert ran(first) == before
    assert copy.metadata()["plan_path"] == str(copy.folder / "plan.json")


def test_a_project_that_was_moved_goes_on_where_it_is(site: Site) -> None:
    home = site.folder / "home"
    home.mkdir()
    inner = Site(home)
    chain(inner)
    inner.build(run_id="one")
    moved = site.folder / "moved"
    home.rename(moved)
    inner = Site(moved)
    (moved / "mended").touch()
    assert inner.code(resume="") == 0
    assert ran(inner) == ["a", "b", "b", "c", "d"]
    assert inner.metadata()["plan_path"] == str(moved / "plan.json")


def test_a_plan_folder_that_is_gone_is_told_and_the_current_one_taken(site: Site) -> None:
    (site.folder / "sub").mkdir()
    site.plan(task("a"), task("b", FLAKY, "a"), name="sub/plan.json")
    site.build(plan="sub/plan.json")
    shutil.rmtree(site.folder / "sub")
    (site.folder / "mended").touch()
    assert site.code(resume="") == 0
    assert any(f"relative paths of the plan start from {site.folder}" in notice for notice in site.face.notices)


def test_a_named_plan_takes_the_place_of_the_old_one(site: Site) -> None:
    chain(site)
    site.build()
    site.plan(task("a", "echo $SPECULAR_TASK_ID >> ran; echo a"), name="other.json")
    assert site.code(resume="", plan="other.json") == 0
    assert site.face.ran == []
    assert site.metadata()["plan_file"] == "other.json"


# Policies and gates --------------------------------------------------------------------------------------------------

GATE = "tests:\n  require_pass: true\n  cmd: echo $SPECULAR_TASK_ID >> gates; test -e good\n"


def test_a_gate_that_fails_fails_the_build_and_runs_again_with_the_next(site: Site) -> None:
    chain(site, "true")
    site.policy(GATE)
    assert site.code() == 1
    assert site.metadata()["status"] == "failed"
    (site.folder / "good").touch()
    assert site.code(resume="", retry_failed=True) == 0
    assert site.face.ran == ["@tests"]
    assert site.metadata()["status"] == "completed"


def test_gates_run_again_when_tasks_did_and_otherwise_not(site: Site) -> None:
    chain(site, "true")
    site.policy(GATE)
    (site.folder / "good").touch()
    site.build()
    assert site.code(resume="", from_task="d") == 0
    assert site.face.ran == ["d", "@tests"]


def paused_behind_its_gate(site: Site) -> None:
    """A run that was stopped when its first gate had passed and the second ran."""
    site.plan(task("a"))
    site.policy(
        "linters:\n  x: {enabled: true, cmd: 'true'}\ntests:\n  require_pass: true\n  cmd: test -e go || sleep 60\n"
    )

    def stop(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.TaskStarted) and event.task == "@tests":
            os.kill(os.getpid(), signal.SIGTERM)

    face = Listener()
    face.on_event = stop
    result = site.build(face)
    assert result is not None
    assert (result.status, result.exit_code) == (RunStatus.PAUSED, ExitCode.TERMINATED)
    (site.folder / "go").touch()


def test_gates_that_passed_are_not_run_again_if_nothing_else_did(site: Site) -> None:
    paused_behind_its_gate(site)
    assert site.code(resume="") == 0
    assert site.face.ran == ["@tests"]


def test_revalidate_runs_every_gate_again(site: Site) -> None:
    paused_behind_its_gate(site)
    assert site.code(resume="", revalidate=True) == 0
    assert site.face.ran == ["@linters.x", "@tests"]


def test_a_gate_whose_command_changed_runs_again(site: Site) -> None:
    paused_behind_its_gate(site)
    site.policy("linters:\n  x: {enabled: true, cmd: 'exit 0'}\ntests:\n  require_pass: true\n  cmd: test -e go\n")
    assert site.code(resume="", policy=".specular/policy.yaml") == 0
    assert site.face.ran == ["@linters.x", "@tests"]


def test_the_stored_policy_is_in_force_until_another_is_named(site: Site) -> None:
    chain(site)
    site.policy("execution:\n  jobs: 1\n")
    site.build()
    site.policy("execution:\n  allow_local: false\n")
    site.build(resume="", dry_run=True)
    with pytest.raises(PolicyViolationError):
        site.build(resume="", dry_run=True, policy=".specular/policy.yaml")
    (site.folder / "mended").touch()
    site.policy("execution:\n  jobs: 2\n")
    assert site.code(resume="", policy=".specular/policy.yaml") == 0
    assert (site.root / site.runs()[0] / "policy.yaml").read_text() == "execution:\n  jobs: 2\n"


# Damage --------------------------------------------------------------------------------------------------------------


def test_damage_is_found_first_and_nothing_runs(site: Site) -> None:
    chain(site)
    site.build()
    (site.root / site.runs()[0] / "outputs" / "a.log").write_bytes(b"A\n")
    with pytest.raises(CheckpointError, match="checkpoint validation failed") as refused:
        site.build(resume="")
    assert refused.value.exit_code is ExitCode.CHECKPOINT
    assert ran(site) == ["a", "b"]


def test_repair_runs_again_what_is_damaged(site: Site) -> None:
    chain(site)
    site.build()
    (site.root / site.runs()[0] / "outputs" / "a.log").write_bytes(b"A\n")
    (site.folder / "mended").touch()
    before = site.everything()
    site.build(resume="", repair=True, dry_run=True)
    assert site.face.actions() == {"a": "run", "b": "run", "c": "run", "d": "run"}
    assert site.everything() == before
    assert site.code(resume="", repair=True) == 0
    assert ran(site) == ["a", "b", "a", "b", "c", "d"]
    kept = (site.root / site.runs()[0] / "quarantine").rglob("*")
    assert b"A\n" in [path.read_bytes() for path in kept if path.is_file()]
    assert site.build(resume="", from_task="d", validate=True) is not None


def test_repair_goes_on_from_what_is_left_of_a_journal(site: Site) -> None:
    chain(site)
    site.build(run_id="one")
    journal = site.root / "one" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]) + b"\0" * 100)
    (site.folder / "mended").touch()
    with pytest.raises(CheckpointError, match="one, is damaged"):
        site.build(resume="")
    before = site.everything()
    site.build(resume="", repair=True, dry_run=True)
    foreseen = site.face.actions()
    assert site.everything() == before, "nothing is repaired where nothing is to be done"
    assert foreseen == {"a": "reuse", "b": "run", "c": "run", "d": "run"}
    ((what, how),) = site.face.warnings
    assert what == "one is damaged, and would be repaired first: what its journal has lost is done again"
    assert how[0].startswith("the journal is good up to record ")
    assert how[1].startswith("kept in quarantine/: journal.jsonl, ")
    assert site.code(resume="", repair=True) == 0
    assert set(site.statuses().values()) == {"completed"}
    assert site.face.ran == [i for i, action in foreseen.items() if action == "run"]


def test_a_journal_of_which_nothing_is_left_cannot_be_repaired(site: Site) -> None:
    chain(site)
    site.build(run_id="one")
    (site.root / "one" / "journal.jsonl").write_bytes(b"\0" * 500)
    before = site.everything()
    for dry_run in (True, False):
        with pytest.raises(CheckpointError, match=r"one cannot be repaired: nothing of .* is left") as refused:
            site.build(resume="one", repair=True, dry_run=dry_run)
        assert "specular checkpoint delete one" in (refused.value.hint or "")
        assert "specular checkpoint import" in (refused.value.hint or "")
    assert {p: v for p, v in site.everything().items() if not p.endswith("lock")} == {
        p: v for p, v in before.items() if not p.endswith("lock")
    }


def test_repair_of_a_completed_run_runs_what_is_damaged(site: Site) -> None:
    chain(site, "true")
    site.build(run_id="one")
    (site.root / "one" / "outputs" / "a.log").unlink()
    site.build(resume="one", repair=True, dry_run=True)
    assert site.face.actions() == {"a": "run", "b": "run", "c": "run", "d": "reuse"}
    assert site.code(resume="one", repair=True) == 0
    assert site.face.ran == ["a", "b", "c"]
    assert site.build(resume="one", repair=True) is None


def test_a_repair_says_which_copy_it_could_not_put_back(site: Site) -> None:
    chain(site, "true")
    site.build(run_id="one")
    (site.root / "one" / "plan.json").write_text("{}")
    chain(site, "true # another")
    assert site.build(resume="one", repair=True) is None
    ((what, _),) = site.face.warnings
    assert what == "plan.json of one stays missing: no file here has the very bytes that the run had"
    assert site.face.notices[0] == "one is repaired, but for that: no task has to run again for that"


def test_strict_hashes_hold_also_where_the_old_plan_is_lost(site: Site) -> None:
    chain(site)
    site.policy("checkpoints:\n  strict_hash_check: true\n  validate_on_resume: false\n")
    site.build()
    (site.root / site.runs()[0] / "plan.json").unlink()
    chain(site, "true")
    with pytest.raises(CheckpointError, match="strict_hash_check"):
        site.build(resume="")


# Imported runs -------------------------------------------------------------------------------------------------------


def as_imported(site: Site, into: Path) -> Site:
    """Another workspace that has a run of this one as `checkpoint import` leaves it."""
    other = Site(into)
    shutil.copytree(site.root, other.root)
    for run in other.runs():
        opened = open_run(other.root, run, tasks={}, now=0)
        opened.recorder.append(ev.Imported(at=opened.recorder.state.updated_at))
        opened.recorder.prepare_snapshot(opened.recorder.state.updated_at)()
        opened.recorder.release()
    return other


@pytest.fixture
def imported(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    (site.folder / "theirs").mkdir()
    (site.folder / "ours").mkdir()
    theirs = Site(site.folder / "theirs")
    chain(theirs)
    theirs.policy(GATE)
    monkeypatch.setattr("socket.gethostname", lambda: "their-machine")
    theirs.build(run_id="run")
    monkeypatch.undo()
    ours = as_imported(theirs, site.folder / "ours")
    shutil.rmtree(theirs.folder)
    (ours.folder / "mended").touch()
    (ours.folder / "good").touch()
    ours.environ = {"SPECULAR_CHECKPOINT_DIR": ".specular/checkpoints"}
    return ours


def test_an_imported_plan_is_shown_and_not_run(imported: Site) -> None:
    with pytest.raises(SpecularError, match="from their-machine, and its plan 'site' is not in this folder") as refused:
        imported.build(resume="run")
    assert refused.value.details[1] == f"b: echo $SPECULAR_TASK_ID >> ran; {FLAKY}"
    assert "--trust-plan" in str(refused.value.hint)
    assert imported.face.questions[0][1] == refused.value.details
    refusing = Listener()
    refusing.answer = False
    with pytest.raises(SpecularError, match="not in this folder"):
        imported.build(refusing, resume="run")
    assert ran(imported) == []


@pytest.mark.parametrize("way", ["trusted", "confirmed", "here too"])
def test_an_imported_plan_runs_where_somebody_says_so_or_has_it(imported: Site, way: str) -> None:
    face = Listener()
    face.answer = True if way == "confirmed" else None
    if way == "here too":
        shutil.copy(imported.root / "run" / "plan.json", imported.folder / "plan.json")
        shutil.copy(imported.root / "run" / "policy.yaml", imported.folder / ".specular" / "policy.yaml")
    result = imported.build(face, resume="run", trust_plan=way == "trusted")
    assert result is not None
    assert result.exit_code == 0
    assert ran(imported) == ["b", "c", "d"]


def test_a_plan_that_only_looks_like_the_imported_one_is_asked_for_too(imported: Site) -> None:
    Site(imported.folder).plan(task("a"), task("b", "echo other"))
    with pytest.raises(SpecularError, match="this folder, which it would go on with, is not its plan 'site'"):
        imported.build(resume="run")
    assert imported.code(resume="run", plan="plan.json", policy=str(imported.root / "run" / "policy.yaml")) == 0


def test_gates_of_an_imported_policy_are_commands_too(imported: Site) -> None:
    shutil.copy(imported.root / "run" / "plan.json", imported.folder / "plan.json")
    with pytest.raises(SpecularError, match="from their-machine, and its policy is not in this folder") as refused:
        imported.build(resume="run")
    assert refused.value.details == ("@tests: echo $SPECULAR_TASK_ID >> gates; test -e good",)
    assert not (imported.folder / "gates").exists()


def test_a_plan_outside_of_the_workspace_is_not_its_own(imported: Site) -> None:
    outside = imported.folder.parent / "theirs"
    outside.mkdir()
    shutil.copy(imported.root / "run" / "plan.json", outside / "plan.json")
    with pytest.raises(SpecularError, match="its plan 'site' is not in this folder"):
        imported.build(resume="run")


# Ends that come too early --------------------------------------------------------------------------------------------


def test_an_interruption_before_the_first_task_leaves_a_run_that_goes_on(site: Site) -> None:
    chain(site, "true")
    face = Listener()

    def interrupt(info: Any) -> None:
        raise KeyboardInterrupt

    face.on_start = interrupt
    with pytest.raises(KeyboardInterrupt):
        site.build(face)
    assert ran(site) == []
    assert set(site.statuses().values()) == {"pending"}
    assert site.code(resume="") == 0
    assert ran(site) == ["a", "b", "c", "d"]
    assert len(site.runs()) == 1


def test_an_interruption_while_the_run_is_made_leaves_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(site, "true")

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(creating, "_first_snapshot", interrupt)
    with pytest.raises(KeyboardInterrupt):
        site.build()
    assert os.listdir(site.root) == []


def test_a_build_that_cannot_be_recorded_leaves_no_guard_behind(site: Site) -> None:
    chain(site, "true")
    (site.folder / ".specular").write_text("")
    before = processes.descendants(os.getpid()), os.listdir("/proc/self/fd")
    with pytest.raises(StorageError, match="failed to write checkpoint"):
        site.build()
    assert (processes.descendants(os.getpid()), os.listdir("/proc/self/fd")) == before
    assert ran(site) == []


def test_builds_leave_no_descriptor_no_process_and_no_handler(site: Site) -> None:
    chain(site)
    site.build()
    before = processes.descendants(os.getpid()), os.listdir("/proc/self/fd"), signal.getsignal(signal.SIGTERM)
    site.build(resume="")
    site.build(resume="", dry_run=True)
    with pytest.raises(UsageError):
        site.build(resume="", from_task="c")
    assert (
        processes.descendants(os.getpid()),
        os.listdir("/proc/self/fd"),
        signal.getsignal(signal.SIGTERM),
    ) == before


def test_what_had_exited_is_believed_only_where_the_machine_has_been_up_since(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.plan(task("make", "echo $SPECULAR_TASK_ID >> ran; echo x > out", outputs=["out"]))
    face = Listener()

    def die(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.TaskExited):
            raise ZeroDivisionError

    face.on_event = die
    with pytest.raises(ZeroDivisionError):
        site.build(face)
    shutil.copytree(site.folder, site.folder / "copy")
    assert site.code(resume="") == 0
    assert ran(site) == ["make"]
    shutil.rmtree(site.root)
    shutil.copytree(site.folder / "copy" / ".specular" / "checkpoints", site.root)
    monkeypatch.setattr(session, "boot_id", lambda: "another boot")
    assert site.code(resume="") == 0
    assert ran(site) == ["make", "make"]


def test_a_resume_tidies_up_where_its_run_is_and_nowhere_else(site: Site) -> None:
    """Its copy of the policy may name the directory of another machine, or of before it was moved."""
    site.policy("checkpoints:\n  directory: before\n  compress: true\n  retention: {max_count: 1}\n")
    site.plan(task("a", "echo a; test -e mended"))
    assert site.code(run_id="first") == 1
    assert site.code(run_id="second") == 1
    others = site.folder / "before"
    shutil.copytree(others, site.root)
    site.policy("checkpoints:\n  directory: before\n")
    assert site.code(run_id="third") == site.code(run_id="fourth") == 1
    site.policy("")
    (site.folder / "mended").touch()
    before = sorted(path.name for path in others.iterdir())

    assert site.code(resume="second") == 0

    assert sorted(path.name for path in others.iterdir()) == before
    assert not site.face.warnings
    assert site.runs() == ["second"]
    assert (site.root / "second" / "outputs" / "a.log.gz").exists()


def test_a_file_system_that_cannot_sync_folders_is_built_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As VirtualBox's shared folders: there is no such call for a folder."""
    for name in ("fsync", "fdatasync"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, _without_folders(getattr(os, name)))
    monkeypatch.setattr(commit, "_fdatasync", _without_folders(commit._fdatasync))
    site.plan(task("a", "mkdir -p out; echo 1 > out/a", outputs=["out/a"]), task("b", "test -e mended", "a"))
    assert site.code() == 1
    (site.folder / "mended").touch()
    assert site.code(resume="") == 0
    assert site.face.ran == ["b"]
    assert check.check(site.root, site.runs()[0]).ok


def _without_folders(sync: Callable[[int], None]) -> Callable[[int], None]:
    def synced(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(fd)

    return synced


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="asks for files that no disk has")
def test_an_output_that_no_disk_has_stops_no_build(site: Site) -> None:
    site.plan(task("a", outputs=["/proc/version", "/dev/null"]))
    assert site.code() == 0
