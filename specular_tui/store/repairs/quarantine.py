"""Damaged bytes are kept: what is wrong in a run is moved into its `quarantine/`, never deleted."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping

from specular_tui.model.run import TaskState
from specular_tui.store import layout
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept


def name_for(name: str, now: int) -> str:
    """Return what the file `name` of a run is called in quarantine since `now` (milliseconds)."""
    return f"{name.replace('/', '-')}.{now}"


def keep(run: Folder, name: str, data: bytes, now: int) -> None:
    """Put a copy of bytes that are about to be replaced into quarantine, on disk when this returns."""
    with run.make(layout.QUARANTINE) as quarantine:
        quarantine.publish(name_for(name, now), data)


def keep_file(run: Folder, name: str, now: int) -> None:
    """Keep what stands at `name`, which is about to be replaced: a copy of its bytes, or else the thing itself.

    Raises:
        OSError: it cannot be kept, and must not be replaced then.
    """
    try:
        data = run.read(name)
    except FileNotFoundError:
        return
    except OSError:
        with run.make(layout.QUARANTINE) as quarantine:
            os.rename(name, name_for(name, now), src_dir_fd=run.fd, dst_dir_fd=quarantine.fd)
            quarantine.sync()
            run.sync()
        return
    keep(run, name, data, now)


def move(run: Folder, names: Iterable[str], now: int) -> None:
    """Move files of a run, packed or not, into quarantine; `names` are `state.json` or `outputs/lint.log`.

    A link or a folder that stands where a file belongs is moved itself. What is not there is left out.
    """
    names = list(names)
    if not names:
        return
    with contextlib.ExitStack() as stack:
        quarantine = stack.enter_context(run.make(layout.QUARANTINE))
        try:
            outputs = stack.enter_context(run.folder(layout.OUTPUTS))
        except OSError:
            outputs = run
        for name in names:
            inner = name.removeprefix(f"{layout.OUTPUTS}/")
            source = run if inner == name else outputs
            for ending in ("", ".gz"):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(
                        inner + ending, name_for(name + ending, now), src_dir_fd=source.fd, dst_dir_fd=quarantine.fd
                    )
        outputs.sync()
        quarantine.sync()
        run.sync()


def move_stale_logs(run: Folder, tasks: Mapping[str, TaskState], now: int) -> None:
    """Move the logs into quarantine that stand where later attempts of `tasks` will have to put theirs."""
    with run.make(layout.OUTPUTS) as outputs:
        stale = kept.stale(kept.listing(outputs), tasks)
    move(run, [f"{layout.OUTPUTS}/{name}" for name in stale], now)
