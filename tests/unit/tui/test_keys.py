"""The table of keys: no two rows fight, and everything in it is there."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from specular_tui.tui import keys
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.build import BuildScreen, FilterInput, Tasks
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.comparison import ComparisonScreen
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.dialogs.new_build import BuildDialog
from specular_tui.tui.screens.dialogs.palette import PaletteDialog
from specular_tui.tui.screens.resume import Decisions, ResumeScreen
from specular_tui.tui.screens.timeline import Bars, TimelineScreen
from specular_tui.tui.screens.validation import Gates, ValidationScreen
from specular_tui.tui.widgets.clean_pane import CleanPane
from specular_tui.tui.widgets.compare_table import CompareTable
from specular_tui.tui.widgets.log.pane import Log, SearchBox
from specular_tui.tui.widgets.run_table import RunTable
from specular_tui.tui.widgets.toggle import Toggle

#: What has the focus, from the inside out, and which rows act there.
PLACES = {
    "tasks": (("list", Tasks), ("tasks", Tasks), ("run", BuildScreen), ("build", BuildScreen), ("app", SpecularApp)),
    "log": (("list", Log), ("log", Log), ("run", BuildScreen), ("build", BuildScreen), ("app", SpecularApp)),
    "runs": (
        ("list", RunTable),
        ("run", CheckpointsScreen),
        ("checkpoints", CheckpointsScreen),
        ("app", SpecularApp),
    ),
    "cleaning": (
        ("toggle", Toggle),
        ("clean", CleanPane),
        ("run", CheckpointsScreen),
        ("app", SpecularApp),
    ),
    "compared": (("list", CompareTable), ("compare", ComparisonScreen), ("app", SpecularApp)),
    "gates": (
        ("list", Gates),
        ("gates", Gates),
        ("run", ValidationScreen),
        ("validation", ValidationScreen),
        ("app", SpecularApp),
    ),
    "resume": (("list", Decisions), ("resume", ResumeScreen)),
    "palette": (("palette", PaletteDialog), ("dialog", PaletteDialog)),
    "new": (("toggle", Toggle), ("new", BuildDialog), ("dialog", BuildDialog)),
    "bars": (
        ("list", Bars),
        ("bars", Bars),
        ("run", TimelineScreen),
        ("timeline", TimelineScreen),
        ("app", SpecularApp),
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things(place: str) -> None:
    wheres = [where for where, _ in PLACES[place]]
    used = Counter(single for row in keys.rows(*wheres) for single in row.keys.split(","))
    assert [key for key, count in used.items() if count > 1] == []


@pytest.mark.parametrize("place", PLACES)
def test_every_action_is_there(place: str) -> None:
    for where, owner in PLACES[place]:
        for row in keys.rows(where):
            name = row.action.partition("(")[0]
            on_screen = name.startswith("screen.")
            found = dict(PLACES[place])["run"] if on_screen else owner
            assert hasattr(found, f"action_{name.removeprefix('screen.')}"), row


def test_the_other_places() -> None:
    assert hasattr(ChoiceDialog, "action_cancel")
    assert hasattr(FilterInput, "action_submit")
    assert hasattr(SearchBox, "action_submit")
    assert hasattr(BuildScreen, "action_end_search")
    assert {row.where for row in keys.TABLE} == {
        *(where for place in PLACES.values() for where, _ in place),
        "dialog",
        "filter",
        "said",
        "search",
    }


def test_ids_are_unique() -> None:
    assert len({row.id for row in keys.TABLE}) == len(keys.TABLE)


def test_shown() -> None:
    assert keys.shown("question_mark") == "?"
    assert keys.shown("j,down") == "j Down"
    assert keys.shown("ctrl+p") == "^p"


def test_no_text_names_a_key_but_through_the_table() -> None:
    root = Path(keys.__file__).parent
    named = [
        f"{path.name}:{node.lineno}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Tuple)
        and [type(part) for part in node.elts] == [ast.Constant, ast.Constant]
        and isinstance(node.elts[1], ast.Constant)
        and node.elts[1].value == "key"
    ]
    assert named == [], "say keys.cap(ROW), which is right where the key is remapped"
