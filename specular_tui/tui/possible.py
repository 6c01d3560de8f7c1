"""All that can be done from where one is: what the command palette has to offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual.binding import ActiveBinding, Binding
from textual.screen import Screen

from specular_tui.tui import glyphs, keys, present, present_task, theme
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import Open
from specular_tui.tui.palette import Entry

if TYPE_CHECKING:
    from specular_tui.tui.app import SpecularApp


#: The modes in which the rows of a place act.
_HOME: Final[Mapping[str, str]] = {
    "build": "build",
    "tasks": "build",
    "log": "build",
    "checkpoints": "checkpoints",
    "validation": "validation",
    "timeline": "timeline",
    "bars": "timeline",
}


def entries(app: SpecularApp, screen: Screen[Any]) -> Iterator[Entry]:
    """Yield all there is to offer where the palette was asked for, kind by kind."""
    active = _active(screen)
    for key in keys.by_id(active):
        if key.palette and (pressed := _pressed(key)):
            found = active[key.id]
            do = partial(app.run_action, found.binding.action, found.node)
            yield Entry("actions", (pressed, "key"), key.label, key.help, do)
    for key in keys.TABLE:
        mode = _HOME.get(key.where)
        if mode is None or not key.palette or key.id in active or not (pressed := _pressed(key)):
            continue
        where = "" if mode == app.current_mode else f"in {_name(mode)}: "
        yield Entry("actions", (pressed, "muted"), key.label, f"{where}{key.help}", partial(_act_in, app, mode, key))
    if app.look.colors:
        for name in sorted(app.available_themes):
            lead = (glyphs.MARKED if name == app.theme else glyphs.PENDING, "muted")
            yield Entry("themes", lead, f"Theme {name}", "", partial(_take_theme, app, name))
    for row in app.desk.runs:
        badge, role = present.row_badge(row)
        more = f"{badge[2:]}  {row.plan_name}" if row.plan_name else badge[2:]
        yield Entry("runs", (badge[0], role), row.run_id, more, partial(app.post_message, Open(row.run_id)))
    view = app.desk.view
    if view is None:
        return
    titles = view.graph.tasks if view.graph is not None else {}
    for task_id, task in view.state.tasks.items():
        title = titles[task_id].title if task_id in titles else ""
        lead = present_task.task_shape(task.status)
        if task_id in view.blocked:
            lead = (glyphs.BLOCKED, "paused")
        yield Entry("tasks", lead, task_id, title if title != task_id else "", partial(app.show_task, task_id))


def _active(screen: Screen[Any]) -> dict[str | None, ActiveBinding]:
    return {active.binding.id: active for active in screen.active_bindings.values() if active.enabled}


def _pressed(key: Key) -> str:
    return keys.shown(keys.acting(key).split(",")[0])


def _name(mode: str) -> str:
    """Return how a mode is written above all of them: `2 Checkpoints`."""
    (row,) = keys.by_id([f"app.mode.{mode}"])
    return f"{_pressed(row)} {row.label}"


async def _act_in(app: SpecularApp, mode: str, key: Key) -> None:
    """Go to where a key acts, and do what it does."""
    while len(app.screen_stack) > 1:
        await app.pop_screen()
    await app.action_mode(mode)
    screen = app.screen
    if key.id not in _active(screen):
        for widget in screen.focus_chain:
            if any(isinstance(each, Binding) and each.id == key.id for each in type(widget).BINDINGS):
                screen.set_focus(widget)
                break
    found = _active(screen).get(key.id)
    if found is None:
        app.say(f"'{key.label}' cannot be done in {_name(mode)} as things stand")
    else:
        await app.run_action(found.binding.action, found.node)


def _take_theme(app: SpecularApp, name: str) -> None:
    app.theme = name
    if app.settings.file and name != (app.settings.theme or theme.DARK.name):
        app.say(f"until you leave; 'theme: {name}' in {app.settings.file} keeps it")
