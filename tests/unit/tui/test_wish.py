"""The options of a build as they are switched, and the words for them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from specular_tui.cli.build import build_command
from specular_tui.tui.bridge.rehearsals import request_for
from specular_tui.tui.wish import FLAGS, Wish
from specular_tui.workspace.request import BuildRequest

ALL = Wish(
    "one",
    plan="a plan.json",
    policy="p.yaml",
    from_task="x",
    keep_going=True,
    jobs=3,
    **dict.fromkeys(FLAGS, True),
)


def test_every_word_is_an_option_of_the_command() -> None:
    known = {option for parameter in build_command.params for option in parameter.opts}
    assert {word for word in ALL.words() if word.startswith("-")} <= known
    parsed = build_command.make_context("build", ALL.words(), resilient_parsing=True).params
    assert parsed["resume"] == "one"
    assert parsed["plan"] == "a plan.json"
    assert parsed["jobs"] == 3
    assert all(parsed[flag] is True for flag in FLAGS)


def test_nothing_is_said_of_what_is_not_wished() -> None:
    assert Wish().words() == []
    assert Wish("one").words() == ["--resume", "one"]
    assert Wish("one", keep_going=True).options() == ["--keep-going"]
    assert Wish("one", keep_going=False).options() == ["--no-keep-going"]
    assert Wish().command("specular") == "specular build"
    assert Wish(plan="my plan.json").command("specular") == "specular build --plan 'my plan.json'"


def test_run_dependents_goes_with_what_it_is_about() -> None:
    both = Wish("one").switched("skip_failed").switched("run_dependents")
    assert both.run_dependents
    assert both.switched("skip_failed") == Wish("one")


def test_the_request_is_the_one_of_the_command_line() -> None:
    assert request_for(Wish(), Path("/x")) == BuildRequest(cwd=Path("/x"))
    request = request_for(ALL, Path("/x"))
    parsed = build_command.make_context("build", ALL.words(), resilient_parsing=True).params
    for name in ("plan", "policy", "resume", "from_task", "keep_going", "jobs", *FLAGS):
        assert getattr(request, name) == parsed[name]


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_is_a_flag(flag: str) -> None:
    option = next(p for p in build_command.params if p.name == flag)
    assert isinstance(option, click.Option)
    assert option.is_flag
