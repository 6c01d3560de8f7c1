"""The specification's section 'Usage' and its API reference, line by line."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from blake3 import blake3

from tests.contract.conftest import Shell, interrupt, task

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")

FIVE_LINES = """\
✓ Metadata valid
✓ State file valid
✓ Progress tracking valid
✓ All output files present
✓ Hashes match
"""


def slow_chain(shell: Shell, count: int = 3) -> None:
    """A plan whose second task waits for a file named `go`."""
    wait = "until [ -e go ]; do sleep 0.02; done"
    commands = {2: wait}
    later = [task(f"task-{n}", commands.get(n, f"echo {n}"), f"task-{n - 1}") for n in range(2, count + 1)]
    shell.plan(task("task-1", "echo one"), *later)


def interrupted(shell: Shell) -> str:
    """Interrupt a build in its second task and return the run's id."""
    slow_chain(shell)
    build = shell.start("specular build --plan plan.json")
    shell.wait_for('grep -q \'"task":"task-2"\' .specular/checkpoints/*/journal.jsonl')
    out = interrupt(build)
    assert build.returncode == 130, out
    (run_id,) = shell.runs()
    assert f"resume with: specular build --resume {run_id}" in out
    (shell.folder / "go").touch()
    return run_id


def test_a_build_creates_a_checkpoint_as_specified(shell: Shell) -> None:
    shell.plan(task("task-1", "echo hello"), task("task-2", "true", "task-1"))
    shell.policy("execution: {jobs: 1}\n")

    done = shell("specular build --plan plan.json --policy .specular/policy.yaml")

    assert done.code == 0, done.err
    (run_id,) = shell.runs()
    run = shell.checkpoints / run_id
    metadata = json.loads((run / "metadata.json").read_bytes())
    assert {"run_id", "created_at", "updated_at", "plan_file", "plan_hash", "policy_file", "status"} <= set(metadata)
    assert metadata["run_id"] == run_id
    assert metadata["plan_file"] == "plan.json"
    assert metadata["plan_hash"] == f"blake3:{blake3((shell.folder / 'plan.json').read_bytes()).hexdigest()}"
    assert metadata["policy_file"] == ".specular/policy.yaml"
    assert metadata["status"] == "completed"
    assert (metadata["total_tasks"], metadata["completed_tasks"], metadata["failed_tasks"]) == (2, 2, 0)
    state = json.loads((run / "state.json").read_bytes())
    assert state["completed"] == ["task-1", "task-2"]
    assert state["failed"] == state["skipped"] == state["pending"] == []
    assert state["current_task"] is None
    assert {"docker_images_pulled", "env_setup", "dependencies_installed"} <= set(state["context"])
    entry = json.loads((run / "progress.json").read_bytes())["tasks"]["task-1"]
    assert entry["status"] == "completed"
    assert entry["exit_code"] == 0
    assert entry["output_hash"] == f"blake3:{blake3((run / 'outputs' / 'task-1.json').read_bytes()).hexdigest()}"
    assert (run / "outputs" / "task-1.log").read_text() == "hello\n"


def test_resume_goes_on_with_the_most_recent_build(shell: Shell) -> None:
    run_id = interrupted(shell)

    done = shell("specular build --resume")

    assert done.code == 0, done.err
    assert "DONE task-2" in done.out
    assert "START task-1" not in done.out
    assert shell.runs() == [run_id]


def test_resume_goes_on_with_the_run_that_is_named(shell: Shell) -> None:
    run_id = interrupted(shell)

    assert shell(f"specular build --resume {run_id}").code == 0
    again = shell(f"specular build --resume {run_id}")
    assert again.code == 0
    assert "nothing to resume" in again.err


def test_resume_last_is_resume(shell: Shell) -> None:
    interrupted(shell)

    done = shell("specular build --resume-last")

    assert done.code == 0
    assert "START task-1" not in done.out


@needs_jq
def test_list_and_show(shell: Shell) -> None:
    run_id = interrupted(shell)

    listed = shell("specular checkpoint list")
    assert listed.code == 0
    head, row = listed.out.splitlines()
    assert head.split() == ["RUN", "STATE", "PROGRESS", "FAILED", "UPDATED", "SIZE", "PLAN"]
    assert row.split()[:3] == [run_id, "paused", "1/3"]
    assert shell("specular checkpoint list --status paused").out == listed.out
    assert run_id not in shell("specular checkpoint list --status failed").out
    (entry,) = shell("specular checkpoint list --format json").json()
    assert entry["run_id"] == run_id
    assert entry["size_bytes"] == int(shell(f"du -s -B1 .specular/checkpoints/{run_id} | cut -f1").out)
    assert shell("specular checkpoint list --status paused --format json | jq -r '.[].status'").out == "paused\n"
    assert shell("specular checkpoint list --format table").out == listed.out

    shown = shell(f"specular checkpoint show {run_id}").json()
    metadata = json.loads((shell.checkpoints / run_id / "metadata.json").read_bytes())
    assert {name: shown[name] for name in metadata} == metadata
    assert list(shown)[: len(metadata)] == list(metadata)
    assert shown["state"] == json.loads((shell.checkpoints / run_id / "state.json").read_bytes())
    assert shown["progress"] == json.loads((shell.checkpoints / run_id / "progress.json").read_bytes())
    assert shell(f"specular checkpoint show {run_id} --format json").json() == shown
    assert shell("specular checkpoint show --last").json() == shown
    table = shell("specular checkpoint show --last --format table")
    assert run_id in table.out.splitlines()[0]
    assert "task-3" in table.out


