"""What all dialogs have in common: each ends once, and ends nothing but itself."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """Something that lies over a screen and ends with an answer."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """End with `result`; nothing happens where it has ended already, or something else lies over it.

        A second Enter or click comes before the first has had its effect: it must neither answer once more nor close
        what is below.
        """
        if self.is_active:
            return super().dismiss(result)
        nothing: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
        return nothing
