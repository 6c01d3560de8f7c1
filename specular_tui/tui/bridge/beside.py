"""What lies beside the runs of a directory: pins, and the trash. Read again only where it has changed."""

from __future__ import annotations

from pathlib import Path

from specular_tui.workspace import keeping
from specular_tui.workspace.keeping import TrashedRun


class Beside:
    """Keeps what was read last."""

    def __init__(self, root: Path) -> None:
        """`root` is the checkpoint directory."""
        self._root = root
        self._seen: tuple[int, int] = (-1, -1)
        self.pinned: frozenset[str] = frozenset()
        self._trashed: dict[str, TrashedRun] = {}
        #: Runs in the trash, and the bytes that they take.
        self.trash: tuple[int, int] = (0, 0)

    def read(self) -> bool:
        """Look for changes, and tell whether there are any. Blocks.

        Raises:
            StorageError: what has changed cannot be read; that is said once for each change.
        """
        seen = self._stamp(keeping.PINNED), self._stamp(keeping.TRASH)
        if seen == self._seen:
            return False
        # Changed while it is read, it is read again next time.
        self._seen = seen
        before = self.pinned, self.trash
        puts = keeping.trashed_runs(self._root, self._trashed)
        self._trashed = {put.name: put for put in puts}
        self.pinned = keeping.pinned_runs(self._root)
        self.trash = len(puts), sum(put.size for put in puts)
        return (self.pinned, self.trash) != before

    def _stamp(self, name: str) -> int:
        try:
            return (self._root / name).stat().st_mtime_ns
        except OSError:
            return 0
