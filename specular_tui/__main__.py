"""The entry of `specular`: imports a face only when it is asked for."""

from __future__ import annotations

import gc
import os
import signal
import sys

TYPE_CHECKING = False  # importing typing takes longer than all of `--version`
if TYPE_CHECKING:
    from pathlib import Path


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from specular_tui import __version__

        print(f"specular {__version__}")  # noqa: T201 - the quickest answer needs no library
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl+C ends a start without a word: nothing has begun, and a traceback of imports helps nobody.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What a start makes stays, most of it modules; the collector would look through it a dozen times.
    gc.set_threshold(100_000, 20, 20)
    opener = open_tui
    if not sys.argv[1:] and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        try:
            sys.exit(open_here())
        except Exception as error:
            failure = error

            def opener(root: Path, run_id: str | None, owned: bool, tour: bool = False) -> int:
                raise failure

    from specular_tui.cli.main import run

    try:
        _listen()
        code = run(opener)
    except KeyboardInterrupt:
        code = 130
    # Python would look through all that was imported for garbage, twice, before it lets go: a tenth of a quick command.
    gc.freeze()
    sys.exit(code)


def _listen() -> None:
    """Let Ctrl+C raise KeyboardInterrupt from here on."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def open_here() -> int:
    """Open the full-screen app on this folder, without the command line: that would take as long as a third of it."""
    from pathlib import Path

    from specular_tui.spec.settings import checkpoint_directory

    return open_tui(checkpoint_directory(None, os.environ, Path.cwd()), None, False)


def open_tui(root: Path, run_id: str | None, owned: bool, tour: bool = False) -> int:
    """Open the full-screen app on the checkpoint directory `root` and return its exit code.

    `tour`: the run is the demo's, and what there is to see and to try is said with it.
    """
    # What is made from here to the first paint stays: the collector, which the app turns on, would find nothing.
    gc.disable()
    from specular_tui.tui.start import run_app

    _listen()
    return run_app(root, run_id=run_id, owned=owned, tour=tour)


if __name__ == "__main__":
    main()
