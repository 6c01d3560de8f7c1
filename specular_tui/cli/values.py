"""What the words of a command line may be, and how a shell completes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from specular_tui.errors import SpecularError
from specular_tui.model import duration
from specular_tui.model.quote import quote

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class DurationType(click.ParamType[int]):
    """A duration such as `90s`, `5m`, `2h`, `7d`; its value is milliseconds."""

    name = "duration"

    def __init__(self, *, above_zero: bool = False) -> None:
        """Take `0s` too, unless it must be `above_zero`."""
        self.above_zero = above_zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds."""
        if isinstance(value, int):
            return value
        try:
            found = duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if self.above_zero and not found:
            self.fail(f"{value} is not above zero", param, ctx)
        return found


class WholeNumber(click.ParamType[int]):
    """A whole number that is neither too small nor too large."""

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        """Take `least` and more, up to `most` where that is given."""
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        if isinstance(value, int):
            return value
        digits = value.strip().removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 19:
            found = int(value)
            if found >= self.least and (self.most is None or found <= self.most):
                return found
        allowed = f"of {self.least} or more" if self.most is None else f"from {self.least} to {self.most}"
        self.fail(f"{quote(value)} is not a whole number {allowed}", param, ctx)


class FileName(click.ParamType[str]):
    """The name of a file or folder, which may not be there; an empty text names nothing."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        text = str(value)
        if not text:
            self.fail("an empty text names no file", param, ctx)
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Leave it to the shell."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class RunName(click.ParamType[str]):
    """A run id, or the start of one; it is looked up when the command runs."""

    name = "run"

    def ids(self) -> Iterable[str]:
        """Return the ids that it may be. Raises SpecularError, OSError."""
        from specular_tui.cli.options import checkpoint_root
        from specular_tui.workspace import run_ids

        return run_ids(checkpoint_root())

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the ids; none where they cannot be read."""
        from click.shell_completion import CompletionItem

        try:
            ids = self.ids()
        except (SpecularError, OSError):
            return []  # whoever completes a word is told nothing else
        return [CompletionItem(run_id) for run_id in ids if run_id.startswith(incomplete)]


class TrashedName(RunName):
    """The id, or the start of one, of a run in the trash."""

    def ids(self) -> Iterable[str]:
        """Return the ids of what is in the trash, each once."""
        from specular_tui.cli.options import checkpoint_root
        from specular_tui.workspace.keeping import trashed_runs

        return dict.fromkeys(put.run_id for put in trashed_runs(checkpoint_root()))


class TaskName(click.ParamType[str]):
    """The id of a task or a gate; it is looked up when the command runs."""

    name = "task"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the tasks of the run that is named already, or of the live or newest one."""
        from click.shell_completion import CompletionItem

        from specular_tui.cli.options import checkpoint_root, current_run
        from specular_tui.workspace import load_run

        wanted = ctx.params.get("run")
        try:
            root = checkpoint_root()
            state = load_run(root, current_run(root, wanted if isinstance(wanted, str) else None, False)).state
        except (SpecularError, OSError):
            return []
        return [CompletionItem(task) for task in (*state.tasks, *state.gates) if task.startswith(incomplete)]


FILE = FileName()
RUN = RunName()
TRASHED = TrashedName()
TASK = TaskName()
DURATION = DurationType()
INTERVAL = DurationType(above_zero=True)
