"""A symbolic link in the place of anything in a checkpoint: nothing behind it is read, written, or told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.scenario import BUILD
from tests.crash.small import RUN, Small
from tests.crash.zygote import Zygote, borrowed

SECRET = "hunter2-0a1b2c3d"
#: Everything that looks at a run or changes it, the mildest first.
COMMANDS = (
    ("checkpoint", "list"),
    ("checkpoint", "show", RUN),
    ("checkpoint", "validate", RUN),
    ("progress", RUN),
    ("logs", "compile", "--run", RUN, "--raw"),
    ("logs", "flaky", "--run", RUN, "--attempt", "1"),
    ("checkpoint", "export", RUN, "--out", "out.tgz"),
    ("build", "--resume", RUN, "--dry-run"),
    ("build", "--resume", RUN),
    ("build", "--resume", RUN, "--repair"),
    ("checkpoint", "compress", RUN),
    ("checkpoint", "abandon", RUN),
    ("checkpoint", "clean", "--older-than", "1s"),
    ("checkpoint", "delete", RUN, "--force"),
)
PLACES = (
    "", "metadata.json", "state.json", "progress.json", "journal.jsonl", "plan.json", "policy.yaml", "lock", ".reserve",
    "plan.next.json", "policy.next.yaml", "quarantine", "outputs", "outputs/compile.log", "outputs/compile.json",
    "outputs/flaky.1.log", "outputs/pack.log", "outputs/compile.log.gz", "state.json.gz",
)  # fmt: skip


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with borrowed() as found:
        yield found


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Small:
    """A run whose engine was killed in its last task: whatever goes on with it has much to write."""
    small = Small(tmp_path_factory.mktemp("links"))
    small.clear()
    zygote.run(small.folder, *BUILD, hook="die_at_pack")
    assert small.said().completed >= {"compile", "flaky"}
    small.save()
    return small


def contents(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


def plant(run: Path, place: str, bait: Path) -> None:
    """Put a link where `place` is; behind it lies what was there, so that it looks right, and a secret."""
    path, target = run / place, bait / "behind"
    if path.is_dir():
        shutil.copytree(path, target)
        (target / "secret").write_text(SECRET)
        shutil.rmtree(path)
    else:
        target.write_bytes((path.read_bytes() if path.exists() else b"") + SECRET.encode())
        path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_behind_it_is_touched(killed: Small, zygote: Zygote, tmp_path: Path, place: str) -> None:
    killed.restore()
    plant(killed.run, place, tmp_path)
    before = contents(tmp_path)
    for args in COMMANDS:
        done = zygote.run(killed.folder, *args)
        assert done.calm, (args, done)
        assert SECRET not in done.out + done.err, args
        assert contents(tmp_path) == before, args
        out = killed.folder / "out.tgz"
        assert not out.exists() or SECRET.encode() not in out.read_bytes()
    assert os.path.lexists(tmp_path / "behind")


def test_a_link_to_nowhere_makes_no_file(killed: Small, zygote: Zygote, tmp_path: Path) -> None:
    for place in ("lock", "journal.jsonl", "metadata.json", "state.json", "quarantine", "outputs"):
        killed.restore()
        path = killed.run / place
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(tmp_path / "made")
        for args in (("build", "--resume", RUN), ("build", "--resume", RUN, "--repair")):
            done = zygote.run(killed.folder, *args)
            assert done.calm, (place, args, done)
            assert not (tmp_path / "made").exists(), (place, args)
