"""The time of a run as a line: what was worked, one to one; what stood frozen, kept short; what nobody worked, cut out.

A *place* is a point on that line, in milliseconds from its start. Pure; it paints nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from specular_tui.model.duration import humanise
from specular_tui.model.run import RunState

#: A freeze takes at most this share of the line, so that a night of it leaves room for the work.
_FROZEN_SHARE: Final = 16
#: The line is at least this long.
_LEAST: Final = 1000.0
#: The closest that anybody can look: milliseconds a cell.
CLOSEST: Final = 1.0
#: Steps of the ticks, in milliseconds.
_STEPS: Final = tuple(
    ms
    for unit, counts in (
        (1, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1000, (1, 2, 5, 10, 15, 30)),
        (60_000, (1, 2, 5, 10, 15, 30)),
        (3_600_000, (1, 2, 3, 6, 12, 24, 48, 120, 240)),
    )
    for ms in (unit * count for count in counts)
)


class Piece(NamedTuple):
    """A stretch of time: from `since` until `until` (milliseconds since the epoch) it lies at `place`."""

    since: int
    until: int
    place: float
    length: float
    #: Milliseconds that had been worked before it.
    worked: int
    frozen: bool


class Axis:
    """The line of a run as of `now`."""

    def __init__(self, state: RunState, now: int) -> None:
        """Lay the sessions of `state` end to end."""
        self.pieces: list[Piece] = []
        #: Where a session begins that follows another one.
        self.cuts: list[float] = []
        parts = list(_parts(state, now))
        worked = sum(until - since for since, until, frozen, _ in parts if not frozen)
        # In steps, so that the line of a live run does not stretch with each second.
        longest = max(_LEAST, float(1 << max(0, worked - 1).bit_length()) / _FROZEN_SHARE)
        place, done = 0.0, 0
        for since, until, frozen, first in parts:
            if first and self.pieces:
                self.cuts.append(place)
            length = min(until - since, longest) if frozen else float(until - since)
            self.pieces.append(Piece(since, until, place, length, done, frozen))
            place += length
            done += 0 if frozen else until - since
        self.length = max(place, _LEAST)
        self._sinces = [piece.since for piece in self.pieces]
        self._places = [piece.place for piece in self.pieces]

    def place(self, moment: int) -> float:
        """Return where a moment lies; one that nobody worked at lies at the cut."""
        if not self.pieces:
            return 0.0
        piece = self.pieces[max(0, bisect_right(self._sinces, moment) - 1)]
        inside = min(max(moment, piece.since), piece.until) - piece.since
        span = piece.until - piece.since
        return piece.place + (inside * piece.length / span if span else 0.0)

    def moment(self, place: float) -> int:
        """Return the moment that lies at a place; the later one where that is a cut."""
        piece = self._piece(place)
        if piece is None:
            return int(place)
        inside = place - piece.place
        span = piece.until - piece.since
        if inside > piece.length:
            # Behind the end time goes on as it is.
            return piece.until + round(inside - piece.length)
        return piece.since + (round(inside * span / piece.length) if piece.length else 0)

    def worked(self, place: float) -> float:
        """Return the milliseconds that had been worked at a place."""
        piece = self._piece(place)
        if piece is None:
            return place
        return piece.worked + (0.0 if piece.frozen else place - piece.place)

    def frozen(self, place: float) -> bool:
        """Tell whether the run stood frozen at a place."""
        piece = self._piece(place)
        return piece is not None and piece.frozen and place < piece.place + piece.length

    def ticks(self, first: float, last: float, apart: float) -> Iterator[tuple[float, str]]:
        """Yield (place, label) from `first` to `last`: round numbers of time worked, `apart` or more each."""
        step = next((step for step in _STEPS if step >= apart), _STEPS[-1])
        while step < apart:
            step *= 2
        done = -(-int(self.worked(first)) // step) * step
        number = 0
        while number <= int((last - first) / step) + 1:
            place = self._place_of(done)
            if place > last:
                return
            if place >= first:
                yield place, _label(done)
            done += step
            number += 1

    def _piece(self, place: float) -> Piece | None:
        if not self.pieces:
            return None
        # Pieces without length share their place with the next one.
        return self.pieces[max(0, bisect_right(self._places, place) - 1)]

    def _place_of(self, worked: int) -> float:
        """Return where so many milliseconds have been worked; behind a freeze that begins there."""
        at = bisect_right(self.pieces, worked, key=lambda piece: piece.worked) - 1
        if at < 0:
            return float(worked)
        piece = self.pieces[at]
        if piece.frozen:
            return piece.place + piece.length + worked - piece.worked
        return piece.place + worked - piece.worked


def _label(ms: int) -> str:
    """Return `0`, `250ms`, `30s`, `2m`, `1h30m`: no more than there is to say."""
    if ms < 60_000:
        return f"{ms // 1000}s" if ms and not ms % 1000 else f"{ms}ms" if ms else "0"
    text = humanise(ms)
    return text[:-3] if text[-3:] in ("00s", "00m", "00h") else text


def _parts(state: RunState, now: int) -> Iterator[tuple[int, int, bool, bool]]:
    """Yield (since, until, frozen, first of its session) in order, without gaps inside a session."""
    freezes = list(state.freezes)
    if state.frozen_since is not None:
        freezes.append((state.frozen_since, max(now, state.frozen_since)))
    freezes.sort()
    end = 0
    for session in state.sessions:
        since = max(session.started_at, end)
        end = max(since, session.ended_at if session.ended_at is not None else now)
        first, at = True, since
        for begun, over in freezes[bisect_left(freezes, (since, 0)) :]:
            if begun >= end:
                break
            over = min(over, end)
            if begun > at:
                yield at, begun, False, first
                first, at = False, begun
            if over > max(at, begun):
                yield max(at, begun), over, True, first
                first, at = False, over
        if end > at or first:
            yield at, end, False, first


class Window(NamedTuple):
    """The part of a line that is on screen: from the place `left` on, so many milliseconds a cell."""

    left: float
    scale: float
    width: int

    @classmethod
    def whole(cls, length: float, width: int) -> Window:
        """Show all of a line."""
        return cls(0.0, max(CLOSEST, length / max(1, width)), width)

    @property
    def right(self) -> float:
        """The place behind the last cell."""
        return self.left + self.scale * self.width

    def within(self, length: float) -> Window:
        """Return the nearest window that shows nothing but the line, or all of it."""
        whole = Window.whole(length, self.width)
        scale = min(max(self.scale, CLOSEST), whole.scale)
        return Window(max(0.0, min(self.left, length - scale * self.width)), scale, self.width)

    def zoomed(self, factor: float, cell: float, length: float) -> Window:
        """Return the window with `factor` times the time in it; what is at `cell` stays there if it can."""
        scale = min(max(self.scale * factor, CLOSEST), Window.whole(length, self.width).scale)
        return Window(self.left + cell * (self.scale - scale), scale, self.width).within(length)

    def panned(self, cells: float, length: float) -> Window:
        """Return the window so many cells further on."""
        return Window(self.left + cells * self.scale, self.scale, self.width).within(length)

    def showing(self, first: float, last: float, length: float) -> Window:
        """Return the window moved as little as it takes to show `first` to `last`, or the start of that."""
        left = self.left
        if last > left + self.scale * (self.width - 1):
            left = last - self.scale * (self.width - 1)
        return Window(min(left, first), self.scale, self.width).within(length)

    def edges(self, axis: Axis) -> list[int]:
        """Return the moments at which the cells begin, and the one at which the last ends."""
        return [axis.moment(self.left + self.scale * cell) for cell in range(self.width + 1)]
