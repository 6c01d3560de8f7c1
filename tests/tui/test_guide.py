"""docs/tui.md has every key of every screen, as the table of keys has them; `make snapshots` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specular_tui.tui import keys

PAGE = Path(__file__).parents[2] / "docs" / "tui.md"
#: What names the places whose keys follow; the table ends at the first line that is none of it.
PLACES = re.compile(r"<!-- keys: ([a-z ]+) -->\n(?:\n(?:\|.*\n)+)?")


def table(places: list[str]) -> str:
    lines = [
        f"| {' '.join(f'`{keys.shown(key)}`' for key in row.keys.split(','))} | {row.help} |\n"
        for row in keys.rows(*places)
    ]
    return "\n| key | does |\n|---|---|\n" + "".join(lines)


def test_the_guide_has_every_key(request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")

    wanted = PLACES.sub(lambda found: f"<!-- keys: {found[1]} -->\n{table(found[1].split())}", page)

    if request.config.getoption("--snapshot-update", default=False):
        PAGE.write_text(wanted, encoding="utf-8")
    else:
        assert page == wanted, "make snapshots writes the keys of docs/tui.md anew"


def test_the_guide_leaves_out_no_place() -> None:
    named = {place for found in PLACES.finditer(PAGE.read_text(encoding="utf-8")) for place in found[1].split()}

    assert named == {row.where for row in keys.TABLE}
