"""What a build would do, said before anybody asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from specular_tui.errors import CheckpointError, PlanError, PolicyViolationError, UsageError
from specular_tui.model import event as ev
from specular_tui.model.resume import Action
from specular_tui.store import reopening
from specular_tui.workspace import checking, rehearsing
from specular_tui.workspace.invocation import home_of
from specular_tui.workspace.rehearsing import Rehearsal, Rehearser
from specular_tui.workspace.request import BuildRequest
from tests.unit.workspace.site import Site, task


@pytest.fixture
def failed(site: Site) -> Site:
    """a <- b <- c, and d; b failed, c and d wait."""
    site.plan(
        task("a", priority="P0"),
        task("b", "test -e mended", "a", priority="P0"),
        task("c", "true", "b"),
        task("d", estimate=30),
    )
    assert site.code(run_id="one") == 1
    return site


def rehearse(site: Site, **options: Any) -> Rehearsal:
    options.setdefault("resume", "one")
    return Rehearser(site.root, site.environ).rehearse(BuildRequest(cwd=site.folder, **options))


def actions(found: Rehearsal) -> dict[str, str]:
    assert found.resume is not None
    return {decision.task: decision.action.value for decision in found.resume.decisions}


def test_it_says_what_the_resume_does_and_writes_nothing(failed: Site) -> None:
    before = failed.everything()
    found = rehearse(failed, jobs=3)
    assert found.problem is None
    assert actions(found) == {"a": "reuse", "b": "run", "c": "run", "d": "run"}
    assert found.jobs == 3
    assert found.validates
    assert found.expected["d"] == 30_000
    assert failed.everything() == before


def test_each_option_counts(failed: Site) -> None:
    assert actions(rehearse(failed, retry_failed=True)) == {"a": "reuse", "b": "run", "c": "run", "d": "blocked"}
    assert actions(rehearse(failed, skip_failed=True)) == {"a": "reuse", "b": "skip", "c": "skip", "d": "run"}
    assert actions(rehearse(failed, skip_failed=True, run_dependents=True))["c"] == "run"
    assert actions(rehearse(failed, from_task="a"))["a"] == "run"


def test_it_says_how_long_that_takes(failed: Site) -> None:
    found = rehearse(failed, skip_failed=True, jobs=1)
    assert found.runs == ["d"]
    assert found.lasting is not None
    assert found.lasting.low_ms < 30_000 < found.lasting.high_ms


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"skip_failed": True, "retry_failed": True}, "choose one of them"),
        ({"run_dependents": True}, "give both"),
        ({"from_task": "nobody"}, "the plan has no task 'nobody'"),
        ({"from_task": "c"}, "cannot start from c"),
        ({"resume": None, "retry_failed": True}, "it needs --resume"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_reason_of_the_command_line(
    failed: Site, options: dict[str, Any], words: str
) -> None:
    found = rehearse(failed, **options)
    assert isinstance(found.problem, UsageError)
    assert words in found.problem.message
    with pytest.raises(UsageError) as told:
        failed.build(**{"resume": "one", "dry_run": True, **options})
    assert told.value.message == found.problem.message


def test_there_may_be_nothing_to_resume(site: Site) -> None:
    site.plan(task("a"))
    assert site.code(run_id="one") == 0
    found = rehearse(site)
    assert found.problem is not None
    assert found.problem.message == "nothing to resume: one is completed"
    assert actions(rehearse(site, from_task="a")) == {"a": "run"}
    assert rehearse(site, resume="two").problem is not None


def test_damage_is_a_problem_and_repair_a_way_on(failed: Site) -> None:
    (failed.root / "one" / "outputs" / "a.json").write_text("{}")
    found = rehearse(failed)
    assert isinstance(found.problem, CheckpointError)
    assert "--repair" in (found.problem.hint or "")
    mended = rehearse(failed, repair=True)
    assert mended.problem is None
    assert actions(mended)["a"] == "run"


def test_a_damaged_journal_can_be_rehearsed_with_its_repair(failed: Site) -> None:
    journal = failed.root / "one" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]) + b"{}\n" + b"".join(lines[-2:]))
    assert rehearse(failed).problem is not None
    found = rehearse(failed, repair=True)
    assert found.problem is None
    assert found.jobs
    assert actions(found)["a"] == "reuse"
    assert found.warnings[0].startswith("one is damaged, and would be repaired first: ")
    journal.unlink()
    lost = rehearse(failed, repair=True)
    assert lost.problem is not None
    assert "one cannot be repaired" in lost.problem.message


def test_a_run_is_not_checked_again_while_it_stays_as_it_is(failed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    check = checking.check_run

    def counted(root: Path, run_id: str) -> Any:
        checked.append(run_id)
        return check(root, run_id)

    monkeypatch.setattr(rehearsing, "check_run", counted)
    rehearser = Rehearser(failed.root, failed.environ)
    request = BuildRequest(cwd=failed.folder, resume="one")
    for _ in range(3):
        assert rehearser.rehearse(request).problem is None
    assert checked == ["one"]
    failed.build(resume="one", retry_failed=True)
    rehearser.rehearse(request)
    assert checked == ["one", "one"]


def test_what_changed_in_the_plan_is_said(failed: Site) -> None:
    failed.plan(task("a", "echo other"), task("b", "true", "a"), task("e"))
    found = rehearse(failed)
    assert found.resume is not None
    assert found.resume.changes.lines() == [
        "changed: a (its command)",
        "changed: b (its command)",
        "added:   e",
        "removed: c",
        "removed: d",
    ]
    failed.policy("checkpoints: {strict_hash_check: true}\n")
    refused = rehearse(failed, policy=".specular/policy.yaml")
    assert isinstance(refused.problem, CheckpointError)


def test_a_new_build_runs_all_of_its_plan(site: Site) -> None:
    site.plan(task("a", estimate=10), task("b", "true", "a", estimate=20))
    found = rehearse(site, resume=None, jobs=2)
    assert found.resume is None
    assert found.runs == ["a", "b"]
    assert found.lasting is not None
    assert found.lasting.likely_ms == 30_000
    assert not found.validates


def test_a_plan_that_cannot_be_read_says_where(site: Site) -> None:
    (site.folder / "plan.json").write_text('{"version": 1,\n "tasks": [}')
    found = rehearse(site, resume=None)
    assert isinstance(found.problem, PlanError)
    assert "plan.json:2:12" in found.problem.message
    assert rehearse(site, resume=None, plan="nowhere.json").problem is not None


def test_a_violation_of_the_policy_is_a_problem(site: Site) -> None:
    site.plan(task("a"))
    site.policy("execution: {allow_local: false}\n")
    assert isinstance(rehearse(site, resume=None).problem, PolicyViolationError)


def test_commands_from_elsewhere_are_asked_about(failed: Site) -> None:
    opened = reopening.open_run(failed.root, "one", tasks={}, now=failed.state("one").updated_at)
    opened.recorder.append(ev.Imported(at=failed.state("one").updated_at))
    opened.recorder.release()
    assert rehearse(failed).question == "", "this folder has the very plan"
    (failed.folder / "plan.json").unlink()
    found = rehearse(failed)
    assert "was imported" in found.question
    assert "b: test -e mended" in found.commands
    assert rehearse(failed, trust_plan=True).question == ""


def test_the_folder_that_builds_start_in(tmp_path: Path) -> None:
    assert home_of(tmp_path / ".specular" / "checkpoints", Path("/elsewhere")) == tmp_path
    assert home_of(tmp_path / "kept", Path("/elsewhere")) == Path("/elsewhere")


def test_counts(failed: Site) -> None:
    found = rehearse(failed)
    assert found.resume is not None
    assert found.resume.count(Action.RUN) == 3


def test_a_repair_of_a_completed_run_may_run_nothing_and_mend_all_the_same(site: Site) -> None:
    site.plan(task("a"))
    assert site.code(run_id="one") == 0
    rehearser = Rehearser(site.root, site.environ)
    request = BuildRequest(cwd=site.folder, resume="one", repair=True)
    assert rehearser.rehearse(request).problem is not None, "nothing is damaged"
    stored = site.root / "one" / "plan.json"
    plan = stored.read_bytes()
    stored.unlink()
    found = rehearser.rehearse(request)
    assert found.problem is None
    assert found.mends
    assert found.warnings[0] == "one is damaged, and would be repaired first: no task has to run again for that"
    assert site.build(resume="one", repair=True) is None
    assert stored.read_bytes() == plan
    assert rehearser.rehearse(request).problem is not None, "it was mended"


def test_the_gates_that_run_again_are_known_and_timed(site: Site) -> None:
    site.policy("tests: {enabled: true, cmd: 'sleep 0.2; test ! -e broken', require_pass: true}\n")
    site.plan(task("a"))
    assert site.code(run_id="before") == 0
    (site.folder / "broken").touch()
    assert site.code(run_id="one") == 1
    found = rehearse(site)
    assert found.runs == []
    assert found.gates == ["@tests"]
    assert found.lasting is not None
    assert 200 <= found.lasting.likely_ms < 20_000
