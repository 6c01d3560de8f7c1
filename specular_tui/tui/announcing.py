"""Tells the user, once, what has happened while they did something else: to the run in view, and to the others."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from specular_tui.tui import alerts
from specular_tui.tui.alerts import Alert, Alerts
from specular_tui.tui.elsewhere import Elsewhere
from specular_tui.tui.messages import RunMoved, RunShown, RunsListed, Told
from specular_tui.tui.screens.mode import ModeScreen

if TYPE_CHECKING:
    from specular_tui.tui.app import SpecularApp

#: Seconds until a build is spoken of: what this program starts comes into view before.
_PATIENCE: Final = 1.0


class Announcer:
    """Looks at all that the bridge tells."""

    def __init__(self, app: SpecularApp) -> None:
        """`app` is what speaks."""
        self._app = app
        self._in_view = Alerts()
        self._elsewhere = Elsewhere()
        #: What has been said of the run that a key opens.
        self._offered = ""

    def heed(self, message: Told) -> None:
        """Say what is new, if anything is."""
        desk = self._app.desk
        if isinstance(message, RunShown) and desk.view is not None and desk.view.run_id == desk.noticed:
            self._app.withdraw(self._offered)
        if isinstance(message, RunShown | RunMoved):
            self._tell(self._in_view.look(desk.view))
        elif isinstance(message, RunsListed):
            started, ended = self._elsewhere.look(desk, message.changed)
            for run_id in started:
                self._app.set_timer(_PATIENCE, partial(self._started, run_id), name="started-elsewhere")
            for alert in ended:
                self._offer(alert)

    def _started(self, run_id: str) -> None:
        if not self._app.screen_stack:
            return  # the application is being left
        desk, screen = self._app.desk, self._app.screen
        alert = self._elsewhere.started(desk, run_id)
        if alert is not None and desk.view is None and isinstance(screen, ModeScreen) and screen.MODE == "build":
            # Nothing is being looked at, and Build says that it would come.
            self._app.bridge.open(run_id)
        elif alert is not None:
            self._offer(alert)

    def _offer(self, alert: Alert) -> None:
        self._offered = alert.text
        self._tell(alert)

    def _tell(self, alert: Alert | None) -> None:
        """Say it; aloud, if it is worth it and nobody is looking, as far as the terminal says."""
        app = self._app
        if alert is None or not app.screen_stack:
            return
        if not (alert.pinned and isinstance(app.screen, ModeScreen) and app.screen.MODE == "build"):
            # The header and Build go on saying it.
            app.say(alert.text, alert.severity, alerts.SHOWN)
        if alert.loud and app.settings.notifications and not app.looked_at:
            alerts.send(alert, app.write_to_terminal, os.environ, unicode=app.look.unicode)
