"""Keys that are typed faster than what they are meant for comes up.

Textual hands each key to what has the focus when the key is read. Of `b` and the name of a plan, typed in one go, the
name would go to the list, and be lost. Here keys that were on their way when a key moved the focus go on to what has it
then, in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final
from weakref import WeakSet

from textual.app import App
from textual.events import Event, Key
from textual.message_pump import MessagePump

#: What comes up is waited for so many seconds at most.
_PATIENCE: Final = 2.0


class TypedAheadApp(App[int]):
    """An application in which no key is lost."""

    def __init__(self, *args: object, **options: object) -> None:
        """Nothing has been typed yet."""
        super().__init__(*args, **options)  # type: ignore[arg-type]
        #: Keys on their way to what had the focus when they were read, and those of them that have it no more.
        self._on_their_way: WeakSet[Key] = WeakSet()
        self._astray: WeakSet[Key] = WeakSet()

    def _typed_at(self) -> MessagePump:
        return self.focused or self.screen

    async def on_event(self, event: Event) -> None:
        """Hand a key to a screen that is there, and not to one that is still coming up."""
        if isinstance(event, Key) and not event.is_forwarded:
            await self._come_up()
            self._on_their_way.add(event)
        await super().on_event(event)

    async def _come_up(self) -> None:
        if self.screen._mounted_event.is_set():
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.screen._mounted_event.wait(), _PATIENCE)

    def _meant_for_focus(self, event: Key) -> bool:
        """Tell whether what has the focus now may type a key, or answer with it: bindings would not know of that."""
        focused = self.focused
        typed = focused is not None and focused.check_consume_key(event.key, event.character)
        return typed or self.screen.is_modal

    async def _on_key(self, event: Key) -> None:
        """Do what a key does that nobody has taken; if that moves the focus, what was typed behind it goes there."""
        event.prevent_default()
        self._on_their_way.discard(event)
        if event in self._astray:
            self._astray.discard(event)
            await self._come_up()
            if not self._meant_for_focus(event):
                await super()._on_key(event)
                return
            again = Key(event.key, event.character)
            self._on_their_way.add(again)
            again._set_forwarded()
            self._typed_at().post_message(again)
            return
        before = self._typed_at()
        await super()._on_key(event)
        if self._typed_at() is not before:
            self._astray.update(self._on_their_way)
