"""The demo's folder: its plan, the list of parts that the steps read, and a note for whoever finds it."""

from __future__ import annotations

import importlib.util
import json
import platform
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from specular_tui.demo import steps
from specular_tui.demo.parts import Part, library, survey

README: Final = """\
This folder was made by `specular demo`.

It packages the standard library of {python}
({library})
part by part: byte-compile, run the doctests, pack, hash, and an index over all packs.

  plan.json    the {tasks} tasks
  parts.json   which files belong to which part
  compiled/    copies of the sources with their bytecode
  doctests/    how many examples ran
  packs/       one archive a part, each with its BLAKE3
  index.json   all packs, once the last task has run
  built.log    one line for each step that was carried out to its end
  .specular/   the checkpoint of the build

Stop the build at any moment (Ctrl+C, or even kill -9) and go on with:

  cd {folder}
  {specular} build --resume

A task that had completed does not run again, as built.log shows. Nothing outside this folder was changed; to
be rid of the demo, delete it.
"""


def write_demo(folder: Path) -> Path:
    """Fill the new `folder` with the demo and return the path of its plan.

    Raises:
        FileExistsError: the folder is there already.
        FileNotFoundError: this Python has no standard library with sources.
    """
    root = library()
    parts = survey(root)
    folder = folder.absolute()
    folder.mkdir(parents=True)
    plan = make_plan(parts)
    suffix = _archive_suffix()
    listing = {
        "library": str(root),
        "parts": {
            part.name: {"files": part.files, "doctests": part.doctests, "pack": f"{part.name}{suffix}"}
            for part in parts
        },
    }
    (folder / steps.PARTS).write_text(json.dumps(listing, indent=1) + "\n")
    readme = README.format(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        library=root,
        tasks=len(plan["tasks"]),
        folder=shlex.quote(str(folder)),
        specular=_specular(),
    )
    (folder / "README.txt").write_text(readme)
    path = folder / "plan.json"
    path.write_text(json.dumps(plan, indent=2) + "\n")
    return path


def make_plan(parts: list[Part]) -> dict[str, Any]:
    """Return the plan as plan.json has it: a chain of steps for each part, and the index over all."""
    suffix = _archive_suffix()
    tasks: list[dict[str, Any]] = []
    for part in parts:
        tasks += _chain(part, suffix)
    digests = [f"digest:{part.name}" for part in parts]
    tasks.append(_task("index", f"Index of {len(parts)} packs", ["index"], digests, [str(steps.INDEX)], 0.2))
    return {"version": 1, "name": "standard library", "defaults": {"timeout": "10m"}, "tasks": tasks}


def _chain(part: Part, suffix: str) -> list[dict[str, Any]]:
    name, size = part.name, part.size / 1e6
    compiled = f"compile:{name}"
    pack = steps.PACKS / f"{name}{suffix}"
    tasks = [
        _task(
            compiled,
            f"Byte-compile {part.title}",
            ["compile", name],
            [],
            [str(steps.COMPILED / name)],
            0.1 + 0.4 * size,
        )
    ]
    needs = [compiled]
    if part.doctests:
        tested = _task(
            f"doctest:{name}",
            f"Run the doctests of {part.title}",
            ["doctest", name],
            [compiled],
            [str(steps.TESTED / f"{name}.txt")],
            0.2,
        )
        # A library whose own examples fail here (a patched or a newer Python) is packed nevertheless; the
        # build shows the failure.
        tasks.append(tested | {"allow_failure": True})
        needs.append(tested["id"])
    packed, digest = f"pack:{name}", f"digest:{name}"
    tasks.append(_task(packed, f"Pack {part.title}", ["pack", name], needs, [str(pack)], 0.1 + 1.3 * size))
    tasks.append(_task(digest, f"Hash {pack.name}", ["digest", name], [packed], [f"{pack}.b3"], 0.1))
    return tasks


def _task(
    task_id: str, title: str, arguments: list[str], needs: list[str], outputs: list[str], estimate: float
) -> dict[str, Any]:
    # By path and not by `-m`: that works wherever this package lies, installed or not. -P keeps the demo's
    # folder out of the module path, -B keeps bytecode out of the library's.
    return {
        "id": task_id,
        "title": title,
        "command": [sys.executable, "-P", "-B", str(Path(steps.__file__).resolve()), *arguments],
        "depends_on": needs,
        "env": {"PYTHONHASHSEED": "0"},
        "outputs": outputs,
        "estimate": round(estimate, 1),
    }


def _specular() -> str:
    """Return what to type for `specular`: from an environment that is not active, its path."""
    beside = Path(sys.executable).with_name("specular")
    if shutil.which("specular") or not beside.exists():
        return "specular"
    return shlex.quote(str(beside))


def _archive_suffix() -> str:
    return ".tar.xz" if importlib.util.find_spec("_lzma") else ".tar.gz"
