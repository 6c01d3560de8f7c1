"""Where the style sheets are, and when they are parsed."""

from __future__ import annotations

from pathlib import Path

from textual.css.stylesheet import Stylesheet


def style_sheets() -> list[Path]:
    """Return the style sheets, the application's own first, the others by name.

    In a checkout they lie beside the package, and those count: an editable install leaves a copy in the package's
    place in site-packages that grows stale. In a wheel they are in the package.
    """
    package = Path(__file__).resolve().parents[1]
    beside = package.parent / "styles"
    folder = beside if (beside / "app.tcss").is_file() else package / "styles"
    return sorted(folder.glob("*.tcss"), key=lambda path: (path.name != "app.tcss", path.name))


class Sheet(Stylesheet):
    """Style sheets that are parsed again only where the theme has changed.

    Textual has them parsed anew with every screen that is opened for the first time, although nothing is different.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        """`variables` are those of the theme."""
        super().__init__(variables=variables)
        self._theme = variables
        self._changed = False

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
