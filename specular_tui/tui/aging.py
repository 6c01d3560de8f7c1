"""When ages on show are said anew: only when one of them would be another one, and seldom where they are old."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from textual.screen import Screen
from textual.timer import Timer

from specular_tui.model.quantity import age_lasts
from specular_tui.tui.clock import Clock

#: So much later than the change it is looked at, in seconds: no timer is exact.
_SLACK: Final = 0.05


def next_change(now: int, moments: Iterable[int]) -> tuple[int, int] | None:
    """Return after how many milliseconds the first text about the age of one of `moments` is another one.

    And how long it is to be waited at least, after the last time: a step of the youngest, a minute at most. None
    where there is no moment.
    """
    ages = [max(0, now - moment) for moment in moments]
    if not ages:
        return None
    change = min(age_lasts(age) - age % age_lasts(age) for age in ages)
    return change, min(60_000, age_lasts(min(ages)))


class Aging:
    """Has the ages that a screen shows said anew when one of them changes, as long as the screen is in front."""

    def __init__(
        self, screen: Screen[None], clock: Clock, moments: Callable[[], Iterable[int]], again: Callable[[], None]
    ) -> None:
        """`moments` returns the moments whose ages are shown, `again` shows them anew."""
        self._screen = screen
        self._clock = clock
        self._moments = moments
        self._again = again
        self._timer: Timer | None = None
        #: When the timer ends, and when ages were shown anew last, by `time.monotonic`.
        self._due = self._last = 0.0

    def look(self, moments: Iterable[int] | None = None) -> None:
        """These moments are shown now too; None: all of them may be others."""
        if not self._screen.is_current:
            return
        if moments is None:
            self.rest()
            moments = self._moments()
        found = next_change(self._clock.now(), moments)
        if found is None:
            return
        change, least = found
        now = time.monotonic()
        due = max(now + change / 1000, self._last + least / 1000) + _SLACK
        if self._timer is None or due < self._due:
            self.rest()
            self._due = due
            self._timer = self._screen.set_timer(due - now, self._over, name="ages")

    def rest(self) -> None:
        """Something else is in front."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _over(self) -> None:
        self._timer, self._last = None, time.monotonic()
        self._again()
        self.look()
