from __future__ import annotations

import pytest

from specular_tui.model.compliance import violation, violations
from specular_tui.model.plan import Task
from specular_tui.model.policy import DockerPolicy, ExecutionPolicy, Policy


def policy(allow_local: bool = True, allowlist: tuple[str, ...] | None = None) -> Policy:
    return Policy(execution=ExecutionPolicy(allow_local=allow_local, docker=DockerPolicy(image_allowlist=allowlist)))


LOCAL = Task(id="local", command="true")


def test_without_a_rule_everything_is_allowed() -> None:
    assert violation(LOCAL, Policy()) is None
    assert violation(Task(id="a", command="true", image="anything:1"), Policy()) is None


def test_a_task_without_an_image_may_be_forbidden() -> None:
    assert violation(LOCAL, policy(allow_local=False)) == "it has no image, and execution.allow_local is false"
    assert violation(Task(id="a", command="true", image="golang:1"), policy(allow_local=False)) is None


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("golang:1.22", True),
        ("golang:", True),
        ("node:22", True),
        ("node:222", False),
        ("node", False),
        ("evil/golang:1.22", False),
        ("golangx:1", False),
        ("GOLANG:1.22", False),
        ("golang:1.22\nx", True),
    ],
)
def test_an_image_must_match_a_pattern_as_a_whole(image: str, allowed: bool) -> None:
    found = violation(Task(id="a", command="true", image=image), policy(allowlist=("golang:*", "node:22")))
    assert (found is None) is allowed


def test_an_empty_list_allows_no_image() -> None:
    assert violation(Task(id="a", command="true", image="a"), policy(allowlist=())) is not None


def test_every_task_that_breaks_a_rule_is_named_in_order() -> None:
    tasks = [Task(id="b", command="true"), Task(id="i", command="true", image="x"), Task(id="a", command="true")]
    assert list(violations(tasks, policy(allow_local=False))) == ["b", "a"]
