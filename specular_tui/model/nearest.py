"""What somebody may have meant: the known name that is nearest to an unknown one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

#: A name this long is compared with nothing: comparing costs its length squared.
_MAX_LENGTH = 200
#: Up to so many names are all compared in full; of more, only the neighbours in alphabetical order, read from
#: either end.
_MAX_COMPARED = 1_000
_NEIGHBOURS = 100
#: Share of matching characters, 0 to 1, from which a name counts as near.
_CUTOFF = 0.6


class Names:
    """Known names, prepared for many questions: 100,000 of them take 0.2 s once, and then 10 ms a question."""

    def __init__(self, candidates: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        for candidate in candidates:
            if len(candidate) <= _MAX_LENGTH:
                self._names.setdefault(_fold(candidate), candidate)
        many = len(self._names) > _MAX_COMPARED
        self._forward = sorted(self._names) if many else []
        self._backward = sorted(name[::-1] for name in self._names) if many else []

    def nearest(self, name: str) -> str | None:
        """Return the known name that `name` was probably meant to be, or None if none is near.

        Case and the difference between `-` and `_` count for nothing. Of equally near names the first one wins.
        """
        wanted = _fold(name)
        if not wanted or len(wanted) > _MAX_LENGTH:
            return None
        if wanted in self._names:
            return self._names[wanted]
        import difflib

        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        best: str | None = None
        best_ratio = 0.0
        for fold in self._shortlist(wanted):
            matcher.set_seq1(fold)
            floor = max(_CUTOFF, best_ratio)
            if matcher.real_quick_ratio() < floor or matcher.quick_ratio() < floor:
                continue
            ratio = matcher.ratio()
            if ratio >= _CUTOFF and ratio > best_ratio:
                best, best_ratio = fold, ratio
        return None if best is None else self._names[best]

    def _shortlist(self, wanted: str) -> Iterable[str]:
        if not self._forward:
            return self._names
        alike = dict.fromkeys(_around(self._forward, wanted))
        alike.update(dict.fromkeys(name[::-1] for name in _around(self._backward, wanted[::-1])))
        return alike


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the one of `candidates` that `name` was probably meant to be, or None; see `Names`."""
    return Names(candidates).nearest(name)


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")


def _around(ordered: Sequence[str], wanted: str) -> Sequence[str]:
    """Return the names that share the most characters with `wanted` at their beginning."""
    at = bisect_left(ordered, wanted)
    return ordered[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]
