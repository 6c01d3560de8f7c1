"""The user's configuration: what it says holds, and what is wrong in it is told with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specular_tui.model.config import Config, Wish
from specular_tui.spec.config_file import config_path, load_config, parse_config


def parse(text: str) -> tuple[Config, list[str]]:
    return parse_config(text.encode(), file="config.yaml")


def test_everything() -> None:
    config, complaints = parse(
        "theme: dracula\nunicode: false\nmonochrome: true\nnotifications: false\nmouse: false\nline_numbers: true\n"
        "keys:\n  run.pause: F5\n  run.drain: [x, y]\n  app.leave: 'a, b'\n  build.stop_build: none\n  app.help: 1\n"
    )
    assert complaints == []
    assert config == Config(
        theme="dracula",
        theme_place="config.yaml:1:8",
        unicode=False,
        monochrome=True,
        notifications=False,
        mouse=False,
        line_numbers=True,
        keys={
            "run.pause": Wish(("F5",), "config.yaml:8:3"),
            "run.drain": Wish(("x", "y"), "config.yaml:9:3"),
            "app.leave": Wish(("a", "b"), "config.yaml:10:3"),
            "build.stop_build": Wish((), "config.yaml:11:3"),
            "app.help": Wish(("1",), "config.yaml:12:3"),
        },
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "keys:\n"])
def test_nothing(text: str) -> None:
    assert parse(text) == (Config(), [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("themes: dracula\n", "config.yaml:1:1: unknown setting 'themes'; did you mean 'theme'?"),
        ("theme: 3\n", "config.yaml:1:8: theme must be the name of a theme, not 3"),
        ("\nmouse: no\n", "config.yaml:2:8: mouse must be true or false, not 'no'"),
        ("unicode: 1\n", "config.yaml:1:10: unicode must be true or false, not 1"),
        ("keys: [a]\n", "config.yaml:1:7: keys must be a mapping of actions to keys, not a list"),
        (
            "keys:\n  run.pause: {a: b}\n",
            "config.yaml:2:14: keys.run.pause must be a key, a list of keys, or none, not",
        ),
        ("- theme\n", "config.yaml:1:1: the configuration must be a mapping, not a list"),
        ("theme: a\ntheme: b\n", "config.yaml:2:1: "),
        ("theme: [\n", "config.yaml:2:1: not valid YAML"),
        ("a: &x 1\n", "config.yaml:1:4: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, complaint: str) -> None:
    _, complaints = parse(text)
    assert len(complaints) >= 1
    assert complaints[0].startswith(complaint)


def test_the_rest_holds() -> None:
    config, complaints = parse("theme: 3\nmouse: false\ncolours: none\n")
    assert not config.mouse
    assert len(complaints) == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert load_config(path, typed="c") == (Config(), [])
    path.mkdir()
    assert load_config(path, typed="c")[1][0].startswith("c ")
    path.rmdir()
    os.mkfifo(path)
    assert "named pipe" in load_config(path, typed="c")[1][0]
    path.unlink()
    path.write_bytes(b"\xff\xfe\x00")
    assert "UTF-16" in load_config(path, typed="c")[1][0]
    path.write_text("mouse: false")
    assert load_config(path, typed="c") == (Config(mouse=False), [])


def test_where_it_is() -> None:
    assert config_path({"HOME": "/home/ada"}) == Path("/home/ada/.config/specular/config.yaml")
    assert config_path({"HOME": "/home/ada", "XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/specular/config.yaml")
    assert config_path({"HOME": "/home/ada", "XDG_CONFIG_HOME": "relative"}) == config_path({"HOME": "/home/ada"})
