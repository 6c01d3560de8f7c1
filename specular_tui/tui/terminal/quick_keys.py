"""What a key does where all keys are bindings is done and painted at once.

Textual hands a key to what has the focus, and from there up through everything around it, a turn of the loop for each,
before it looks for a binding; what that changes is painted some turns later, at the next frame. Under load each of
these turns may wait for something else.
"""

from __future__ import annotations

from textual.events import Event, Key
from textual.widget import Widget

from specular_tui.tui.terminal.typed_ahead import TypedAheadApp
from specular_tui.tui.widgets.scrolling import ScrollActions


class QuickKeysApp(TypedAheadApp):
    """An application that acts at once on a key for a list or a text, which does nothing with one by itself."""

    async def on_event(self, event: Event) -> None:
        """Do what a key is bound to, if nothing that was typed before it is still on its way."""
        if not isinstance(event, Key) or event.is_forwarded or not self._can_be_quick():
            await super().on_event(event)
            return
        focused = self.focused
        self.app_focus = True
        if not await self._check_bindings(event.key, priority=True):
            await TypedAheadApp._on_key(self, event)
        if focused is not None and focused is self.focused:
            self._paint_at_once(focused)

    def _can_be_quick(self) -> bool:
        screen = self.screen
        if screen.is_modal or screen.maximized is not None or not screen._mounted_event.is_set():
            return False
        return isinstance(self.focused, ScrollActions) and not self._on_their_way

    def _paint_at_once(self, widget: Widget) -> None:
        """Paint what has changed of a widget, and what is to be painted anyway; not where anything is laid out anew."""
        screen = self.screen
        if not screen.is_current or self._batch_count or screen._layout_required or widget._layout_required:
            return
        screen._compositor.update_widgets(screen._dirty_widgets | {widget})
        screen._dirty_widgets.clear()
        if screen._compositor._dirty_regions:
            screen._compositor_refresh()
