"""What is not there, broken, or in the way: a clear error, and nothing lost."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Result, Shell, task


def refused(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result
    assert result.err.startswith("Error: "), result.err
    for word in words:
        assert word in result.err, result.err


def test_no_plan(shell: Shell) -> None:
    refused(shell("specular build"), 2, "plan.json", "specular init")
    refused(shell("specular build --plan other.json"), 2, "other.json")
    refused(shell("specular plan validate"), 2, "plan.json")
    refused(shell("mkdir folder; specular build --plan folder"), 2, "folder")
    assert not shell.checkpoints.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["plan.json is empty"]),
        ('{"tasks": []}', ["plan.json"]),
        ('{\n  "tasks": [\n    {"id": "a" "command": "x"}\n  ]\n}', ["plan.json:3:"]),
        ('{"tasks": [{"id": "a", "command": "x", "dependson": []}]}', ["depends_on"]),
        ('{"tasks": [{"id": "a", "command": "x"}, {"id": "a", "command": "x"}]}', ["'a'"]),
        (
            '{"tasks": [{"id": "a", "command": "x", "depends_on": ["b"]}, '
            '{"id": "b", "command": "x", "depends_on": ["a"]}]}',
            ["a", "b"],
        ),
        ('{"tasks": [{"id": "../x", "command": "x"}]}', ["../x"]),
        ("\x00\x01", ["plan.json"]),
    ],
    ids=["empty", "no tasks", "broken JSON", "unknown field", "twice", "cycle", "bad id", "binary"],
)
def test_a_bad_plan(shell: Shell, text: str, words: list[str]) -> None:
    (shell.folder / "plan.json").write_text(text)

    refused(shell("specular build"), 2, *words)
    assert not shell.checkpoints.exists()


def test_a_bad_policy(shell: Shell) -> None:
    shell.plan(task("a"))
    shell.policy("execution:\n  jobs: many\n")
    refused(shell("specular build"), 2, ".specular/policy.yaml:2:")
    shell.policy("checkpoints: {interval: 5}\n")
    warned = shell("specular build")
    assert warned.code == 0
    assert "Warning: " in warned.err
    refused(shell("specular build --policy missing.yaml"), 2, "missing.yaml")


def test_a_program_that_does_not_exist(shell: Shell) -> None:
    shell.plan(task("a", ["no-such-program"]), task("b", "no-such-program"), task("c", ["./plan.json"]))

    done = shell("specular build --keep-going")

    assert done.code == 1
    assert "program not found: no-such-program" in done.out
    entries = shell("specular checkpoint show --last").json()["progress"]["tasks"]
    assert entries["b"]["exit_code"] == 127
    assert {entry["status"] for entry in entries.values()} == {"failed"}


def test_a_working_directory_that_is_not_there(shell: Shell) -> None:
    shell.plan(task("a", "rmdir there"), task("b", "true", "a", workdir="there"))
    (shell.folder / "there").mkdir()

    done = shell("specular build --jobs 1")

    assert done.code == 1
    assert "cannot enter the working directory" in done.out
    assert shell("mkdir there; specular build --resume --retry-failed").code == 0


def test_a_folder_that_has_gone(shell: Shell) -> None:
    for line in ("build", "checkpoint list", "doctor", "demo", "init"):
        gone = shell(f"mkdir gone && cd gone && rmdir ../gone && specular {line}")
        assert gone.code == 1, line
        assert gone.err.startswith("Error: the current folder does not exist any more"), line


def test_a_checkpoint_directory_that_cannot_be_written(shell: Shell) -> None:
    shell.plan(task("a", "touch ran"))
    (shell.folder / ".specular").write_text("in the way")
    refused(shell("specular build"), 1, "failed to write checkpoint", ".specular")
    refused(shell("specular checkpoint list"), 1, ".specular")
    assert not (shell.folder / "ran").exists()
    refused(shell("specular build", SPECULAR_CHECKPOINT_DIR="/proc/nowhere"), 1, "failed to write checkpoint")
    refused(shell("specular doctor", SPECULAR_CHECKPOINT_DIR="/proc/nowhere")._replace(err="Error: "), 1)
    assert shell("SPECULAR_CHECKPOINT_ENABLED=false specular build").code == 0
    assert (shell.folder / "ran").exists()


def test_links_in_the_checkpoint_directory_are_not_followed(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("specular build --run-id real; mkdir elsewhere; ln -s ../../elsewhere .specular/checkpoints/linked")

    assert "linked" not in shell("specular checkpoint list").out
    refused(shell("specular checkpoint delete linked --force"), 1, "checkpoint not found")
    assert shell("specular checkpoint prune --force").code == 0
    assert (shell.folder / "elsewhere").exists()


def test_a_run_that_is_there_already(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("specular build --run-id mine")

    refused(shell("specular build --run-id mine"), 1, "mine", "--resume mine")


def test_wrong_values_in_the_environment(shell: Shell) -> None:
    shell.plan(task("a"))

    refused(shell("specular build", SPECULAR_CHECKPOINT_ENABLED="perhaps"), 2, "SPECULAR_CHECKPOINT_ENABLED")
    refused(shell("specular build", SPECULAR_CHECKPOINT_INTERVAL="soon"), 2, "SPECULAR_CHECKPOINT_INTERVAL")


def test_debug_shows_where_it_went_wrong(shell: Shell) -> None:
    import subprocess

    for line in ("SPECULAR_DEBUG=1 specular build", "specular --debug build"):
        done = subprocess.run(
            ["bash", "-c", line], cwd=shell.folder, env=shell.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "Traceback" in done.stderr
