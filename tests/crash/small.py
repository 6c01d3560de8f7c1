"""A small build whose every task leaves a mark, one line in one write, as its last act."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from blake3 import blake3
from msgspec import Struct

from tests.crash.zygote import Done

RUN = "small"
POLICY = b"tests: {require_pass: true, cmd: 'echo checking; echo @tests >> ran.log'}\n"


def _task(task_id: str, *needs: str, first: str = "", **more: Any) -> dict[str, Any]:
    steps = [step for step in (first, f"echo {task_id} >> ran.log") if step]
    return {"id": task_id, "command": "; ".join(steps), "depends_on": list(needs), **more}


_FLAKY = "echo trying; test -e tried || { touch tried; exit 1; }"
_MADE = "made/out.txt"
PLAN = [
    _task("fetch", first="echo fetching"),
    _task("old"),
    _task("compile", "fetch", first=f"mkdir -p made; echo made > {_MADE}; echo compiling", outputs=[_MADE]),
    _task("flaky", "fetch", first=_FLAKY, retries=1),
    _task("pack", "compile", "flaky", first="echo packing; echo packed"),
]
#: The plan as somebody edits it meanwhile: one title, one command, one task less and one more.
CHANGED_PLAN = [
    PLAN[0] | {"title": "Fetch everything"},
    _task(
        "compile",
        "fetch",
        first="mkdir -p made; echo made anew > made/out.txt; echo compiling anew",
        outputs=["made/out.txt"],
    ),
    PLAN[3],
    PLAN[4],
    _task("extra", "flaky"),
]
#: Those of the first plan whose results the change makes worthless.
CHANGED = frozenset({"compile", "pack"})


def plan_bytes(tasks: list[dict[str, Any]]) -> bytes:
    """Return a plan.json."""
    return json.dumps({"version": 1, "name": "small", "tasks": tasks}, indent=1).encode()


class Said(Struct):
    """What a journal says, read by nothing but a JSON parser."""

    #: Completed and not reset since.
    completed: set[str]
    plan_hash: str
    times: list[int]
    records: int
    status: str
    #: How far the records say that they are on disk.
    synced: int = 0


def read_journal(data: bytes, until: int = 1 << 60) -> Said:
    """Fold the whole lines of a journal in the simplest way, up to one that is no JSON or behind record `until`."""
    said = Said(set(), "", [], 0, "")
    for line in data.split(b"\n")[:-1]:
        try:
            record = json.loads(line)
        except ValueError:
            break
        if record["seq"] > until:
            break
        said.records += 1
        said.synced = max(said.synced, record.get("synced", 0))
        said.times.append(record["at"])
        match record["event"]:
            case "run_created":
                said.plan_hash = record["plan_hash"]
            case "session_started":
                said.plan_hash = record.get("plan_hash", said.plan_hash)
                said.completed -= set(record.get("reset", {}))
                said.status = "in_progress"
            case "session_ended":
                said.status = record["status"]
            case "run_abandoned":
                said.status = "abandoned"
            case "task_ended" if record["outcome"] == "completed":
                said.completed.add(record["task"])
            case "task_reset":
                said.completed.discard(record["task"])
            case "folded":
                states = record["state"]["tasks"] | record["state"].get("gates", {})
                said.completed = {task for task, known in states.items() if known.get("status") == "completed"}
                said.plan_hash = record["state"]["plan_hash"]
            case _:
                pass
    return said


class Small:
    """The folder of the build, which can be put back as it was."""

    def __init__(self, base: Path) -> None:
        self.folder = base / "work"
        self.root = self.folder / ".specular" / "checkpoints"
        self._saved = base / "saved"

    @property
    def run(self) -> Path:
        """The folder of the run: the one that is named, or the only one."""
        others = sorted(self.root.glob("build-*"))
        return self.root / RUN if (self.root / RUN).is_dir() or not others else others[0]

    def clear(self, *, policy: bool = True) -> None:
        """Begin with a plan and a policy, and nothing else."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / ".specular").mkdir(parents=True)
        self.write_plan(PLAN)
        if policy:
            (self.folder / ".specular" / "policy.yaml").write_bytes(POLICY)

    def write_plan(self, tasks: list[dict[str, Any]]) -> None:
        """Put another plan in place."""
        (self.folder / "plan.json").write_bytes(plan_bytes(tasks))

    def save(self) -> None:
        """Remember how everything is."""
        shutil.rmtree(self._saved, ignore_errors=True)
        shutil.copytree(self.folder, self._saved, symlinks=True)

    def restore(self) -> None:
        """Put everything back as it was."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._saved, self.folder, symlinks=True)

    def plan_hash(self) -> str:
        """Return the hash of the plan that is in the folder."""
        return "blake3:" + blake3((self.folder / "plan.json").read_bytes()).hexdigest()

    def tasks(self) -> set[str]:
        """Return the tasks of the plan that is in the folder."""
        return {task["id"] for task in json.loads((self.folder / "plan.json").read_bytes())["tasks"]}

    def downstream(self, tasks: set[str]) -> set[str]:
        """Return `tasks` and all that needs them, in the plan that is in the folder."""
        found = set(tasks)
        for task in json.loads((self.folder / "plan.json").read_bytes())["tasks"]:  # what is needed stands first
            if found & set(task["depends_on"]):
                found.add(task["id"])
        return found

    def said(self) -> Said:
        """Read the journal of the run; an empty one where there is none."""
        try:
            return read_journal((self.run / "journal.jsonl").read_bytes())
        except FileNotFoundError:
            return read_journal(b"")

    def ran(self) -> Counter[str]:
        """Return how often each task has come to its end."""
        try:
            return Counter((self.folder / "ran.log").read_text().splitlines())
        except FileNotFoundError:
            return Counter()

    def litter(self) -> list[str]:
        """Return what was begun and is neither finished nor cleared away."""
        return [
            str(path.relative_to(self.root))
            for path in self.root.rglob(".*")
            if path.name.startswith((".tmp-", ".new-", ".import-", ".old-"))
        ]


def lines(done: Done, event: str) -> set[str]:
    """Return the tasks of which a build without a terminal has said `event`."""
    words = (line.split() for line in done.out.splitlines(keepends=True) if line.endswith("\n"))
    return {word[2] for word in words if len(word) > 2 and word[1] == event}
