"""A plan without its secrets: the values of secret-looking variables become `***`, everything else stays."""

from __future__ import annotations

from typing import Any

import msgspec

from specular_tui.errors import PlanError
from specular_tui.model.secret import MASK, looks_secret
from specular_tui.store import strictjson


def masked_plan(data: bytes, *, yaml: bool = False) -> bytes:
    """Return the plan `data` with the values of secret-looking names under every `env` masked.

    JSON is laid out anew; YAML keeps its text but for those values.

    Raises:
        PlanError: it cannot be read, and so not be masked.
    """
    if yaml:
        return _masked_yaml(data)
    try:
        plan = strictjson.read(data)
    except strictjson.NotJson as error:
        raise PlanError(f"the plan of the checkpoint cannot be masked: it {error}") from None
    return msgspec.json.format(msgspec.json.encode(_masked(plan)), indent=2) + b"\n"


def _masked(value: Any, *, env: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: MASK if env and looks_secret(key) and inner is not None else _masked(inner, env=key == "env")
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value


def _masked_yaml(data: bytes) -> bytes:
    import yaml

    try:
        text = data.decode("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError):
        raise PlanError("the plan of the checkpoint cannot be masked: it is not valid YAML") from None
    spans: list[tuple[int, int]] = []
    _find_spans(root, spans)
    for start, end in sorted(set(spans), reverse=True):
        text = f'{text[:start]}"{MASK}"{_line_end(text[start:end])}{text[end:]}'
    return text.encode()


def _find_spans(root: Any, spans: list[tuple[int, int]]) -> None:
    import yaml

    todo, seen = [(root, False)], set()
    while todo:
        node, env = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += [(inner, False) for inner in node.value]
        elif isinstance(node, yaml.MappingNode):
            for key, inner in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else ""
                if env and looks_secret(name):
                    spans.append((inner.start_mark.index, inner.end_mark.index))
                else:
                    todo.append((inner, name == "env"))


def _line_end(masked: str) -> str:
    """A block of text ends behind its last line feed, which is not its own alone."""
    return "\n" if masked.endswith("\n") else ""
