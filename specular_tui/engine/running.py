"""An attempt that runs."""

from __future__ import annotations

from msgspec import Struct

from specular_tui.engine.executor import Job
from specular_tui.model.plan import Task
from specular_tui.store.logs.live import LiveLog


class Running(Struct, kw_only=True):
    """An attempt between its start and its end."""

    task: Task
    attempt: int
    job: Job
    log: LiveLog
    started_at: int
    #: Frozen milliseconds of the run before it started.
    frozen_before_ms: int
    inputs_hash: str = ""
    #: Why it was told to end: `stop`, `timeout`, `user`; "" where it was not.
    ended_by: str = ""
    #: Its process has ended; what came of it is being judged.
    ended: bool = False

    def ran_for(self, now: int, frozen_ms: int) -> int:
        """Return the milliseconds that it has run at `now`, at which the run has been frozen for `frozen_ms` in all."""
        return max(0, now - self.started_at - (frozen_ms - self.frozen_before_ms))
