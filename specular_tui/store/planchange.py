"""Another plan or policy of a run: it waits under a name of its own until the journal has put it in force."""

from __future__ import annotations

from specular_tui.model.run import RunState
from specular_tui.store import digest, layout
from specular_tui.store.folder import Folder


def finish(folder: Folder, state: RunState) -> None:
    """Give a plan and a policy that the journal has put in force their names, if a crash came between.

    Files that wait without being in force are left of a change that never came to be, and go.
    """
    if folder.finds(layout.NEXT_POLICY):
        if state.policy_hash is None:
            folder.remove(layout.POLICY, missing_ok=True)
            folder.remove(layout.NEXT_POLICY)
        elif digest.of_bytes(folder.read(layout.NEXT_POLICY)) == state.policy_hash:
            folder.rename(layout.NEXT_POLICY, layout.POLICY)
        else:
            folder.remove(layout.NEXT_POLICY)
    if folder.finds(layout.NEXT_PLAN):
        if digest.of_bytes(folder.read(layout.NEXT_PLAN)) == state.plan_hash:
            folder.rename(layout.NEXT_PLAN, layout.PLAN)
        else:
            folder.remove(layout.NEXT_PLAN)
    folder.sync()


def put_down(folder: Folder, plan: bytes, policy: bytes | None) -> None:
    """Publish what waits to be put in force; a policy that is empty stands for none."""
    folder.publish(layout.NEXT_PLAN, plan)
    folder.publish(layout.NEXT_POLICY, policy if policy is not None else b"")
