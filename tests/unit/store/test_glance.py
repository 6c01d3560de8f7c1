"""What a list says of damage without reading anything; and that it says nothing of what a crash may leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.errors import RunNotFoundError
from specular_tui.store import glance
from specular_tui.store.check import check
from specular_tui.store.compress import compress
from specular_tui.store.repair import repair
from tests import recorded
from tests.recorded import RUN, START, Recorded


def test_nothing_is_wrong_with_a_sound_run(tmp_path: Path) -> None:
    recorded.completed(tmp_path)
    assert glance.flaws(tmp_path, RUN) == []
    assert not glance.is_repaired(tmp_path, RUN)
    compress(tmp_path, RUN)
    assert glance.flaws(tmp_path, RUN) == []


def test_a_live_run_is_left_alone(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    (run.path / "plan.json").unlink()
    assert glance.flaws(tmp_path, RUN) == []
    run.finish("paused")
    assert glance.flaws(tmp_path, RUN) == ["plan.json: is missing"]


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
        ("journal.jsonl", Path.unlink, "journal.jsonl: is missing"),
        ("journal.jsonl", lambda p: p.write_bytes(p.read_bytes()[:-30]), "journal.jsonl: has "),
        ("journal.jsonl", lambda p: p.write_bytes(p.read_bytes()[:-20] + b"0" * 20), "journal.jsonl: does not have "),
    ],
)
def test_what_a_glance_sees(tmp_path: Path, file: str, harm: Callable[[Path], object], said: str) -> None:
    run = recorded.completed(tmp_path)
    harm(run.path / file)
    (found,) = glance.flaws(tmp_path, RUN)
    assert found.startswith(said)
    assert not check(tmp_path, RUN).ok, "what a glance sees, a check finds"


def test_outputs_that_are_gone(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / "outputs").rename(run.path / "elsewhere")
    assert glance.flaws(tmp_path, RUN) == ["outputs: is missing"]


def test_a_journal_that_was_folded_since_is_no_flaw(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    journal = run.path / "journal.jsonl"
    journal.write_bytes(b'{"seq":1,"event":"folded","at":1}\n')
    assert glance.flaws(tmp_path, RUN) == []


def test_a_repaired_run_is_known_by_its_quarantine(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / "state.json").write_bytes(b"x")
    repair(tmp_path, RUN, check(tmp_path, RUN), START)
    assert glance.flaws(tmp_path, RUN) == []
    assert glance.is_repaired(tmp_path, RUN)


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError):
        glance.flaws(tmp_path, RUN)
    assert not glance.is_repaired(tmp_path, RUN)
