"""README.md, typed as it stands into an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

from tests.contract.conftest import Shell

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

#: `npm`, with tests that fail until somebody mends what they test.
NPM = """#!/bin/sh
echo "npm $*"
case "$*" in
  test) test -e mended || { echo "AssertionError: 1 != 2"; exit 1; } ;;
  "run build") mkdir -p dist && echo made > dist/bundle.js ;;
esac
"""

#: What every line answers to the shell, with the first build failing.
ANSWERS = {
    "specular build --plan plan.json": 1,
    "specular build --resume": 1,
    "specular build --resume --dry-run": 0,
    "specular logs test": 0,
    "specular build --resume --retry-failed": 1,
    "specular build --resume --skip-failed": 0,
    "specular progress --short": 0,
    "specular timeline": 0,
    "specular checkpoint list": 0,
    "specular checkpoint show --last": 0,
    "specular checkpoint validate --last": 0,
    "specular checkpoint clean --older-than 7d": 0,
}
#: Those that need a terminal, a browser, or a live build (`tests/tui`, `tests/browser`, `test_steering`).
ELSEWHERE = {"specular", "specular serve", "specular pause", "specular stop", "specular --version"}


def typed() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("specular")]


def test_the_readme_as_it_stands(shell: Shell) -> None:
    (plan,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (shell.folder / "plan.json").write_text(plan)
    npm = shell.folder / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM)
    npm.chmod(0o755)
    shell.env["PATH"] = f"{npm.parent}:{shell.env['PATH']}"

    assert set(typed()) == ANSWERS.keys() | ELSEWHERE
    for line in typed():
        if line in ELSEWHERE:
            continue
        found = shell(line)
        assert found.code == ANSWERS[line], (line, found.err)
        assert "AssertionError: 1 != 2" in found.out or line != "specular logs test"
    (shell.folder / "mended").touch()
    assert shell("specular build --resume build- --from-task test").code == 0
    assert (shell.folder / "dist" / "bundle.js").exists()
