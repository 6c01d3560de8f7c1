"""Runs that are packed, and runs that go from one folder to another."""

from __future__ import annotations

import json
from pathlib import Path

from tests.contract.conftest import Shell, task


def half_done(shell: Shell, **more: object) -> None:
    shell.plan(task("a", "seq 20000; echo a >> ran", **more), task("b", "echo b >> ran; test -e mended", "a"))
    assert shell("specular build --run-id half").code == 1


def other_folder(shell: Shell, name: str) -> Shell:
    folder = shell.folder / name
    folder.mkdir()
    return Shell(folder)


def test_compress_changes_nothing_but_the_size(shell: Shell) -> None:
    half_done(shell)
    before = shell("specular checkpoint show half").json()
    log = shell("specular logs a").out
    (size,) = [run["size_bytes"] for run in shell("specular checkpoint list --format json").json()]

    packed = shell("specular checkpoint compress half")

    assert packed.code == 0, packed.err
    (after,) = [run["size_bytes"] for run in shell("specular checkpoint list --format json").json()]
    assert after < size * 0.6, "in whole blocks of the disk"
    assert shell("specular checkpoint show half").json() == before
    assert shell("specular logs a").out == log
    assert shell("specular checkpoint validate half").code == 0
    assert "nothing left to compress" in shell("specular checkpoint compress --last").out
    assert "1 run" in shell("specular checkpoint compress --all").out
    (shell.folder / "mended").touch()
    resumed = shell("specular build --resume half")
    assert resumed.code == 0, resumed.err
    assert (shell.folder / "ran").read_text().split() == ["a", "b", "b"]
    assert shell("specular checkpoint validate half").code == 0


def test_export_and_import(shell: Shell) -> None:
    half_done(shell)

    exported = shell("specular checkpoint export half --out checkpoint.tar.gz")
    assert exported.code == 0, exported.err
    again = shell("specular checkpoint export half --out checkpoint.tar.gz")
    assert again.code == 1
    assert "--force" in again.err
    assert shell("specular checkpoint export half --out checkpoint.tar.gz --force").code == 0

    there = other_folder(shell, "there")
    imported = there("specular checkpoint import ../checkpoint.tar.gz")
    assert imported.code == 0, imported.err
    assert imported.out == "imported half\n"
    assert "go on with it: specular build --resume half" in imported.err
    assert not (there.folder / "ran").exists()
    shown = there("specular checkpoint show half").json()
    assert (shown["imported"], shown["completed_tasks"]) == (True, 1)
    assert there("specular checkpoint validate half").code == 0
    twice = there("specular checkpoint import ../checkpoint.tar.gz")
    assert twice.code == 1
    assert "never replaces" in twice.err


def test_through_a_pipe(shell: Shell) -> None:
    half_done(shell)
    there = other_folder(shell, "there")
    through = shell(
        "set -o pipefail; specular checkpoint export half --out - | (cd there; specular checkpoint import -)"
    )
    assert (through.code, through.out) == (0, "imported half\n"), through.err
    assert "exported half (" in through.err
    assert there("specular checkpoint validate half").code == 0
    assert not (shell.folder / "-").exists()
    same = shell(
        "specular checkpoint export half --out file.tar.gz; specular checkpoint export half --out - | cmp - *.gz"
    )
    assert same.code == 0, same.out

    twice = shell("specular checkpoint export half --out - 2>&- | (cd there; specular checkpoint import -)")
    assert (twice.code, twice.out) == (1, "")
    assert "never replaces" in twice.err
    nothing = shell("specular checkpoint export none --out - | (cd there; specular checkpoint import -)")
    assert nothing.code == 4
    assert "Error: stdin cannot be imported: the archive is empty\n" in nothing.err
    assert shell("specular checkpoint export half --out - | true; echo ${PIPESTATUS[0]}").out == "0\n"
    full = shell("specular checkpoint export half --out - > /dev/full")
    assert full.code == 1
    assert "failed to export the checkpoint: no space left on device: stdout" in full.err


def test_what_no_pipe_can_take(shell: Shell) -> None:
    half_done(shell)
    several = shell("specular checkpoint export half --all --out -; specular checkpoint export --all --out -")
    assert several.code == 2
    assert "→ name a folder for their archives: --out FOLDER\n" in several.err
    assert several.out == ""
    shown = shell.on_terminal("specular checkpoint export half --out -")
    assert shown.code == 2
    assert "an archive is not written to a terminal" in shown.out
    assert "an archive is not read from a terminal" in shell.on_terminal("specular checkpoint import -").out
    assert shell("specular checkpoint export half --out ./- && specular checkpoint delete half --force").code == 0
    assert shell("specular checkpoint import ./-").out == "imported half\n", "a file of that name"


