"""The user's configuration, read from where it is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from specular_tui.model.config import Config
from specular_tui.spec.config_file import config_path, load_config


def read_config(environ: Mapping[str, str]) -> tuple[Config, list[str]]:
    """Return what the configuration file says, and what is wrong with it, a line each."""
    path = config_path(environ)
    return load_config(path, typed=name_of(path, environ))


def name_of(path: Path, environ: Mapping[str, str]) -> str:
    """Return how people write the path: `~/.config/specular/config.yaml`."""
    home = environ.get("HOME", "").rstrip("/")
    return f"~{str(path)[len(home) :]}" if home and str(path).startswith(home + "/") else str(path)
