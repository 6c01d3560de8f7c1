"""docs/cli.md names every command, every option and every event; and everything that it names is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from specular_tui.cli.events import event_line
from specular_tui.cli.main import specular
from specular_tui.model.run import RunState
from tests.unit.cli.test_events import SAMPLES

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")

#: Each command line of the specification that is Specular's own.
SPECIFIED = """\
specular build --plan plan.json --policy .specular/policy.yaml
specular build --resume
specular build --resume RUN
--resume-last
specular build --plan plan.json --checkpoint-interval 5m
specular build --plan plan.json --checkpoint-every 5
specular build --resume --validate
specular build --resume --from-task TASK
specular build --resume --skip-failed
specular build --resume --retry-failed
specular build --resume --policy .specular/policy.yaml --revalidate
specular build --plan plan.json --force
specular checkpoint list
specular checkpoint list --status paused
specular checkpoint list --format json
specular checkpoint show RUN
specular checkpoint show --last
specular checkpoint show RUN --format json
specular checkpoint validate RUN
specular checkpoint clean --older-than 7d
specular checkpoint clean --failed
specular checkpoint delete RUN
specular checkpoint prune --force
specular checkpoint compress RUN
specular checkpoint compress --all
specular checkpoint export RUN --out checkpoint.tar.gz
specular checkpoint import checkpoint.tar.gz
SPECULAR_CHECKPOINT_ENABLED=false
SPECULAR_CHECKPOINT_DIR=/tmp/checkpoints
SPECULAR_CHECKPOINT_INTERVAL=10
""".splitlines()


def commands(group: click.Group, name: str = "specular") -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as ctx:
        for word in group.list_commands(ctx):
            command = group.get_command(ctx, word)
            assert command is not None
            if isinstance(command, click.Group):
                yield from commands(command, f"{name} {word}")
            else:
                yield f"{name} {word}", command


COMMANDS = dict(commands(specular))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described_with_its_options(name: str) -> None:
    assert name in TEXT
    for param in COMMANDS[name].params:
        if isinstance(param, click.Option) and not param.hidden:
            assert any(f"{option}" in TEXT for option in param.opts), param.opts


@pytest.mark.parametrize("line", SPECIFIED)
def test_every_line_of_the_specification_is_described(line: str) -> None:
    for word in line.split():
        assert word in TEXT, word


def test_every_event_is_described() -> None:
    rows = TEXT[TEXT.index("### `build --format json`") : TEXT.index("### `checkpoint list`")].splitlines()
    for sample in SAMPLES:
        line = event_line(sample, "r", RunState())
        (row,) = [row for row in rows if row.startswith("|") and f"`{line['event']}`" in row.split("|")[1]]
        for field in list(line)[3:]:
            assert f"`{field}`" in row, (line["event"], field)


def test_every_option_that_is_described_is_there() -> None:
    known = {
        option
        for command in COMMANDS.values()
        for param in command.params
        for option in (*param.opts, *param.secondary_opts)
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    assert named <= known | {"--help", "--debug", "--version"}
