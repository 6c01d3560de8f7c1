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


@pytest.mark.parametrize("given", [0, 1])
def test_where_the_system_gives_no_threads_it_is_done_all_the_same(given: int, monkeypatch: pytest.MonkeyPatch) -> None:
    really = threading.Thread.start
    started: list[threading.Thread] = []
    told: list[int] = []

    def start(thread: threading.Thread) -> None:
        if len(started) >= given:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        really(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    effort = Effort(lambda done, total: told.append(done))
    effort.total = 20
    ran: list[int] = []

    def job(i: int) -> int:
        ran.append(i)
        effort.add(1)
        return threading.get_ident()

    workers = set(effort.spread([partial(job, i) for i in range(20)]))
    assert sorted(ran) == list(range(20)), "each of them once"
    assert workers == ({started[0].ident} if given else {threading.get_ident()})
    assert told[-1] == 20

    with pytest.raises(ZeroDivisionError):
        effort.spread([lambda: 1, lambda: 1 // 0, lambda: ran.append(99)])
    assert given or 99 not in ran, "nothing is begun behind what has failed"


def test_cancelling_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        Effort(cancel=cancel).spread([cancel.set, lambda: pytest.fail("it was not wanted any more")])
