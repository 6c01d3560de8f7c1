"""A policy from its file. Light to import: pydantic and the rules are loaded with the first policy that is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from specular_tui.errors import SettingsError
from specular_tui.model.policy import Policy

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from specular_tui.spec.policy_types import PolicyFields
    from specular_tui.spec.source import Document
    from specular_tui.spec.source import Path as DataPath

#: Where a policy is looked for when none is named, from the current folder.
DEFAULT_POLICY: Final = ".specular/policy.yaml"
#: A larger file is no policy.
MAX_BYTES: Final = 1 << 20

_MISSING_HINT = "specular init writes one to start from; without --policy the defaults hold"


def load_policy(path: Path | None, *, typed: str | None, default: Path) -> tuple[Policy, bytes | None, list[str]]:
    """Return a policy, the exact bytes of its file, and warnings about it, a line each.

    `path` is the file that was named; without one, the file `default` holds if it is there, and if it is not, the
    policy is `Policy()` and the bytes are None. `typed` is what messages and `Policy.file` say for the file that is
    read (default: its path as it is).

    Raises:
        SettingsError: the file is missing (though named), unreadable, no regular file or over 1 MiB, or its content
            is refused (see `parse_policy`).
    """
    if path is None:
        if not os.path.lexists(default):
            return Policy(), None, []
        path = default
    name = typed if typed is not None else str(path)
    data = read_policy(path, name)
    policy, warnings = parse_policy(data, file=name)
    return policy, data, warnings


def read_policy(path: Path, typed: str) -> bytes:
    """Return the bytes of the policy file `path`, which messages call `typed`.

    Raises:
        SettingsError: it is missing, unreadable, no regular file, or over 1 MiB.
    """
    from specular_tui.spec.intake import read_bytes

    return read_bytes(
        path, typed=typed, noun="policy", limit=MAX_BYTES, error=SettingsError, missing_hint=_MISSING_HINT
    )


def parse_policy(data: bytes, *, file: str) -> tuple[Policy, list[str]]:
    """Return the policy that the YAML text `data` holds, and warnings about it, a line each with its position.

    `file` is what messages and `Policy.file` say. A text without any content is a policy of defaults.

    Raises:
        SettingsError: `data` is not the YAML that `spec.yamltext` reads, or a value has a wrong type or is out of
            its bounds. The message is the first mistake of the text with file, line and column; the details are
            the further ones, and the warnings.
    """
    document = read_document(data, file)
    if document.value is None:
        return Policy(file=file, hash=_digest(data)), []

    from specular_tui.spec.complaint import complaint_lines, from_pydantic
    from specular_tui.spec.policy_types import WORDING, policy_of, warnings_of

    fields, unknown, wrong = _validate(document.value)
    warned = [*from_pydantic(unknown, document.value, WORDING), *warnings_of(document.value)]
    warnings = complaint_lines(file, document, warned)
    if fields is None:
        complaints = from_pydantic(wrong, document.value, WORDING)
        first, *others = complaint_lines(file, document, complaints)
        raise SettingsError(first, details=[*others, *warnings])
    return policy_of(fields, file=file, digest=_digest(data)), warnings


def read_document(data: bytes, file: str) -> Document:
    """Return the data of a policy, of whatever shape.

    Raises:
        SettingsError: `data` is not the YAML that `spec.yamltext` reads.
    """
    from specular_tui.spec import yamltext
    from specular_tui.spec.source import TextError

    try:
        return yamltext.read(data)
    except TextError as error:
        from specular_tui.spec.complaint import fault_lines

        first, *others = fault_lines(file, error.faults)
        raise SettingsError(first, details=others) from None


def _validate(data: object) -> tuple[PolicyFields | None, list[ErrorDetails], list[ErrorDetails]]:
    """Return the checked policy or None, the errors about unknown keys, and the other errors."""
    fields, errors = _try(data)
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    if unknown:
        # A key that is not known hides nothing else: the rest is checked without it.
        fields, errors = _try(_without(data, {tuple(error["loc"]) for error in unknown}))
    return fields, unknown, errors


def _try(data: object) -> tuple[PolicyFields | None, list[ErrorDetails]]:
    from pydantic import ValidationError

    from specular_tui.spec.policy_types import POLICY

    try:
        return POLICY.validate_python(data), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _without(value: object, paths: set[DataPath], here: DataPath = ()) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without(inner, paths, (*here, key)) for key, inner in value.items() if (*here, key) not in paths}


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return "blake3:" + blake3(data).hexdigest()
