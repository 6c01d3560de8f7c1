"""Which variables look secret by their name; their values are shown and stored as `***`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: What stands in the place of a secret value.
MASK: Final = "***"

# `NPM_authToken2` -> NPM, auth, Token: words end at `_`, `-`, `.`, digits and where camel case begins a new one.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_WORDS = frozenset({"key", "keys", "pass", "pat", "token", "tokens", "cred", "creds"})
# In one word with others, as in PGPASSWORD, GITHUBTOKEN or APIKEY. A bare `key` is not here: MONKEY, KEYBOARD.
_INSIDE = ("password", "passwd", "passphrase", "secret", "credential")
_ENDINGS = (
    "token", "apikey", "accesskey", "authkey", "deploykey", "encryptionkey", "privatekey", "secretkey",
    "signingkey", "sshkey",
)  # fmt: skip
# `pwd` is the working directory in these, and a password in MYSQL_PWD or DB_PWD.
_WORKING_DIRECTORIES = frozenset({"pwd", "oldpwd", "old", "init", "start"})


def looks_secret(name: str) -> bool:
    """Tell whether a variable of this name probably holds a token, a secret, a password or a key."""
    words = [word.lower() for word in _WORD.findall(name)]
    if any(word in _WORDS or word.endswith(_ENDINGS) for word in words):
        return True
    if any(part in word for word in words for part in _INSIDE):
        return True
    return "pwd" in words and not _WORKING_DIRECTORIES.issuperset(words)


def mask_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` with the value of every secret-looking name replaced by `MASK`; names and order stay."""
    return {name: MASK if looks_secret(name) else value for name, value in env.items()}
