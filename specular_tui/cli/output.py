"""What the commands print: data on stdout, notices and errors on stderr, and nothing that a terminal would obey."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from specular_tui.errors import SpecularError
from specular_tui.model.quote import plain as one_line

__all__ = [
    "STATE_COLOURS",
    "UnwrittenError",
    "as_json",
    "colour_on",
    "column",
    "disarmed",
    "emit",
    "emit_json",
    "flush",
    "on_github",
    "plain",
    "program",
    "put",
    "silence_stdout",
    "style",
    "table",
    "tell",
    "tell_error",
    "width",
    "writing",
]


#: The colour of each state of a run or a task; the word is always there too.
STATE_COLOURS: Final = {
    "created": "cyan",
    "in_progress": "cyan",
    "retrying": "cyan",
    "paused": "yellow",
    "completed": "green",
    "failed": "red",
    "damaged": "red",
    "skipped": "yellow",
}


def on_github() -> bool:
    """Tell whether this runs in a job of GitHub Actions, whose log takes some lines for commands."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def plain(text: str) -> str:
    """Return `text` as one line that neither a terminal nor the log of a CI job obeys."""
    text = one_line(text)
    if ("::" not in text and "##[" not in text) or not on_github():
        return text
    start = len(text) - len(text.lstrip())
    if text.startswith("::", start):
        text = f"{text[:start]}: {text[start + 1 :]}"
    return disarmed(text)


def disarmed(text: str) -> str:
    """Return `text` with every `##[` broken up in a job of GitHub, whose log takes it for a command wherever it is."""
    return text.replace("##[", "## [") if on_github() else text


def colour_on(stream: Any = None) -> bool:
    """Tell whether colours are wanted on `stream` (default stdout): a terminal, and neither NO_COLOR nor TERM=dumb."""
    stream = sys.stdout if stream is None else stream
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def style(text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False, on: bool) -> str:
    """Return `text` in a colour where colours are `on`; the words alone must say everything."""
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None) if on else text


class UnwrittenError(SpecularError):
    """What was to be said could not be written."""

    def __init__(self, error: OSError) -> None:
        """`error` is the system's."""
        super().__init__(
            f"cannot write to stdout: {(error.strerror or str(error)).lower()}",
            hint="see where it goes to: the disk may be full",
        )


@contextmanager
def writing() -> Iterator[None]:
    """Say of what goes wrong that it was the output.

    Raises:
        UnwrittenError: stdout takes no more. BrokenPipeError: whoever read it has gone.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnwrittenError(error) from error


def put(text: str) -> None:
    """Print data as it is. Raises as `writing` does, and so do the next ones."""
    with writing():
        sys.stdout.write(text)


def flush() -> None:
    """Bring what was printed to where it goes."""
    with writing():
        sys.stdout.flush()


def emit(line: str = "") -> None:
    """Print one line of data."""
    put(line + "\n")


def emit_json(data: Any, *, indent: int | None = 2) -> None:
    """Print data as JSON."""
    put(as_json(data, indent=indent) + "\n")


def as_json(data: Any, *, indent: int | None = None) -> str:
    """Return data as JSON, in ASCII, so that it holds no control character whatever it says."""
    import json  # a table does without

    text = json.dumps(data, indent=indent)
    return text.replace("##[", "##\\u005b") if on_github() else text


def tell(text: str) -> None:
    """Tell something beside the data, on stderr. A reader who has gone does not end the command."""
    try:
        sys.stderr.write(plain(text) + "\n")
        sys.stderr.flush()
    except OSError:
        pass


def tell_error(message: str, *, details: Sequence[str] = (), hint: str | None = None) -> None:
    """Tell what went wrong, its details, and what to do next."""
    on = colour_on(sys.stderr)
    lines = [f"{style('Error:', 'red', bold=True, on=on)} {plain(message)}"]
    lines += [f"  {plain(detail)}" for detail in details]
    if hint:
        lines.append(f"{style('→', dim=True, on=on)} {plain(hint)}")
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def program() -> str:
    """Return what to type for `specular` in a shell that has the same PATH as this process."""
    from specular_tui.workspace import invocation

    return invocation.program()


def width() -> int:
    """Return how many characters a line of the terminal takes: COLUMNS, or what the terminal says; else 80."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def silence_stdout() -> None:
    """Let Python's own flush at the end meet no closed pipe."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


def column(head: str, cells: Iterable[str]) -> int:
    """Return how wide a column of a table is.

    On a terminal a cell that is longer than half of it sticks out of its row, instead of making all rows as long.
    """
    most = width() // 2 if sys.stdout.isatty() else sys.maxsize
    return max([len(head), *(len(cell) for cell in cells if len(cell) <= most)])


def table(
    rows: Iterable[Sequence[str]], heads: Sequence[str], *, right: Iterable[int] = (), width: int | None = None
) -> list[str]:
    """Return lines of aligned columns under `heads`; the columns `right` are aligned to the right.

    A line longer than `width` is cut at its end.
    """
    body = [[plain(cell) for cell in row] for row in rows]
    widths = [column(heads[i], [row[i] for row in body]) for i in range(len(heads))]
    to_the_right = frozenset(right)

    def line(cells: Sequence[str]) -> str:
        text = "  ".join(
            cell.rjust(widths[i]) if i in to_the_right else cell.ljust(widths[i]) for i, cell in enumerate(cells)
        ).rstrip()
        return text if width is None or len(text) <= width else text[: max(1, width - 1)] + "…"

    return [line(heads), *(line(row) for row in body)]
