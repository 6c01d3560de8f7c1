"""What a build would do, found out on a thread while somebody switches its options: only the latest wish counts."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from specular_tui.errors import SpecularError, UsageError
from specular_tui.model.resume import Action, Decision, PlanChanges
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.messages import Rehearsed
from specular_tui.tui.wish import FLAGS, Answer, Wish
from specular_tui.workspace import invocation
from specular_tui.workspace.request import BuildRequest


class Rehearsals:
    """Answers wishes."""

    def __init__(self, outlet: Outlet) -> None:
        """What comes of a wish is told to the screens."""
        self._outlet = outlet
        self._rehearser: object = None
        self._home = invocation.home_of(outlet.root, Path.cwd())

    def rehearse(self, wish: Wish) -> None:
        """Find out what would be done."""
        self._outlet.spawn(partial(self._rehearse, wish), "rehearse", True)

    async def _rehearse(self, wish: Wish) -> None:
        answer = await asyncio.to_thread(partial(self._answer, wish))
        self._outlet.tell(Rehearsed(answer))

    def _answer(self, wish: Wish) -> Answer:
        # Reading plans as people write them takes long to load: only who wants that pays for it.
        from specular_tui.workspace.rehearsing import Rehearser

        if not isinstance(self._rehearser, Rehearser):
            self._rehearser = Rehearser(self._outlet.root)
        found = self._rehearser.rehearse(request_for(wish, self._home))
        plan, resume = found.plan, found.resume
        decisions = resume.grouped() if resume is not None else []
        if resume is None and plan is not None:
            decisions = [Decision(task=task.id, action=Action.RUN, reason="not done yet") for task in plan.tasks]
        return Answer(
            wish,
            decisions=decisions,
            gates=resume.gates if resume is not None else (),
            changes=resume.changes if resume is not None else PlanChanges(),
            titles={task.id: task.title for task in plan.tasks} if plan is not None else {},
            plan_name=plan.name if plan is not None else "",
            mends=found.mends,
            problem=words_of(found.problem) if found.problem is not None else (),
            refused=isinstance(found.problem, UsageError),
            said=(*found.notices, *found.warnings) if found.problem is None else (),
            question=found.question,
            commands=found.commands,
            jobs=found.jobs,
            validates=found.validates,
            keeps_going=resume.keep_going if resume is not None else bool(wish.keep_going),
            expected=found.expected,
            lasting=found.lasting,
            at=self._outlet.desk.clock.now(),
        )


def words_of(error: SpecularError) -> tuple[str, ...]:
    """Return what an error says: what happened, its details, and the way on."""
    return (error.message, *error.details[:12], *([error.hint] if error.hint else []))


def request_for(wish: Wish, folder: Path) -> BuildRequest:
    """Return the request that `specular build` would make of the same options in `folder`."""
    return BuildRequest(
        cwd=folder,
        resume=wish.run_id or None,
        plan=wish.plan or None,
        policy=wish.policy or None,
        from_task=wish.from_task or None,
        jobs=wish.jobs or None,
        keep_going=wish.keep_going,
        **{flag: getattr(wish, flag) for flag in FLAGS},
    )