def test_validate(shell: Shell) -> None:
    run_id = interrupted(shell)

    sound = shell(f"specular checkpoint validate {run_id}")
    assert (sound.code, sound.out) == (0, FIVE_LINES)
    assert shell("specular checkpoint validate --last --format json").json()["valid"] is True
    assert shell("specular build --resume --validate").code == 0

    log = shell.checkpoints / run_id / "outputs" / "task-1.log"
    log.write_bytes(b"x" * log.stat().st_size)
    damaged = shell(f"specular checkpoint validate {run_id}")
    assert damaged.code == 4
    assert "✗ Hashes match" in damaged.out
    assert "task-1.log" in damaged.out
    found = shell(f"specular checkpoint validate {run_id} --format json")
    assert found.code == 4
    assert [check["ok"] for check in found.json()["checks"]] == [True, True, True, True, False]


def test_a_damaged_checkpoint_is_not_resumed_but_repaired(shell: Shell) -> None:
    run_id = interrupted(shell)
    log = shell.checkpoints / run_id / "outputs" / "task-1.log"
    log.write_bytes(b"x" * log.stat().st_size)

    refused = shell("specular build --resume --validate")
    assert refused.code == 4
    assert "checkpoint validation failed" in refused.err
    assert "task-1.log" in refused.err
    assert shell("specular build --resume").code == 4
    assert not (shell.folder / "task-2").exists()

    repaired = shell("specular build --resume --repair")
    assert repaired.code == 0, repaired.err
    assert "DONE task-1" in repaired.out
    assert shell("specular checkpoint validate --last").code == 0


def test_clean_delete_and_prune(shell: Shell) -> None:
    shell.plan(task("a"))
    shell.plan(task("b", "false"), file="bad.json")
    assert shell("specular build --run-id old && specular build --run-id done").code == 0
    assert shell("specular build --plan bad.json --run-id broken").code == 1

    assert shell("specular checkpoint clean --older-than 7d").out == "nothing to remove\n"
    looked = shell("specular checkpoint clean --failed --dry-run")
    assert "broken" in looked.out
    assert len(shell.runs()) == 3
    cleaned = shell("specular checkpoint clean --failed")
    assert cleaned.code == 0
    assert "removed 1 run" in cleaned.out
    assert shell.runs() == ["done", "old"]
    assert "old" in shell("specular checkpoint clean --keep-last 1").out
    assert shell.runs() == ["done"]
    assert shell("specular checkpoint clean --older-than 0s").code == 0
    assert shell.runs() == []

    shell("specular build --run-id one; specular build --run-id two")
    assert shell("specular checkpoint delete one").out.startswith("removed one")
    assert shell.runs() == ["two"]
    refused = shell("specular checkpoint prune")
    assert refused.code == 2
    assert "--force" in refused.err
    assert shell.runs() == ["two"]
    assert "would remove 1 run" in shell("specular checkpoint prune --dry-run").out
    pruned = shell("specular checkpoint prune --force")
    assert pruned.code == 0
    assert "two" in pruned.out
    assert shell.runs() == []
    assert shell("specular checkpoint prune").out == "nothing to remove\n"


def test_an_unfinished_run_is_deleted_by_force_or_by_an_answer(shell: Shell) -> None:
    run_id = interrupted(shell)

    refused = shell(f"specular checkpoint delete {run_id}")
    assert refused.code == 2
    assert "--force" in refused.err
    assert shell.on_terminal(f"specular checkpoint delete {run_id}", keys="n\n").code == 1
    assert shell.runs() == [run_id]
    assert shell.on_terminal(f"specular checkpoint delete {run_id}", keys="y\n").code == 0
    assert shell.runs() == []

    run_id = interrupted_again(shell)
    assert shell(f"specular checkpoint delete --force {run_id}").code == 0
    assert shell.runs() == []


def test_on_a_terminal_delete_asks_because_it_is_final(shell: Shell) -> None:
    shell.plan(task("a"))
    assert (
        shell("specular build --run-id one && specular build --run-id two && specular build --run-id three").code == 0
    )

    kept = shell.on_terminal("specular checkpoint delete one", keys="n\n")
    assert kept.code == 1
    assert "Remove one for good? (--trash keeps it for a week) [y/N]" in kept.out
    assert shell.on_terminal("specular checkpoint delete one", keys="y\n").code == 0
    assert shell.on_terminal("specular checkpoint delete two -y").code == 0
    assert shell.on_terminal("specular checkpoint delete three --trash").code == 0, (
        "what can be taken back is not asked"
    )
    assert shell.runs() == []
    assert shell("specular checkpoint restore three").code == 0
    assert shell("specular checkpoint prune --yes").code == 0


