"""Long work: spread, told of, cancelled."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from specular_tui.store.effort import CancelledError, Effort


def test_results_come_in_order() -> None:
    def job(i: int) -> int:
        time.sleep(0.002 * (i % 3))
        return i

    assert Effort().spread([partial(job, i) for i in range(50)]) == list(range(50))
    assert Effort().spread([partial(job, 1)]) == [1]
    assert Effort().spread([]) == []


def test_progress_is_told_on_the_thread_that_began_the_work() -> None:
    told: list[tuple[int, int, int]] = []
    effort = Effort(lambda done, total: told.append((done, total, threading.get_ident())))
    effort.total = 40

    def job() -> None:
        time.sleep(0.02)
        effort.add(2)

    effort.spread([job] * 20)
    assert told[-1][:2] == (40, 40)
    assert {thread for *_, thread in told} == {threading.get_ident()}
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)


def test_cancelling_ends_running_jobs_soon() -> None:
    cancel = threading.Event()
    effort = Effort(cancel=cancel)
    stopped = []

    def job() -> None:
        try:
            while True:
                time.sleep(0.005)
                effort.add(1)
        except CancelledError:
            stopped.append(1)
            raise

    threading.Timer(0.1, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        effort.spread([job] * 4)
    assert time.monotonic() - began < 30
    assert stopped


def test_a_job_that_fails_ends_the_others_and_leaves_the_callers_event_alone() -> None:
    cancel = threading.Event()
    effort = Effort(cancel=cancel)

    def endless() -> None:
        while True:
            time.sleep(0.005)
            effort.add(1)

    def fail() -> None:
        time.sleep(0.02)
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        effort.spread([endless, fail])
    assert not cancel.is_set()
