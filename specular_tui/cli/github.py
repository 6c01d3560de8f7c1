"""GitHub Actions: what its log makes of lines, and that no task makes it do anything.

A line that begins with `::`, or that holds `##[`, is a command to the runner. What tasks have printed is shown between
`::stop-commands::` and a token that nobody can guess; elsewhere text of others never begins a line, and `##[` is
broken up.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from specular_tui.cli import output
from specular_tui.cli.report import Reporter
from specular_tui.cli.summary import Failure, failures, way_on
from specular_tui.workspace.face import BuildInfo, BuildResult


def escape(text: str) -> str:
    """Return `text` as the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "## [")


def escape_property(text: str) -> str:
    """Return `text` as a property of a workflow command."""
    return escape(text).replace(":", "%3A").replace(",", "%2C")


def annotation(level: str, title: str, message: str) -> str:
    """Return the line that marks the job with an error, a warning or a notice."""
    return f"::{level} title={escape_property(output.plain(title))}::{escape(message)}"


def quoted(lines: Sequence[str]) -> list[str]:
    """Return lines of a task's output in such a way that none of them is a command."""
    token = secrets.token_hex(16)
    return [f"::stop-commands::{token}", *lines, f"::{token}::"] if lines else []


class GithubReporter(Reporter):
    """Plain lines in a group, failed tasks in groups of their own, and an annotation for each."""

    def starting(self, info: BuildInfo) -> None:
        """Open the group of the build's lines."""
        if not self.quiet:
            self.line(f"::group::specular build {info.run_id}")
        super().starting(info)

    def warning(self, text: str, details: Sequence[str] = ()) -> None:
        """Mark the job with a warning too."""
        super().warning(text, details)
        self.line(annotation("warning", "specular", output.plain(text)))

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """Close the group and say what failed."""
        if not self.quiet:
            self.line("::endgroup::")
        shown, more = failures(result, info)
        for failure in shown:
            self._tell_failure(failure)
        if more:
            self.line(f"… and {more} more failed tasks")
        for line in way_on(result, info, self.typed_folder):
            self.line(line)
        self.write_reports(result, info)

    def _tell_failure(self, failure: Failure) -> None:
        self.line(f"::group::FAILED {failure.task}: {output.plain(failure.reason)}")
        for line in quoted(failure.lines):
            self.line(line)
        if failure.log:
            self.line(f"log: {output.plain(failure.log)}")
        self.line("::endgroup::")
        why = [failure.why.text] if failure.why is not None and failure.why.text not in failure.lines[-5:] else []
        message = "\n".join([output.plain(failure.reason), *why, *failure.lines[-5:]])
        self.line(annotation("error", f"{failure.task} failed", message))
