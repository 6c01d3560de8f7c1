"""The engine that the tests start themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.container import dockerd


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start dockerd and import images; the environment that leads clients to it. Ended with the tests."""
    missing = ", ".join(dockerd.lacking())
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI runs the container tests, and this is missing: {missing}")
        pytest.skip(f"a container engine of the tests' own needs {missing}")
    with dockerd.running(tmp_path_factory.mktemp("engine")) as environment:
        yield environment
