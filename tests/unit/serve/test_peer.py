"""Whose a connection is."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from specular_tui.serve import peer

linux = pytest.mark.skipif(not peer.can_tell(), reason="this system does not list whose connections are")


@contextmanager
def connected(family: socket.AddressFamily, listening: str, address: str) -> Iterator[tuple[socket.socket, ...]]:
    with socket.socket(family) as server:
        try:
            server.bind((listening, 0))
        except OSError:
            pytest.skip("no such address here")
        server.listen()
        with socket.create_connection((address, server.getsockname()[1])) as there:
            here, _ = server.accept()
            with here:
                yield here, there


def owner(here: socket.socket) -> int | None:
    return peer.owner_of(here.getpeername()[:2], here.getsockname()[:2])


@linux
@pytest.mark.parametrize(
    ("family", "listening", "address"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
        (socket.AF_INET, "127.0.0.1", "::ffff:127.0.0.1"),
    ],
)
def test_an_own_connection_is_told(family: socket.AddressFamily, listening: str, address: str) -> None:
    with connected(family, listening, address) as (here, _):
        assert owner(here) == os.geteuid()
        assert peer.is_ours(here.getpeername()[:2], here.getsockname()[:2])


@linux
def test_a_connection_that_its_owner_has_closed_is_nobodys() -> None:
    # The kernel lists it as root's.
    with connected(socket.AF_INET, "127.0.0.1", "127.0.0.1") as (here, there):
        there.close()
        assert owner(here) is None
        assert not peer.is_ours(here.getpeername()[:2], here.getsockname()[:2])


@linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
def test_a_connection_of_another_user_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(socket.AF_INET, "127.0.0.1", "127.0.0.1") as (here, there):
        os.fchown(there.fileno(), 65534, 65534)
        listed = owner(here)
    assert listed == 65534
    monkeypatch.setattr(peer, "owner_of", lambda there, here: listed)
    assert not peer.is_ours(("127.0.0.1", 1), ("127.0.0.1", 2))


def test_where_nothing_is_listed_nobody_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))

    assert not peer.can_tell()
    assert not peer.is_ours(("127.0.0.1", 1), ("127.0.0.1", 2))
