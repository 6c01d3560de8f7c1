"""The seal of metadata.json: its last field is the hash of the others, so that a glance can tell an edited one.

A list believes metadata.json of itself, because reading the journal of every run would take too long. What is not as it
was written, by a slip of an editor or of the disk, is not believed, and the journal is read instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from specular_tui.store import digest

FIELD: Final = "metadata_hash"


def sealed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return `metadata` with its seal, an old one replaced."""
    said = {name: value for name, value in metadata.items() if name != FIELD}
    return {**said, FIELD: digest.of_bytes(msgspec.json.encode(said))}


def is_sealed(metadata: Mapping[str, Any]) -> bool:
    """Tell whether metadata.json says what it was written with; one without a seal does not."""
    found = metadata.get(FIELD)
    return found is not None and found == sealed(metadata)[FIELD]
