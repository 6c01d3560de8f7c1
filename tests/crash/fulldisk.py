"""A disk that is really full, out of inodes, limited, or read-only: what a build says then, and that it can go on.

To be run as root in a mount namespace of its own: `unshare -m python -m tests.crash.fulldisk`. Prints one line of JSON
for each case.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crash.scenario import BUILD, Broken, expect
from tests.crash.small import RUN, Small, lines, plan_bytes
from tests.crash.zygote import Done, Zygote, borrowed

_KIB = 1 << 10


def _plan(tasks: int) -> bytes:
    """Return a plan of one task after the other, each of which prints 40 KiB."""
    ids = [f"t{n}" for n in range(tasks)]
    return plan_bytes(
        [
            {
                "id": task,
                "command": f"head -c 40960 /dev/zero | tr '\\0' x; echo {task} >> ../ran.log",
                "depends_on": ids[max(0, n - 1) : n],
            }
            for n, task in enumerate(ids)
        ]
    )


class Disk(Small):
    """A small build whose checkpoints are on a file system of their own."""

    def __init__(self, base: Path, options: str) -> None:
        super().__init__(base)
        self.clear(policy=False)
        self.mount = self.folder / ".specular"
        _command("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.mount))
        (self.folder / "plan.json").write_bytes(_plan(20))
        self._ran = base / "ran.log"

    def close(self) -> None:
        _command("umount", "-l", str(self.mount))

    def ran_once(self) -> bool:
        """Tell whether every task has left one mark, or two at most."""
        found = self._ran.read_text().split()
        return all(1 <= found.count(f"t{n}") <= 2 for n in range(20))


def _command(*args: str) -> None:
    subprocess.run(args, check=True)


@contextmanager
def disk(options: str) -> Iterator[Disk]:
    """Make a disk for one case."""
    with tempfile.TemporaryDirectory() as base:
        found = Disk(Path(base), options)
        try:
            yield found
        finally:
            found.close()


def _check_stopped(small: Disk, done: Done, reason: str, *, acknowledged: int = 1) -> set[str]:
    expect(done.calm and done.code == 1, "the build fails calmly", done)
    expect("failed to write checkpoint: " in done.err and reason in done.err, "it says why", done.err)
    expect("resume" in done.out + done.err, "it says how to go on", done)
    said = small.said().completed
    expect(lines(done, "DONE") <= said, "what was said to be done is recorded", lines(done, "DONE"), said)
    expect(acknowledged <= len(said) < 20, "it stopped on its way", said)
    return said


def _check_resumed(small: Disk, zygote: Zygote, kept: set[str]) -> None:
    for args in (("list",), ("show", RUN), ("validate", RUN)):
        done = zygote.run(small.folder, "checkpoint", *args)
        expect(done.calm and done.code == 0, f"{args[0]} is calm", done)
    again = zygote.run(small.folder, "build", "--resume")
    expect(again.calm and again.code == 0, "the resume comes to its end", again)
    expect(not kept & lines(again, "START"), "what was recorded is not run again", kept, again)
    expect(len(small.said().completed) == 20 and small.ran_once(), "everything is done", small.said())
    valid = zygote.run(small.folder, "checkpoint", "validate", RUN)
    expect(valid.code == 0, "the checkpoint is valid in the end", valid)


def no_space(zygote: Zygote) -> int:
    """The logs fill the disk."""
    with disk(f"size={700 * _KIB}") as small:
        done = zygote.run(small.folder, *BUILD)
        # A task whose own output does not fit fails by itself; the checkpoint then has its reserve.
        if "failed to write checkpoint" in done.err:
            kept = _check_stopped(small, done, "no space left on device")
        else:
            expect(done.calm and done.code == 1, "the build fails calmly", done)
            kept = small.said().completed
        _command("mount", "-o", f"remount,size={8 << 20}", str(small.mount))
        _check_resumed(small, zygote, kept)
        return len(kept)


def no_space_for_records(zygote: Zygote) -> int:
    """Something else fills the disk while the build runs, up to the last byte."""
    with disk(f"size={2 << 20}") as small:
        (small.folder / "plan.json").write_bytes(_plan(20).replace(b"head -c 40960", b"head -c 16"))
        ballast = small.mount / "ballast"
        fill = f"; test {{}} != t5 || cat /dev/zero > {ballast} 2>/dev/null || true"
        plan = json.loads((small.folder / "plan.json").read_bytes())
        for task in plan["tasks"]:
            task["command"] += fill.format(task["id"])
        (small.folder / "plan.json").write_text(json.dumps(plan))
        done = zygote.run(small.folder, *BUILD)
        kept = _check_stopped(small, done, "no space left on device")
        ballast.unlink()
        _check_resumed(small, zygote, kept)
        return len(kept)


def no_inodes(zygote: Zygote) -> int:
    """There is room, but for no more files."""
    with disk(f"size={8 << 20},nr_inodes=30") as small:
        done = zygote.run(small.folder, *BUILD)
        kept = _check_stopped(small, done, "no space left on device")
        _command("mount", "-o", "remount,nr_inodes=500", str(small.mount))
        _check_resumed(small, zygote, kept)
        return len(kept)


def file_size_limit(zygote: Zygote) -> int:
    """`ulimit -f`: the journal may not grow; SIGXFSZ kills nobody but a task of the user's own."""
    with disk(f"size={8 << 20}") as small:
        (small.folder / "plan.json").write_bytes(_plan(20).replace(b"head -c 40960", b"head -c 16"))
        done = zygote.run(small.folder, *BUILD, limit={"RLIMIT_FSIZE": 5 * _KIB})
        kept = _check_stopped(small, done, "file too large")
        _check_resumed(small, zygote, kept)
        return len(kept)


