"""The entry of `specular`: imports a face only when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from specular_tui import __version__

        print(f"specular {__version__}")  # noqa: T201 - the quickest answer needs no library
        return
    from specular_tui.cli.main import run

    sys.exit(run(open_tui))


def open_tui(root: Path, run_id: str | None, owned: bool) -> int:
    """Open the full-screen app on the checkpoint directory `root` and return its exit code."""
    from specular_tui.tui.app import run_app

    return run_app(root, run_id=run_id, owned=owned)


if __name__ == "__main__":
    main()
