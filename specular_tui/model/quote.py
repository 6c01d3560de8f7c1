"""Foreign text inside our own sentences: bounded, and never able to steer a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    r"""Return `text` with everything that does not print as itself written as an escape (`\x1b`, `\u202e`).

    Control characters, bidirectional and zero-width marks, line separators and lone surrogates are all escaped.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def is_utf8(text: str) -> bool:
    """Tell whether `text`, of a file name perhaps, holds nothing that UTF-8 has no bytes for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def quote(text: str, limit: int = 60) -> str:
    """Return `text` as `plain` does, in single quotes, cut with `…` after `limit` characters."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return f"'{plain(cut)}'"


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
