"""Many new files on their way to the disk while more of them are being written."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Self

from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder


class Sweeper:
    """Brings the files of a folder to disk on a thread, in sweeps of the file system. To be used with `with`.

    It is a head start: what is written behind the beginning of the last sweep still needs its sync. An error of a sweep
    is raised at the end, as a `StorageError`, because no later one may tell of it again.
    """

    def __init__(self, folder: Folder) -> None:
        """Sweep the file system that `folder` is on."""
        self._folder = folder
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def sweep(self, files: int) -> None:
        """Begin a sweep for the sake of so many files, if none is under way."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._sweep, args=(files,), name="sweep")
            # Where this process may have no further thread, there is no head start.
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._thread = thread

    def _sweep(self, files: int) -> None:
        try:
            self._folder.sweep(files)
        except OSError as error:
            self._error = self._error or error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.join()
        if self._error is not None and error is None:
            raise explain(self._error, "write checkpoint", self._folder.path)
