"""What other programs call the commands leads to commands that are there."""

from __future__ import annotations

import click
import pytest

from specular_tui.cli.checkpoint import checkpoint_command
from specular_tui.cli.lazy import LazyGroup
from specular_tui.cli.main import specular


@pytest.mark.parametrize("group", [specular, checkpoint_command], ids=["specular", "checkpoint"])
def test_names_from_elsewhere_lead_to_commands(group: click.Command) -> None:
    assert isinstance(group, LazyGroup)
    assert group.elsewhere
    assert not group.elsewhere.keys() & group.entries.keys()
    for meant in group.elsewhere.values():
        words = meant.removeprefix("specular ").split()
        found: click.Command | None = specular if meant.startswith("specular ") else group
        context = click.Context(specular)
        while words and isinstance(found, LazyGroup) and not words[0].startswith("-"):
            found = found.get_command(context, words.pop(0))
            assert found is not None, meant
        assert found is not None
        assert set(words) <= {option for param in found.get_params(context) for option in param.opts}, meant
