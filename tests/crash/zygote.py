"""Runs `specular` many times without starting Python anew: a process that has imported it all, and forks for each run.

The fork is a process of its own: it can be killed, and traced from before its first own system call. Nothing of the
parent is shared with it, and the parent never does more than fork.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

#: What is run once, so that it is known what to import.
_WARMING = (("build",), ("checkpoint", "list"), ("checkpoint", "show", "--last"), ("checkpoint", "validate", "--last"))
_WARMING_PLAN = b'{"version": 1, "tasks": [{"id": "a", "command": "echo a"}]}'
_PR_SET_PTRACER = 0x59616D61
_ATTACH_S = 20.0


class Done(Struct, frozen=True):
    """A run of `specular` that is over."""

    #: The exit code; negative: the signal that killed it.
    code: int
    out: str
    err: str

    @property
    def calm(self) -> bool:
        """Whether it went wrong in no way that a user must not see."""
        both = self.out + self.err
        return self.code >= 0 and "Traceback" not in both and "internal error" not in both


class Zygote:
    """The process that forks. One run at a time; use several for several, and `borrowed` to have one."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._in: IO[str] = self._child.stdin
        self._out: IO[str] = self._child.stdout

    def close(self) -> None:
        """Let it go."""
        self._in.close()
        self._child.wait()
        self._out.close()

    def run(
        self,
        folder: Path,
        *args: str,
        env: Mapping[str, str] | None = None,
        trace: Sequence[str] | None = None,
        hook: str = "",
        timeout: float = 60,
        limit: Mapping[str, int] | None = None,
    ) -> Done:
        """Run `specular` with `args` in `folder` to its end.

        `trace` are options of strace, in which `{pid}` stands for the process. `hook` names functions of
        `tests.crash.hooks` that are called first, in the fork. `limit` are resource limits by name.
        """
        request = _request(
            str(folder),
            args,
            env=dict(env or {}),
            trace=list(trace) if trace is not None else None,
            hook=hook,
            timeout=timeout,
            limit=dict(limit or {}),
        )
        self._in.write(json.dumps(request) + "\n")
        self._in.flush()
        line = self._out.readline()
        if not line:
            raise RuntimeError("the forking process has ended")
        answer = json.loads(line)
        if "trouble" in answer:
            raise RuntimeError(answer["trouble"])
        out, err = (base64.b64decode(answer[key]).decode(errors="replace") for key in ("out", "err"))
        return Done(answer["code"], out, err)


#: Those that somebody has given back.
_idle: list[Zygote] = []


@contextlib.contextmanager
def borrowed() -> Iterator[Zygote]:
    """Lend a process that forks, as long as the block lasts: importing it all takes longer than most of the runs.

    One in which something went wrong is not lent again.
    """
    try:
        zygote = _idle.pop()
    except IndexError:
        zygote = Zygote()
    try:
        yield zygote
    except BaseException:
        zygote.close()
        raise
    _idle.append(zygote)


@atexit.register
def _let_go() -> None:
    while _idle:
        _idle.pop().close()


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    _warm()
    for line in sys.stdin:
        try:
            answer = _run(json.loads(line))
        except Exception as error:
            answer = {"trouble": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _warm() -> None:
    """Import what the usual commands import, so that no fork has to."""
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as modules:
        plan = Path(folder, "plan.json")
        plan.write_bytes(_WARMING_PLAN)
        for args in _WARMING:
            _run(_request(folder, args, modules=modules.name))
        for name in Path(modules.name).read_text().split():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        from specular_tui.spec.plan_file import load_plan
        from specular_tui.spec.policy_file import parse_policy

        load_plan(plan, "plan.json")
        parse_policy(b"checkpoints: {enabled: true}\n", file="policy.yaml")


def _request(folder: str, args: Sequence[str], **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"env": {}, "trace": None, "hook": "", "timeout": 60.0, "limit": {}, "modules": ""}
    return {"folder": folder, "args": list(args), **usual, **more}


def _run(request: Mapping[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        waiting, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go)
            _become(request, waiting, out.fileno(), err.fileno())
        os.close(waiting)
        tracer = None
        try:
            if request["trace"] is not None:
                tracer = _attach(pid, [part.replace("{pid}", str(pid)) for part in request["trace"]])
            os.write(go, b"g")
        finally:
            os.close(go)
        code = _wait(pid, request["timeout"])
        if tracer is not None:
            tracer.communicate(timeout=30)
        out.seek(0)
        err.seek(0)
        return {
            "code": code,
            "out": base64.b64encode(out.read()).decode(),
            "err": base64.b64encode(err.read()).decode(),
        }


def _attach(pid: int, options: list[str]) -> subprocess.Popen[str]:
    tracer = subprocess.Popen(["strace", "-p", str(pid), *options], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    ready, _, _ = select.select([tracer.stderr], [], [], _ATTACH_S)
    said = tracer.stderr.readline() if ready else ""
    if "attached" not in said:
        tracer.kill()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise RuntimeError(f"strace cannot trace: {said.strip()}")
    return tracer


def _wait(pid: int, timeout: float) -> int:
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError(f"specular did not end within {timeout} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.004)


def _become(request: Mapping[str, Any], waiting: int, out: int, err: int) -> None:
    """Be a `specular`. Never returns."""
    code = 70
    try:
        with contextlib.suppress(OSError, AttributeError):
            # Where only a parent may trace, allow the sibling.
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        os.chdir(request["folder"])
        os.environ.update(request["env"])
        os.environ["PWD"] = request["folder"]
        os.read(waiting, 1)
        os.closerange(3, 256)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        code = _specular(request)
        sys.stdout.flush()
        if request["modules"]:
            with open(request["modules"], "a") as file:
                file.write("\n".join(n for n in sys.modules if "__" not in n.removesuffix("__main__")) + "\n")
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _specular(request: Mapping[str, Any]) -> int:
    import resource

    from specular_tui.__main__ import main

    sys.argv = ["specular", *request["args"]]
    for hook in request["hook"].split():
        from tests.crash import hooks

        getattr(hooks, hook)()
    for name, value in request["limit"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


if __name__ == "__main__":
    _serve()
