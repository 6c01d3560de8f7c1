"""The wheel, installed as a user installs it."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    child = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert child.returncode == 0, child.stdout + child.stderr
    return child.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("installed")
    own = ROOT / ".uv" / "bin" / "uv"
    if uv := (str(own) if own.exists() else shutil.which("uv")):
        run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
        run(uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", folder / "venv", wheel, cwd=folder)
    else:
        run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
        pip = (folder / "venv" / "bin" / "python", "-m", "pip")
        run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # Only the dependencies: a .pth file inside a folder that a .pth file adds is not read, so the checkout
    # that this environment has installed stays unknown.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder / "venv" / "bin" / "python"


def test_the_wheel_holds_the_package_its_styles_and_its_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "specular_tui").rglob("*.py")}
    styles = {f"specular_tui/styles/{path.name}" for path in (ROOT / "styles").glob("*.tcss")}
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "specular_tui" / "serve" / "web").iterdir()}
    assert modules | styles | pages | {"specular_tui/py.typed"} <= names
    assert "specular_tui/serve/web/index.html" in names
    assert "specular_tui/styles/app.tcss" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "styles/")) or name.endswith(".pyc")]


def test_the_installed_command_runs_from_the_wheel(python: Path, tmp_path: Path) -> None:
    program = "import specular_tui; print(specular_tui.__file__, specular_tui.__version__)"
    file, version = run(python, "-c", program, cwd=tmp_path).split()

    assert Path(file).is_relative_to(python.parents[1])
    assert version in run(python.with_name("specular"), "--version", cwd=tmp_path)
    assert version in run(python, "-m", "specular_tui", "--version", cwd=tmp_path)
    assert "Exit codes:" in run(python.with_name("specular"), "--help", cwd=tmp_path)
    completion = run("env", "_SPECULAR_COMPLETE=bash_source", python.with_name("specular"), cwd=tmp_path)
    assert "complete -o nosort -F _specular_completion specular" in completion


def test_the_installed_demo_writes_a_plan_that_runs(python: Path, tmp_path: Path) -> None:
    program = """
import json, subprocess, sys
from pathlib import Path
from specular_tui.demo import write_demo

plan = json.loads(write_demo(Path("demo")).read_bytes())
task = next(task for task in plan["tasks"] if task["id"] == "compile:json")
sys.exit(subprocess.run(task["command"], cwd="demo").returncode)
"""
    run(python, "-c", program, cwd=tmp_path)

    assert (tmp_path / "demo" / "compiled" / "json" / "json" / "__init__.py").is_file()
    assert (tmp_path / "demo" / "built.log").read_text() == "compile json\n"


def test_the_lock_file_names_no_index_but_pypi() -> None:
    lines = (ROOT / "uv.lock").read_text().splitlines()

    registries = {line.split('"')[1] for line in lines if line.startswith("source = { registry")}
    hosts = {line.split('url = "')[1].split("/")[2] for line in lines if 'url = "' in line}
    assert registries == {"https://pypi.org/simple"}
    assert hosts == {"files.pythonhosted.org"}
    assert not [line for line in lines if "file:" in line or "path =" in line]
