"""Shells that make it hard: full outputs, terminals without Unicode, folders that are not what they seem."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.contract.conftest import Shell, task

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


def built(shell: Shell) -> None:
    shell.plan(task("a", "echo hello ✓"), task("b", "exit 3", "a"))
    assert shell("specular build --run-id one").code == 1


@needs_full
def test_data_that_cannot_be_written_is_an_error(shell: Shell) -> None:
    built(shell)
    for line, unbuffered in (
        ("checkpoint list", ""),
        ("checkpoint list", "1"),
        ("logs a", ""),
        ("logs a --raw", "1"),
        ("progress --stream", ""),
        ("build --dry-run", ""),
    ):
        found = shell(f"specular {line} > /dev/full", PYTHONUNBUFFERED=unbuffered)
        assert found.code == 1
        assert "cannot write to stdout: no space left on device" in found.err


@needs_full
def test_a_build_goes_on_where_its_output_is_full(shell: Shell) -> None:
    shell.plan(task("a", "touch made"))
    found = shell("specular build > /dev/full")
    assert found.code == 0
    assert (shell.folder / "made").exists()
    assert "cannot write to stdout: no space left on device; the build goes on untold" in found.err


@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_signs_have_stand_ins_where_there_is_no_unicode(shell: Shell, env: dict[str, str]) -> None:
    built(shell)
    env |= {"PYTHONCOERCECLOCALE": "0"}
    sound = shell("specular checkpoint validate one", **env)
    assert sound.out.splitlines()[0] == "+ Metadata valid"
    (shell.checkpoints / "one" / "outputs" / "a.log").write_text("x")
    damaged = shell("specular checkpoint validate one", **env).out.splitlines()
    assert damaged[0] == "+ Metadata valid"
    assert "x Hashes match" in damaged, "a failed check is told from one that passed"
    assert "-> try: specular --help" in shell("specular nope", **env).err


def test_a_line_is_cut_at_the_edge_of_a_terminal_with_colours_and_without(shell: Shell) -> None:
    shell.plan(task("a"), name="a-plan-with-a-very-long-name-that-does-not-fit")
    shell("specular build --run-id one")
    for env in ({}, {"NO_COLOR": "1"}):
        listed = shell.on_terminal("specular checkpoint list", size=(24, 40), env=env)
        assert "…" in listed.out
    assert "does-not-fit" in shell("specular checkpoint list", COLUMNS="40").out, "no terminal, nothing cut"


def test_a_long_critical_path_is_shown_by_its_ends(shell: Shell) -> None:
    shell.plan(*(task(f"t{number}", "true", *([f"t{number - 1}"] if number else [])) for number in range(200)))
    shown = shell("specular plan show").out
    assert (
        "200 tasks: t0 > t1 > t2 > t3 > t4 > t5 > … (188 more) … > t194 > t195 > t196 > t197 > t198 > t199\n" in shown
    )
    assert len(shell("specular plan show --format json").json()["critical_path"]) == 200


def test_a_checkpoint_directory_that_is_none(shell: Shell) -> None:
    shell.plan(task("a"))
    (shell.folder / ".specular").mkdir()
    shell.checkpoints.write_text("")
    for line in ("checkpoint list", "build", "checkpoint prune --force"):
        found = shell(f"specular {line}")
        assert found.code == 1
        assert f"not a folder: {shell.checkpoints}" in found.err
        assert "move it away, or name another folder with SPECULAR_CHECKPOINT_DIR" in found.err
    shell.checkpoints.unlink()
    (shell.folder / "elsewhere").mkdir()
    shell.checkpoints.symlink_to("../elsewhere")
    found = shell("specular build")
    assert found.code == 1
    assert "a symbolic link is not followed" in found.err
    (advice,) = [line.split("folder itself: ")[1] for line in found.err.splitlines() if "folder itself: " in line]
    assert shell(f"{advice}; specular build && specular checkpoint list").code == 0
    shell.checkpoints.unlink()
    (shell.folder / ".specular").rmdir()
    (shell.folder / ".specular").write_text("")
    assert f"not a folder: {shell.folder / '.specular'}\n" in shell("specular build").err


def test_a_report_is_proved_before_the_build(shell: Shell) -> None:
    shell.plan(task("a", "touch made"))
    (shell.folder / "folder").mkdir()
    for where in ("folder", "plan.json/report.xml"):
        found = shell(f"specular build --junit {where}")
        assert found.code == 2
        assert "--junit FILE" in found.err
    assert not (shell.folder / "made").exists()
    assert shell("specular build --junit new/folder/report.xml").code == 0
    assert (shell.folder / "new" / "folder" / "report.xml").exists()


def test_a_report_replaces_no_device(shell: Shell) -> None:
    shell.plan(task("a"))
    os.mkfifo(shell.folder / "pipe")
    found = shell("cat pipe > copy & specular build --junit pipe; wait")
    assert found.code == 0
    assert stat.S_ISFIFO((shell.folder / "pipe").stat().st_mode)
    assert "</testsuites>" in (shell.folder / "copy").read_text()
    (shell.folder / "real.xml").write_text("")
    (shell.folder / "link.xml").symlink_to("real.xml")
    assert shell("specular build --junit link.xml").code == 0
    assert (shell.folder / "link.xml").is_symlink()
    assert "</testsuites>" in (shell.folder / "real.xml").read_text()


def test_an_export_replaces_no_device(shell: Shell) -> None:
    built(shell)
    os.mkfifo(shell.folder / "pipe")
    found = shell("specular checkpoint export one --out pipe --force")
    assert found.code == 1
    assert "pipe is no regular file, and is not replaced" in found.err
    assert stat.S_ISFIFO((shell.folder / "pipe").stat().st_mode)


def test_a_line_that_cannot_be_meant(shell: Shell) -> None:
    built(shell)
    for line, said in (
        ("build --plan ''", "invalid value for '--plan': an empty text names no file"),
        ("build --jobs x", "'x' is not a whole number from 1 to 10000"),
        ("build --jobs 0", "'0' is not a whole number from 1 to 10000"),
        ("logs a --attempt -1", "'-1' is not a whole number of 1 or more"),
        ("build -j", "try: specular build --help"),
        ("checkpoint clean --older-than", "try: specular checkpoint clean --help"),
        ("build --from-task b", "specular build --resume --from-task b"),
        ("build --from-task 'b c'", "specular build --resume --from-task 'b c'"),
        ("build --resume --from-task nope", "list its tasks: specular build --resume one --dry-run"),
        ("logs nope", "list its tasks: specular checkpoint show one --format table"),
        ("--nope", "no such option '--nope'"),
        ("status", "no such command 'status'; did you mean 'progress'?"),
        ("resume", "no such command 'resume'; did you mean 'build --resume'?"),
        ("checkpoint rm one", "no such command 'rm'; did you mean 'delete'?"),
        ("checkpoint logs a", "no such command 'logs'; did you mean 'specular logs'?"),
        ("checkpoint progress", "did you mean 'specular progress'?"),
        ("build --junit -", "a report is not written to stdout"),
    ):
        found = shell(f"specular {line}")
        assert found.code == 2
        assert said in found.err
        assert found.out == ""


def test_a_task_that_is_not_there(shell: Shell) -> None:
    shell.plan(task("compile-1"), task("compile-2"), task("pack", "exit 1"))
    shell("specular build --run-id one --keep-going")
    found = shell("specular logs compile")
    assert found.err.splitlines()[0] == "Error: one has no task 'compile'; did you mean 'compile-1' or 'compile-2'?"
    listing = found.err.splitlines()[1].removeprefix("→ list its tasks: ")
    assert [line.split()[1] for line in shell(listing).out.splitlines()[-3:]] == ["compile-1", "compile-2", "pack"]
    again = shell("specular build --resume --from-task compile")
    assert "did you mean 'compile-1' or 'compile-2'?" in again.err

    none = shell("specular logs")
    assert none.code == 2
    assert none.err.splitlines()[:2] == ["Error: say which task of one: specular logs TASK", "  failed: pack"]
    (shell.checkpoints / "one" / "journal.jsonl").write_bytes(b"")
    left = shell("specular logs compile")
    assert left.code == 2
    assert "  something is left of: compile-1, compile-2, pack\n" in left.err
    assert shell("specular logs").err.splitlines()[0] == "Error: say which task: specular logs TASK"


def test_what_is_no_archive(shell: Shell) -> None:
    shell.plan(task("a"))
    found = shell("specular checkpoint import plan.json")
    assert found.code == 4
    assert "plan.json cannot be imported: the archive is no gzip file\n" in found.err
    (shell.folder / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08\x00" + bytes(6) + b"\xff" * 100)
    assert "is damaged" in shell("specular checkpoint import cut.tar.gz").err


def test_every_help_says_what_it_needs(shell: Shell) -> None:
    overview = shell("specular --help").out
    assert "Exit codes:" in overview
    assert "specular demo" in overview
    listed = overview.split("Commands:\n")[1]
    for command in [line.split()[0] for line in listed.splitlines() if line[2:3].strip()]:
        found = shell(f"specular {command} --help")
        assert found.code == 0
        assert found.out.startswith(f"Usage: specular {command} ")
        assert "x<=" not in found.out
        assert "x>=" not in found.out


def test_json_stays_json_under_every_encoding(shell: Shell) -> None:
    built(shell)
    for line in ("checkpoint list", "checkpoint show one", "progress", "plan show", "plan validate", "doctor"):
        data = shell(f"specular {line} --format json", PYTHONIOENCODING="ascii").out
        json.loads(data)
        assert data.isascii()


def test_a_shell_completes_commands_runs_tasks_and_files(shell: Shell) -> None:
    built(shell)
    shell.plan(task("c"))
    assert shell("specular build --run-id two").code == 0

    def completed(*words: str, folder: str = ".") -> list[str]:
        typed = " ".join(("specular", *words))
        line = f'cd {folder}; COMP_WORDS="{typed}" COMP_CWORD={len(words)} _SPECULAR_COMPLETE=bash_complete specular'
        found = shell(line)
        assert (found.code, found.err) == (0, "")
        return found.out.split()

    assert completed("che") == ["plain,checkpoint"]
    assert completed("checkpoint", "show", "") == ["plain,one", "plain,two"]
    assert completed("checkpoint", "compare", "one", "t") == ["plain,two"]
    assert completed("build", "--resume", "o") == ["plain,one"]
    assert completed("logs", "") == ["plain,c"]
    assert completed("logs", "--run", "one", "") == ["plain,a", "plain,b"]
    assert completed("build", "--plan", "pl") == ["file,pl"]
    (shell.checkpoints / "two" / "journal.jsonl").write_bytes(b"")
    assert completed("logs", "") == []
    assert shell("specular checkpoint delete one --trash --force").code == 0
    assert completed("checkpoint", "restore", "") == ["plain,one"]
    assert completed("checkpoint", "show", "") == ["plain,two"]
    (shell.folder / "empty").mkdir()
    assert completed("checkpoint", "show", "", folder="empty") == []
    assert shell('eval "$(_SPECULAR_COMPLETE=bash_source specular)"; complete -p specular').code == 0


def test_names_that_are_not_utf8(shell: Shell) -> None:
    shell.plan(task("a", "mkdir -p dist && touch \"$(printf 'dist/\\377')\"", outputs=["dist"]))
    odd = "$(printf 'od\\377d')"
    assert shell(f'mkdir "{odd}" && cp plan.json "{odd}"').code == 0
    refused = shell(f'cd "{odd}" && specular build')
    assert refused.code == 2
    assert "the name of this folder is not UTF-8, and a checkpoint cannot hold it" in refused.err
    assert shell(f'cd "{odd}" && specular plan validate && specular checkpoint list').code == 0
    refused = shell(f'specular build --plan "{odd}/plan.json"')
    assert refused.code == 2
    assert "the name of the plan is not UTF-8" in refused.err
    # What a task makes, and where sockets and checkpoints are, may be called anything.
    built_there = shell(f'export XDG_RUNTIME_DIR="$PWD/{odd}" SPECULAR_CHECKPOINT_DIR="{odd}/runs"; specular build')
    assert built_there.code == 0, built_there.err
    assert shell(f'SPECULAR_CHECKPOINT_DIR="{odd}/runs" specular checkpoint validate').code == 0
