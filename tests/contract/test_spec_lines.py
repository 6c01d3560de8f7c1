"""Every command line of the specification, run as docs/cli.md has it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from tests.contract.conftest import Result, Shell, task
from tests.contract.test_spec_usage import FIVE_LINES

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("## Every line of the specification")[2].partition("\n## ")[0]
LINES = [line.replace("\\|", "|") for line in re.findall(r"^\| `(.+?)` \| ", TABLE, re.M)]
RUN = "build-2024-01-15T10-30-45"
TASKS = [f"task-{n}" for n in range(1, 16)]
POLICY = """\
execution: {jobs: 1}
linters: {shell: {enabled: true, cmd: "echo linted"}}
"""

Check = Callable[[Shell, Result], None]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder whose run has failed in task-10, which task-11 to task-13 need and the others do not; and its copy."""
    shell = Shell(tmp_path_factory.mktemp("spec") / "project")
    shell.folder.mkdir()
    needs = {n: [f"task-{n - 1}"] for n in range(2, 14)} | {1: [], 14: ["task-9"], 15: ["task-14"]}
    tenth = "echo 'no network'; test -e mended"
    shell.plan(*(task(f"task-{n}", tenth if n == 10 else f"echo {n}", *needs[n], priority="P1") for n in needs))
    shell.policy(POLICY)
    assert shell(f"specular build --run-id {RUN}").code == 1
    copy = shell.folder.with_name("copy")
    shutil.copytree(shell.folder, copy)
    return shell.folder, copy


@pytest.fixture
def shell(made: tuple[Path, Path]) -> Shell:
    """A shell in that folder, as it was in the beginning: a plan is the same one only at the same path."""
    folder, copy = made
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    return Shell(folder)


def status(shell: Shell, run_id: str = RUN) -> str:
    found = json.loads((shell.checkpoints / run_id / "metadata.json").read_bytes())["status"]
    assert isinstance(found, str)
    return found


def started(done: Result) -> list[str]:
    return re.findall(r"^\S+ START (\S+)", done.out, re.M)


def new_build(shell: Shell, done: Result) -> None:
    assert done.code == 1, done
    assert len(shell.runs()) == 2
    assert started(done)[:10] == TASKS[:10]
    assert f"{RUN} is unfinished" in done.err


def forced(shell: Shell, done: Result) -> None:
    assert done.code == 1
    assert status(shell) == "abandoned"
    assert len(shell.runs()) == 2


def mended(check: Check) -> Check:
    check.__dict__["mended"] = True
    return check


@mended
def resumed(shell: Shell, done: Result) -> None:
    assert done.code == 0, done
    assert shell.runs() == [RUN]
    assert sorted(started(done)) == sorted([*TASKS[9:], "@linters.shell"])
    assert status(shell) == "completed"


@mended
def retried(shell: Shell, done: Result) -> None:
    assert done.code == 0, done
    assert started(done) == TASKS[9:13]
    assert status(shell) == "paused"


def skipped(shell: Shell, done: Result) -> None:
    assert done.code == 0, done
    assert started(done) == ["task-14", "task-15", "@linters.shell"]
    assert status(shell) == "completed"


@mended
def teed(shell: Shell, done: Result) -> None:
    resumed(shell, done)
    assert (shell.folder / "build.log").read_text() == done.out


def listed(shell: Shell, done: Result) -> None:
    head, row = done.out.splitlines()
    assert (done.code, head.split()[0], row.split()[:4]) == (0, "RUN", [RUN, "failed", "9/15", "1"])


def listed_json(shell: Shell, done: Result) -> None:
    (entry,) = done.json()
    assert entry["run_id"] == RUN
    assert entry["size_bytes"] > 0


def shown(shell: Shell, done: Result) -> None:
    found = done.json()
    assert found["run_id"] == RUN
    assert found["state"]["failed"] == ["task-10"]
    assert found["progress"]["tasks"]["task-10"]["exit_code"] == 1


def hashed(shell: Shell, done: Result) -> None:
    assert done.out == f'"blake3:{blake3((shell.folder / "plan.json").read_bytes()).hexdigest()}"\n'


def validated(shell: Shell, done: Result) -> None:
    assert (done.code, done.out) == (0, FIVE_LINES)


def nothing_removed(shell: Shell, done: Result) -> None:
    assert (done.code, done.out) == (0, "nothing to remove\n")
    assert shell.runs() == [RUN]


