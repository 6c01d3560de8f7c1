"""Writes the plan of a real C project: Lua, one task for each file that a compiler or linker makes.

python tests/crash/real_build/generate_plan.py FOLDER     (FOLDER/src holds the sources)
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

#: No debug information and no paths in the result: what is built in two folders has the same bytes.
COMPILE: Final = ["gcc", "-std=gnu99", "-O2", "-Wall", "-DLUA_COMPAT_5_3", "-DLUA_USE_POSIX"]
PROGRAMS: Final = ("lua", "luac")
#: What a finished build consists of.
PRODUCTS: Final = ("liblua.a", *PROGRAMS)

SMOKE: Final = """\
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
assert(fib(20) == 6765)
assert(("specular"):upper():reverse() == "RALUCEPS")
assert(#table.pack(string.byte("\\226\\156\\147", 1, -1)) == 3 and utf8.len("\\226\\156\\147") == 1)
assert(not pcall(error, "caught"))
print(_VERSION, "works")
"""


def make_plan(folder: Path) -> dict[str, Any]:
    """Return the plan for the sources in `folder`/src."""
    sources = sorted(path.name for path in (folder / "src").glob("*.c"))
    tasks = [_compile(folder, source) for source in sources]
    objects = [f"obj/{Path(source).stem}.o" for source in sources if Path(source).stem not in PROGRAMS]
    tasks.append(
        {
            "id": "liblua.a",
            "title": "Archive the library",
            # `ar` adds to an archive that is there, so that what an interrupted run left has to go first.
            "command": f"rm -f liblua.a && ar rcsD liblua.a {' '.join(objects)}",
            "depends_on": objects,
            "inputs": objects,
            "outputs": ["liblua.a"],
        }
    )
    for program in PROGRAMS:
        needs = [f"obj/{program}.o", "liblua.a"]
        tasks.append(
            {
                "id": program,
                "title": f"Link {program}",
                "command": ["gcc", "-o", program, *needs, "-lm"],
                "depends_on": needs,
                "inputs": needs,
                "outputs": [program],
            }
        )
    tasks.append(
        {
            "id": "smoke",
            "title": "Run a program, as text and compiled",
            "command": "./lua smoke.lua && ./luac -o smoke.luac smoke.lua && ./lua smoke.luac",
            "depends_on": list(PROGRAMS),
            "inputs": ["smoke.lua"],
            "outputs": ["smoke.luac"],
        }
    )
    return {"version": 1, "name": "lua", "defaults": {"timeout": "5m"}, "tasks": tasks}


def _compile(folder: Path, source: str) -> dict[str, Any]:
    target = f"obj/{Path(source).stem}.o"
    return {
        "id": target,
        "title": f"Compile {source}",
        "command": [*COMPILE, "-c", "-o", target, f"src/{source}"],
        "depends_on": [],
        "inputs": _prerequisites(folder, source),
        "outputs": [target],
    }


def _prerequisites(folder: Path, source: str) -> list[str]:
    """Return the source and the headers of the project that it includes, as the compiler sees it."""
    command = [*COMPILE, "-MM", f"src/{source}"]
    rule = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return rule.replace("\\\n", " ").partition(":")[2].split()


def write_plan(folder: Path) -> Path:
    """Write plan.json and what the tasks need into `folder`; return the plan's path."""
    (folder / "obj").mkdir(exist_ok=True)
    (folder / "smoke.lua").write_text(SMOKE)
    path = folder / "plan.json"
    path.write_text(json.dumps(make_plan(folder), indent=2) + "\n")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write_plan(Path(sys.argv[1]))}\n")
