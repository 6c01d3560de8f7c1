"""All that can be done from where one is: what the command palette has to offer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from specular_tui.tui import glyphs, keys, present, present_task, theme
from specular_tui.tui.messages import Open
from specular_tui.tui.palette import Entry

if TYPE_CHECKING:
    from specular_tui.tui.app import SpecularApp


def entries(app: SpecularApp, screen: Screen[Any]) -> Iterator[Entry]:
    """Yield all there is to offer where the palette was asked for, kind by kind."""
    active = {active.binding.id: active for active in screen.active_bindings.values() if active.enabled}
    for key in keys.by_id(active):
        if key.palette and (pressed := keys.shown(keys.acting(key).split(",")[0])):
            found = active[key.id]
            do = partial(app.run_action, found.binding.action, found.node)
            yield Entry("actions", (pressed, "key"), key.label, key.help, do)
    if app.look.colors:
        for name in sorted(app.available_themes):
            lead = (glyphs.MARKED if name == app.theme else glyphs.PENDING, "muted")
            yield Entry("themes", lead, f"Theme {name}", "", partial(_take_theme, app, name))
    for row in app.desk.runs:
        badge, role = present.run_badge(row.status, live=row.live)
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


def _take_theme(app: SpecularApp, name: str) -> None:
    app.theme = name
    if app.settings.file and name != (app.settings.theme or theme.DARK.name):
        app.say(f"until you leave; 'theme: {name}' in {app.settings.file} keeps it")