def removed(shell: Shell, done: Result) -> None:
    assert done.code == 0
    assert RUN in done.out
    assert shell.runs() == []


def refused(shell: Shell, done: Result) -> None:
    assert (done.code, done.out) == (2, "")
    assert "--force" in done.err
    assert shell.runs() == [RUN]


def packed(shell: Shell, done: Result) -> None:
    assert done.code == 0
    assert (shell.checkpoints / RUN / "progress.json.gz").exists()
    assert shell(f"specular checkpoint validate {RUN}").out == FIVE_LINES


def exported(shell: Shell, done: Result) -> None:
    assert done.code == 0
    assert (shell.folder / "checkpoint.tar.gz").stat().st_size > 0


def imported(shell: Shell, done: Result) -> None:
    assert done.code == 1
    assert f"'{RUN}' is already there" in done.err
    assert shell("specular checkpoint prune --force && specular checkpoint import checkpoint.tar.gz").code == 0
    assert shell.runs() == [RUN]


def disabled(shell: Shell, done: Result) -> None:
    assert done.code == 1
    assert "cannot be resumed" in done.err
    assert shell.runs() == [RUN]


def elsewhere(shell: Shell, done: Result) -> None:
    assert done.code == 1
    assert shell.runs() == [RUN]


CHECKS: dict[str, Check] = {
    "specular build --plan plan.json --policy .specular/policy.yaml": new_build,
    "specular build --plan plan.json": new_build,
    "specular build --plan plan.json --checkpoint-interval 5m": new_build,
    "specular build --plan plan.json --checkpoint-every 5": new_build,
    "specular build --plan plan.json --force": forced,
    "specular build --resume": resumed,
    "specular build --resume-last": resumed,
    f"specular build --resume {RUN}": resumed,
    "specular build --resume --validate": resumed,
    "specular build --resume --from-task task-10": resumed,
    "specular build --resume --skip-failed": skipped,
    "specular build --resume --retry-failed": retried,
    "specular build --resume --policy .specular/policy.yaml": resumed,
    "specular build --resume --policy .specular/policy.yaml --revalidate": resumed,
    "specular build --resume --validate || specular build --plan plan.json": resumed,
    "specular build --resume 2>&1 | tee build.log": teed,
    "specular checkpoint list": listed,
    "specular checkpoint list --status failed": listed,
    "specular checkpoint list --format json": listed_json,
    "specular checkpoint list --format table": listed,
    f"specular checkpoint show {RUN}": shown,
    f"specular checkpoint show {RUN} --format json": shown,
    "specular checkpoint show --last": shown,
    "specular checkpoint show --last | jq '.plan_hash'": hashed,
    f"specular checkpoint validate {RUN}": validated,
    "specular checkpoint clean --older-than 7d": nothing_removed,
    "specular checkpoint clean --failed": removed,
    f"specular checkpoint delete {RUN}": refused,
    "specular checkpoint prune": refused,
    "specular checkpoint prune --force": removed,
    "specular checkpoint compress --all": packed,
    f"specular checkpoint compress {RUN}": packed,
    f"specular checkpoint export {RUN} --out checkpoint.tar.gz": exported,
    "specular checkpoint import checkpoint.tar.gz": imported,
    "export SPECULAR_CHECKPOINT_ENABLED=false": disabled,
    "export SPECULAR_CHECKPOINT_DIR=/tmp/checkpoints": elsewhere,
    "export SPECULAR_CHECKPOINT_INTERVAL=10": new_build,
}


def test_each_line_is_there_once() -> None:
    assert list(CHECKS) == LINES


@pytest.mark.parametrize("line", LINES)
def test_the_line_does_what_the_table_says(line: str, shell: Shell, tmp_path: Path) -> None:
    if "jq" in line and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    check = CHECKS[line]
    if "mended" in check.__dict__:
        (shell.folder / "mended").touch()
    script = line
    if line.startswith("export "):
        # /tmp is everybody's: the test's own folder stands in for it.
        script = line.replace("/tmp/", f"{tmp_path}/") + "; specular build"
    elif "checkpoint import" in line:
        script = f"specular checkpoint export {RUN} --out checkpoint.tar.gz >/dev/null && {line}"

    check(shell, shell(script))

    if "CHECKPOINT_DIR" in line:
        assert len(list((tmp_path / "checkpoints").iterdir())) == 1
