"""Names that look secret."""

from __future__ import annotations

import pytest

from specular_tui.model.secret import MASK, looks_secret, mask_env


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN", "GITHUB_TOKEN", "githubToken", "NPM_authToken2", "GITHUBTOKEN", "TOKENS",
        "SECRET", "CLIENT_SECRET", "SECRET_KEY_BASE", "aws.secret", "secretValue", "SECRETS",
        "PASSWORD", "PGPASSWORD", "db-password", "PASSWD", "SSH_PASSPHRASE", "DB_PASS", "MYSQL_PWD",
        "KEY", "API_KEY", "apiKey", "APIKey", "APIKEY", "AWS_ACCESS_KEY_ID", "SSH-KEY", "KEY1", "KEYS",
        "AZURE_CREDENTIALS", "GITHUB_PAT",
    ],
)  # fmt: skip
def test_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "CI", "PATH", "HOME", "MONKEY", "KEYBOARD_LAYOUT", "TURKEY_CITY", "HOCKEY", "PWD", "OLDPWD", "OLD_PWD",
        "INIT_PWD", "TOKENIZERS_PARALLELISM", "BYPASS", "COMPASS_URL", "PATTERN", "SECRE", "SSH_AUTH_SOCK", "é",
    ],
)  # fmt: skip
def test_not_secret(name: str) -> None:
    assert not looks_secret(name)


def test_mask_env_keeps_names_and_order() -> None:
    masked = mask_env({"CI": "1", "API_KEY": "abc", "MONKEY": "x", "TOKEN": ""})
    assert list(masked.items()) == [("CI", "1"), ("API_KEY", MASK), ("MONKEY", "x"), ("TOKEN", MASK)]
    assert MASK == "***"
