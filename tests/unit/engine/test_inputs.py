"""The inputs of tasks: what patterns match, in folders that are linked to each other in every way."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from specular_tui.engine import inputs
from specular_tui.engine.background import Background
from specular_tui.engine.inputs import Inputs, inputs_digest
from specular_tui.model.plan import Task
from specular_tui.store.effort import CancelledError, Effort


def test_inputs_are_names_and_contents_of_what_the_patterns_match(tmp_path: Path) -> None:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "src" / "a.c").write_text("a")
    (tmp_path / "src" / "deep" / "b.c").write_text("b")
    (tmp_path / "src" / "notes").write_text("n")
    patterns = ("src/**/*.c",)

    def now() -> str:
        return inputs_digest(str(tmp_path), patterns)

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
    before = inputs_digest(str(tmp_path), ("src",))
    (tmp_path / "src" / ".hidden" / "a").write_text("2")
    assert inputs_digest(str(tmp_path), ("src",)) != before


def test_a_pattern_that_matches_nothing_yet_is_part_of_it(tmp_path: Path) -> None:
    nothing = inputs_digest(str(tmp_path), ("*.h",))
    assert nothing
    assert nothing != inputs_digest(str(tmp_path), ("*.c",))
    (tmp_path / "a.h").touch()
    assert inputs_digest(str(tmp_path), ("*.h",)) != nothing
    assert inputs_digest(str(tmp_path), ()) == ""


def test_a_plan_in_a_folder_with_an_odd_name_finds_its_inputs(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*?"
    folder.mkdir()
    (folder / "x").write_text("1")
    before = inputs_digest(str(folder), ("x",))
    (folder / "x").write_text("2")
    assert inputs_digest(str(folder), ("x",)) != before


def test_the_digest_of_inputs_does_not_depend_on_where_the_plan_lies(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("1")
    assert inputs_digest(str(tmp_path / "here"), ("*",)) == inputs_digest(str(tmp_path / "there"), ("*",))


def digest(folder: Path, *patterns: str, but: Iterable[Path] = ()) -> str:
    return inputs_digest(str(folder), patterns, but)


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("**", ["a.c", "src/b.c", "src/deep/c.c", "src/deep/.d"]),
        ("**/*.c", ["a.c", "src/b.c", "src/deep/c.c"]),
        ("src/**", ["src/b.c", "src/deep/c.c", "src/deep/.d"]),
        ("src", ["src/b.c", "src/deep/c.c", "src/deep/.d"]),
        ("src/", ["src/b.c", "src/deep/c.c", "src/deep/.d"]),
        ("s*", ["src/b.c", "src/deep/c.c", "src/deep/.d"]),
        ("*/*.c", ["src/b.c"]),
        ("src/**/deep/*", ["src/deep/c.c", "src/deep/.d"]),
        ("./src/../a.c", ["a.c"]),
        ("[a].?", ["a.c"]),
        ("**/**/c.c", ["src/deep/c.c"]),
        ("nothing/**", []),
    ],
)
def test_patterns_match(tmp_path: Path, pattern: str, matched: list[str]) -> None:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    for name in ("a.c", "src/b.c", "src/deep/c.c", "src/deep/.d"):
        (tmp_path / name).write_text("1")
    seen = []
    for name in ("a.c", "src/b.c", "src/deep/c.c", "src/deep/.d"):
        before = digest(tmp_path, pattern)
        (tmp_path / name).write_text("2")
        if digest(tmp_path, pattern) != before:
            seen.append(name)
    assert seen == matched


def test_an_absolute_pattern_starts_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a").write_text("1")
    pattern = f"{tmp_path}/shared/*"
    before = digest(tmp_path / "plan", pattern)
    (tmp_path / "shared" / "a").write_text("2")
    assert digest(tmp_path / "plan", pattern) != before


def test_links_that_lead_round_in_circles_end(tmp_path: Path) -> None:
    """As in `node_modules` of packages that need each other: there are more ways than atoms, and four files."""
    names = ["a", "b", "c", "d"]
    for name in names:
        modules = tmp_path / "packages" / name / "node_modules"
        modules.mkdir(parents=True)
        (modules.parent / "index.ts").write_text(name)
        for other in names:
            (modules / other).symlink_to(f"../../{other}")
    (tmp_path / "packages" / "all").symlink_to(".")
    for pattern in ("packages/**/*.ts", "**", "packages", "**/node_modules/**/*.ts"):
        before = digest(tmp_path, pattern)
        (tmp_path / "packages" / "d" / "index.ts").write_text(pattern)
        assert digest(tmp_path, pattern) != before


def test_a_file_behind_a_link_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("1")
    (tmp_path / "plan" / "src").mkdir(parents=True)
    (tmp_path / "plan" / "src" / "linked").symlink_to(tmp_path / "elsewhere")
    for pattern in ("**", "src", "src/linked/**", "src/*/a", "src/**/a"):
        (tmp_path / "elsewhere" / "a").write_text("1")
        before = digest(tmp_path / "plan", pattern)
        (tmp_path / "elsewhere" / "a").write_text("2")
        assert digest(tmp_path / "plan", pattern) != before, pattern


def test_a_link_in_front_of_the_folder_that_it_leads_to_changes_no_name(tmp_path: Path) -> None:
    """Where a file can be reached without a link, that is what it is called: a new link to it is no change."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").write_text("1")
    before = digest(tmp_path, "**/a")
    (tmp_path / "a-first").symlink_to("src")
    assert digest(tmp_path, "**/a") == before


