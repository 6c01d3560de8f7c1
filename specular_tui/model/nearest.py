"""What somebody may have meant: the known name that is nearest to an unknown one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from specular_tui.model.quote import quote

#: A name this long is compared with nothing: comparing costs its length squared.
_MAX_LENGTH = 200
#: Up to so many names are all compared in full; of more, only the neighbours in alphabetical order, read from
#: either end.
_MAX_COMPARED = 1_000
_NEIGHBOURS = 100
#: Share of matching characters, 0 to 1, from which a name counts as near.
_CUTOFF = 0.6
#: Others are named beside the nearest one where their shares are less by no more than this.
_BESIDE = 0.05
#: So many are named in a message.
_TOLD = 3


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
        return next(iter(self.several(name, 1)), None)

    def several(self, name: str, count: int) -> list[str]:
        """Return up to `count` known names that `name` may have been meant to be, the nearest first; see `nearest`.

        One that differs in nothing that counts is the only one.
        """
        wanted = _fold(name)
        if not wanted or len(wanted) > _MAX_LENGTH:
            return []
        if wanted in self._names:
            return [self._names[wanted]]
        import difflib

        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        best: list[tuple[float, str]] = []
        for fold in self._shortlist(wanted):
            matcher.set_seq1(fold)
            floor = best[-1][0] if len(best) == count else 0.0
            least = max(_CUTOFF, floor)
            if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
                continue
            ratio = matcher.ratio()
            if ratio >= _CUTOFF and ratio > floor:
                best = sorted([*best, (ratio, fold)], key=lambda found: -found[0])[:count]
        return [self._names[fold] for ratio, fold in best if ratio >= best[0][0] - _BESIDE]

    def _shortlist(self, wanted: str) -> Iterable[str]:
        if not self._forward:
            return self._names
        alike = dict.fromkeys(_around(self._forward, wanted))
        alike.update(dict.fromkeys(name[::-1] for name in _around(self._backward, wanted[::-1])))
        return alike


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the one of `candidates` that `name` was probably meant to be, or None; see `Names`."""
    return Names(candidates).nearest(name)


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return `; did you mean 'a', 'b' or 'c'?`, which follows the message that there is no `name`; "" if none is near.

    `name` itself, if it is among `candidates`, is none of them.
    """
    near = Names(candidates).several(name, _TOLD)
    if not near or name in near:
        return ""
    *others, last = (quote(each, 128) for each in near)
    return f"; did you mean {', '.join(others)} or {last}?" if others else f"; did you mean {last}?"


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")


def _around(ordered: Sequence[str], wanted: str) -> Sequence[str]:
    """Return the names that share the most characters with `wanted` at their beginning."""
    at = bisect_left(ordered, wanted)
    return ordered[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]
