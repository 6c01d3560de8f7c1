"""docs/configuration.md has every action, with the key that it has by itself; `make snapshots` writes it anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.tui import keys

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
HEAD = "| action | key | does |\n|---|---|---|\n"


def test_the_page_has_every_action(request: pytest.FixtureRequest) -> None:
    before, _, table = PAGE.read_text(encoding="utf-8").partition(HEAD)
    wanted = "".join(
        f"| `{row.id}` | {' '.join(f'`{keys.shown(key)}`' for key in row.keys.split(','))} | {row.help} |\n"
        for row in keys.TABLE
    )
    if request.config.getoption("--snapshot-update", default=False):
        PAGE.write_text(before + HEAD + wanted, encoding="utf-8")
    else:
        assert table == wanted, "make snapshots writes the table of docs/configuration.md anew"
