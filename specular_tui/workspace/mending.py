"""Mending a damaged run before it is gone on with; or only saying what that would do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from specular_tui.engine.clock import Clock
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, layout
from specular_tui.store.checks.check import check
from specular_tui.store.checks.report import Report
from specular_tui.store.repairs.repair import Mending, foresee, repair
from specular_tui.workspace import plans
from specular_tui.workspace.deciding import Prove
from specular_tui.workspace.face import Face
from specular_tui.workspace.request import BuildRequest

__all__ = ["Mending", "foresee_repair", "repair_first"]


def foresee_repair(root: Path, run_id: str, face: Face, prove: Prove | None = None) -> Mending | None:
    """Say what a repair would do, and return it; None where nothing is damaged. Nothing is written.

    `prove` checks the run, where that is not to be done by reading it all. Raises as `repair`.
    """
    report = (prove or check)(root, run_id)
    if report.ok:
        return None
    found = foresee(root, run_id, report)
    lines = []
    if report.journal_damaged:
        lost = f", and {found.lost_bytes:,} bytes behind it count for nothing" if found.lost_bytes else ""
        lines.append(f"the journal is good up to record {found.run.state.seq}{lost}")
    if found.moved:
        lines.append(f"kept in quarantine/: {_few(found.moved)}")
    face.warning(f"{run_id} is damaged, and would be repaired first: {_to_run(len(found.again), report)}", lines)
    return found


def repair_first(request: BuildRequest, root: Path, run_id: str, face: Face) -> bool:
    """Mend the run where it is damaged; tell whether tasks run again for that."""
    report = check(root, run_id)
    if report.ok:
        return False

    def copies(state: RunState) -> Iterator[bytes]:
        """What may be the very plan and policy that the run had."""
        names = [request.plan, state.plan_file, request.policy, state.policy_file, str(plans.DEFAULT_POLICY)]
        for path in (
            Path(state.plan_folder, os.path.basename(state.plan_file)),
            *(request.cwd / n for n in names if n),
        ):
            with contextlib.suppress(OSError):
                yield path.read_bytes()

    again = repair(root, run_id, report, Clock().now(), copies=copies)
    lost = [
        name for name in (layout.PLAN, layout.POLICY) if name in report.damaged_files and not _has(root, run_id, name)
    ]
    if lost:
        face.warning(
            f"{' and '.join(lost)} of {run_id} stay{'s' if len(lost) == 1 else ''} missing: "
            "no file here has the very bytes that the run had",
            ["an archive of it may have them: specular checkpoint import FILE"],
        )
    face.notice(f"{run_id} is repaired{', but for that' if lost else ''}: {_to_run(len(again), report)}")
    return bool(again)


def _has(root: Path, run_id: str, name: str) -> bool:
    with checkpoint.open_run(root, run_id) as folder:
        return folder.has(name)


def _to_run(count: int, report: Report) -> str:
    lost = "what its journal has lost is done again"
    if not count:
        return lost if report.journal_damaged else "no task has to run again for that"
    tasks = "1 task runs" if count == 1 else f"{count:,} tasks run"
    needs = f"{tasks} again for it, and what needs {'its result' if count == 1 else 'their results'}"
    return f"{needs}; {lost}" if report.journal_damaged else needs


def _few(names: tuple[str, ...], most: int = 6) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
