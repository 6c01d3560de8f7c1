"""Tasks as processes: what they find, what their logs hold, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from specular_tui.engine import freezer, process, processes
from specular_tui.engine.executor import StartError
from specular_tui.engine.processes import Process
from tests.unit.engine.lab import ENV, Lab, cpu_ticks, lives, numbers, stands, state_of, until

#: Leaves its group and its session, then does what is given.
ASIDE = f"{sys.executable} -c \"import os,sys; os.setsid(); os.execvp('sh', ['sh', '-c', sys.argv[1]])\""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


async def test_the_log_has_every_byte_of_both_streams_in_order(lab: Lab) -> None:
    program = (
        "import os\n"
        "for i in range(200):\n"
        "    os.write(1 + i % 2, b'%d \\x00\\xff\\xfe\\r\\n\\x1b[31m' % i)\n"
        "os.write(1, bytes(range(256)))"
    )
    end, log = await lab.run((sys.executable, "-c", program))
    assert end.exit_code == 0
    assert log == b"".join(b"%d \x00\xff\xfe\r\n\x1b[31m" % i for i in range(200)) + bytes(range(256))


async def test_a_string_runs_in_a_shell_and_a_list_as_it_is(lab: Lab) -> None:
    assert (await lab.run("echo $0 $((1+1)) | cat"))[1] == b"sh 2\n"
    assert (await lab.run(("printf", "%s|", "$HOME", "a b", "*")))[1] == b"$HOME|a b|*|"


async def test_stdin_is_empty(lab: Lab) -> None:
    end, log = await lab.run("cat; readlink /proc/self/fd/0")
    assert end.exit_code == 0
    assert log in (b"/dev/null\n", b"")


async def test_it_leads_a_group_of_its_own_in_the_session_of_the_engine(lab: Lab) -> None:
    trial = lab.start(("sleep", "30"))
    assert os.getpgid(trial.job.pid) == trial.job.pid
    assert os.getsid(trial.job.pid) == os.getsid(0)
    trial.job.kill()
    assert (await trial.end).signal == "SIGKILL"


async def test_it_has_the_environment_it_was_given_and_nothing_else(lab: Lab) -> None:
    _, log = await lab.run(("env",), env={**ENV, "GREETING": "grüß dich", "EMPTY": ""})
    given = {f"PATH={ENV['PATH']}", "LC_ALL=C", "GREETING=grüß dich", "EMPTY=", f"PWD={lab.folder}"}
    assert set(log.decode().splitlines()) == given


async def test_it_has_the_umask_of_the_engine_and_runs_in_its_folder(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    before = os.umask(0o027)
    try:
        _, log = await lab.run("umask; pwd -P", workdir=folder)
    finally:
        os.umask(before)
    assert log.decode() == f"0027\n{folder.resolve()}\n"


async def test_the_engine_stands_where_it_stood(lab: Lab, tmp_path: Path) -> None:
    before = Path.cwd()
    await lab.run("true", workdir=tmp_path)
    assert Path.cwd() == before


@linux
async def test_it_gets_no_descriptor_of_the_engine_and_nothing_odd_about_its_own(lab: Lab) -> None:
    with open(os.devnull) as kept:
        _, log = await lab.run("ls /proc/$$/fd; grep flags /proc/$$/fdinfo/1")
        private = {fd for fd in map(int, os.listdir("/proc/self/fd")) if fd > 2 and not _is_inherited(fd)}
        assert kept.fileno() in private
    *fds, flags = log.decode().splitlines()
    assert not private & {int(fd) for fd in fds if fd != "10"}  # 10 is where sh keeps its own
    assert not int(flags.split()[1], 8) & os.O_NONBLOCK


def _is_inherited(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return True


@linux
async def test_signals_that_python_ignores_for_itself_do_what_they_do(lab: Lab) -> None:
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    end, log = await lab.run("yes 2>&1 | head -n 1; grep -E 'SigIgn|SigBlk' /proc/self/status")
    assert end.exit_code == 0
    first, *masks = log.decode().splitlines()
    assert first == "y"
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        assert not any(int(mask.split()[1], 16) >> (number - 1) & 1 for mask in masks)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("no-such-program-here",), 127, "program not found: no-such-program-here"),
        (("",), 126, "argv first element cannot be empty"),
        (("./missing",), 127, "program not found: ./missing"),
        (("./plain-file",), 126, "cannot run ./plain-file: permission denied"),
        (("./not-a-program",), 126, "cannot run ./not-a-program: exec format error"),
        (("printf", "a\0b"), 126, "embedded null byte"),
        ("echo a\0b", 126, "embedded null byte"),
    ],
)
async def test_what_cannot_be_started_says_why(
    lab: Lab, tmp_path: Path, command: str | tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "plain-file").touch(0o644)
    (tmp_path / "not-a-program").write_bytes(b"\0\1\2\3")
    (tmp_path / "not-a-program").chmod(0o755)
    with pytest.raises(StartError, match=words) as refused:
        lab.start(command)
    assert refused.value.exit_code == code


async def test_a_folder_that_is_gone_is_named(lab: Lab, tmp_path: Path) -> None:
    before = Path.cwd()
    with pytest.raises(StartError, match=r"cannot enter the working directory: no such file or directory: .*gone"):
        lab.start("true", workdir=tmp_path / "gone")
    assert Path.cwd() == before


async def test_an_environment_that_cannot_be_is_refused(lab: Lab) -> None:
    with pytest.raises(StartError, match="cannot run"):
        lab.start("true", env={**ENV, "A": "b\0c"})
    with pytest.raises(StartError, match="cannot run"):
        lab.start("true", env={**ENV, "A=B": "c"})


@pytest.mark.parametrize("whose", ["the engine's", "its own"])
async def test_a_program_that_a_task_installs_is_found_by_the_next(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    env = {"PATH": f"{tmp_path / 'bin'}:{ENV['PATH']}"}
    if whose == "the engine's":
        monkeypatch.setenv("PATH", env["PATH"])
    assert (await lab.run(("uname",), env=env))[1] != b"mine\n"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uname").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "bin" / "uname").chmod(0o755)
    assert (await lab.run(("uname",), env=env))[1] == b"mine\n"


@pytest.mark.parametrize(
    ("command", "code", "name"),
    [
        ("exit 0", 0, None),
        ("exit 255", 255, None),
        ("kill -TERM $$", None, "SIGTERM"),
        ("kill -KILL $$", None, "SIGKILL"),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 40)"), None, "SIGRTMIN+6"),
    ],
)
async def test_its_end_is_told_as_it_was(
    lab: Lab, command: str | tuple[str, ...], code: int | None, name: str | None
) -> None:
    end, _ = await lab.run(command)
    assert (end.exit_code, end.signal) == (code, name)


def test_a_signal_without_a_name_of_its_own_is_counted() -> None:
    assert process.signal_name(9) == "SIGKILL"
    assert process.signal_name(signal.SIGRTMIN) == "SIGRTMIN"
    assert process.signal_name(signal.SIGRTMIN + 1) == "SIGRTMIN+1"


async def test_processor_time_is_measured(lab: Lab) -> None:
    end, _ = await lab.run((sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"))
    assert end.cpu_ms is not None
    assert 200 <= end.cpu_ms < 5_000


@linux
async def test_what_is_left_of_its_group_is_killed_when_it_ends(lab: Lab, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    end, _ = await lab.run(f"for i in 1 2 3; do (trap '' TERM HUP; echo $$; exec sleep 60) & echo $! >> {pids}; done")
    assert end.exit_code == 0
    left = numbers(pids, 3)
    assert len(left) == 3
    assert not any(lives(pid) for pid in left)


@linux
async def test_the_end_is_told_when_the_leader_ends_even_if_its_output_is_still_open(lab: Lab) -> None:
    began = time.monotonic()
    end, _ = await lab.run("sleep 60 & exit 4")
    assert end.exit_code == 4
    assert time.monotonic() - began < 30


def spinner(pids: Path) -> str:
    """A task whose leader, a child in its group and a descendant in a session of its own all use the processor."""
    spin = "while :; do :; done"
    return f"echo $$ >> {pids}; {ASIDE} 'echo $$ >> {pids}; {spin}' & (sh -c 'echo $$ >> {pids}; {spin}') & {spin}"


@linux
async def test_frozen_means_that_no_processor_time_is_used_by_any_of_it(lab: Lab, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    trial = lab.start(spinner(pids))
    await until(lambda: numbers(pids, 3))
    found = numbers(pids, 3)
    await until(lambda: all(cpu_ticks(pid) for pid in found))
    trial.job.freeze()
    await until(lambda: all(map(stands, found)))
    before = [cpu_ticks(pid) for pid in found]
    await asyncio.sleep(0.15)
    assert [cpu_ticks(pid) for pid in found] == before
    trial.job.thaw()
    await until(lambda: all(cpu_ticks(pid) > was for pid, was in zip(found, before, strict=True)))
    trial.job.kill()
    assert (await trial.end).signal == "SIGKILL"
    await until(lambda: not any(lives(pid) for pid in found))


@linux
async def test_what_is_frozen_can_be_asked_to_end_and_killed(lab: Lab, tmp_path: Path) -> None:
    said = tmp_path / "said"
    trial = lab.start(f"trap 'echo bye > {said}; exit 7' TERM; echo x > {said}; while :; do sleep 0.05; done")
    await until(said.exists)
    trial.job.freeze()
    assert trial.job.terminate()
    assert (await asyncio.wait_for(trial.end, 5)).exit_code == 7
    assert said.read_text() == "bye\n"
    other = lab.start(("sleep", "60"))
    other.job.freeze()
    other.job.kill()
    assert (await asyncio.wait_for(other.end, 5)).signal == "SIGKILL"


@linux
async def test_who_left_the_group_is_ended_with_it_also_against_its_will(lab: Lab, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stubborn = f'trap \\"\\" TERM; echo $$ >> {pids}; while :; do sleep 0.05; done'
    trial = lab.start(f'{ASIDE} "{stubborn}" & echo $$ >> {pids}; wait')
    await until(lambda: numbers(pids, 2))
    found = numbers(pids, 2)
    assert trial.job.terminate()
    await asyncio.wait_for(trial.end, 5)
    await until(lambda: not any(lives(pid) for pid in found))


async def test_who_has_ended_is_not_asked_to_end(lab: Lab) -> None:
    trial = lab.start("true")
    os.waitid(os.P_PID, trial.job.pid, os.WEXITED | os.WNOWAIT)
    assert not trial.job.terminate()
    await trial.end
    assert not trial.job.terminate()


async def test_once_it_is_reaped_its_number_is_left_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = lab.start("true")
    await trial.end
    sent: list[int] = []
    monkeypatch.setattr(processes, "send_group", lambda group, number: sent.append(group))
    trial.job.freeze()
    trial.job.thaw()
    trial.job.kill()
    assert not trial.job.terminate()
    assert sent == []


@linux
async def test_a_signal_never_reaches_another_process_of_the_same_number(lab: Lab) -> None:
    trial = lab.start(("sleep", "30"))
    start = processes.start_time(trial.job.pid)
    assert start is not None
    processes.send([Process(trial.job.pid, start - 1)], signal.SIGKILL)
    assert processes.end_leftovers("nobody's marker", [(trial.job.pid, start - 1), (trial.job.pid, None)]) == 0
    await asyncio.sleep(0.05)
    assert lives(trial.job.pid)
    processes.send([Process(trial.job.pid, start)], signal.SIGKILL)
    assert (await trial.end).signal == "SIGKILL"


async def test_where_no_descriptor_is_left_the_task_is_refused_and_none_runs_on(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(pid: int, ended: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(lab.exits, "watch", full)
    with pytest.raises(StartError, match="too many open files"):
        lab.start(f"sleep 0.3; touch {tmp_path / 'ran'}")
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)
    await asyncio.sleep(0.4)
    assert not (tmp_path / "ran").exists()


@linux
async def test_what_left_a_frozen_task_goes_on_when_that_is_gone(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezer, "freeze", lambda *args: None)  # where the kernel's own may not be used
    pid_file = tmp_path / "aside"
    trial = lab.start(f"({ASIDE} 'echo $$ > {pid_file}; while :; do sleep 0.05; done') & sleep 60")
    await until(lambda: numbers(pid_file, 1))
    (aside,) = numbers(pid_file, 1)
    try:
        trial.job.freeze()
        await until(lambda: stands(aside))
        processes.send_group(trial.job.pid, signal.SIGKILL)  # not the engine's doing
        await asyncio.wait_for(trial.end, 10)
        await until(lambda: state_of(aside) in ("S", "R"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(aside, signal.SIGKILL)


@linux
async def test_hundreds_of_tasks_leave_no_descriptor_and_no_zombie(lab: Lab) -> None:
    await lab.run("true")
    before = os.listdir("/proc/self/fd")
    for _ in range(10):
        trials = [lab.start(("true",)) for _ in range(30)]
        ends = await asyncio.wait_for(asyncio.gather(*(trial.end for trial in trials)), 20)
        assert all(end.exit_code == 0 for end in ends)
        assert not any(state_of(trial.job.pid) for trial in trials)
    assert os.listdir("/proc/self/fd") == before
