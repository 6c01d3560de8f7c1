"""Plans without their secrets."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from specular_tui.errors import PlanError
from specular_tui.store.redact import masked_plan

PLAN = {
    "version": 1,
    "defaults": {"env": {"NPM_TOKEN": "s3cret", "CI": "1"}},
    "tasks": [
        {"id": "a", "command": "x", "env": {"API_KEY": "s3cret", "PATH": "/bin", "EMPTY_TOKEN": None}},
        {"id": "b", "command": "echo TOKEN", "title": "token"},
    ],
}


def test_json() -> None:
    data = masked_plan(msgspec.json.encode(PLAN))
    assert b"s3cret" not in data
    found = msgspec.json.decode(data)
    assert found["defaults"]["env"] == {"NPM_TOKEN": "***", "CI": "1"}
    assert found["tasks"][0]["env"] == {"API_KEY": "***", "PATH": "/bin", "EMPTY_TOKEN": None}
    assert found["tasks"][1] == PLAN["tasks"][1]  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        "tasks:\n  - id: a\n    env:\n      API_KEY: s3cret  # comment\n      CI: '1'\n",
        "tasks:\n  - id: a\n    env: {API_KEY: 's3cret', CI: '1'}\n",
        'tasks:\n  - id: a\n    env: {"API_KEY": "s3cret", CI: \'1\'}',
        "tasks:\n  - id: a\n    env:\n      API_KEY: |\n        s3cret\n        s3cret\n      CI: '1'\n",
        "tasks:\n  - id: a\n    env:\n      CI: '1'\n      API_KEY: >-\n        s3cret\n        s3cret\n",
        "tasks:\n  - id: a\n    env:\n      API_KEY: s3cret\n        s3cret\n      CI: '1'\n",
        "tasks:\n  - id: a\n    env:\n      API_KEY: !!str s3cret\n      CI: '1'\n",
        "tasks:\n  - id: a\n    env:\n      ? API_KEY\n      : s3cret\n      CI: '1'\n",
        "defaults:\n  env:\n    API_KEY: s3cret\ntasks:\n  - id: a\n    env: {CI: '1'}\n",
    ],
)
def test_yaml_keeps_its_text_but_for_the_values(text: str) -> None:
    masked = masked_plan(text.encode(), yaml=True).decode()
    assert "s3cret" not in masked
    found = yaml.safe_load(masked)
    expected = yaml.safe_load(text)
    for holder in (expected.get("defaults"), expected["tasks"][0]):
        if holder and "API_KEY" in holder.get("env", {}):
            holder["env"]["API_KEY"] = "***"
    assert {**found, "tasks": found["tasks"]} == expected or _stripped(found) == expected
    if "# comment" in text:
        assert "# comment" in masked


def _stripped(found: object) -> object:
    if isinstance(found, dict):
        return {key: _stripped(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_stripped(value) for value in found]
    return found.strip() if isinstance(found, str) else found


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"{: [}", b"[" * 100_000])
@pytest.mark.parametrize("is_yaml", [False, True])
def test_what_cannot_be_read_cannot_be_masked(data: bytes, is_yaml: bool) -> None:
    if data == b"" and is_yaml:
        assert masked_plan(data, yaml=True) == b""
        return
    with pytest.raises(PlanError, match="cannot be masked"):
        masked_plan(data, yaml=is_yaml)
