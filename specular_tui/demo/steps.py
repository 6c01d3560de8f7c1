"""What the demo's tasks run: `python steps.py STEP [PART]` in the demo's folder.

The plan starts this file by its path, so it needs nothing but the standard library and blake3. A step may be
killed at any moment and run again: it builds beside its result and renames, and the line that it adds to
`built.log` is the last thing that it does.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

COMPILED: Final = Path("compiled")
TESTED: Final = Path("doctests")
PACKS: Final = Path("packs")
INDEX: Final = Path("index.json")
LOG: Final = Path("built.log")
PARTS: Final = Path("parts.json")

#: Seconds that one module's examples may take; they take a fraction of one.
DOCTEST_LIMIT: Final = 60.0
#: What an example may not do: it is run on the machine of whoever tries the demo.
REFUSED: Final = (
    "ctypes.",
    "ftplib.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "smtplib.",
    "socket.",
    "subprocess.",
    "urllib.",
    "webbrowser.",
)
CHANGING: Final = frozenset(
    {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}
)


def main(arguments: list[str]) -> int:
    """Run one step; the exit code is 0 when its result is complete."""
    match arguments:
        case ["examples", module]:
            return run_examples(module)
        case ["index"]:
            write_index()
        case ["compile" | "doctest" | "pack" | "digest" as step, part]:
            steps: dict[str, Callable[[str], int]] = {
                "compile": compile_part,
                "doctest": doctest_part,
                "pack": pack_part,
                "digest": digest_part,
            }
            if code := steps[step](part):
                return code
        case _:
            sys.stderr.write("usage: steps.py compile|doctest|pack|digest PART, or steps.py index\n")
            return 2
    note(" ".join(arguments))
    return 0


def compile_part(part: str) -> int:
    """Copy the part's sources and byte-compile them at the three optimisation levels."""
    library, files = Path(_parts()["library"]), _part(part)["files"]
    total = 0
    with replacing_folder(COMPILED / part) as folder:
        for name in files:
            source = folder / name
            source.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(library / name, source)
            made = sum(_compile(source, name, level) for level in (0, 1, 2))
            say(f"{name}  {_size(source.stat().st_size)} of source -> {_size(made)} of bytecode in 3 levels")
            total += made
    say(f"{part}: {len(files)} files, {_size(total)} of bytecode")
    return 0


def _compile(source: Path, name: str, level: int) -> int:
    suffix = f".opt-{level}" if level else ""
    tag = sys.implementation.cache_tag
    target = source.parent / "__pycache__" / f"{source.stem}.{tag}{suffix}.pyc"
    py_compile.compile(
        str(source),
        cfile=str(target),
        dfile=name,
        doraise=True,
        optimize=level,
        invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
    )
    return target.stat().st_size


def doctest_part(part: str) -> int:
    """Run the examples in the docstrings of the part's modules, each module in a process of its own."""
    attempted = failed = 0
    lines: list[str] = []
    for module in _part(part)["doctests"]:
        result = _examples_of(module)
        attempted += result["attempted"]
        failed += result["failed"]
        lines.append(f"{module}: {result['attempted']} examples, {result['failed']} failed")
        say(lines[-1])
        if result["report"]:
            say(result["report"])
    lines.append(f"{part}: {attempted} examples, {failed} failed")
    say(lines[-1])
    with replacing_file(TESTED / f"{part}.txt") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return 1 if failed else 0


def _examples_of(module: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="specular-demo-") as folder:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder, "LC_ALL": "C"}
        command = [sys.executable, "-I", "-S", "-B", str(Path(__file__).resolve()), "examples", module]
        try:
            child = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=DOCTEST_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return {"attempted": 1, "failed": 1, "report": f"still running after {DOCTEST_LIMIT:g} s"}
    try:
        result: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"attempted": 1, "failed": 1, "report": child.stderr.strip() or f"ended with {child.returncode}"}
    return result


def run_examples(module: str) -> int:
    """Run one module's examples, fenced in, and print the counts as JSON."""
    import doctest

    imported = importlib.import_module(module)
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    tests = doctest.DocTestFinder().find(imported)
    sys.addaudithook(fence(Path.cwd()))
    for test in tests:
        runner.run(test, out=report.append)
    result = {"attempted": runner.tries, "failed": runner.failures, "report": "".join(report).strip()}
    say(json.dumps(result))
    return 0


