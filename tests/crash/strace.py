"""System calls as strace shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

#: The calls that change what is in a file system, or bring it to disk.
CHANGING = (
    "write,pwrite64,writev,ftruncate,fsync,fdatasync,syncfs,rename,renameat,renameat2,unlink,unlinkat,rmdir,"
    "mkdir,mkdirat,link,linkat,symlinkat,openat,fchmod,chmod,fchmodat"
)

_LINE = re.compile(r"(?:(\d+) +)?(\w+)\((.*)\) += (\?|-?\d+|0x[0-9a-f]+)(.*)$")
_BEGUN = re.compile(r"(?:(\d+) +)?(\w+)\((.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"(?:(\d+) +)?<\.\.\. (\w+) resumed>(.*)$")
_TEMPORARY = re.compile(r"\.tmp-\d+-")
_NUMBER = re.compile(r"#\d+|proc/self/fd/\d+")
_UNFINISHED = re.compile(r"\.(new|import|deleted)-[^/]*")


class Call(Struct, kw_only=True):
    """One system call."""

    pid: str
    name: str
    args: str
    #: What it returned; `?` where it did not.
    result: str
    #: The rest of the line: the error, and whether it was injected.
    note: str
    #: The lines on which it began and ended.
    begun: int
    ended: int

    @property
    def injected(self) -> bool:
        """Whether its failure was made up."""
        return "(INJECTED)" in self.note

    def site(self, root: str) -> str:
        """Return the call and the files below `root` that it names, without numbers that differ from run to run."""
        names = [_UNFINISHED.sub(r".\1", _TEMPORARY.sub(".tmp-", _NUMBER.sub("#", name))) for name in self._names(root)]
        return f"{self.name} {' '.join(dict.fromkeys(names))}".strip()

    def _names(self, root: str) -> Iterator[str]:
        for fd, path, quoted in re.findall(r"(?:(\d+|AT_FDCWD)<([^>]*)>)|\"((?:[^\"\\]|\\.)*)\"", self.args[:600]):
            if path:
                if path.startswith(root):
                    yield path[len(root) :].lstrip("/") or "."
            elif quoted and self.name not in ("write", "pwrite64", "writev") and not fd:
                yield quoted.removeprefix(root).lstrip("/")


def parse(text: str, after: int = 0) -> list[Call]:
    """Return the calls of a trace in the order in which they ended; its lines count from `after` on."""
    calls: list[Call] = []
    open_calls: dict[str, tuple[int, str, str]] = {}
    for number, line in enumerate(text.splitlines(), after):
        if (begun := _BEGUN.match(line)) is not None:
            open_calls[begun[1] or ""] = (number, begun[2], begun[3])
            continue
        start = number
        if (resumed := _ENDED.match(line)) is not None:
            start, name, args = open_calls.pop(resumed[1] or "", (number, resumed[2], ""))
            line = f"{resumed[1] or ''} {name}({args}{resumed[3]}".lstrip()
        if (found := _LINE.match(line)) is not None:
            calls.append(
                Call(
                    pid=found[1] or "",
                    name=found[2],
                    args=found[3],
                    result=found[4],
                    note=found[5],
                    begun=start,
                    ended=number,
                )
            )
    # A call in which the process was killed never ends.
    end = after + len(text.splitlines())
    calls += [
        Call(pid=pid, name=name, args=args, result="?", note="", begun=at, ended=end)
        for pid, (at, name, args) in open_calls.items()
    ]
    return calls


def generic(path: str) -> str:
    """Return a path with `{pid}` in the place of the pid in a temporary file's name."""
    return _TEMPORARY.sub(".tmp-{pid}-", path)


def read(log: Path, after: int = 0) -> list[Call]:
    """Return the calls of the trace in `log`."""
    return parse(log.read_text(errors="replace"), after) if log.exists() else []