def test_a_link_that_leads_nowhere_is_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    before = digest(tmp_path, "*")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("elsewhere")
    assert digest(tmp_path, "*") != before


def test_what_specular_writes_is_no_input_unless_it_is_named(tmp_path: Path) -> None:
    run = tmp_path / ".specular" / "checkpoints" / "run"
    run.mkdir(parents=True)
    (tmp_path / "a.json").write_text("1")
    but = (run, run.parent)
    for pattern in ("**", "**/*.json", ".specular", ".*/**", "*"):
        (run / "state.json").write_text("1")
        before = digest(tmp_path, pattern, but=but)
        (run / "state.json").write_text("2")
        assert digest(tmp_path, pattern, but=but) == before, pattern
    named = ".specular/checkpoints/run/*.json"
    before = digest(tmp_path, named, but=but)
    (run / "state.json").write_text("3")
    assert digest(tmp_path, named, but=but) != before


def test_a_plan_in_its_own_checkpoint_directory_has_inputs(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "a").write_text("1")
    but = (tmp_path / "run", tmp_path)
    before = digest(tmp_path, "**", but=but)
    (tmp_path / "run" / "state.json").touch()
    assert digest(tmp_path, "**", but=but) == before
    (tmp_path / "a").write_text("2")
    assert digest(tmp_path, "**", but=but) != before


def test_a_folder_that_cannot_be_read_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    before = digest(tmp_path, "src/**")
    (tmp_path / "src" / "a").touch()
    assert digest(tmp_path, "src/**") != before
    scandir = os.scandir

    def refused(path: str) -> object:
        if Path(path).name == "src":  # root may read everything
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert digest(tmp_path, "src/**") == before


def test_reading_ends_where_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (3 << 20))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        inputs_digest(str(tmp_path), ("**",), (), Effort(cancel=cancel))


def test_a_task_whose_inputs_are_read_is_told_of_at_once_where_the_session_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless(folder: str, patterns: Iterable[str], but: Iterable[Path], effort: Effort) -> str:
        begun.set()
        while True:
            effort.add(0)
            time.sleep(0.001)

    monkeypatch.setattr(inputs, "inputs_digest", endless)

    async def read() -> list[tuple[str, str | None]]:
        told: list[tuple[str, str | None]] = []
        mistakes: list[BaseException] = []
        background = Background(mistakes.append)
        reading = Inputs(str(tmp_path), (), background, lambda task, found: told.append((task.id, found)))
        reading.read(Task(id="a", command="true", inputs=("**",)))
        await asyncio.to_thread(begun.wait, 10)
        assert not told
        reading.cancel()
        await background.settle()
        assert not mistakes
        return told

    assert asyncio.run(read()) == [("a", None)]
