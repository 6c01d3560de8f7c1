from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from specular_tui.demo import steps

PART = "sample"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo's folder with one part of two files, of a library of our own."""
    library = tmp_path / "library"
    (library / "pkg").mkdir(parents=True)
    (library / "pkg" / "__init__.py").write_text('"""A package."""\nassert True\n')
    (library / "single.py").write_text("VALUE = 1\n")
    folder = tmp_path / "demo"
    folder.mkdir()
    part = {"files": ["pkg/__init__.py", "single.py"], "doctests": ["heapq"], "pack": f"{PART}.tar.xz"}
    (folder / "parts.json").write_text(json.dumps({"library": str(library), "parts": {PART: part}}))
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"built.log", "parts.json"}
    }


def run_all() -> None:
    for step in ("compile", "pack", "digest"):
        assert steps.main([step, PART]) == 0
    assert steps.main(["index"]) == 0


def test_all_steps_give_a_pack_its_digest_and_the_index(folder: Path) -> None:
    run_all()

    pack = (folder / "packs" / f"{PART}.tar.xz").read_bytes()
    digest = blake3(pack).hexdigest()
    assert (folder / "packs" / f"{PART}.tar.xz.b3").read_text() == f"{digest}  {PART}.tar.xz\n"
    (entry,) = json.loads((folder / "index.json").read_bytes())["packs"]
    assert entry == {
        "name": PART,
        "pack": f"packs/{PART}.tar.xz",
        "files": 2,
        "bytes": len(pack),
        "blake3": digest,
    }


def test_bytecode_is_made_at_three_levels_and_only_in_the_demo(folder: Path) -> None:
    assert steps.main(["compile", PART]) == 0

    tag = sys.implementation.cache_tag
    cache = folder / "compiled" / PART / "__pycache__"
    names = {f"single.{tag}.pyc", f"single.{tag}.opt-1.pyc", f"single.{tag}.opt-2.pyc"}
    assert {path.name for path in cache.iterdir()} == names
    assert not list((folder.parent / "library").rglob("*.pyc"))


def test_steps_run_twice_give_the_same_bytes(folder: Path) -> None:
    run_all()
    first = contents(folder)
    os.utime(folder / "compiled" / PART / "single.py", (0, 0))
    run_all()

    assert contents(folder) == first


def test_what_a_killed_step_left_is_no_obstacle(folder: Path) -> None:
    leftover = folder / "compiled" / f".{PART}.new"
    leftover.mkdir(parents=True)
    (leftover / "half.py").write_text("x")
    (folder / "packs").mkdir()
    (folder / "packs" / f".{PART}.tar.xz.new").write_text("half an archive")
    run_all()

    assert sorted(path.name for path in (folder / "compiled").iterdir()) == [PART]
    assert not [path for path in folder.rglob("*") if path.name.endswith(".new")]


def test_a_failing_step_leaves_neither_result_nor_a_line_in_the_log(folder: Path) -> None:
    (folder.parent / "library" / "single.py").write_text("def broken(:\n")
    with pytest.raises(Exception, match="invalid syntax"):
        steps.main(["compile", PART])

    assert not (folder / "compiled" / PART).exists()
    assert not (folder / "built.log").exists()


def test_each_step_adds_one_line_to_the_log(folder: Path) -> None:
    run_all()

    expected = ["compile sample", "pack sample", "digest sample", "index"]
    assert (folder / "built.log").read_text().splitlines() == expected


def test_the_index_refuses_a_pack_that_changed(folder: Path) -> None:
    run_all()
    with (folder / "packs" / f"{PART}.tar.xz").open("ab") as pack:
        pack.write(b"x")

    with pytest.raises(ValueError, match="not what its digest says"):
        steps.main(["index"])


def test_the_digest_refuses_a_pack_of_other_files(folder: Path) -> None:
    run_all()
    (folder / "compiled" / PART / "single.py").write_text("VALUE = 2\n")

    with pytest.raises(ValueError, match="not the file that was packed"):
        steps.main(["digest", PART])


def test_doctests_run_and_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert steps.main(["doctest", PART]) == 0

    assert "heapq: 2 examples, 0 failed" in capsys.readouterr().out
    assert (folder / "doctests" / f"{PART}.txt").read_text().endswith(f"{PART}: 2 examples, 0 failed\n")


def test_a_failing_doctest_fails_the_step_and_shows_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def examples(module: str) -> dict[str, Any]:
        return {"attempted": 3, "failed": 1, "report": f"Failed example in {module}"}

    monkeypatch.setattr(steps, "_examples_of", examples)

    assert steps.main(["doctest", PART]) == 1
    assert "Failed example in heapq" in capsys.readouterr().out
    assert not (folder / "built.log").exists()


def test_a_module_that_cannot_be_run_counts_as_failed(folder: Path) -> None:
    result = steps._examples_of("no_such_module")

    assert result["failed"] == 1
    assert "no_such_module" in result["report"]


@pytest.mark.parametrize(
    "action",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open('../outside', 'w')",
        "import os; os.mkdir('../outside')",
    ],
)
def test_examples_are_fenced_in(tmp_path: Path, action: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    program = (
        "import sys; from pathlib import Path; from specular_tui.demo.steps import fence\n"
        "sys.addaudithook(fence(Path.cwd()))\n"
        f"open('allowed', 'w').close()\n{action}\n"
    )

    child = subprocess.run([sys.executable, "-c", program], cwd=inside, capture_output=True, text=True)

    assert "PermissionError: the demo's examples may not" in child.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["inside", "allowed"]


@pytest.mark.parametrize("arguments", [[], ["compile"], ["unknown", PART], ["index", PART]])
def test_other_arguments_are_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert steps.main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage:")


def test_a_step_runs_as_the_plan_starts_it(folder: Path) -> None:
    command = [sys.executable, "-P", "-B", str(Path(steps.__file__).resolve()), "compile", PART]

    child = subprocess.run(command, cwd=folder, capture_output=True, text=True)

    assert child.returncode == 0, child.stderr
    assert child.stdout.splitlines()[-1].startswith(f"{PART}: 2 files")
