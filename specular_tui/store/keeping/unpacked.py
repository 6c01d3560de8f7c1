"""The plain bytes of a packed file, as a file."""

from __future__ import annotations

import gzip
import os


class Unpacked(gzip.GzipFile):
    """A packed file that closes its descriptor with itself."""

    def __init__(self, fd: int) -> None:
        """Own `fd`, which is open for reading."""
        self._packed = os.fdopen(fd, "rb")
        super().__init__(fileobj=self._packed, mode="rb")

    def close(self) -> None:
        """Close both."""
        super().close()
        self._packed.close()
