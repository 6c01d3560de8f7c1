"""What tasks read and make: digests that differ where, and only where, something differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from specular_tui.engine import artifacts
from specular_tui.engine.artifacts import MissingOutputError
from specular_tui.model.plan import Priority, Task

AS_ROOT = os.geteuid() == 0


def digest(path: Path) -> str:
    return artifacts.hash_path(path)[1]


def test_a_file_is_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert artifacts.hash_path(tmp_path / "a") == (3_000_000, "blake3:" + blake3(b"x" * 3_000_000).hexdigest())


def test_a_folder_is_its_names_and_what_is_in_them(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "b").mkdir(parents=True)
    (folder / "a").write_text("1")
    (folder / "b" / "c").write_text("22")
    (folder / "link").symlink_to("a")
    size, before = artifacts.hash_path(folder)
    assert size == 1 + 2 + 1
    os.utime(folder / "a", (0, 0))
    (folder / "a").chmod(0o600)
    assert digest(folder) == before
    seen = {before}

    def differs() -> None:
        assert digest(folder) not in seen
        seen.add(digest(folder))

    (folder / "a").write_text("2")
    differs()
    (folder / "b" / "c").rename(folder / "b" / "d")
    differs()
    (folder / "empty").mkdir()
    differs()
    (folder / "link").unlink()
    (folder / "link").write_text("a")
    differs()


def test_a_link_is_where_it_points_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("/etc/hostname")
    assert artifacts.hash_path(tmp_path / "link") == (13, "blake3:" + blake3(b"link\0/etc/hostname").hexdigest())
    assert digest(tmp_path / "link") != digest(tmp_path / "file")
    assert artifacts.hash_path(tmp_path / "loop")[0] == 4


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert artifacts.hash_path(tmp_path / "pipe")[0] == 0


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


def test_inputs_are_names_and_contents_of_what_the_patterns_match(tmp_path: Path) -> None:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "src" / "a.c").write_text("a")
    (tmp_path / "src" / "deep" / "b.c").write_text("b")
    (tmp_path / "src" / "notes").write_text("n")
    patterns = ("src/**/*.c",)

    def now() -> str:
        return artifacts.inputs_digest(str(tmp_path), patterns)

    first = now()
    assert first == now()
    (tmp_path / "src" / "notes").write_text("m")
    assert now() == first
    (tmp_path / "src" / "deep" / "b.c").write_text("B")
    second = now()
    assert second != first
    (tmp_path / "src" / "c.c").touch()
    assert now() != second
    (tmp_path / "src" / "c.c").unlink()
    assert now() == second
    (tmp_path / "src" / "a.c").rename(tmp_path / "src" / "z.c")
    assert now() != second


def test_a_folder_as_input_means_every_file_below_it(tmp_path: Path) -> None:
    (tmp_path / "src" / ".hidden").mkdir(parents=True)
    (tmp_path / "src" / ".hidden" / "a").write_text("1")
    before = artifacts.inputs_digest(str(tmp_path), ("src",))
    (tmp_path / "src" / ".hidden" / "a").write_text("2")
    assert artifacts.inputs_digest(str(tmp_path), ("src",)) != before


def test_a_pattern_that_matches_nothing_yet_is_part_of_it(tmp_path: Path) -> None:
    nothing = artifacts.inputs_digest(str(tmp_path), ("*.h",))
    assert nothing
    assert nothing != artifacts.inputs_digest(str(tmp_path), ("*.c",))
    (tmp_path / "a.h").touch()
    assert artifacts.inputs_digest(str(tmp_path), ("*.h",)) != nothing
    assert artifacts.inputs_digest(str(tmp_path), ()) == ""


def test_a_plan_in_a_folder_with_an_odd_name_finds_its_inputs(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*?"
    folder.mkdir()
    (folder / "x").write_text("1")
    before = artifacts.inputs_digest(str(folder), ("x",))
    (folder / "x").write_text("2")
    assert artifacts.inputs_digest(str(folder), ("x",)) != before


def test_the_digest_of_inputs_does_not_depend_on_where_the_plan_lies(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("1")
    assert artifacts.inputs_digest(str(tmp_path / "here"), ("*",)) == artifacts.inputs_digest(
        str(tmp_path / "there"), ("*",)
    )


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