def test_several_runs_at_once(shell: Shell) -> None:
    shell.plan(task("a"))
    assert shell("for n in 1 2 3; do specular build --run-id run-$n || exit; done").code == 0
    shell("specular checkpoint export run-1 --out one.tar.gz; specular checkpoint delete run-1")
    assert "go on" not in shell("specular checkpoint import one.tar.gz").err, "it is completed"
    exported = shell("specular checkpoint export run-1 run-2 run-1 --out some/backup")
    assert exported.code == 0, exported.err
    assert [line.split(" (")[0] for line in exported.out.splitlines()] == [
        "exported run-1 to some/backup/run-1.tar.gz",
        "exported run-2 to some/backup/run-2.tar.gz",
    ]
    (shell.checkpoints / "run-2" / "journal.jsonl").write_bytes(b"x")
    partly = shell("specular checkpoint export --all --out all")
    assert partly.code == 4
    assert "run-2/journal.jsonl is damaged" in partly.err
    assert sorted(path.name for path in (shell.folder / "all").iterdir()) == ["run-1.tar.gz", "run-3.tar.gz"]
    assert shell("specular checkpoint export run-3 --out all").code == 1, "the folder holds an archive of it"

    assert shell("specular checkpoint export run-1 run-3 --out plan.json").code == 2
    assert shell("specular checkpoint export run-1 --all").code == 2
    assert shell("specular checkpoint export run-1 run-3 --last").code == 2
    assert shell("specular checkpoint export").code == 2

    there = other_folder(shell, "there")
    imported = there("specular checkpoint import ../all/*.tar.gz ../none.tar.gz ../some/backup/run-*.tar.gz")
    assert imported.code == 1
    assert imported.out == "imported run-1\nimported run-3\nimported run-2\n"
    assert "none.tar.gz" in imported.err
    assert "run-1" in imported.err
    assert there.runs() == ["run-1", "run-2", "run-3"]
    assert there("specular checkpoint import").code == 2


def test_an_imported_plan_is_run_when_somebody_says_so(shell: Shell) -> None:
    half_done(shell)
    shell("specular checkpoint export half --out checkpoint.tar.gz; rm -rf .specular plan.json")
    there = other_folder(shell, "there")
    there("specular checkpoint import ../checkpoint.tar.gz; touch mended")

    refused = there("specular build --resume half")
    assert refused.code == 1
    assert "--trust-plan" in refused.err
    assert "test -e mended" in refused.err
    assert not (there.folder / "ran").exists()
    assert "test -e mended" in there("specular plan show --run half").out
    assert there.on_terminal("specular build --resume half", keys="n\n").code == 1
    assert not (there.folder / "ran").exists()
    # What it would do may be looked at: nothing is run for that.
    looked = there("specular build --resume half --dry-run")
    assert looked.code == 0, looked.err
    assert looked.out.startswith("ACTION")
    assert "--trust-plan" in looked.err
    assert not (there.folder / "ran").exists()
    trusted = there("specular build --resume half --trust-plan")
    assert trusted.code == 0, trusted.err


def test_secrets_stay_secret(shell: Shell) -> None:
    shell.plan(task("a", "true", env={"API_TOKEN": "geheim", "PLAIN": "offen"}))
    shell("specular build --run-id x")
    shell("specular checkpoint export x --out plain.tar.gz; specular checkpoint export x --redact --out masked.tar.gz")

    for line in ("checkpoint show x", "plan show --format json", "progress --format json"):
        assert "geheim" not in shell(f"specular {line}").out, line
    assert '"API_TOKEN": "***"' in shell("specular plan show --format json").out
    assert (
        "geheim"
        not in shell("cat .specular/checkpoints/x/*.json .specular/checkpoints/x/outputs/* | grep -v tasks").out
    )
    assert "geheim" in shell("tar -xzOf plain.tar.gz x/plan.json").out
    masked = shell("tar -xzOf masked.tar.gz").out
    assert "geheim" not in masked
    assert "offen" in masked


def test_what_is_no_archive_is_refused(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("tar -czf evil.tar.gz plan.json; head -c 100 /dev/zero > zeros; ln -s plan.json link")

    for name in ("plan.json", "evil.tar.gz", "zeros", "link"):
        refused = shell(f"specular checkpoint import {name}")
        assert refused.code == 4, name
        assert refused.err.startswith("Error: "), name
    assert shell("specular checkpoint import missing").code == 1
    assert shell("specular checkpoint list --format json").json() == []


def test_the_same_run_gives_the_same_archive(shell: Shell) -> None:
    half_done(shell)
    shell("specular checkpoint export half --out 1.tar.gz; sleep 1; specular checkpoint export half --out 2.tar.gz")

    assert (shell.folder / "1.tar.gz").read_bytes() == (shell.folder / "2.tar.gz").read_bytes()
    assert Path(shell.folder / "1.tar.gz").stat().st_mode & 0o777 == 0o600


def test_a_live_run_stays_where_it_is(shell: Shell) -> None:
    shell.plan(task("a", "until [ -e go ]; do sleep 0.02; done"))
    shell.start("specular build --run-id live")
    shell.wait_for("grep -q task_started .specular/checkpoints/live/journal.jsonl")

    assert shell("specular checkpoint compress live").code == 5
    assert shell("specular checkpoint export live --out x.tar.gz").code == 5
    everything = shell("specular checkpoint compress --all")
    assert everything.code == 0
    assert "live is live" in everything.err
    (shell.folder / "go").touch()


def test_the_record_of_the_run_is_json(shell: Shell) -> None:
    half_done(shell)

    record = json.loads((shell.checkpoints / "half" / "outputs" / "a.json").read_bytes())
    assert record["task"] == "a"
    assert record["exit_code"] == 0
