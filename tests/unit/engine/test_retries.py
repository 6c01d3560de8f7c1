"""How many retries are left."""

from __future__ import annotations

from specular_tui.engine.retries import Retries
from specular_tui.model.plan import Task


def test_a_task_has_as_many_as_its_plan_says_until_it_is_given_them_back() -> None:
    retries, task, other = (
        Retries(),
        Task(id="a", command="false", retries=2),
        Task(id="b", command="false"),
    )
    assert [retries.take(task) for _ in range(4)] == [True, True, False, False]
    assert not retries.take(other)
    retries.renew("a")
    retries.renew("b")
    assert [retries.take(task) for _ in range(3)] == [True, True, False]
