"""docs/policy.md names every key of the policy, with the default that holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from specular_tui.model.policy import CheckpointPolicy, ExecutionPolicy
from specular_tui.spec.policy_types import WORDING

TEXT = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`[^|]+`) \| ([^|]*?) ?\| [^|]+ \|$", TEXT, re.M)
DEFAULTS = {key.strip("`"): default for keys, default in ROWS for key in keys.split(", ")}
#: What holds where there is no default of the policy's own.
NONE = {"none", "every image", "the engine's", "the CPUs available"}


def flat(values: msgspec.Struct, prefix: str) -> Iterator[tuple[str, object]]:
    for name in values.__struct_fields__:
        value = getattr(values, name)
        if isinstance(value, msgspec.Struct):
            yield from flat(value, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}", value


def test_every_key_is_there_with_its_default() -> None:
    found = dict(flat(ExecutionPolicy(), "execution")) | dict(flat(CheckpointPolicy(), "checkpoints"))
    gates = {key for key in DEFAULTS if key.startswith(("linters.", "formatters.", "tests."))}

    assert DEFAULTS.keys() - gates == found.keys()
    for key, default in found.items():
        shown = DEFAULTS[key]
        match default:
            case None:
                assert shown in NONE, key
            case bool():
                assert shown == f"`{str(default).lower()}`", key
            case int() | float():
                assert shown == f"`{default:g}`", key
            case _:
                assert shown == f"`{default}`", key


def test_every_key_that_a_policy_may_have_is_there() -> None:
    for block, names in WORDING.fields.items():
        for name in names:
            assert f"{block}.{name}".lstrip(".").replace("*", "NAME") in TEXT, (block, name)
