"""Runs that stay, runs that wait in the trash, and runs side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.model.drift import Since
from specular_tui.store import checkpoint
from specular_tui.store.keeping import removal
from specular_tui.workspace.comparing import drift
from tests import recorded
from tests.contract.conftest import Shell, task
from tests.recorded import START


@pytest.fixture
def root(shell: Shell) -> Path:
    root = shell.folder / ".specular" / "checkpoints"
    for number in range(3):
        recorded.completed(root, f"old-{number}", at=START + number * 60_000)
    return root


def ids(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if not path.name.startswith("."))


def test_a_pinned_run_stays_whatever_is_cleaned_up(shell: Shell, root: Path) -> None:
    assert shell("specular checkpoint pin old-1").out == "old-1 is pinned\n"
    listed = {run["run_id"]: run["pinned"] for run in shell("specular checkpoint list --format json").json()}
    assert listed == {"old-0": False, "old-1": True, "old-2": False}
    assert "completed, pinned" in shell("specular checkpoint list").out

    assert shell("specular checkpoint clean --older-than 1d --keep-last 1").code == 0
    assert ids(root) == ["old-1", "old-2"]
    refused = shell("specular checkpoint delete old-1")
    assert refused.code == 2
    assert "old-1 is pinned" in refused.err
    pruned = shell("specular checkpoint prune --force")
    assert "old-1 is pinned: it stays" in pruned.err
    assert ids(root) == ["old-1"]

    assert shell("specular checkpoint unpin old-1").out == "old-1 is not pinned any more\n"
    assert shell("specular checkpoint unpin old-1").out == "old-1 was not pinned\n"
    assert shell("specular checkpoint delete old-1").code == 0
    assert ids(root) == []
    assert shell("specular checkpoint pin old-1").code == 1


def test_the_retention_of_a_build_spares_pinned_runs(shell: Shell, root: Path) -> None:
    shell("specular checkpoint pin old-0")
    shell.plan(task("a", "true"))
    assert shell("specular build --run-id new").code == 0
    assert ids(root) == ["new", "old-0"]


def test_the_trash_is_counted_and_gives_way(shell: Shell, root: Path) -> None:
    assert "checkpoint restore old-0" in shell("specular checkpoint delete old-0 --trash").out
    shell("specular checkpoint delete old-1 --trash")
    assert ids(root) == ["old-2"]
    assert "2 deleted runs in the trash" in shell("specular checkpoint list").err
    listed = shell("specular checkpoint trash --format json").json()
    assert [put["run_id"] for put in listed] == ["old-1", "old-0"]
    assert all(put["size_bytes"] > 1000 for put in listed)

    assert shell("specular checkpoint restore old-0").out == "old-0 is back\n"
    assert shell("specular checkpoint validate old-0").code == 0
    missing = shell("specular checkpoint restore old-0")
    assert missing.code == 1
    assert "specular checkpoint trash" in missing.err
    # A bound that the runs alone keep, and that the trash goes beyond.
    size = sum(run["size_bytes"] for run in shell("specular checkpoint list --format json").json()) + 100
    (shell.folder / ".specular" / "policy.yaml").write_text(
        f"checkpoints:\n  max_size_mb: {size / (1 << 20)}\n  retention: {{max_age_days: 36600}}\n"
    )
    cleaned = shell("specular checkpoint clean")
    assert "nothing to remove" in cleaned.out
    assert "deleted runs in the trash" in cleaned.err
    assert removal.trashed(root) == []
    assert ids(root) == ["old-0", "old-2"]
    assert shell("specular checkpoint trash").out == "the trash is empty\n"
    assert shell("specular checkpoint trash --empty").out == "the trash is empty\n"


def test_two_runs_side_by_side(shell: Shell) -> None:
    shell.plan(task("a", "true"), task("b", "true"))
    assert shell("specular build --run-id one").code == 0
    shell.plan(task("a", "exit 3"), task("c", "true"))
    assert shell("specular build --run-id two -k").code == 1

    found = shell("specular checkpoint compare two one --format json").json()
    assert (found["before"], found["after"], found["same_plan"]) == ("one", "two", False)
    assert {t["task"]: t["differences"] for t in found["tasks"]} == {
        "a": ["result", "definition"],
        "b": ["gone"],
        "c": ["new"],
    }
    (changed,) = [t for t in found["tasks"] if t["task"] == "a"]
    assert changed["changed"] == ["its command"]
    assert changed["after"]["exit_code"] == 3
    table = shell("specular checkpoint compare one two").out
    assert "a " in table
    assert "its command" in table
    assert shell("specular checkpoint compare one one").out.endswith("no task differs\n")
    assert shell("specular checkpoint compare one none").code == 1


def test_what_has_changed_since_a_run(shell: Shell) -> None:
    root = shell.folder / ".specular" / "checkpoints"
    policy = shell.folder / ".specular" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text("execution: {jobs: 2}\n")
    shell.plan(task("a", "true"), task("b", "true"))
    assert shell("specular build --run-id one").code == 0
    state = checkpoint.load(root, "one").state

    found = drift(root, "one", state, shell.folder)
    assert (found.plan, found.policy, found.problem) == (Since.SAME, Since.SAME, "")

    shell.plan(task("a", "false"), task("c", "true"))
    policy.write_text("execution: {jobs: 3}\ntests: {require_pass: true, cmd: pytest}\n")
    found = drift(root, "one", state, shell.folder)
    assert (found.plan, found.policy) == (Since.CHANGED, Since.CHANGED)
    assert found.plan_changes.lines() == ["changed: a (its command)", "added:   c", "removed: b"]
    assert set(found.policy_changes) == {"execution.jobs: 2 -> 3", "gates.tests: none -> pytest"}

    (shell.folder / "plan.json").write_text("{")
    policy.unlink()
    found = drift(root, "one", state, shell.folder)
    assert (found.plan, found.policy) == (Since.UNKNOWN, Since.GONE)
    assert found.problem
    (shell.folder / "plan.json").unlink()
    assert drift(root, "one", state, shell.folder).plan is Since.GONE


def test_the_list_says_what_is_damaged_and_what_was_repaired(shell: Shell, root: Path) -> None:
    (root / "old-0" / "state.json").unlink()
    (root / "old-1" / "journal.jsonl").write_bytes(b"x")
    (root / "old-2" / "quarantine").mkdir()
    listed = shell("specular checkpoint list")
    states = {line.split()[0]: line for line in listed.out.splitlines()[1:]}
    assert "completed, damaged" in states["old-0"]
    assert "damaged" in states["old-1"]
    assert "completed, repaired" in states["old-2"]
    assert "old-0 is damaged: state.json: is missing" in listed.err
    assert "old-1 is damaged: " in listed.err
    assert "specular checkpoint validate RUN" in listed.err
    found = {
        run["run_id"]: (run["flaws"], run["repaired"]) for run in shell("specular checkpoint list --format json").json()
    }
    assert found["old-0"] == (["state.json: is missing"], False)
    assert found["old-2"] == ([], True)


def test_validate_shows_the_cause_and_few_of_what_follows(shell: Shell) -> None:
    shell.plan(*(task(f"t{number:02}", "echo x") for number in range(40)))
    assert shell("specular build --run-id one").code == 0
    journal = shell.checkpoints / "one" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[6] = lines[6].replace(b"task", b"tusk", 1)
    journal.write_bytes(b"".join(lines))
    found = shell("specular checkpoint validate one")
    assert found.code == 4
    assert found.err.splitlines()[0].startswith("the journal is damaged")
    (cause,) = [line for line in found.out.splitlines() if "journal.jsonl: record 7 at byte" in line]
    assert len(found.out.splitlines()) < 30
    assert "more (-v shows all of them)" in found.out
    whole = shell("specular checkpoint validate one -v")
    assert len(whole.out.splitlines()) > 40
    assert cause in whole.out
    details = [
        d
        for check in shell("specular checkpoint validate one --format json").json()["checks"]
        for d in check["details"]
    ]
    assert len(details) == sum(line.startswith("    ") for line in whole.out.splitlines())


def test_a_damaged_run_is_listed_as_damaged_and_still_shows_its_logs(shell: Shell) -> None:
    shell.plan(task("a", "echo hello"), task("b", "echo world; exit 1", "a"))
    assert shell("specular build --run-id one").code == 1
    journal = shell.checkpoints / "one" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"task":"a"', b'"task":"A"', 1))

    listed = shell("specular checkpoint list")
    assert listed.out.splitlines()[1].split()[:2] == ["one", "damaged"]
    assert "one is damaged: " in listed.err
    assert "checkpoint validation failed" not in listed.err
    (entry,) = shell("specular checkpoint list --status failed --format json").json()
    assert (entry["status"], entry["damage"]["file"]) == ("failed", "journal.jsonl")

    shown = shell("specular logs b")
    assert (shown.code, shown.out) == (0, "world\n")
    assert "one is damaged: " in shown.err
    assert "the log of b is sound" in shown.err

    (shell.checkpoints / "one" / "outputs" / "b.log").write_text("wurld\n")
    shown = shell("specular logs b --run one")
    assert (shown.code, shown.out) == (4, "wurld\n")
    assert "nothing proves that the log of b is what the task wrote" in shown.err

    near = shell("specular logs bb")
    assert near.code == 2
    assert "no log of 'bb'; did you mean 'b'?" in near.err
    assert shell("specular logs b --attempt 3").code == 2

    journal.unlink()
    assert shell("specular logs a").out == "hello\n"
