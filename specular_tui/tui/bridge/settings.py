"""How the user wants the application to be: their configuration and their terminal, made into what it works with."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from specular_tui.model.nearest import nearest
from specular_tui.model.quote import quote
from specular_tui.spec.config_file import config_path, name_of, read_config
from specular_tui.tui import keymap
from specular_tui.tui.look import Look


class Settings(Struct, frozen=True):
    """What holds until the application ends."""

    look: Look = field(default_factory=Look)
    #: The name of a theme; "" for the application's own.
    theme: str = ""
    #: Where that is written.
    theme_place: str = ""
    #: The configuration file, as people write it; "" where there is none of a user's.
    file: str = ""
    #: The keys of rows that have not their own, by id.
    keys: Mapping[str, str] = field(default_factory=dict)
    notifications: bool = True
    mouse: bool = True
    #: Number the lines of logs; None: where there is room.
    line_numbers: bool | None = None
    #: What is wrong with the configuration, a line each.
    complaints: tuple[str, ...] = ()

    def checked(self, themes: Collection[str]) -> Settings:
        """Return these settings for an application that has these themes."""
        if not self.theme or self.theme in themes:
            return self
        near = nearest(self.theme, sorted(themes))
        said = f"unknown theme {quote(self.theme)}" + (f"; did you mean {quote(near)}?" if near else "")
        return replace(self, theme="", complaints=(*self.complaints, f"{self.theme_place}: {said}"))


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of a user with this environment; it has the last word about colours."""
    config, complaints = read_config(environ)
    remapped, fights = keymap.resolve(config.keys)
    terminal = Look.of_terminal(environ)
    return Settings(
        look=Look(
            unicode=terminal.unicode if config.unicode is None else config.unicode,
            colors=terminal.colors and not config.monochrome,
        ),
        theme=config.theme or "",
        theme_place=config.theme_place,
        file=name_of(config_path(environ), environ),
        keys=remapped,
        notifications=config.notifications,
        mouse=config.mouse,
        line_numbers=config.line_numbers,
        complaints=(*complaints, *fights),
    )
