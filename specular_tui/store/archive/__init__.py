"""Runs as archives: out of a checkpoint directory (`export_run`, `stream_run`) and into another one (`import_run`).

An archive is a tar.gz with one folder, named as the run, that holds the run's files but for its lock and what is hidden
or kept in quarantine. The same run gives the same bytes.
"""

from __future__ import annotations

from specular_tui.store.archive.exporting import export_run, stream_run
from specular_tui.store.archive.importing import import_run
from specular_tui.store.archive.tarstream import Bounds

__all__ = ["Bounds", "export_run", "import_run", "stream_run"]
