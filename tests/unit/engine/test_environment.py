"""One array serves all tasks, and none sees what another one had."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from specular_tui.engine.environment import Environment


def seen(environment: Environment, env: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return what a task with `env` would find."""
    found: dict[bytes, bytes] = {}
    for variable in environment.array(env):
        if variable is None:
            return found
        name, _, value = bytes(variable).partition(b"=")
        assert name not in found, "a variable stands in it once"
        found[name] = value
    raise AssertionError("it has no end")


def test_what_is_set_comes_on_top_and_is_gone_with_its_task() -> None:
    environment = Environment({b"A": b"1", b"B": b"2"})
    assert seen(environment, {b"B": b"own", b"C": b"=3="}) == {b"A": b"1", b"B": b"own", b"C": b"=3="}
    assert seen(environment, {b"A": b"own"}) == {b"A": b"own", b"B": b"2"}
    assert seen(environment, {}) == {b"A": b"1", b"B": b"2"}


def test_any_number_of_variables_has_room() -> None:
    environment = Environment({b"A": b"1", b"V7": b"inherited"})
    many = {b"V%d" % number: b"%d" % number for number in range(1_000)}
    assert seen(environment, {b"A": b"own"}) == {b"A": b"own", b"V7": b"inherited"}
    assert seen(environment, many) == {b"A": b"1", **many}
    assert seen(environment, {b"C": b"3"}) == {b"A": b"1", b"V7": b"inherited", b"C": b"3"}
    assert seen(Environment({}), {}) == {}


@pytest.mark.parametrize(
    ("name", "value", "reason"), [(b"C", b"a\0b", "null byte"), (b"", b"x", "illegal"), (b"a=b", b"x", "illegal")]
)
def test_what_is_no_variable_is_refused_and_nothing_of_it_stays(name: bytes, value: bytes, reason: str) -> None:
    environment = Environment({b"A": b"1"})
    with pytest.raises(ValueError, match=reason):
        environment.array({b"A": b"own", b"B": b"2", name: value})
    assert seen(environment, {}) == {b"A": b"1"}