def interrupted_again(shell: Shell) -> str:
    (shell.folder / "go").unlink()
    return interrupted(shell)


def test_prune_asks_on_a_terminal(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("specular build --run-id one")

    assert shell.on_terminal("specular checkpoint prune | cat; exit ${PIPESTATUS[0]}").code == 2
    assert shell.on_terminal("specular checkpoint prune", keys="n\n").code == 1
    assert shell.runs() == ["one"]
    assert shell.on_terminal("specular checkpoint prune", keys="y\n").code == 0
    assert shell.runs() == []


def test_what_cannot_be_read_is_deleted_unasked(shell: Shell) -> None:
    run_id = interrupted(shell)
    (shell.checkpoints / run_id / "journal.jsonl").write_bytes(b"nonsense\n")
    (shell.checkpoints / run_id / "metadata.json").unlink()

    assert "damaged" in shell("specular checkpoint list").out
    assert shell("specular checkpoint list --format json").json()[0]["damage"]["file"] == "journal.jsonl"
    assert shell(f"specular checkpoint show {run_id}").code == 4
    assert shell(f"specular checkpoint delete {run_id}").code == 0
    assert shell.runs() == []


def test_the_interval_and_the_number_of_tasks_between_checkpoints(shell: Shell) -> None:
    shell.plan(*(task(f"t{n}") for n in range(6)))

    assert shell("specular build --plan plan.json --checkpoint-interval 5m").code == 0
    assert shell("specular build --plan plan.json --checkpoint-every 5").code == 0
    for wrong in (
        "--checkpoint-interval 5x",
        "--checkpoint-interval -1s",
        "--checkpoint-interval 0s",
        "--checkpoint-every 0",
    ):
        assert shell(f"specular build {wrong}").code == 2


def test_abandon(shell: Shell) -> None:
    run_id = interrupted(shell)

    assert shell(f"specular checkpoint abandon {run_id}").code == 0
    assert shell("specular checkpoint list --status abandoned --format json").json()[0]["run_id"] == run_id
    refused = shell(f"specular build --resume {run_id}")
    assert refused.code == 1
    assert "abandoned" in refused.err
    assert shell(f"specular checkpoint abandon {run_id}").code == 1
    assert shell("specular checkpoint abandon nothing").code == 1


@needs_jq
def test_the_plan_hash_is_what_b3sum_prints(shell: Shell) -> None:
    interrupted(shell)

    found = shell("specular checkpoint show --last | jq '.plan_hash'").out.strip().strip('"')
    assert found == f"blake3:{blake3((shell.folder / 'plan.json').read_bytes()).hexdigest()}"
    if shutil.which("b3sum"):
        assert found == "blake3:" + shell("b3sum plan.json").out.split()[0]


def test_force_abandons_and_starts_fresh(shell: Shell) -> None:
    run_id = interrupted(shell)

    done = shell("specular build --plan plan.json --force")

    assert done.code == 0, done.err
    assert f"{run_id} is abandoned" in done.err
    assert len(shell.runs()) == 2
    assert "START task-1" in done.out


def test_kill_9_loses_nothing(shell: Shell) -> None:
    slow_chain(shell)
    build = shell.start("specular build")
    shell.wait_for('grep -q \'"task":"task-2"\' .specular/checkpoints/*/journal.jsonl')
    interrupt(build, signal.SIGKILL)

    (entry,) = shell("specular checkpoint list --format json").json()
    assert (entry["status"], entry["interrupted"], entry["live"]) == ("paused", True, False)
    assert "paused, interrupted" in shell("specular checkpoint list").out
    (shell.folder / "go").touch()
    done = shell("specular build --resume")
    assert done.code == 0, done.err
    assert "START task-1" not in done.out


def test_the_project_folder_does_not_change_what_is_imported(shell: Shell) -> None:
    """A build in the background is another Python: a file of the project must not stand in for a module."""
    shell.plan(task("a"))
    for name in ("click", "json", "msgspec", "random"):
        (shell.folder / f"{name}.py").write_text("raise SystemExit('imported from the project')\n")

    started = shell("specular build --detach")

    assert started.code == 0, started.err
    shell.wait_for(f"specular checkpoint list --status completed | grep -q {started.out.strip()}")


def test_every_help_is_there(shell: Shell) -> None:
    overview = shell("specular --help")
    assert overview.code == 0
    lines = ["checkpoint", "checkpoint clean", "build", "plan show", "pause", "demo"]
    script = " && ".join(f"specular {line} --help" for line in lines)
    helped = shell(script)
    assert helped.code == 0, helped.err
    assert helped.out.count("Usage: ") == len(lines)
    assert shell("specular --version").out.startswith("specular ")


def modes(folder: Path) -> set[str]:
    found = subprocess.run(["find", folder, "-printf", "%y%m\n"], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_only_the_owner_can_read_a_checkpoint(shell: Shell) -> None:
    shell.plan(task("a", "echo hi"))

    assert shell("umask 000; specular build").code == 0

    assert modes(shell.folder / ".specular") == {"d700", "f600"}