def read_only(zygote: Zygote) -> int:
    """The file system is read-only: nothing starts, and nothing is harmed."""
    with disk(f"size={8 << 20}") as small:
        done = zygote.run(small.folder, *BUILD, hook="stop_after_five")
        kept = small.said().completed
        expect(done.code == 130 and bool(kept), "the build was interrupted", done)
        _command("mount", "-o", "remount,ro", str(small.mount))
        commands: tuple[tuple[str, ...], ...] = (("build", "--resume"), ("build", "--run-id", "other"))
        for args in commands:
            refused = zygote.run(small.folder, *args)
            expect(refused.calm and refused.code == 1, "a build fails calmly", refused)
            expect("failed to write checkpoint: read-only file system" in refused.err, "it says why", refused.err)
            expect(not lines(refused, "START"), "nothing is started", refused)
        for reader in (("list",), ("show", RUN), ("validate", RUN)):
            read = zygote.run(small.folder, "checkpoint", *reader)
            expect(read.calm and read.code == 0, f"{reader[0]} reads", read)
        _command("mount", "-o", "remount,rw", str(small.mount))
        _check_resumed(small, zygote, kept)
        return len(kept)


#: Shuts a file system down without writing what it has not written, as a pulled cable does.
_PULL = "import fcntl, os; fcntl.ioctl(os.open('.specular', 0), 0x8004587D, (2).to_bytes(4, 'little'))"


def pulled(zygote: Zygote) -> int:
    """The disk goes away under the build: every call fails from then on; what was on it is there afterwards."""
    with disk(f"size={8 << 20}") as small:
        image = small.folder.parent / "image"
        with image.open("wb") as file:
            file.truncate(16 << 20)
        _command("mkfs.ext4", "-q", "-F", str(image))
        small.close()
        _command("mount", "-o", "loop", str(image), str(small.mount))
        plan = json.loads((small.folder / "plan.json").read_bytes())
        harmless = json.dumps(plan)
        plan["tasks"][5]["command"] = f'echo t5 >> ../ran.log; sleep 0.2; {sys.executable} -c "{_PULL}"'
        (small.folder / "plan.json").write_text(json.dumps(plan))
        done = zygote.run(small.folder, *BUILD)
        expect(done.calm and done.code == 1, "the build fails calmly", done)
        expect("failed to write checkpoint: input/output error" in done.err, "it says why", done.err)
        _command("umount", "-l", str(small.mount))
        _command("mount", "-o", "loop", str(image), str(small.mount))
        kept = small.said().completed
        expect(kept >= {f"t{n}" for n in range(5)}, "what was older than a moment is there", done, kept)
        (small.folder / "plan.json").write_text(harmless)
        again = zygote.run(small.folder, "build", "--resume")
        expect(again.calm and again.code == 0, "the resume comes to its end", again)
        expect(not {f"t{n}" for n in range(5)} & lines(again, "START"), "nothing is lost", again)
        valid = zygote.run(small.folder, "checkpoint", "validate", RUN)
        expect(valid.code == 0, "the checkpoint is valid in the end", valid)
        return len(kept)


CASES: tuple[Callable[[Zygote], int], ...] = (
    no_space,
    no_space_for_records,
    no_inodes,
    file_size_limit,
    read_only,
    pulled,
)


def main() -> int:
    """Go through all cases."""
    bad = 0
    with borrowed() as zygote:
        for case in CASES:
            try:
                answer: dict[str, object] = {"case": case.__name__, "kept": case(zygote)}
            except Broken as broken:
                bad += 1
                answer = {"case": case.__name__, "broken": str(broken)}
            sys.stdout.write(json.dumps(answer) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
