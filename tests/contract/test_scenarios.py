"""The specification's scenarios and scripts, played through."""

from __future__ import annotations

import shutil
import sys

import pytest

from tests.contract.conftest import Shell, task

AUTO_RESUME = """\
#!/bin/bash
set -e -o pipefail

# Function to build with auto-resume
build_with_resume() {
  local max_attempts=3
  local attempt=1

  while [ $attempt -le $max_attempts ]; do
    echo "Build attempt $attempt of $max_attempts..."

    if specular build --resume 2>&1 | tee build.log; then
      echo "Build succeeded"
      return 0
    else
      echo "Build failed, will retry..."
      attempt=$((attempt + 1))
      sleep 0
    fi
  done

  echo "Build failed after $max_attempts attempts"
  return 1
}

build_with_resume
"""

INCREMENTAL = """\
if [ -d ".specular/checkpoints" ]; then
  specular build --resume
else
  specular build --plan plan.json
fi
"""

SIZE_CHECK = """\
SIZE=$(du -sm .specular/checkpoints/ | cut -f1)
if [ $SIZE -gt 0 ]; then
  echo "Warning: Checkpoint directory exceeds"
  specular checkpoint clean --older-than 3d
fi
"""


def flaky(shell: Shell, *, until: int) -> None:
    """A plan whose second task fails until it has been tried `until` times."""
    shell.plan(
        task("fetch", "echo fetch >> ran"),
        task(
            "image", f"echo image >> ran; [ $(grep -c image ran) -ge {until} ] || {{ echo timeout; exit 1; }}", "fetch"
        ),
        task("test", "echo test >> ran", "image"),
    )


def ran(shell: Shell) -> list[str]:
    return (shell.folder / "ran").read_text().split()


def test_a_network_that_fails(shell: Shell) -> None:
    flaky(shell, until=2)

    failed = shell("specular build --plan plan.json")
    assert failed.code == 1
    assert "  | timeout" in failed.out
    assert shell("specular build --resume --retry-failed").code == 0
    assert ran(shell) == ["fetch", "image", "image", "test"]


def test_memory_that_runs_out(shell: Shell) -> None:
    eat = f"{sys.executable} -c 'x = bytearray(1 << 30)' 2>err || {{ tail -1 err; exit 1; }}"
    shell.plan(task("a", "echo a >> ran"), task("eat", ["bash", "-c", f"ulimit -v $(cat limit); {eat}"], "a"))
    (shell.folder / "limit").write_text("300000")
    shell.policy("execution: {jobs: 1}\n")

    assert shell("specular build --plan plan.json").code == 1
    shown = shell("specular checkpoint show --last").json()
    assert shown["state"]["failed"] == ["eat"]
    assert "MemoryError" in shell("specular logs eat").out
    (shell.folder / "limit").write_text("unlimited")
    shell.policy("execution: {jobs: 2}\n")
    assert shell("specular build --resume --policy .specular/policy.yaml").code == 0
    assert ran(shell) == ["a"]


def test_a_policy_that_changes(shell: Shell) -> None:
    shell.plan(task("a", "echo a >> ran"), task("b", "echo b >> ran; test -e mended", "a"))
    shell.policy("linters: {sh: {enabled: true, cmd: 'echo old >> ran'}}\n")
    assert shell("specular build --plan plan.json").code == 1
    shell.policy("linters: {sh: {enabled: true, cmd: 'echo new >> ran'}}\ntests: {cmd: 'echo tests >> ran'}\n")
    (shell.folder / "mended").touch()

    planned = shell(
        "specular build --resume --policy .specular/policy.yaml --revalidate --dry-run --format json"
    ).json()
    assert [(gate["task"], gate["action"]) for gate in planned["gates"]] == [("@linters.sh", "run"), ("@tests", "run")]
    table = shell("specular build --resume --policy .specular/policy.yaml --revalidate --dry-run").out
    assert "1 reuse, 1 run, then 2 gates; reuse saves" in table

    done = shell("specular build --resume --policy .specular/policy.yaml --revalidate")

    assert done.code == 0, done.err
    assert sorted(ran(shell)) == ["a", "b", "b", "new", "tests"]


def test_the_loop_that_resumes_by_itself(shell: Shell) -> None:
    flaky(shell, until=3)
    (shell.folder / "loop.sh").write_text(AUTO_RESUME)

    done = shell("bash loop.sh")

    assert done.code == 0, done
    assert "Build attempt 3 of 3..." in done.out
    assert done.out.endswith("Build succeeded\n")
    assert ran(shell) == ["fetch", "image", "image", "image", "test"]
    assert len(shell.runs()) == 1


def test_incremental_ci(shell: Shell) -> None:
    flaky(shell, until=2)

    assert shell(INCREMENTAL).code == 1
    # Another machine gets the folder that was uploaded, without owners, modes and empty files' fate in mind.
    assert shell("cp -r .specular uploaded; rm -rf .specular; cp -r uploaded .specular").code == 0
    assert shell(INCREMENTAL).code == 0
    assert ran(shell) == ["fetch", "image", "image", "test"]


def test_gitlab_ci(shell: Shell) -> None:
    flaky(shell, until=2)

    assert shell("specular build --plan plan.json").code == 1
    assert shell("specular build --resume").code == 0


def test_validate_or_start_over(shell: Shell) -> None:
    flaky(shell, until=2)
    shell("specular build")
    (run_id,) = shell.runs()
    (shell.checkpoints / run_id / "progress.json").write_text("{}")

    done = shell("specular build --resume --validate || specular build --plan plan.json")

    assert done.code == 0, done.err
    assert len(shell.runs()) == 2


def test_cron_and_the_size_check(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("specular build --run-id old")

    cron = shell(f"cd / && cd {shell.folder} && specular checkpoint clean --older-than 7d")
    assert (cron.code, cron.out) == (0, "nothing to remove\n")
    checked = shell(SIZE_CHECK)
    assert checked.code == 0
    assert checked.out.startswith("Warning: ")
    assert shell("du -sh .specular/checkpoints/").code == 0


def test_a_corrupted_checkpoint(shell: Shell) -> None:
    flaky(shell, until=2)
    shell("specular build")
    (run_id,) = shell.runs()
    log = shell.checkpoints / run_id / "outputs" / "image.log"
    log.write_text("TIMEOUT\n")

    corrupted = shell("specular build --resume")
    assert corrupted.code == 4
    assert "Error: checkpoint validation failed: " in corrupted.err
    assert shell(f"specular checkpoint delete {run_id} --force").code == 0
    assert shell("specular build --plan plan.json").code == 0


@pytest.mark.skipif(shutil.which("script") is None, reason="no script(1) here")
def test_on_a_real_terminal(shell: Shell) -> None:
    shell.plan(task("a", "sleep 0.3"))

    assert shell.on_terminal("script -qec 'specular build' /dev/null").code == 0
