from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from specular_tui.demo import steps, write_demo
from specular_tui.demo.parts import GROUPS, OTHERS, library, survey
from specular_tui.model.graph import Graph
from specular_tui.model.plan import TASK_ID, Task


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "fresh"
    assert write_demo(folder) == folder / "plan.json"
    return folder


@pytest.fixture(scope="module")
def plan(demo: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((demo / "plan.json").read_bytes())
    return plan


def test_about_a_hundred_tasks_with_allowed_and_unique_ids(plan: dict[str, Any]) -> None:
    ids = [task["id"] for task in plan["tasks"]]

    assert 100 <= len(ids) <= 180
    assert len(set(ids)) == len(ids)
    assert all(TASK_ID.fullmatch(task_id) for task_id in ids)


def test_dependencies_exist_and_there_is_no_cycle(plan: dict[str, Any]) -> None:
    tasks = [
        Task(id=task["id"], command=tuple(task["command"]), depends_on=tuple(task["depends_on"]))
        for task in plan["tasks"]
    ]

    assert len(Graph(tasks).order) == len(tasks)


def test_every_part_is_compiled_packed_and_hashed_and_the_index_needs_them_all(plan: dict[str, Any]) -> None:
    needs = {task["id"]: task["depends_on"] for task in plan["tasks"]}
    parts = [part.name for part in survey(library())]

    for part in parts:
        assert needs[f"compile:{part}"] == []
        assert f"compile:{part}" in needs[f"pack:{part}"]
        assert needs[f"digest:{part}"] == [f"pack:{part}"]
        if f"doctest:{part}" in needs:
            assert f"doctest:{part}" in needs[f"pack:{part}"]
    assert needs["index"] == [f"digest:{part}" for part in parts]
    assert sum(task_id.startswith("doctest:") for task_id in needs) >= 5


def test_every_package_of_the_library_is_a_part(plan: dict[str, Any]) -> None:
    names = {part.name for part in survey(library())}

    assert {"asyncio", "email", "json", "xml", *GROUPS, OTHERS} <= names
    assert not names & {"test", "site-packages", "__pycache__"}


def test_no_module_is_in_two_groups_and_no_group_is_named_like_a_package() -> None:
    modules = [module for group in GROUPS.values() for module in group.split()]

    assert len(set(modules)) == len(modules)
    assert not set(GROUPS) & sys.stdlib_module_names


def test_outputs_are_distinct_and_inside_the_folder(plan: dict[str, Any]) -> None:
    outputs = [output for task in plan["tasks"] for output in task["outputs"]]

    assert len(set(outputs)) == len(outputs) >= len(plan["tasks"])
    assert not any(Path(output).is_absolute() or ".." in Path(output).parts for output in outputs)


def test_commands_run_this_python_by_path(plan: dict[str, Any]) -> None:
    for task in plan["tasks"]:
        assert task["command"][0] == sys.executable
        assert task["command"][3] == str(Path(steps.__file__).resolve())


def test_the_note_says_how_to_go_on(demo: Path) -> None:
    note = (demo / "README.txt").read_text()

    assert f"  cd {demo}\n" in note
    assert "specular build --resume\n" in note


def test_a_folder_that_exists_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        write_demo(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_library_without_sources_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no standard library"):
        survey(tmp_path)
