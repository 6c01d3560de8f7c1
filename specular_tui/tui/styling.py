"""Where the style sheets are."""

from __future__ import annotations

from pathlib import Path


def style_sheets() -> list[Path]:
    """Return the style sheets, the application's own first, the others by name.

    In a checkout they lie beside the package, and those count: an editable install leaves a copy in the package's
    place in site-packages that grows stale. In a wheel they are in the package.
    """
    package = Path(__file__).resolve().parents[1]
    beside = package.parent / "styles"
    folder = beside if (beside / "app.tcss").is_file() else package / "styles"
    return sorted(folder.glob("*.tcss"), key=lambda path: (path.name != "app.tcss", path.name))
