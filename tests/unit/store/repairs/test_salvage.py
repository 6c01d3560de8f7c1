"""What is left of the logs of a run whose journal cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.store.folder import Folder
from specular_tui.store.keeping.compress import compress
from specular_tui.store.repairs.salvage import SalvagedLog, salvage, task_ids
from tests import recorded
from tests.recorded import RUN


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return recorded.completed(tmp_path).outputs


def found(outputs: Path, task: str, attempt: int | None = None) -> SalvagedLog | None:
    with Folder.at(outputs) as folder:
        return salvage(folder, task, attempt)


def test_each_attempt_is_proved_by_the_record(outputs: Path) -> None:
    stem = "src%2F%43ompile%2Ec"
    assert found(outputs, "fetch") == SalvagedLog("fetch.log", True)
    assert found(outputs, "src/Compile.c") == SalvagedLog(f"{stem}.log", True)
    assert found(outputs, "src/Compile.c", 2) == SalvagedLog(f"{stem}.log", True)
    assert found(outputs, "src/Compile.c", 1) == SalvagedLog(f"{stem}.1.log", True)
    assert found(outputs, "src/Compile.c", 3) is None
    assert found(outputs, "nothing") is None


def test_a_packed_log_is_proved_too(outputs: Path, tmp_path: Path) -> None:
    compress(tmp_path, RUN)
    assert found(outputs, "test") == SalvagedLog("test.log", True)
    packed = outputs / "test.log.gz"
    packed.write_bytes(packed.read_bytes()[:-4])
    assert found(outputs, "test") == SalvagedLog("test.log", False)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: (path / "fetch.json").unlink(),
        lambda path: (path / "fetch.json").write_bytes(b"[]"),
        lambda path: (path / "fetch.json").write_bytes(b'{"attempt": "x"}'),
        lambda path: (path / "fetch.log").write_bytes(b"other"),
        lambda path: (path / "fetch.log").write_bytes((path / "fetch.log").read_bytes() + b"more"),
    ],
    ids=["no record", "no object", "wrong types", "other bytes", "more bytes"],
)
def test_a_log_that_nothing_proves_is_not_sound(outputs: Path, harm: Callable[[Path], object]) -> None:
    harm(outputs)
    assert found(outputs, "fetch") == SalvagedLog("fetch.log", False)


def test_a_link_is_no_log(outputs: Path) -> None:
    (outputs / "fetch.log").unlink()
    (outputs / "fetch.log").symlink_to("/etc/hostname")
    assert found(outputs, "fetch") is None


def test_the_tasks_that_something_is_left_of(outputs: Path) -> None:
    with Folder.at(outputs) as folder:
        assert task_ids(folder) == ["docs", "fetch", "src/Compile.c", "test"]
