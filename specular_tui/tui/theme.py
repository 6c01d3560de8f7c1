"""The roles that text can play, the tokens behind them, and this application's own themes."""

from __future__ import annotations

from typing import Final

from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.style import Style as VisualStyle
from textual.theme import Theme
from textual.widget import Widget

from specular_tui.tui.present import Line
from specular_tui.tui.safe import plain

#: Role of a segment -> style. Styles name tokens only, so that a theme decides about every colour.
ROLES: Final[dict[str, str]] = {
    "plain": "",
    "strong": "bold",
    "muted": "$muted",
    "faint": "$faint",
    "accent": "$text-primary",
    "key": "bold $key",
    "running": "$state-running",
    "done": "$state-done",
    "failed": "$state-failed",
    "failed-strong": "bold $state-failed",
    "paused": "$state-paused",
    "skipped": "$state-skipped",
    "pending": "$state-pending",
    "bar-done": "$state-done",
    "bar-failed": "$state-failed",
    "bar-running": "$state-running",
    "bar-skipped": "$state-skipped",
    "bar-pending": "$state-pending",
    "badge-running": "bold $state-running on $badge-running",
    "badge-done": "bold $state-done on $badge-done",
    "badge-failed": "bold $state-failed on $badge-failed",
    "badge-paused": "bold $state-paused on $badge-paused",
    "badge-muted": "bold $muted on $badge-muted",
    "tab": "$muted",
    "tab-key": "$key",
    "tab-on": "bold $foreground on $primary 28%",
    "tab-key-on": "bold $foreground on $primary 28%",
}

#: Grounds have next to no saturation: a terminal of 256 colours then keeps them apart, on its grey ramp.
DARK: Final = Theme(
    name="specular-dark",
    primary="#6cb6ff",
    secondary="#8ddb8c",
    accent="#f69d50",
    foreground="#d5dae0",
    background="#101214",
    surface="#181b1e",
    panel="#212529",
    success="#6bc46d",
    warning="#e0b252",
    error="#f47067",
    dark=True,
    variables={
        "scrollbar": "#353b42",
        "scrollbar-hover": "#464d56",
        "scrollbar-active": "#59616b",
        "scrollbar-background": "#181b1e",
        "scrollbar-background-hover": "#181b1e",
        "scrollbar-background-active": "#181b1e",
        "muted": "#8795a5",
        "faint": "#566373",
        "key": "#b4c4d4",
        "state-running": "#6cb6ff",
        "state-done": "#6bc46d",
        "state-failed": "#f47067",
        "state-paused": "#e0b252",
        "state-skipped": "#8b949e",
        "state-pending": "#4a5563",
        "badge-running": "#16304a",
        "badge-done": "#173522",
        "badge-failed": "#45191a",
        "badge-paused": "#4a3a10",
        "badge-muted": "#2a2f35",
    },
)

LIGHT: Final = Theme(
    name="specular-light",
    primary="#0a5cc2",
    secondary="#1a7f37",
    accent="#bc4c00",
    foreground="#1f2630",
    background="#ffffff",
    surface="#f4f5f6",
    panel="#e8eaec",
    success="#1a7f37",
    warning="#8a5d00",
    error="#c21f2c",
    dark=False,
    variables={
        "scrollbar": "#ccd4dc",
        "scrollbar-hover": "#b5bfc9",
        "scrollbar-active": "#9ca8b4",
        "scrollbar-background": "#f4f5f6",
        "scrollbar-background-hover": "#f4f5f6",
        "scrollbar-background-active": "#f4f5f6",
        "muted": "#5f6b78",
        "faint": "#98a3af",
        "key": "#2f3b48",
        "state-running": "#0a5cc2",
        "state-done": "#1a7f37",
        "state-failed": "#c21f2c",
        "state-paused": "#8a5d00",
        "state-skipped": "#6b7682",
        "state-pending": "#b3bcc6",
        "badge-running": "#dbe9fb",
        "badge-done": "#dcf2e2",
        "badge-failed": "#fbe0e1",
        "badge-paused": "#f7eccd",
        "badge-muted": "#e8eaec",
    },
)

#: For terminals without colours: `look.Attributes` makes reverse and dim of its light and its grey. What stands out by
#: its ground is light here, and what is quiet is grey.
MONOCHROME: Final = Theme(
    name="specular-monochrome",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    success="#ffffff",
    warning="#ffffff",
    error="#ffffff",
    dark=True,
    variables={
        "scrollbar": "#909090",
        "scrollbar-hover": "#c0c0c0",
        "scrollbar-active": "#ffffff",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
        "muted": "#909090",
        "faint": "#707070",
        "key": "#ffffff",
        "state-running": "#ffffff",
        "state-done": "#ffffff",
        "state-failed": "#ffffff",
        "state-paused": "#ffffff",
        "state-skipped": "#909090",
        "state-pending": "#909090",
        "badge-running": "#ffffff",
        "badge-done": "#ffffff",
        "badge-failed": "#ffffff",
        "badge-paused": "#ffffff",
        "badge-muted": "#ffffff",
    },
)


def tokens(theme: Theme) -> dict[str, str]:
    """Return this application's tokens for a theme that does not define them: made of the theme's own colours."""
    own = theme.to_color_system().generate()
    ground, ink = Color.parse(own["background"]), Color.parse(own["foreground"])
    return {
        "muted": ground.blend(ink, 0.62).hex,
        "faint": ground.blend(ink, 0.4).hex,
        "key": own["foreground"],
        "state-running": own["text-primary"],
        "state-done": own["text-success"],
        "state-failed": own["text-error"],
        "state-paused": own["text-warning"],
        "state-skipped": own["foreground-muted"],
        "state-pending": own["foreground-disabled"],
        "badge-running": own["primary-muted"],
        "badge-done": own["success-muted"],
        "badge-failed": own["error-muted"],
        "badge-paused": own["warning-muted"],
        "badge-muted": own["panel"],
    }


def paint(line: Line) -> Content:
    """Return the segments of a line as content that nothing in it can turn into markup or an escape."""
    return Content.assemble(*((plain(text), ROLES[role]) for text, role in line))


def paint_lines(lines: list[Line]) -> Content:
    """Return several lines as one content."""
    return Content("\n").join([paint(line) for line in lines])


def rich_style(role: str, widget: Widget) -> Style:
    """Return the style that a segment of this role has on a widget, for those that draw their own strips."""
    return (widget.visual_style + VisualStyle.parse(ROLES[role], widget.app.theme_variables)).rich_style
