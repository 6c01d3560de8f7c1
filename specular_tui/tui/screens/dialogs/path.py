"""Asks for the path of a file, with what was wrong with the one before."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Sequence
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import Suggester
from textual.widgets import Input, Static

from specular_tui.model import quantity
from specular_tui.tui import keys
from specular_tui.tui.deeds import Trouble
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint, paint_lines
from specular_tui.tui.widgets.plain_input import PlainInput
from specular_tui.tui.widgets.toggle import Toggle


class PathAnswer(Struct, frozen=True):
    """What was typed."""

    path: str
    #: What is offered beside the path was wanted.
    option: bool = False


class PathDialog(Dialog[PathAnswer]):
    """Ends with a path, or None where nothing shall be done."""

    CSS_PATH: ClassVar = sheets("dialogs", "toggle")
    BINDINGS: ClassVar = keys.bindings("dialog")

    def __init__(
        self,
        title: str,
        details: Sequence[Line],
        command: Callable[[str, bool], str],
        *,
        value: str = "",
        option: str = "",
        trouble: Trouble | None = None,
    ) -> None:
        """`command` returns the command line that does the same; `option` is what may be wanted beside the path."""
        super().__init__()
        self._title = title
        self._details = list(details)
        self._command = command
        self._trouble = trouble
        self.input = PlainInput(
            value=value, compact=True, suggester=_Paths(), placeholder="a file", select_on_focus=False
        )
        self.input.cursor_blink = False
        self.option = Toggle(option) if option else None

    def compose(self) -> ComposeResult:
        """Yield question, path and option."""
        with Vertical(id="dialog"):
            yield Static(paint([(self._title, "strong")]), id="title")
            if self._trouble is not None:
                yield Static(paint_lines(_said(self._trouble)), id="trouble")
            if self._details:
                yield Static(paint_lines(self._details), id="details")
            yield self.input
            if self.option is not None:
                yield self.option
            yield Static(id="command")
            # The keys of a field are Textual's own, and cannot be remapped.
            hint: Line = [("Enter", "strong"), (" does it  ", "muted"), ("Right", "strong"), (" completes  ", "muted")]
            if self.option is not None:
                hint += [("Tab", "strong"), (" to the option  ", "muted")]
            yield Static(paint([*hint, keys.cap("dialog.cancel"), (" changes nothing", "muted")]), id="hint")

    def on_mount(self) -> None:
        """Begin at the end of the path."""
        self.set_focus(self.input)
        self.input.action_end()
        self._say()

    @property
    def _option(self) -> bool:
        return self.option is not None and self.option.value

    def _say(self) -> None:
        path = as_typed(self.input.value.strip()) or "FILE"
        said: Line = [("the same: ", "muted"), (self._command(path, self._option), "accent")]
        self.query_one("#command", Static).update(paint(said))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the command line true."""
        event.stop()
        if self.is_mounted:
            self._say()

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        """Keep the command line true."""
        event.stop()
        self._say()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """End with what was typed."""
        event.stop()
        if self.input.value.strip():
            self.dismiss(PathAnswer(self.input.value.strip(), self._option))

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def _said(trouble: Trouble) -> list[Line]:
    """Return what was wrong, with all the detail that there is."""
    lines: list[Line] = [[(trouble.message, "failed")]]
    lines += [[(f"  {detail}", "muted")] for detail in trouble.details[:8]]
    if len(trouble.details) > 8:
        lines.append([(f"  and {quantity.plural(len(trouble.details) - 8, 'line')} more", "muted")])
    if trouble.hint:
        lines.append([(trouble.hint, "plain")])
    return lines


def as_typed(path: str) -> str:
    """Return a path as it is typed in a shell, which takes `~` for home only where it is not quoted."""
    home, slash, rest = path.partition("/")
    if home == "~" or (home[:1] == "~" and home[1:].isalnum()):
        return home + slash + (shlex.quote(rest) if rest else "")
    return shlex.quote(path) if path else ""


class _Paths(Suggester):
    """Completes a path from what lies in its folder."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(_complete, value)


def _complete(value: str) -> str | None:
    """Return `value`, completed to the first name that begins like it, or None."""
    folder, slash, start = value.rpartition("/")
    try:
        with os.scandir(os.path.expanduser(folder + slash) or ".") as entries:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(start) and (start or not entry.name.startswith("."))
            )
    except (OSError, ValueError):
        return None
    fitting = [name for name in names if name.isprintable() and name != start]
    return f"{folder}{slash}{fitting[0]}" if fitting and start else None
