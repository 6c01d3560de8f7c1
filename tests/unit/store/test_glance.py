"""What a list says of damage without reading anything; and that it says nothing of what a crash may leave."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.errors import RunNotFoundError
from specular_tui.model.plan import Task
from specular_tui.store import chain, checkpoint, glance
from specular_tui.store.checks.check import check
from specular_tui.store.folder import Folder
from specular_tui.store.keeping.compress import compress
from specular_tui.store.repairs.repair import repair
from tests import recorded
from tests.recorded import RUN, START, Recorded


def test_nothing_is_wrong_with_a_sound_run(tmp_path: Path) -> None:
    recorded.completed(tmp_path)
    assert glance.glance(tmp_path, RUN).flaws == ()
    assert not glance.glance(tmp_path, RUN).repaired
    compress(tmp_path, RUN)
    assert glance.glance(tmp_path, RUN).flaws == ()


def test_a_live_run_is_left_alone(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    (run.path / "plan.json").unlink()
    assert glance.glance(tmp_path, RUN).flaws == ()
    run.finish("paused")
    assert glance.glance(tmp_path, RUN).flaws == ("plan.json: is missing",)


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("state.json", Path.unlink, "state.json: is missing"),
        ("progress.json", lambda p: p.write_bytes(b""), "progress.json: is empty"),
        ("plan.json", replaced_by_folder, "plan.json: is not a regular file"),
        ("metadata.json", Path.unlink, "metadata.json: is missing"),
        ("metadata.json", lambda p: p.write_bytes(b"[]"), "metadata.json: is not what was written"),
        (
            "metadata.json",
            lambda p: p.write_bytes(p.read_bytes().replace(b'"completed"', b'"failed"', 1)),
            "metadata.json: is not what was written",
        ),
        ("journal.jsonl", Path.unlink, "journal.jsonl: is missing"),
        ("journal.jsonl", lambda p: p.write_bytes(p.read_bytes()[:-30]), "journal.jsonl: has "),
        ("journal.jsonl", lambda p: p.write_bytes(p.read_bytes()[:-20] + b"0" * 20), "journal.jsonl: does not have "),
        (
            "journal.jsonl",
            lambda p: p.write_bytes(p.read_bytes().replace(b"fetch", b"fetsh", 1)),
            "journal.jsonl: its last ",
        ),
    ],
)
def test_what_a_glance_sees(tmp_path: Path, file: str, harm: Callable[[Path], object], said: str) -> None:
    run = recorded.completed(tmp_path)
    harm(run.path / file)
    (found,) = glance.glance(tmp_path, RUN).flaws
    assert found.startswith(said)
    assert not check(tmp_path, RUN).ok, "what a glance sees, a check finds"


def test_outputs_that_are_gone(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / "outputs").rename(run.path / "elsewhere")
    assert glance.glance(tmp_path, RUN).flaws == ("outputs: is missing",)


def test_a_journal_that_was_folded_since_is_no_flaw(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    journal = run.path / "journal.jsonl"
    journal.write_bytes(b'{"seq":1,"event":"folded","at":1}\n')
    assert glance.glance(tmp_path, RUN).flaws == ()


def test_a_repaired_run_is_known_by_its_quarantine(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / "state.json").write_bytes(b"x")
    repair(tmp_path, RUN, check(tmp_path, RUN), START)
    assert glance.glance(tmp_path, RUN).flaws == ()
    assert glance.glance(tmp_path, RUN).repaired


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError):
        glance.glance(tmp_path, RUN)


def test_a_list_looks_at_each_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        recorded.completed(tmp_path, f"build-{number}", at=START + number * 1000)
    opened: list[str] = []
    first = Folder.folder

    def counted(self: Folder, name: str) -> Folder:
        opened.append(name)
        return first(self, name)

    monkeypatch.setattr(Folder, "folder", counted)
    assert [look.run.run_id for look in glance.looks(tmp_path)] == ["build-2", "build-1", "build-0"]
    assert sorted(opened) == ["build-0", "build-1", "build-2"]


def test_a_list_says_what_the_single_looks_say(tmp_path: Path) -> None:
    recorded.completed(tmp_path, "build-1")
    recorded.failed(tmp_path, "build-2", at=START + 1000)
    (tmp_path / "build-2" / "state.json").unlink()
    live = Recorded(tmp_path, "build-3", at=START + 2000)
    live.begin()
    for run, seen in glance.looks(tmp_path):
        assert run == checkpoint.summarise(tmp_path, run.run_id)
        assert seen == glance.glance(tmp_path, run.run_id)
        with checkpoint.open_run(tmp_path, run.run_id) as folder:
            assert seen.size == folder.size()
    live.finish("paused")


def test_a_run_that_cannot_be_opened_is_in_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.completed(tmp_path, "build-1")

    def refused(self: Folder, name: str) -> Folder:
        raise PermissionError(errno.EACCES, "Permission denied", name)

    monkeypatch.setattr(Folder, "folder", refused)
    (found,) = glance.looks(tmp_path)
    assert found.run.status == "damaged"
    assert found.run.damage is not None
    assert "permission denied" in found.run.damage.reason


def test_no_list_without_a_directory(tmp_path: Path) -> None:
    assert glance.looks(tmp_path / "none") == []


@pytest.mark.parametrize("folded", [False, True])
def test_a_flipped_bit_at_the_end_of_a_long_journal_is_seen(tmp_path: Path, folded: bool) -> None:
    tasks = [Task(id=f"task-{number}", command="true") for number in range(200)]
    run = Recorded(tmp_path, tasks=tasks)
    run.begin()
    for task in tasks:
        run.run(task.id)
        if folded and task.id == "task-100":
            run.recorder.fold(run.now)
    run.finish("completed")
    assert glance.looks(tmp_path)[0].run.damage is None
    journal = run.path / "journal.jsonl"
    whole = journal.read_bytes()
    assert len(whole) > 2 * chain.GLANCE
    for place in (len(whole) - 1000, len(whole) - chain.GLANCE + 1000):
        harmed = bytearray(whole)
        harmed[place] ^= 1
        journal.write_bytes(harmed)
        (found,) = glance.looks(tmp_path)
        assert found.run.status == "damaged"
        assert found.glance.flaws


def test_wherever_a_glance_cuts_a_sound_journal_it_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [Task(id=f"task-{number}", command="true") for number in range(8)]
    run = Recorded(tmp_path, tasks=tasks)
    run.begin()
    for task in tasks:
        run.run(task.id)
    run.finish("completed")
    longest = max(map(len, (run.path / "journal.jsonl").read_bytes().splitlines()))
    for length in range(longest, 3 * longest):
        monkeypatch.setattr(chain, "GLANCE", length)
        (found,) = glance.looks(tmp_path)
        assert (length, found.run.status, found.glance.flaws) == (length, "completed", ())
