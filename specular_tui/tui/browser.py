"""The application for a page in a browser: `python -m specular_tui.tui.browser ROOT COLUMNSxLINES`.

It is started by `specular serve` and speaks Textual's web protocol on its standard streams.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from msgspec.structs import replace

#: What a browser's terminal can, in place of what the environment says of the terminal of `specular serve`.
_CAN: Final = {"TEXTUAL_COLOR_SYSTEM": "truecolor", "TEXTUAL_FPS": "60"}
_BEFORE: Final = {name: os.environ.get(name) for name in _CAN}
os.environ.update(_CAN)

import textual.constants  # noqa: E402, F401  it reads them once

for _name, _value in _BEFORE.items():  # builds that are started from here inherit the environment as it was
    if _value is None:
        del os.environ[_name]
    else:
        os.environ[_name] = _value

from textual import messages  # noqa: E402
from textual.drivers.web_driver import WebDriver  # noqa: E402

from specular_tui.tui.app import SpecularApp  # noqa: E402
from specular_tui.tui.bridge.settings import read_settings  # noqa: E402


class PageDriver(WebDriver):
    """Ends the application when the page, or the server, has gone; the one it comes with waits for ever."""

    def run_input_thread(self) -> None:
        """Read what is typed until there is nobody who could type."""
        super().run_input_thread()
        self._app.post_message(messages.ExitApp())

    def write(self, data: str) -> None:
        """Send what is painted, or drop it where nobody reads it."""
        try:
            super().write(data)
        except BrokenPipeError:
            self._app.post_message(messages.ExitApp())

    def write_meta(self, data: dict[str, object]) -> None:
        """Say something about the session, or nothing where nobody reads it."""
        try:
            super().write_meta(data)
        except BrokenPipeError:
            self._app.post_message(messages.ExitApp())


def main(root: str, size: str) -> int:
    """Run the application on the checkpoint directory `root`, in `size` (`120x40`); return its exit code."""
    columns, _, lines = size.partition("x")
    settings = read_settings(os.environ)
    # A page has Unicode, whatever the locale of the server is.
    settings = replace(settings, look=replace(settings.look, unicode=True))
    app: SpecularApp = SpecularApp(Path(root), settings=settings, driver_class=PageDriver)
    answer: int | None = app.run(size=(int(columns), int(lines)))
    code = (app.return_code or 0) if answer is None else answer
    if app.crash:
        print(f"internal error: {app.crash_reason}", file=sys.stderr)  # noqa: T201  the server tells it
    elif answer is not None and code < 128:
        # A page that was merely closed may be opened again, and what was deleted there taken back.
        said, went = app.bridge.keeper.empty_own_trash()
        for line in said if not went else ():
            print(line, file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
