"""Programs are started as a shell would start them, by libc itself and by Python alike."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from specular_tui.engine import spawn
from specular_tui.engine.spawn import LibcSpawner, PythonSpawner, Spawner, make_spawner

WAYS = [PythonSpawner, *([LibcSpawner] if sys.platform.startswith("linux") else [])]
Make = Callable[[Mapping[bytes, bytes]], Spawner]


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest) -> Make:
    way: Make = request.param
    return way


def run(spawner: Spawner, folder: Path, *argv: bytes, env: Mapping[bytes, bytes] | None = None) -> tuple[int, bytes]:
    """Run a program to its end; return its code and what it wrote."""
    fd = os.open(folder / "out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        pid = spawner.spawn(argv[0], argv, env or {}, fd)
        assert os.getpgid(pid) == pid, "it leads a group of its own"
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code, os.pread(fd, 1 << 16, 0)
    finally:
        os.close(fd)


def test_it_inherits_and_its_own_variables_come_on_top(make: Make, tmp_path: Path) -> None:
    spawner = make({b"A": b"1", b"B": b"2", b"EMPTY": b""})
    code, out = run(spawner, tmp_path, b"/usr/bin/env", env={b"B": b"of its own", b"C": b"=3="})
    assert code == 0
    assert sorted(out.splitlines()) == [b"A=1", b"B=of its own", b"C==3=", b"EMPTY="]
    _, out = run(spawner, tmp_path, b"/usr/bin/env")
    assert sorted(out.splitlines()) == [b"A=1", b"B=2", b"EMPTY="], "one task's are not the next one's"


def test_it_reads_nothing_and_has_the_signals_of_a_shell(make: Make, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code, out = run(make({}), tmp_path, b"/bin/sh", b"-c", b"cat; grep SigIgn /proc/self/status >&2")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert code == 0
    ignored = int(out.split()[1], 16)
    assert not any(ignored >> (number - 1) & 1 for number in spawn.DEFAULT_SIGNALS)


def test_words_arrive_as_they_are(make: Make, tmp_path: Path) -> None:
    words = [b"", b" ", b"a b", b"'\"$x", "ä".encode(), b"\xff\n"]
    _, out = run(make({}), tmp_path, b"printf", b"[%s]", *words)
    assert out == b"".join(b"[%b]" % word for word in words)


def test_a_program_is_looked_for_as_libc_does(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("folder", "plain", "nothing", "first", "second")
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "folder" / "tool").mkdir()
    (tmp_path / "plain" / "tool").write_text("#!/bin/sh\necho wrong\n")
    for name in ("first", "second"):
        tool = tmp_path / name / "tool"
        tool.write_text(f'#!/bin/sh\necho {name} "$0"\n')
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", ":".join(str(tmp_path / name) for name in names))
    spawner = make({b"PATH": b"/usr/bin:/bin"})
    assert run(spawner, tmp_path, b"tool") == (0, b"first %b\n" % os.fsencode(tmp_path / "first" / "tool"))
    (tmp_path / "first" / "tool").unlink()
    assert run(spawner, tmp_path, b"tool")[1].startswith(b"second")
    (tmp_path / "second" / "tool").unlink()
    with pytest.raises(OSError, match=r"[Pp]ermission denied"):
        run(spawner, tmp_path, b"tool")
    with pytest.raises(FileNotFoundError):
        run(spawner, tmp_path, b"no-such-tool")


def test_folders_of_the_path_may_be_relative(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    (tmp_path / "tool").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "tool").chmod(0o755)
    assert run(make({}), tmp_path, b"tool") == (0, b"here\n")


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        ([b"true", b"a\0b"], {}),
        ([b""], {}),
        ([], {}),
        ([b"true"], {b"A": b"\0"}),
        ([b"true"], {b"": b"1"}),
        ([b"true"], {b"A=B": b"1"}),
    ],
)
def test_what_cannot_be_a_command_is_refused(make: Make, argv: list[bytes], env: dict[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match=r"null|empty|illegal"):
        make({}).spawn(argv[0] if argv else b"true", argv, env, 1)


def test_any_number_of_descriptors_can_be_logs(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_KEPT", 3)
    spawner = make({})
    for _ in range(2):
        held = [os.open(tmp_path / f"{number}", os.O_RDWR | os.O_CREAT) for number in range(8)]
        for number, fd in enumerate(held):
            pid = spawner.spawn(b"echo", [b"echo", b"%d" % number], {}, fd)
            assert os.waitpid(pid, 0)[1] == 0
        for number, fd in enumerate(held):
            assert os.pread(fd, 100, 0).endswith(b"%d\n" % number)
            os.close(fd)


def test_where_libc_cannot_be_called_python_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: LibcSpawner, environ: Mapping[bytes, bytes]) -> None:
        raise AttributeError("posix_spawnp")

    monkeypatch.setattr(LibcSpawner, "__init__", refuse)
    assert isinstance(make_spawner({}), PythonSpawner)
