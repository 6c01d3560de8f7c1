"""Who may come in: hosts, origins, tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.errors import SettingsError
from specular_tui.serve.access import Access, given_token, is_loopback, new_token

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize("host", ["localhost:8470", "127.0.0.1:8470", "[::1]:8470", "LOCALHOST", "127.0.0.9:1"])
def test_the_names_of_this_machine_are_known_on_loopback(host: str) -> None:
    assert Access("127.0.0.1", token=None).knows_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "rebound.example:8470",
        "localhost.rebound.example",
        "127.0.0.1.rebound.example",
        "0.0.0.0:8470",
        "192.168.1.5:8470",
        "me@localhost",
        "localhost/x",
        "localhost:port",
        "localhost, rebound.example",
        "[::1",
    ],
)
def test_every_other_name_is_refused_on_loopback(host: str | None) -> None:
    assert not Access("127.0.0.1", token=None).knows_host(host)


def test_a_further_name_can_be_allowed() -> None:
    access = Access("127.0.0.1", token=TOKEN, names=["Builds.example"])

    assert access.knows_host("builds.example")
    assert access.knows_host("builds.example.:443")
    assert not access.knows_host("other.example")


def test_elsewhere_an_address_is_known_and_a_foreign_name_is_not() -> None:
    access = Access("0.0.0.0", token=TOKEN)

    assert access.knows_host("192.168.1.5:8470")
    assert not access.knows_host("rebound.example:8470")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8470", "localhost:8470", True),
        ("https://builds.example", "builds.example", True),
        ("https://builds.example", "builds.example:443", True),
        ("http://[::1]:8470", "[::1]:8470", True),
        ("http://localhost:9999", "localhost:8470", False),
        ("http://localhost", "localhost:8470", False),
        ("http://rebound.example:8470", "localhost:8470", False),
        ("null", "localhost:8470", False),
        ("file://localhost:8470", "localhost:8470", False),
        ("", "localhost:8470", False),
        (None, "localhost:8470", False),
        ("http://localhost:8470", None, False),
        ("http://[localhost:8470", "localhost:8470", False),
    ],
)
def test_only_the_own_origin_is_known(origin: str | None, host: str | None, own: bool) -> None:
    assert Access("127.0.0.1", token=None).knows_origin(origin, host) is own


def test_a_token_opens_and_nothing_else_does() -> None:
    access = Access("0.0.0.0", token=TOKEN)

    assert access.needs_token
    assert access.is_token(TOKEN)
    assert not access.is_token(TOKEN[:-1])
    assert not access.is_token("")
    assert not access.is_token("gr\u00fc\u00dfe\udc80")
    assert not access.is_token(access.badge)


def test_a_badge_is_of_one_server_alone_and_is_not_the_token() -> None:
    one, other = Access("0.0.0.0", token=TOKEN), Access("0.0.0.0", token=TOKEN)

    assert one.is_badge(one.badge)
    assert not one.is_badge(other.badge)
    assert not one.is_badge(TOKEN)
    assert not one.is_badge(None)


def test_without_a_token_none_is_right() -> None:
    access = Access("127.0.0.1", token=None)

    assert not access.needs_token
    assert not access.is_token("")
    assert not access.is_token("None")


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("box", False)]
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_the_file_beats_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")

    assert given_token(str(file), {"SPECULAR_SERVE_TOKEN": new_token()}) == TOKEN
    assert given_token(None, {"SPECULAR_SERVE_TOKEN": TOKEN}) == TOKEN
    assert given_token(None, {"SPECULAR_SERVE_TOKEN": ""}) is None


@pytest.mark.parametrize(
    "bad", ["", "short", "with a space in the middle", "grüße-an-alle-die-das-lesen", "a\x1b[31mbcdefghijklm"]
)
def test_a_bad_token_is_refused_and_not_repeated(tmp_path: Path, bad: str) -> None:
    file = tmp_path / "token"
    file.write_text(bad)

    with pytest.raises(SettingsError) as caught:
        given_token(str(file), {})

    assert not bad or bad not in str(caught.value)
    assert "16 or more" in caught.value.message
