"""What README.md tells people to type is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from specular_tui.cli.main import specular
from specular_tui.tui import keys

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

COMMANDS = sorted(
    {
        line.partition("#")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("specular ")
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_has_its_options(line: str) -> None:
    command: click.Command = specular
    context = click.Context(specular, info_name="specular")
    _, *words = shlex.split(line)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command, context = found, click.Context(found, parent=context)

    options = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_every_key_of_the_readme_is_bound() -> None:
    table = re.findall(r"^\| (`.*?) \|", README, re.MULTILINE)
    named = {key for cell in table for key in re.findall(r"`(\S+?)`", cell)}
    named -= {key for key in named if len(key) > 1 and key.endswith("/")}  # folders, in another table
    bound = {key for row in keys.TABLE for key in keys.shown(row.keys).split()}

    assert {"p", "Enter", "/"} <= named
    assert named <= bound


def test_links_and_pictures_of_the_documents_exist() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)}: {target}"
