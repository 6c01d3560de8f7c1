"""The environment variables and settings of the specification."""

from __future__ import annotations

import json

import pytest

from tests.contract.conftest import Shell, task


def test_checkpoints_can_be_disabled(shell: Shell) -> None:
    shell.plan(task("a", "echo why; exit 1"))

    done = shell("export SPECULAR_CHECKPOINT_ENABLED=false; specular build")

    assert done.code == 1
    assert "cannot be resumed" in done.err
    assert "  | why" in done.out
    assert "resume with" not in done.out
    assert not shell.checkpoints.exists()
    shell.policy("checkpoints: {enabled: false}\n")
    assert shell("specular build").code == 1
    assert not shell.checkpoints.exists()
    assert shell("SPECULAR_CHECKPOINT_ENABLED=true specular build").code == 1
    assert len(shell.runs()) == 1


def test_another_directory(shell: Shell) -> None:
    shell.plan(task("a"))
    script = "export SPECULAR_CHECKPOINT_DIR=$PWD/elsewhere/checkpoints; specular build --run-id x; specular {}"

    assert "x" in shell(script.format("checkpoint list")).out
    assert (shell.folder / "elsewhere" / "checkpoints" / "x").is_dir()
    assert not shell.checkpoints.exists()
    shell.policy('checkpoints: {directory: "kept"}\n')
    assert shell("specular build --run-id y").code == 0
    assert (shell.folder / "kept" / "y").is_dir()
    for line in ("checkpoint list --format json", "checkpoint show --last --format json"):
        assert '"y"' in shell(f"specular {line}").out


def test_the_interval(shell: Shell) -> None:
    shell.plan(task("a"))

    assert shell("export SPECULAR_CHECKPOINT_INTERVAL=10; specular build").code == 0


def test_the_whole_policy_of_the_specification(shell: Shell) -> None:
    shell.policy(
        """\
checkpoints:
  enabled: true
  directory: ".specular/checkpoints"

  # Auto-checkpoint frequency
  interval_minutes: 5

  # Checkpoint after every N tasks
  task_interval: 10

  # Retention policy
  retention:
    max_age_days: 30
    max_count: 50
    keep_failed: true
    keep_completed: false  # Clean completed runs

  # Validation
  validate_on_resume: true
  strict_hash_check: true

  # Storage
  compress: true  # gzip checkpoint files
  max_size_mb: 500
"""
    )
    shell.plan(task("a", "seq 10000"))

    for run_id in ("one", "two"):
        done = shell(f"specular build --run-id {run_id}")
        assert done.code == 0, done.err
        assert "Warning" not in done.err
    # The last result of the plan stays until `clean`.
    assert shell.runs() == ["two"]
    assert (shell.checkpoints / "two" / "outputs" / "a.log.gz").exists()
    assert shell("specular checkpoint validate two").code == 0
    assert len(shell("specular logs a").out.split()) == 10000
    assert json.loads(shell("specular checkpoint show two").out)["status"] == "completed"
    assert shell("specular checkpoint clean").code == 0
    assert shell.runs() == []


def test_retention_after_a_build_never_takes_what_could_be_resumed(shell: Shell) -> None:
    shell.policy("checkpoints: {retention: {max_count: 1, keep_failed: false}}\n")
    shell.plan(task("a", "test -e mended"))

    shell("specular build --run-id one; specular build --run-id two; touch mended; specular build --run-id three")

    assert shell.runs() == ["three", "two"]


def test_more_tasks_at_once_than_files_may_be_open(shell: Shell) -> None:
    shell.plan(*(task(f"t{n}", "ulimit -Sn; sleep 0.5") for n in range(60)))

    done = shell("ulimit -Sn 100; specular build -j 60 && specular logs t59")

    assert done.code == 0, done.out + done.err
    assert done.out.endswith("100\n")  # as the shell had it, whatever the build needs for itself
    bounded = shell("ulimit -n 200; specular build -j 60")
    assert bounded.code == 0, bounded.err
    assert " tasks at once and not 60" in bounded.err


def test_a_runtime_folder_with_a_long_name(shell: Shell) -> None:
    shell.plan(task("a", "until [ -e go ]; do sleep 0.05; done"))
    deep = shell.folder / ("d" * 120)
    deep.mkdir()

    build = shell.start("specular build", XDG_RUNTIME_DIR=str(deep))
    shell.wait_for("specular pause")
    assert " paused 0/1 " in shell("specular progress --short").out
    assert shell("specular unpause").code == 0
    (shell.folder / "go").touch()
    assert build.wait(30) == 0


def test_a_build_in_the_background_without_a_checkpoint_is_refused(shell: Shell) -> None:
    shell.plan(task("a", "touch ran"))
    refused = shell("specular build --detach", SPECULAR_CHECKPOINT_ENABLED="false")
    assert refused.code == 2
    assert "could neither be watched nor stopped" in refused.err
    assert not (shell.folder / "ran").exists()


@pytest.mark.parametrize("command", ["build", "checkpoint list", "plan validate", "logs", "stop"])
def test_every_command_knows_its_version(shell: Shell, command: str) -> None:
    assert shell(f"specular {command} --version").out == shell("specular --version").out


def test_a_traceback_is_shown_wherever_it_is_asked_for(shell: Shell) -> None:
    for line in ("specular --debug checkpoint show nope", "specular checkpoint show nope --debug"):
        assert shell(f"{line} 2>&1 | grep -c ^Traceback").out == "1\n"
    assert shell("specular checkpoint show nope").code == 1, "without one"
