"""What the command palette offers, and how it is found; what there is to offer is in `possible`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from specular_tui.tui.present import Line, Segment

#: So many of a kind are offered at most: nobody reads more, everybody types on.
_MOST: Final = {"actions": 12, "themes": 40, "runs": 8, "tasks": 20}
#: Before anything is typed.
_FIRST: Final = {"actions": 100, "themes": 0, "runs": 5, "tasks": 0}


class Entry(Struct, frozen=True):
    """One thing that can be done."""

    #: `actions`, `runs`, `tasks` or `themes`.
    kind: str
    #: What stands in front: a key, or the shape of a state.
    lead: Segment
    #: What it is found by.
    text: str
    #: What else is said of it.
    more: str
    do: Callable[[], object]


class Search:
    """What matches a query, best first within its kind; entries are looked at one by one."""

    def __init__(self, query: str) -> None:
        """Every word of `query` has to be there; capitals do not matter."""
        self._words = query.lower().split()
        self._found: dict[str, list[tuple[float, int, Entry]]] = {kind: [] for kind in _MOST}
        self._seen = 0
        self._matching = 0

    def look(self, entry: Entry) -> None:
        """Take an entry if it matches."""
        self._seen += 1
        found = self._found[entry.kind]
        if not self._words:
            if len(found) < _FIRST[entry.kind]:
                found.append((0.0, self._seen, entry))
            return
        score = self._score(entry)
        if score is None:
            return
        self._matching += 1
        found.append((score, self._seen, entry))
        if len(found) > 4 * _MOST[entry.kind]:
            found.sort(key=lambda each: each[:2])
            del found[_MOST[entry.kind] :]

    def _score(self, entry: Entry) -> float | None:
        """Return how far a match is from a good one, or None: what a name begins with is best, its help is last."""
        text, score = entry.text.lower(), 0.0
        for word in self._words:
            at = text.find(word)
            if at >= 0:
                score += 0 if at == 0 else 1 if not text[at - 1].isalnum() else 2
            elif word in entry.more.lower():
                score += 4
            else:
                return None
        return score + len(text) / 1000

    def hits(self) -> list[Entry]:
        """Return what has been found, kind by kind; the kind of what matches best comes first."""
        groups = [sorted(found, key=lambda each: each[:2]) for found in self._found.values() if found]
        groups.sort(key=lambda found: int(found[0][0]))
        most = _MOST if self._words else _FIRST
        return [entry for found in groups for *_, entry in found[: most[found[0][2].kind]]]

    def left_out(self) -> int:
        """Return how many more match than `hits` returns."""
        return max(0, self._matching - len(self.hits())) if self._words else 0

    def marked(self, text: str, role: str) -> Line:
        """Return a text with what was searched for in it marked."""
        lower, line, at = text.lower(), [], 0
        if len(lower) != len(text):
            return [(text, role)]
        for start, end in _merged((i, i + len(w)) for w in self._words if (i := lower.find(w)) >= 0):
            line += [(text[at:start], role), (text[start:end], "accent")]
            at = end
        return [(part, how) for part, how in [*line, (text[at:], role)] if part]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
