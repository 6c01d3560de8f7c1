"""What tasks read and make: digests that differ where, and only where, something differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.engine import artifacts
from specular_tui.engine.artifacts import MissingOutputError
from specular_tui.model.plan import Priority, Task


def test_declared_outputs_are_taken_down_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("b")
    (tmp_path / "a").mkdir()
    found = artifacts.capture(str(tmp_path), ("b", "a"))
    assert [(output.path, output.size) for output in found] == [("b", 1), ("a", 0)]


def test_an_output_that_was_not_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingOutputError, match="the declared output 'dist/app' was not made"):
        artifacts.capture(str(tmp_path), ("dist/app",))
    (tmp_path / "dist").touch()
    with pytest.raises(MissingOutputError, match="'dist/app' cannot be read: not a directory"):
        artifacts.capture(str(tmp_path), ("dist/app",))


def test_a_changed_output_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "app"
    path.write_text("one")
    outputs = artifacts.capture(str(tmp_path), ("app",))

    def flaw(*, content: bool) -> str | None:
        return artifacts.changed_output(str(tmp_path), outputs, content=content)

    assert flaw(content=True) is None
    path.write_text("two")
    assert flaw(content=False) is None  # a look that is quick
    assert flaw(content=True) == "its output 'app' has changed"
    path.write_text("three")
    assert flaw(content=False) == "its output 'app' has changed"
    path.unlink()
    assert flaw(content=False) == flaw(content=True) == "its output 'app' is gone"


def test_a_folder_in_place_of_a_file_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("")
    outputs = artifacts.capture(str(tmp_path), ("app",))
    (tmp_path / "app").unlink()
    (tmp_path / "app").mkdir()
    assert artifacts.changed_output(str(tmp_path), outputs, content=True) == "its output 'app' has changed"


def test_the_key_differs_where_a_result_may(tmp_path: Path) -> None:
    task = Task(id="a", command="make", env={"A": "1", "B": "2"}, depends_on=("x", "y"))
    same = [
        Task(id="a", command="make", env={"B": "2", "A": "1"}, depends_on=("y", "x")),
        Task(id="a", command="make", env={"A": "1", "B": "2"}, depends_on=("x", "y"), title="T", estimate=9),
        Task(id="a", command="make", env={"A": "1", "B": "2"}, depends_on=("x", "y"), priority=Priority.P0, retries=9),
    ]
    assert {artifacts.cache_key(t) for t in (task, *same)} == {artifacts.cache_key(task)}
    others = [
        Task(id="a", command="make "),
        Task(id="a", command=("make",)),
        Task(id="a", command="make", env={"A": "1"}),
        Task(id="a", command="make", workdir="b"),
        Task(id="a", command="make", image="b"),
        Task(id="a", command="make", depends_on=("b",)),
        Task(id="a", command="make", inputs=("b",)),
        Task(id="a", command="make", outputs=("b",)),
    ]
    assert len({artifacts.cache_key(t) for t in (task, *others)}) == len(others) + 1