def fence(folder: Path) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that refuses the network, other programs and changing files outside `folder`."""
    inside = os.path.join(folder.resolve(), "")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(REFUSED):
            raise PermissionError(f"the demo's examples may not use {event}")
        writes = event in CHANGING or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if writes and isinstance(arguments[0], str) and arguments[0] != os.devnull:
            path = os.path.abspath(arguments[0])
            if not path.startswith(inside):
                raise PermissionError(f"the demo's examples may not change {path}")

    return hook


def pack_part(part: str) -> int:
    """Pack the compiled part; the same files make the same bytes."""
    folder, target = COMPILED / part, _pack(part)
    members = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    with replacing_file(target) as file, _archive(target, file) as archive:
        for member in members:
            path = folder / member
            info = tarfile.TarInfo(member.as_posix())
            info.size, info.mode = path.stat().st_size, 0o644
            with path.open("rb") as source:
                archive.addfile(info, source)
            say(f"{member}  {_size(info.size)}")
    whole = sum((folder / member).stat().st_size for member in members)
    say(f"{target}: {len(members)} files, {_size(whole)} -> {_size(target.stat().st_size)}")
    return 0


@contextlib.contextmanager
def _archive(target: Path, file: IO[bytes]) -> Iterator[tarfile.TarFile]:
    with _compressed(target, file) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        yield archive


def _compressed(target: Path, file: IO[bytes]) -> io.BufferedIOBase:
    if target.suffix == ".xz":
        import lzma

        return lzma.open(file, "wb", preset=6 | lzma.PRESET_EXTREME)
    import gzip

    return gzip.GzipFile("", "wb", fileobj=file, mtime=0)


def digest_part(part: str) -> int:
    """Read the pack back, compare it with what went in, and write its BLAKE3 beside it, as `b3sum` would."""
    folder, pack = COMPILED / part, _pack(part)
    with tarfile.open(pack) as archive:
        members = archive.getmembers()
        for member in members:
            content = archive.extractfile(member)
            if content is None or content.read() != (folder / member.name).read_bytes():
                raise ValueError(f"{member.name} in {pack} is not the file that was packed")
    say(f"{pack}: {len(members)} files read back, all as packed")
    line = f"{_blake3(pack)}  {pack.name}"
    with replacing_file(pack.with_name(f"{pack.name}.b3")) as file:
        file.write(f"{line}\n".encode())
    say(line)
    return 0


def write_index() -> None:
    """Read every digest, compare it with its pack, and list all in `index.json`."""
    entries = []
    for part, facts in _parts()["parts"].items():
        pack = _pack(part)
        digest = pack.with_name(f"{pack.name}.b3").read_text().split()[0]
        if digest != _blake3(pack):
            raise ValueError(f"{pack} is not what its digest says")
        size = pack.stat().st_size
        entries.append({"name": part, "pack": str(pack), "files": len(facts["files"]), "bytes": size, "blake3": digest})
        say(f"{digest[:16]}  {_size(size):>9}  {part}")
    with replacing_file(INDEX) as file:
        file.write(json.dumps({"python": sys.version.split()[0], "packs": entries}, indent=2).encode() + b"\n")
    say(f"{INDEX}: {len(entries)} packs, {_size(sum(entry['bytes'] for entry in entries))}")


@contextlib.contextmanager
def replacing_file(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that becomes `target` when the block has ended well, and not before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    with beside.open("wb") as file:
        yield file
    beside.replace(target)


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Make a folder that becomes `target` when the block has ended well; what an interrupted run left goes."""
    beside, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for leftover in (beside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(parents=True)
    yield beside
    if target.exists():
        target.rename(old)
    beside.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def note(line: str) -> None:
    """Append `line` to `built.log` with one write, so that lines of parallel steps stay whole."""
    log = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(log, f"{line}\n".encode())
    finally:
        os.close(log)


def say(line: str) -> None:
    """Print at once: somebody is looking at the log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parts() -> dict[str, Any]:
    parts: dict[str, Any] = json.loads(PARTS.read_bytes())
    return parts


def _part(name: str) -> dict[str, Any]:
    part: dict[str, Any] = _parts()["parts"][name]
    return part


def _pack(part: str) -> Path:
    return PACKS / str(_part(part)["pack"])


def _blake3(path: Path) -> str:
    from blake3 import blake3

    return blake3(path.read_bytes()).hexdigest()


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    # At once: while Python tidied up, a step that has noted its end could still be killed, and would be noted twice.
    os._exit(exit_code)
