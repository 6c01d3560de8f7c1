"""Opening the application on a terminal, and what is said there when it has ended."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from specular_tui.tui.terminal import frames  # isort: skip  # before anything of Textual's
from specular_tui.tui import present
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge.settings import Settings, read_settings
from specular_tui.tui.glyphs import ascii_text
from specular_tui.tui.safe import plain
from specular_tui.tui.terminal.driver import TerminalDriver, left_clean, prove_terminal

__all__ = ["frames", "run_app"]


def run_app(root: Path, *, run_id: str | None = None, owned: bool = False, tour: bool = False) -> int:
    """Open the application on the checkpoint directory `root`; return the exit code when it has ended.

    Without `run_id` it opens on the one live run, or on the list. `owned`: this process's user has just started the
    build of `run_id`, so leaving asks what shall become of it. `tour`: that run is the demo's.

    Raises:
        UsageError: there is no terminal that it could run on.
    """
    prove_terminal()
    settings = read_settings(os.environ)
    app = SpecularApp(root, run_id=run_id, owned=owned, settings=settings, driver_class=TerminalDriver)
    app.desk.tour = (run_id or "") if tour else ""
    # A thread that works something out lets the screen have its turn after so many seconds.
    sys.setswitchinterval(0.0005)
    with left_clean():
        answer = app.run(mouse=settings.mouse)
    code = (app.return_code or 0) if answer is None else answer
    if app.crash:
        _say(_crashed(app), settings, error=True)
    elif app.settings.complaints:
        _say(app.settings.complaints, settings, error=True)
    if code < 128 and not app.crash:
        lines, _ = app.bridge.keeper.empty_own_trash()
        _say(lines, settings, error=True)
    view, started = app.desk.view, run_id if owned and run_id is not None else ""
    # A signal asks nothing, and the build goes on: the way back to it is said all the same.
    if code < 128 or (view.live if view is not None else started):
        from specular_tui.tui.bridge.bridge import program_for

        words = present.closing_words(view, leaving=app.leaving, started=started, program=program_for(root))
        _say(words, settings)
    return code


def _say(lines: Iterable[str], settings: Settings, *, error: bool = False) -> None:
    """Print lines now that the terminal is the shell's again; nobody may be there to read them."""
    file = sys.stderr if error else sys.stdout
    try:
        for line in lines:
            text = plain(line)
            print(text if settings.look.unicode else ascii_text(text), file=file)
        file.flush()
    except OSError:
        # What is left in the buffer would be written once more at the end, and fail as an error of this process.
        with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), file.fileno())


def _crashed(app: SpecularApp) -> list[str]:
    """Return what is said of a crash, in as few words as it takes; the traceback goes to a file, or is said too."""
    lines = [f"specular: internal error: {app.crash_reason}"]
    if os.environ.get("SPECULAR_DEBUG", "") not in ("", "0"):
        return [*app.crash.splitlines(), *lines]
    path = _kept(app.crash)
    where = f"the traceback is in {path}" if path else "run it again with SPECULAR_DEBUG=1 for the traceback"
    return [*lines, f"  this is a mistake in specular, and no build has been touched by it; {where}"]


def _kept(text: str) -> Path | None:
    """Write a traceback where only this user reads it; return where, or None where that cannot be."""
    home = os.environ.get("XDG_STATE_HOME", "")
    folder = (Path(home) if home.startswith("/") else Path.home() / ".local" / "state") / "specular"
    path = folder / f"crash-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(fd, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError:
        return None
    return path
