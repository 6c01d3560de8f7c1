"""Where the style sheets are, and when they are parsed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from textual.css.stylesheet import Stylesheet


def sheets(*names: str) -> list[str | PurePath]:
    """Return the application's style sheets of these names: what every screen needs, or what one screen needs more.

    Each screen names its own, so that what it is painted with is all that has to be parsed before.

    In a checkout they lie beside the package, and those count: an editable install leaves a copy in the package's
    place in site-packages that grows stale. In a wheel they are in the package.
    """
    package = Path(__file__).resolve().parents[1]
    beside = package.parent / "styles"
    folder = beside if (beside / "app.tcss").is_file() else package / "styles"
    return [folder / f"{name}.tcss" for name in names]


class Sheet(Stylesheet):
    """Style sheets that are parsed again only where the theme has changed.

    Textual has them parsed anew with every screen that is opened for the first time, although nothing is different.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        """`variables` are those of the theme."""
        super().__init__(variables=variables)
        self._theme = variables
        self._changed = False

    def need(self, paths: Iterable[PurePath]) -> None:
        """Read those of these sheets that have not been read yet."""
        for path in paths:
            if not self.has_source(str(path)):
                self.read(path)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the variables of another theme."""
        if variables != self._theme:
            self._theme = variables
            self._changed = True
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse all sources again, if there is a reason to."""
        if self._changed:
            super().reparse()
            self._changed = False
