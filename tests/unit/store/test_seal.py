"""The seal of metadata.json."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.store.seal import FIELD, is_sealed, sealed

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
METADATA = st.dictionaries(st.text().filter(lambda name: name != FIELD), VALUES, min_size=1)


@given(METADATA, st.data())
def test_what_was_written_is_told_from_what_was_edited(metadata: dict[str, Any], data: st.DataObject) -> None:
    written = msgspec.json.decode(msgspec.json.format(msgspec.json.encode(sealed(metadata)), indent=2))
    assert is_sealed(written)
    assert sealed(written) == written
    name = data.draw(st.sampled_from(sorted(metadata)))
    edited = written | {name: [written[name]]}
    assert not is_sealed(edited)
    assert not is_sealed({key: value for key, value in written.items() if key != name})


def test_one_without_a_seal_proves_nothing() -> None:
    assert not is_sealed({"status": "completed"})
    assert not is_sealed({})
