"""Who may come in: the token, and the names under which this server lets itself be reached.

A page of another site can have a browser send requests here, and can give its own name the address of this machine (DNS
rebinding). So a request must name this server as its Host, and one that a page sends, as its Origin; and where not only
this user can reach the server, whoever comes must have shown the token.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from specular_tui.errors import SettingsError
from specular_tui.model.quote import quote

TOKEN: Final = "SPECULAR_SERVE_TOKEN"
#: Nobody guesses so many characters.
SHORTEST: Final = 16


def is_loopback(host: str) -> bool:
    """Tell whether `host` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def given_token(file: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the token of a file or of the environment, the file first; None where neither has one.

    Raises:
        SettingsError: it is too short, or not made of visible ASCII characters. OSError: the file cannot be read.
    """
    if file is not None:
        where, text = f"the file {quote(file)}", Path(file).read_bytes()[:4096].decode("utf-8", "replace").strip()
    elif environ.get(TOKEN):
        where, text = TOKEN, environ[TOKEN].strip()
    else:
        return None
    if len(text) < SHORTEST or not all("!" <= char <= "~" for char in text):
        raise SettingsError(
            f"the token in {where} is not one: it takes {SHORTEST} or more visible ASCII characters, without spaces",
            hint="""a good one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'""",
        )
    return text


def new_token() -> str:
    """Return a token that nobody has had before."""
    return secrets.token_urlsafe(32)


class Access:
    """What is asked of a request. Tokens are compared in constant time, and are in no message of this class."""

    def __init__(self, host: str, *, token: str | None, names: Iterable[str] = ()) -> None:
        """`host` is what the server listens on; `token` None: whoever connects is known in another way.

        `names` are further names of this server, such as a proxy's before it.
        """
        self._token = token
        self._pass = secrets.token_urlsafe(32)
        self._any_address = not is_loopback(host)
        own = {"localhost", host.lower(), *(name.lower() for name in names)}
        if self._any_address:
            own |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._names = own

    @property
    def needs_token(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def is_token(self, text: str) -> bool:
        """Tell whether `text` is the token."""
        return self._token is not None and _same(text, self._token)

    @property
    def badge(self) -> str:
        """What whoever has shown the token carries from then on; another one for each server."""
        return self._pass

    def is_badge(self, text: str | None) -> bool:
        """Tell whether `text` is what was given to those who had the token."""
        return text is not None and _same(text, self._pass)

    def knows_host(self, header: str | None) -> bool:
        """Tell whether a Host header names this server: by a name that it has, or by an address.

        Nobody can give an address another meaning; on loopback it must still be one of this machine's.
        """
        parts = _netloc(header or "")
        if parts is None:
            return False
        name = parts[0]
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return self._any_address or address.is_loopback or name in self._names

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        """Tell whether an Origin header is this server's own, which the Host header `host` names."""
        if origin is None or host is None:
            return False
        scheme, _, netloc = origin.partition("://")
        if scheme not in ("http", "https"):
            return False
        default = 443 if scheme == "https" else 80
        mine, theirs = _netloc(host), _netloc(netloc)
        if mine is None or theirs is None:
            return False
        return (mine[0], mine[1] or default) == (theirs[0], theirs[1] or default)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _netloc(text: str) -> tuple[str, int | None] | None:
    """Return the name, in lower case and without brackets, and the port of `name:port`; None where it is none."""
    try:
        split = urlsplit(f"//{text}")
        name, port = split.hostname, split.port
    except ValueError:
        return None
    if not name or split.netloc != text or split.username is not None or split.password is not None:
        return None
    return name.rstrip("."), port
