"""Between the screens and the checkpoint directory: the only caller of `workspace`.

It watches the directory and the run in view, reads what is new in slices, folds it, and tells the screens with one
message per batch. What may block (whole files, sockets, deletion) runs on threads; the journal of the run in view is
read on in small slices on the loop, so that no screen ever sees a state in the middle of a change.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from specular_tui import workspace
from specular_tui.errors import SpecularError
from specular_tui.model.event import AnyEvent, Folded, RunCreated, SessionStarted
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, as_seen_dead
from specular_tui.tui.messages import (
    LogGrew,
    LogRead,
    RunInspected,
    RunMoved,
    RunShown,
    RunsListed,
    Ticked,
    Told,
)
from specular_tui.tui.present import size
from specular_tui.tui.safe import ansi_line
from specular_tui.tui.views import Desk, RunRow, RunView
from specular_tui.workspace import keeping, steering

#: Bytes of a journal that are folded on the loop at a time: some 3 ms.
SLICE: Final = 64 << 10
#: Bytes at a time while a run is being opened, on a thread.
FIRST_SLICE: Final = 4 << 20
#: Messages about one run are at least this far apart, in seconds.
PACE: Final = 0.05
#: Runs whose summaries are read in one go on a thread.
CHUNK: Final = 40
#: The newest runs that are watched, so that a resume from elsewhere is seen; the others are seen when they are listed.
WATCHED: Final = 32

_Spawn = Callable[[Callable[[], Coroutine[None, None, None]], str, bool], object]


class _Tail(Protocol):
    @property
    def state(self) -> RunState: ...
    def poll(self, limit: int = ...) -> tuple[list[AnyEvent], bool]: ...
    def live(self) -> bool: ...
    def close(self) -> None: ...


class Bridge:
    """Keeps the desk up to date, and does what the screens ask."""

    def __init__(
        self,
        root: Path,
        desk: Desk,
        *,
        tell: Callable[[Told], None],
        notify: Callable[[str, str], None],
        spawn: _Spawn,
        settle: Callable[[], None],
    ) -> None:
        """`tell` brings a message to every screen, `notify` shows a text with a severity for a moment.

        `spawn(work, group, exclusive)` starts work beside the loop's; exclusive work ends what its group did before.
        `settle` is called when a run has been read: what was made for it stays.
        """
        self._root = root
        self._desk = desk
        self._tell = tell
        self._notify = notify
        self._spawn = spawn
        self._settle = settle
        self._stir = asyncio.Event()
        self._relist = asyncio.Event()
        #: Set while no run is being opened.
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._stale: set[str] = set()
        self._watching: tuple[Path, ...] = ()
        self._rows: dict[str, RunRow] = {}
        #: When a live run may be looked at again.
        self._due: dict[str, float] = {}

    # What the screens ask

    def start(self) -> None:
        """Begin to list the runs and to watch the directory."""
        self._relist.set()
        self._spawn(self._list, "list", True)

    def open(self, run_id: str) -> None:
        """Bring a run into view."""
        self._desk.opening = run_id
        self._quiet.clear()
        self._spawn(partial(self._follow, run_id), "follow", True)

    def inspect(self, run_id: str) -> None:
        """Read a run for the side pane; only the latest wish counts."""
        self._spawn(partial(self._inspect, run_id), "inspect", True)

    def steer(self, run_id: str, command: str, task: str | None = None) -> None:
        """Send a command to a live run and say what came of it."""
        self._spawn(partial(self._steer, run_id, command, task), "steer", False)

    async def obey(self, run_id: str, command: str) -> bool:
        """Send a command to a live run and tell whether it was obeyed."""
        return await self._try(lambda: steering.steer(self._root, run_id, command)) is not None

    def resume(self, run_id: str, options: Sequence[str] = ()) -> None:
        """Start a build that goes on with a stored run, and bring it into view."""
        self._spawn(partial(self._resume, run_id, options), "steer", False)

    async def size(self, run_id: str) -> int | None:
        """Return the bytes of a run, or None where they cannot be counted (which is then said)."""
        count: int | None = await self._try(lambda: workspace.run_size(self._root, run_id))
        return count

    def delete(self, run_id: str) -> None:
        """Remove a stored run and say how much that freed."""
        self._spawn(partial(self._delete, run_id), "steer", False)

    def read_log(self, run_id: str, task_id: str, attempt: int | None = None) -> None:
        """Open a task's log; only the latest wish counts."""
        self._spawn(partial(self._read_log, run_id, task_id, attempt), "log", True)

    def tick(self) -> None:
        """A second has gone by: see whether what runs still runs."""
        self._stir.set()
        self._tell(Ticked())
        view, now = self._desk.view, time.monotonic()
        for row in [row for row in self._desk.runs if row.live]:
            if view is not None and view.live and view.run_id == row.run_id:
                # Its journal is being followed already.
                self._publish(frozenset({row.run_id}))
            elif now >= self._due.get(row.run_id, 0):
                self._stale.add(row.run_id)
                self._relist.set()

    @property
    def busy(self) -> bool:
        """Whether anything on the desk is live, so that seconds matter."""
        view = self._desk.view
        return (view is not None and view.live) or any(row.live for row in self._desk.runs)

    # What changes by itself

    def _watch(self) -> None:
        """Watch what is on the desk; nothing happens where that is watched already."""
        paths = [self._root if self._root.is_dir() else _nearest(self._root)]
        ids = [row.run_id for row in self._desk.runs[:WATCHED]]
        ids += [row.run_id for row in self._desk.runs[WATCHED:] if row.live]
        view = self._desk.view
        if view is not None and not view.gone:
            ids.append(view.run_id)
            paths.append(self._root / view.run_id / "outputs")
        paths += [self._root / run_id for run_id in dict.fromkeys(ids)]
        wanted = tuple(path for path in paths if path.is_dir())
        if wanted != self._watching:
            self._watching = wanted
            self._spawn(partial(self._heed, wanted), "watch", True)

    async def _heed(self, paths: tuple[Path, ...]) -> None:
        # What changed before the watching began.
        self._stir.set()
        try:
            async with contextlib.aclosing(workspace.changes(list(paths))) as changes:
                async for changed in changes:
                    self._noticed(changed)
        except (OSError, RuntimeError) as error:
            # A watched folder has vanished, or the system has no watches left: the list says what is there now.
            self._watching = ()
            self._relist.set()
            if not isinstance(error, FileNotFoundError):
                self._notify(f"changes are not noticed by themselves: {error}", "warning")

    def _noticed(self, changed: set[str]) -> None:
        root, view = str(self._root), self._desk.view
        inside = f"{root}/{view.run_id}" if view is not None else ""
        grown = False
        for path in changed:
            folder, _, name = path.rpartition("/")
            if inside and folder == f"{inside}/outputs":
                grown = grown or name.endswith(".log")
                continue
            if folder == inside:
                self._stir.set()
            if folder == root or not folder.startswith(root):
                self._relist.set()
            else:
                self._note(folder[len(root) + 1 :].split("/", 1)[0])
        if grown:
            self._tell(LogGrew())

    def _note(self, run_id: str) -> None:
        row = self._rows.get(run_id)
        if row is None or not row.live:
            # A live one is looked at once a second.
            self._stale.add(run_id)
            self._relist.set()

    # The list of runs

    async def _list(self) -> None:
        while True:
            await self._relist.wait()
            # The run that somebody waits for comes first.
            await self._quiet.wait()
            self._relist.clear()
            try:
                await self._list_once()
            except (SpecularError, OSError) as error:
                self._complain(error)
            if not self._desk.listed:
                self._desk.listed = True
                self._tell(RunsListed())
            self._watch()
            if any(row.size is None for row in self._desk.runs):
                self._spawn(self._measure, "measure", True)
            await asyncio.sleep(PACE)

    async def _list_once(self) -> None:
        ids = await asyncio.to_thread(workspace.run_ids, self._root)
        here = set(ids)
        lost = [run_id for run_id in self._rows if run_id not in here]
        for run_id in lost:
            del self._rows[run_id]
        new = [run_id for run_id in reversed(ids) if run_id not in self._rows]
        stale, self._stale = self._stale & here - set(new), set()
        if lost:
            self._publish(None)
        for wanted, whole in ((new, True), (sorted(stale), False)):
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                rows = await asyncio.to_thread(self._summarise, chunk)
                changed = [row for row in rows if self._rows.get(row.run_id) != row]
                self._rows.update((row.run_id, row) for row in changed)
                # A long list is shown once its newest are there, and then not at every slice.
                if changed and (not whole or start == 0 or start + CHUNK >= len(wanted) or start % (CHUNK * 8) == 0):
                    self._publish(None if whole else frozenset(row.run_id for row in changed))
        if not self._desk.listed:
            self._desk.listed = True
            self._publish(None)

    def _summarise(self, ids: Sequence[str]) -> list[RunRow]:
        rows = []
        for run_id in ids:
            began = time.monotonic()
            try:
                found = workspace.summarise_run(self._root, run_id)
            except (SpecularError, OSError):
                continue
            if found.live:
                # A long journal takes long to read: it is not read all the time.
                self._due[run_id] = time.monotonic() + 20 * (time.monotonic() - began)
            damage = found.damage.reason if found.damage else ""
            row = RunRow.of(run_id, found.metadata, live=found.live, damage=damage)
            known = self._rows.get(run_id)
            if known is not None and (row.live or known.updated_at == row.updated_at):
                row = replace(row, size=known.size)
            rows.append(row)
        return rows

    def _publish(self, changed: frozenset[str] | None) -> None:
        view = self._desk.view
        if view is not None and view.live and (row := self._rows.get(view.run_id)) is not None and row.live:
            self._rows[view.run_id] = row.seen(view.state, self._desk.clock.now())
        if changed is None:
            self._desk.runs = sorted(self._rows.values(), key=_age_key, reverse=True)
        else:
            self._desk.runs = [self._rows[row.run_id] if row.run_id in changed else row for row in self._desk.runs]
        self._tell(RunsListed(changed))

    async def _measure(self) -> None:
        """Count the bytes of runs whose size is not known, newest first, without hurry."""
        missing = [row.run_id for row in self._desk.runs if row.size is None]
        for start in range(0, len(missing), CHUNK // 4):
            chunk = missing[start : start + CHUNK // 4]
            sizes = await asyncio.to_thread(self._sizes, chunk)
            for run_id, count in sizes.items():
                if run_id in self._rows:
                    self._rows[run_id] = replace(self._rows[run_id], size=count)
            self._publish(frozenset(sizes))
            await asyncio.sleep(PACE)

    def _sizes(self, ids: Sequence[str]) -> dict[str, int]:
        sizes = {}
        for run_id in ids:
            with contextlib.suppress(SpecularError, OSError):
                sizes[run_id] = workspace.run_size(self._root, run_id)
        return sizes

    # The run in view

    async def _follow(self, run_id: str) -> None:
        try:
            tail = await _opened(partial(workspace.tail, self._root, run_id))
        except (SpecularError, OSError) as error:
            self._give_up(error)
            return
        try:
            with _no_collections():
                live = tail.live()
                while (await _finished(partial(tail.poll, FIRST_SLICE)))[1]:
                    pass
                view = self._show(run_id, tail.state, live)
                await self._add_graph(view)
            self._settle()
            await self._keep_up(view, tail)
        except FileNotFoundError:
            self._vanished(run_id)
        except (SpecularError, ValueError, OSError) as error:
            await self._show_stored(run_id, error)
        finally:
            tail.close()

    async def _graph(self, run_id: str) -> Graph | None:
        def read() -> Graph:
            return Graph(workspace.plan_of(self._root, run_id).tasks)

        try:
            return await asyncio.to_thread(read)
        except (SpecularError, OSError, KeyError) as error:
            self._complain(error)
            return None

    def _show(self, run_id: str, state: RunState, live: bool) -> RunView:
        if not live:
            as_seen_dead(state)
        desk = self._desk
        desk.opening = ""
        desk.view = view = RunView(run_id, state, live=live, owned=run_id in desk.owned)
        view.recount()
        self._tell(RunShown())
        self._watch()
        self._quiet.set()
        self._look_for_failure(view)
        return view

    async def _add_graph(self, view: RunView) -> None:
        """Who needs whom is in the plan, which takes longer to read than the journal."""
        view.graph = await self._graph(view.run_id)
        self._tell(RunShown())

    async def _keep_up(self, view: RunView, tail: _Tail) -> None:
        more = False
        while True:
            if not more:
                await self._stir.wait()
                self._stir.clear()
            # In this order: a run that is found dead now can have no record written after its journal is read.
            live = tail.live()
            events, more = tail.poll(SLICE)
            state = tail.state
            if state is not view.state and (more or not state.run_id):
                # The journal has been folded, and is read anew: what is on the screen stays until that is done.
                await asyncio.sleep(0)
                continue
            whole = state is not view.state or any(
                isinstance(event, SessionStarted | Folded | RunCreated) for event in events
            )
            ended = not live and not more and (view.live or state.session is not None)
            if ended:
                as_seen_dead(state)
            if view.live != live or events or whole or ended:
                view.state, view.live = state, live
                touched = frozenset(task for event in events if (task := getattr(event, "task", None)))
                if whole or ended:
                    view.recount()
                else:
                    view.touch(touched)
                self._tell(RunShown() if whole or ended else RunMoved(touched))
                self._look_for_failure(view)
            if ended:
                self._stale.add(view.run_id)
                self._relist.set()
            if whole:
                await self._add_graph(view)
            await asyncio.sleep(PACE if not more else 0)

    def _look_for_failure(self, view: RunView) -> None:
        first = view.first_failure()
        if first is None:
            view.failure = None
        elif view.failure is None or view.failure[0] != first:
            view.failure = (first, "")
            self._spawn(partial(self._last_words, view, first), "failure", True)

    async def _last_words(self, view: RunView, task_id: str) -> None:
        """Find the last line that the task printed before it failed."""

        def read() -> str:
            return last_line(workspace.read_log_end(self._root, view.run_id, task_id, 4096))

        with contextlib.suppress(SpecularError, OSError, ValueError):
            line = await asyncio.to_thread(read)
            if view.failure is not None and view.failure[0] == task_id:
                view.failure = (task_id, line)
                self._tell(RunMoved(frozenset()))

    async def _read_log(self, run_id: str, task_id: str, attempt: int | None) -> None:
        try:
            source = await _opened(partial(workspace.open_log, self._root, run_id, task_id, attempt))
        except (SpecularError, OSError):
            source = None
        self._tell(LogRead(run_id, task_id, source))

    async def _show_stored(self, run_id: str, error: Exception) -> None:
        """Show what can be read of a run whose journal cannot be followed."""
        try:
            stored = await asyncio.to_thread(workspace.load_run, self._root, run_id)
        except (SpecularError, OSError):
            self._give_up(error)
            return
        await self._add_graph(self._show(run_id, stored.state, stored.live))
        for notice in stored.notices:
            self._notify(notice, "warning")

    def _give_up(self, error: Exception) -> None:
        """Say why a run cannot be brought into view; what was there before stays."""
        self._desk.opening = ""
        self._quiet.set()
        self._complain(error)
        self._tell(RunShown())

    def _vanished(self, run_id: str) -> None:
        view = self._desk.view
        if view is not None and view.run_id == run_id:
            view.gone, view.live = True, False
            self._tell(RunShown())
        else:
            self._notify(f"{run_id} is not there any more", "warning")
        self._relist.set()

    async def _inspect(self, run_id: str) -> None:
        try:
            stored = await asyncio.to_thread(workspace.load_run, self._root, run_id)
        except SpecularError as error:
            self._tell(RunInspected(run_id, None, error.message))
        except OSError as error:
            self._tell(RunInspected(run_id, None, str(error)))
        else:
            self._tell(RunInspected(run_id, stored.state))

    # What is done with a run

    async def _steer(self, run_id: str, command: str, task: str | None) -> None:
        answer = await self._try(lambda: steering.steer(self._root, run_id, command, task))
        # That it stands still, or goes on, is seen in the header.
        if answer and command not in ("pause", "unpause"):
            self._notify(answer, "information")
        self._stir.set()

    async def _resume(self, run_id: str, options: Sequence[str]) -> None:
        started = await self._try(lambda: steering.start_build(["--resume", run_id, *options], Path.cwd()))
        if started is not None:
            self._desk.owned.add(started)
            self._stale.add(started)
            self._relist.set()
            self.open(started)

    async def _delete(self, run_id: str) -> None:
        freed = await self._try(lambda: keeping.delete_run(self._root, run_id, force=True))
        if freed is not None:
            self._notify(f"{run_id} deleted, {size(freed)} freed", "information")
            self._stir.set()
        self._relist.set()

    async def _try(self, work: Callable[[], Any]) -> Any:
        """Do blocking work on a thread; an error is shown, and the answer is then None."""
        try:
            return await asyncio.to_thread(work)
        except (SpecularError, OSError) as error:
            self._complain(error)
            return None

    def _complain(self, error: Exception) -> None:
        if isinstance(error, SpecularError):
            lines = [error.message, *error.details[:5]] + ([error.hint] if error.hint else [])
            self._notify("\n".join(lines), "error")
        else:
            self._notify(str(error), "error")


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Collect no garbage meanwhile: half a million new objects that all stay would be looked through for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Closing(Protocol):
    def close(self) -> None: ...


_Result = TypeVar("_Result")
_Opened = TypeVar("_Opened", bound=_Closing | None)


async def _opened(work: Callable[[], _Opened]) -> _Opened:
    """Open something on a thread; where nobody waits for it any more it is closed again."""
    opening = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


async def _finished(work: Callable[[], _Result]) -> _Result:
    """Do something on a thread, and wait for its end even where nobody wants it any more."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def _close(opening: asyncio.Future[_Opened]) -> None:
    if not opening.cancelled() and opening.exception() is None and (opened := opening.result()) is not None:
        opened.close()


def last_line(log: bytes) -> str:
    """Return the last line of a log that says anything."""
    for raw in reversed(log.splitlines()):
        if text := ansi_line(raw).text.strip():
            return text
    return ""


def _nearest(path: Path) -> Path:
    """Return the nearest folder above `path` that exists."""
    return next((parent for parent in path.parents if parent.is_dir()), Path("/"))


def _age_key(row: RunRow) -> tuple[int, int, str]:
    return row.created_at, len(row.run_id), row.run_id
