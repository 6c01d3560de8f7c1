"""Runs as archives: the same run out and in, and strangers' archives refused with nothing written."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blake3 import blake3

from specular_tui.errors import CheckpointError, RunHeldError, RunNotFoundError, SpecularError, StorageError
from specular_tui.model.plan import Task
from specular_tui.model.run import RunStatus, TaskStatus
from specular_tui.store import checkpoint, digest, layout
from specular_tui.store.archive import Bounds, export_run, import_run, tarstream
from specular_tui.store.archive import importing as archive_import
from specular_tui.store.checks.check import check
from specular_tui.store.effort import CancelledError
from specular_tui.store.keeping.compress import compress
from tests import recorded
from tests.recorded import RUN, Recorded

POLICY = b"checkpoints: {}\n"
Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return tmp_path / "other"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run.tar.gz"


@pytest.mark.parametrize("make", [recorded.completed, recorded.paused, recorded.failed, recorded.killed])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("redact", [False, True])
def test_out_and_in(
    root: Path, other: Path, out: Path, make: Callable[..., Recorded], packed: bool, redact: bool
) -> None:
    run = make(root, policy=POLICY, gates=("@tests",))
    if packed:
        compress(root, RUN)
    before = checkpoint.load(root, RUN).state
    size = export_run(root, RUN, out, redact=redact)
    assert size == out.stat().st_size
    assert check(root, RUN).ok
    assert import_run(other, out) == RUN
    assert check(other, RUN).ok
    assert os.listdir(other) == [RUN]
    after = checkpoint.load(other, RUN).state
    assert after.imported
    assert (after.status, after.interrupted) == (before.status, before.interrupted)
    assert {i: task.status for i, task in after.tasks.items()} == {i: task.status for i, task in before.tasks.items()}
    for path in (other / RUN).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    run.root = other
    assert not run.reopen().crashed
    run.leave()
    assert check(other, RUN).ok


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        recorded.completed(tmp_path / name)
        (tmp_path / name / RUN / "README").write_text(name)
        export_run(tmp_path / name, RUN, tmp_path / f"{name}.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_what_is_in_an_archive(root: Path, out: Path) -> None:
    run = recorded.killed(root, policy=POLICY)
    for name in ("README", "outputs/stranger.log"):
        (run.path / name).touch()
    (run.path / layout.QUARANTINE).mkdir()
    with open(run.path / layout.JOURNAL, "ab") as journal:
        journal.write(b'{"torn')
    export_run(root, RUN, out)
    with tarfile.open(out) as tar:
        members = tar.getmembers()
    names = [member.name.removeprefix(f"{RUN}/") for member in members]
    assert layout.LOCK not in names
    assert set(names) >= {
        RUN,
        "journal.jsonl",
        "metadata.json",
        "plan.json",
        "policy.yaml",
        "outputs",
        "outputs/fetch.log",
    }
    assert not {".reserve", "quarantine", "README", "outputs/stranger.log"} & set(names)
    assert {member.uid for member in members} == {0}
    assert {member.mode for member in members} == {0o700, 0o600}


def test_long_names_of_tasks(root: Path, other: Path, out: Path) -> None:
    tasks = [Task(id=("X" * 127) + str(i), command="true") for i in range(2)]
    tasks.append(Task(id="a" * 128, command="true"))
    run = Recorded(root, tasks=tasks)
    run.begin()
    for task in tasks:
        run.run(task.id)
    run.finish("completed")
    export_run(root, RUN, out)
    import_run(other, out)
    assert check(other, RUN).ok


def test_a_live_run_is_not_exported(root: Path, out: Path) -> None:
    run = Recorded(root)
    with pytest.raises(RunHeldError):
        export_run(root, RUN, out)
    assert not out.exists()
    run.vanish()
    with pytest.raises(RunNotFoundError):
        export_run(root, "none", out)


def test_a_damaged_run_is_not_exported(root: Path, out: Path) -> None:
    run = recorded.completed(root)
    (run.path / layout.PLAN).write_bytes(b"{}")
    with pytest.raises(CheckpointError, match="plan"):
        export_run(root, RUN, out)
    (run.path / layout.PLAN).write_bytes(run.plan)
    (run.outputs / "test.log").unlink()
    (run.outputs / "test.log").symlink_to("/etc/passwd")
    with pytest.raises(CheckpointError, match="no file of a checkpoint"):
        export_run(root, RUN, out)
    assert os.listdir(out.parent) == ["root"]


def test_nothing_is_overwritten_unasked(root: Path, out: Path, tmp_path: Path) -> None:
    recorded.completed(root)
    out.write_bytes(b"precious")
    with pytest.raises(SpecularError, match="is there already"):
        export_run(root, RUN, out)
    assert out.read_bytes() == b"precious"
    export_run(root, RUN, out, force=True)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    target = tmp_path / "target"
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(SpecularError, match="is there already"):
        export_run(root, RUN, link)
    assert not target.exists()


def test_an_export_that_fails_leaves_nothing(root: Path, tmp_path: Path) -> None:
    recorded.completed(root)
    with pytest.raises(StorageError, match="no such file"):
        export_run(root, RUN, tmp_path / "none" / "run.tar.gz")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        export_run(root, RUN, tmp_path / "run.tar.gz", cancel=cancel)
    assert os.listdir(tmp_path) == ["root"]


def test_redacting_masks_the_plan_and_keeps_the_run_valid(root: Path, other: Path, out: Path) -> None:
    recorded.completed(root)
    export_run(root, RUN, out, redact=True)
    assert b"hunter2" not in gzip.decompress(out.read_bytes())
    import_run(other, out)
    plan = msgspec.json.decode((other / RUN / layout.PLAN).read_bytes())
    assert plan["tasks"][1]["env"] == {"API_TOKEN": "***"}
    state = checkpoint.load(other, RUN).state
    assert state.plan_hash == digest.of_bytes((other / RUN / layout.PLAN).read_bytes())
    assert (root / RUN / layout.PLAN).read_bytes() == recorded.plan_bytes(recorded.TASKS)


def test_an_import_tells_how_far_it_is(root: Path, other: Path, out: Path) -> None:
    recorded.completed(root)
    export_run(root, RUN, out)
    told: list[tuple[int, int]] = []
    import_run(other, out, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (out.stat().st_size,) * 2
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        import_run(other / "second", out, cancel=cancel)
    assert not (other / "second").exists()


def test_a_run_is_never_replaced(root: Path, other: Path, out: Path) -> None:
    recorded.completed(root)
    export_run(root, RUN, out)
    run = recorded.paused(other)
    before = (run.path / layout.JOURNAL).read_bytes()
    with pytest.raises(StorageError, match="already there"):
        import_run(other, out)
    assert (run.path / layout.JOURNAL).read_bytes() == before
    assert os.listdir(other) == [RUN]
    run.path.rename(other / "moved")
    run.path.symlink_to("moved")
    with pytest.raises(StorageError, match="already there"):
        import_run(other, out)


def test_an_open_session_is_over_where_it_is_imported(root: Path, other: Path, out: Path) -> None:
    recorded.killed(root)
    export_run(root, RUN, out)
    import_run(other, out)
    found = checkpoint.load(other, RUN)
    assert found.state.session is None
    assert found.state.status is RunStatus.PAUSED
    assert found.state.tasks["test"].status is TaskStatus.PENDING
    assert found.unproven == ()
    metadata = msgspec.json.decode((other / RUN / layout.METADATA).read_bytes())
    assert metadata["imported"] is True
    assert metadata["control"] is None


# Hostile archives -----------------------------------------------------------------------------------------------------


def members_of(path: Path) -> list[Member]:
    with tarfile.open(path) as tar:
        found = []
        for member in tar.getmembers():
            file = tar.extractfile(member)
            found.append((member, file.read() if file is not None else b""))
    return found


def pack(path: Path, members: list[Member], format_: int = tarfile.PAX_FORMAT) -> None:
    with tarfile.open(path, "w:gz", format=format_) as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)


def member(name: str, data: bytes = b"", **fields: Any) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o600
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


@pytest.fixture
def healthy(root: Path, out: Path) -> list[Member]:
    recorded.completed(root)
    export_run(root, RUN, out)
    return members_of(out)


def refused(other: Path, path: Path, reason: str = "cannot be imported") -> str:
    """Import must be refused as invalid, with nothing written."""
    other.mkdir(exist_ok=True)
    before = sorted(os.walk(other.parent))
    with pytest.raises(CheckpointError, match=reason) as caught:
        import_run(other, path, bounds=Bounds(total=64 << 20, members=1000))
    assert caught.value.exit_code == 4
    assert sorted(os.walk(other.parent)) == before
    assert all(line.isprintable() for line in (caught.value.message, *caught.value.details))
    return caught.value.message


def test_archives_of_other_programs_are_fine(healthy: list[Member], other: Path, out: Path) -> None:
    for format_ in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        for info, _ in healthy:
            info.uid, info.uname, info.mtime, info.mode = 1000, "ada", 1_700_000_000.5, 0o755
            if format_ == tarfile.USTAR_FORMAT:
                info.mtime = 1_700_000_000
        pack(out, healthy[::-1], format_)
        target = other / str(format_)
        assert import_run(target, out) == RUN
        assert check(target, RUN).ok
    for info, _ in healthy:
        info.name = f"./{info.name}"
    pack(out, healthy)
    import_run(other / "dotted", out)


LINK: Any = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}
HARD: Any = {"type": tarfile.LNKTYPE, "linkname": f"{RUN}/metadata.json"}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (member("/etc/cron.d/x", b"x"), "outside of a run's folder"),
        (member("../x", b"x"), "outside of a run's folder"),
        (member(f"{RUN}/../../x", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/../../../x.log", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/sub/x.log", b"x"), "no file of a run"),
        (member(f"{RUN}//state.json", b"x"), "no file of a run"),
        (member(f"{RUN}/./state.json", b"x"), "no file of a run"),
        (member("x", b"x"), "no file of a run"),
        (member("other-run/metadata.json", b"{}"), "more than one folder"),
        (member(f"{RUN}/lock", b""), "no file of a run"),
        (member(f"{RUN}/.reserve", b"x"), "no file of a run"),
        (member(f"{RUN}/quarantine/x", b"x"), "no file of a run"),
        (member(f"{RUN}/plan.next.json", b"{}"), "no file of a run"),
        (member(f"{RUN}/outputs/..json", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/.log", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/Fetch.log", b"x"), "no file of a run|two members"),
        (member(f"{RUN}/outputs/%2f.log", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/fetch.0.log", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/fetch.txt", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/f\u00e9tch.log", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/fetch\x00.log", b"x"), "two members of one name|no file of a run"),
        (member(f"{RUN}/outputs/\x1b[31m.log", b"x"), "no file of a run"),
        (member(f"{RUN}/outputs/stranger.log", b"x"), "belongs to no task"),
        (member(f"{RUN}/outputs/fetch.9.log", b"x"), "belongs to no task|no attempt"),
        (member(f"{RUN}/metadata.json", b"{}"), "two members of one name"),
        (member(f"./{RUN}/metadata.json", b"{}"), "two members of one name"),
        (member(f"{RUN}/METADATA.json", b"{}"), "two members of one name|no file of a run"),
        (member(f"{RUN}/outputs/fetch.log", b"x"), "two members of one name"),
        (member(f"{RUN}/policy.yaml", **LINK), "symbolic link"),
        (member(f"{RUN}/policy.yaml", **HARD), "hard link"),
        (member(f"{RUN}/policy.yaml", type=tarfile.CHRTYPE), "device"),
        (member(f"{RUN}/policy.yaml", type=tarfile.BLKTYPE), "device"),
        (member(f"{RUN}/policy.yaml", type=tarfile.FIFOTYPE), "pipe"),
        (member(f"{RUN}/policy.yaml", type=b"7"), "unknown kind"),
        (member(f"{RUN}/policy.yaml", type=b"S"), "sparse"),
        (member(f"{RUN}/sub", type=tarfile.DIRTYPE), "no file of a run"),
        (member(f"{RUN}/policy.yaml", b"x: 1\n", mode=0o4755), "special rights"),
        (member(f"{RUN}/policy.yaml", b"x: 1\n", mode=0o2755), "special rights"),
        (member(f"{RUN}/policy.yaml", b"x: 1\n"), "policy.yaml: is there, and the run has no policy"),
        (member(f"{RUN}/state.json.gz", b"x"), "cannot be imported"),
    ],
    ids=lambda value: value[0].name if isinstance(value, tuple) else "",
)
def test_members_that_have_no_place_in_a_run(
    healthy: list[Member], other: Path, out: Path, extra: Member, reason: str
) -> None:
    pack(out, [*healthy, extra])
    if extra[0].name == f"{RUN}/state.json.gz":
        import_run(other, out)  # the plain one counts, and the packed one goes
        assert not (other / RUN / "state.json.gz").exists()
    else:
        refused(other, out, reason)
        pack(out, [extra, *healthy])
        refused(other, out)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_an_archive_of_other_things(other: Path, out: Path, count: int) -> None:
    pack(out, [member(f"src/file{i}.c", b"int x;") for i in range(count)])
    refused(other, out, "is empty|no file of a run")


def test_a_run_by_another_name(healthy: list[Member], other: Path, out: Path) -> None:
    for info, _ in healthy:
        info.name = info.name.replace(RUN, "renamed")
    pack(out, healthy)
    refused(other, out, "another run|run_id")


@pytest.mark.parametrize(
    "name",
    [
        "journal.jsonl",
        "metadata.json",
        "state.json",
        "progress.json",
        "plan.json",
        "outputs/test.log",
        "outputs/test.json",
    ],
)
def test_hashes_that_do_not_match(healthy: list[Member], other: Path, out: Path, name: str) -> None:
    changed = []
    for info, data in healthy:
        if info.name == f"{RUN}/{name}":
            data = data.replace(b"ok", b"no", 1) if name.endswith("log") else data.replace(b":", b";", 1)
        changed.append((info, data))
    pack(out, changed)
    assert "checkpoint validation failed" in refused(other, out)
    pack(out, [(info, data) for info, data in healthy if info.name != f"{RUN}/{name}"])
    refused(other, out)


def test_a_journal_that_is_forged_to_steal_names(healthy: list[Member], other: Path, out: Path) -> None:
    """Every hash matches, and the task is called as a path out of the run."""
    body = (
        b'{"seq":1,"event":"run_created","at":1,"run_id":"%b","plan_file":"p","plan_folder":"/","plan_name":"p",'
        b'"plan_hash":"%b","tasks":["../../../x"]' % (RUN.encode(), digest.of_bytes(b"{}").encode())
    )
    line = b'%b,"chain":"%b"}\n' % (body, blake3(body).hexdigest(length=16).encode())
    pack(out, [member(f"{RUN}/journal.jsonl", line), member(f"{RUN}/plan.json", b"{}")])
    refused(other, out)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def test_broken_archives(healthy: list[Member], other: Path, out: Path) -> None:
    packed = out.read_bytes()
    plain = gzip.decompress(packed)
    first = plain[:512]
    sums = bytearray(plain)
    sums[0] ^= 1
    huge = bytearray(plain)
    huge[124:136] = b"77777777777\0"
    for data in (
        b"",
        b"not an archive",
        plain,
        packed[: len(packed) // 2],
        packed[:-1],
        packed[:-8],
        packed + b"garbage",
        packed + packed,
        packed + b"\0" * 512,
        gz(plain[: len(plain) // 2]),
        gz(plain[:700]),
        gz(plain.rstrip(b"\0")),
        gz(plain + b"garbage" + bytes(505)),
        gz(plain + first),
        gz(bytes(512) + plain),
        gz(bytes(sums)),
        gz(bytes(huge)),
        gz(b""),
        gz(b"\xff" * 4096),
        gz(gz(plain)),
        packed[:20] + b"\xff" + packed[21:],
    ):
        out.write_bytes(data)
        refused(other, out)


def test_an_archive_cut_anywhere(healthy: list[Member], other: Path, out: Path) -> None:
    packed = out.read_bytes()
    for at in range(0, len(packed), 37):
        out.write_bytes(packed[:at])
        refused(other, out)


def test_an_archive_with_a_byte_changed_anywhere(healthy: list[Member], other: Path, out: Path) -> None:
    packed = out.read_bytes()
    for at in range(10, len(packed), 23):
        bad = bytearray(packed)
        bad[at] ^= 1 << at % 8
        out.write_bytes(bad)
        refused(other, out)


def test_bombs(healthy: list[Member], other: Path, out: Path) -> None:
    pack(out, [*healthy, member(f"{RUN}/outputs/bomb.log", bytes(80 << 20))])
    refused(other, out, "holds no more than|holds more than")
    pack(out, [member(f"{RUN}/outputs/t{i}.log") for i in range(1200)])
    refused(other, out, "more than 1000 members")


def test_a_bomb_by_its_ratio(other: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarstream, "_FREE", 16 << 20)
    with gzip.open(out, "wb") as file:
        info, _ = member(f"{RUN}/outputs/bomb.log")
        info.size = 1 << 30
        file.write(info.tobuf())
        for _ in range(20):
            file.write(bytes(1 << 20))
    with pytest.raises(CheckpointError, match="looks like a bomb"):
        import_run(other, out)
    assert not other.exists()


def test_a_bomb_inside(root: Path, other: Path, out: Path) -> None:
    recorded.completed(root)
    compress(root, RUN)
    export_run(root, RUN, out)
    bomb = gzip.compress(bytes(40 << 20), 1)
    pack(
        out,
        [
            (*_sized(info, bomb),) if info.name.endswith("test.log.gz") else (info, data)
            for info, data in members_of(out)
        ],
    )
    refused(other, out, "is longer than")


def _sized(info: tarfile.TarInfo, data: bytes) -> Member:
    info.size = len(data)
    return info, data


@pytest.mark.parametrize(
    "headers",
    [
        {"path": "../escaped"},
        {"path": "/absolute"},
        {"linkpath": "x"},
        {"GNU.sparse.major": "1", "GNU.sparse.name": "x"},
        {"size": "99999999999999999999"},
        {"size": "-1"},
        {"size": "1e3"},
        {"comment": "x" * 100_000},
    ],
    ids=range(8),
)
def test_pax_headers(healthy: list[Member], other: Path, out: Path, headers: dict[str, str]) -> None:
    healthy[2][0].pax_headers = headers
    pack(out, healthy)
    if "size" in headers:
        raw = gzip.decompress(out.read_bytes())
        assert b"size=" in raw
    refused(other, out)


def test_nothing_that_is_staged_can_be_taken_for_a_run(healthy: list[Member], other: Path, out: Path) -> None:
    seen: list[list[str]] = []

    def progress(done: int, total: int) -> None:
        if other.exists():
            seen.append(checkpoint.run_ids(other))

    import_run(other, out, progress=progress)
    assert all(ids == [] for ids in seen)


def test_a_kill_while_importing_leaves_only_what_the_next_removal_sweeps(
    healthy: list[Member], other: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from specular_tui.store.keeping import removal

    class Killed(BaseException):
        pass

    def die(*args: object) -> None:
        raise Killed

    monkeypatch.setattr(archive_import, "_mark", die)
    monkeypatch.setattr("specular_tui.store.folder.Folder.remove_tree", die)
    with pytest.raises(Killed):
        import_run(other, out)
    monkeypatch.undo()
    assert checkpoint.run_ids(other) == []
    (left,) = other.iterdir()
    os.utime(left, (1, 1))
    recorded.paused(other)
    removal.remove(other, RUN)
    assert os.listdir(other) == []


def test_a_file_that_is_not_there(other: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(StorageError, match="cannot read"):
            import_run(other, path)
    assert not other.exists()
