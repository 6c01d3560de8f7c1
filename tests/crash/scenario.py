"""What is broken on purpose: one command on a small run in some state, and what must hold after it was cut short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.crash.small import CHANGED, CHANGED_PLAN, RUN, Said, Small, lines
from tests.crash.zygote import Done, Zygote

BUILD = ("build", "--run-id", RUN, "--jobs", "2", "--checkpoint-every", "1")
#: A build that leaves most of what it has written to the group commit.
SELDOM = ("build", "--run-id", RUN, "--jobs", "2", "--checkpoint-every", "100")
RESUME = ("build", "--resume", "--jobs", "2", "--checkpoint-every", "1")


class Scenario(Struct, frozen=True, kw_only=True):
    """One command, and the state that it finds."""

    name: str
    args: tuple[str, ...]
    prepare: Callable[[Small, Zygote], None]
    #: The command takes the run away, or its right to be resumed: both before and after are right.
    removes: bool = False


class Broken(AssertionError):
    """A promise that was not kept."""


def _nothing(small: Small, zygote: Zygote) -> None:
    small.clear()


def _killed(small: Small, zygote: Zygote) -> None:
    """A run whose engine was killed when its last task had just been started, and whose plan has changed since."""
    for _ in range(5):
        small.clear()
        zygote.run(small.folder, *BUILD, hook="die_at_pack")
        if small.said().completed >= {"fetch", "compile", "flaky", "old"}:
            return
    raise Broken("the run could not be prepared")


def _edited(small: Small, zygote: Zygote) -> None:
    _killed(small, zygote)
    small.write_plan(CHANGED_PLAN)
    policy = small.folder / ".specular" / "policy.yaml"
    policy.write_bytes(policy.read_bytes() + b"# another one\n")


def _completed(small: Small, zygote: Zygote) -> None:
    small.clear()
    done = zygote.run(small.folder, *BUILD)
    if done.code:
        raise Broken(f"the run could not be prepared: {done.err}")


SCENARIOS = (
    Scenario(name="build", args=BUILD, prepare=_nothing),
    Scenario(name="resume", args=RESUME, prepare=_edited),
    Scenario(name="abandon", args=("checkpoint", "abandon", RUN), prepare=_killed, removes=True),
    Scenario(name="delete", args=("checkpoint", "delete", RUN, "--force"), prepare=_killed, removes=True),
    Scenario(name="compress", args=("checkpoint", "compress", RUN), prepare=_completed),
    Scenario(name="compress unfinished", args=("checkpoint", "compress", RUN), prepare=_killed),
)


def expect(what: bool, promise: str, *evidence: object) -> None:
    """Raise `Broken` where a promise is not kept."""
    if not what:
        raise Broken(promise + "".join(f"\n    {thing}" for thing in evidence))


def check_readers(small: Small, zygote: Zygote) -> None:
    """Whatever was cut short, the commands that read answer calmly, and find nothing damaged."""
    for args in (("list",), ("show", RUN), ("validate", RUN)):
        done = zygote.run(small.folder, "checkpoint", *args)
        expect(done.calm, f"{args[0]} is calm", done)
        if small.run.is_dir() or args[0] == "list":
            expect(done.code == 0, f"{args[0]} finds nothing wrong", done)
        else:
            expect(done.code == 1 and "not found" in done.err, f"{args[0]} says that there is no such run", done)


def check_after(small: Small, zygote: Zygote, scenario: Scenario, done: Done) -> None:
    """The run can be gone on with to its end, and nothing that was recorded is done again."""
    said = small.said()
    printed = lines(done, "DONE") - lines(done, "RESET")
    expect(printed <= said.completed | {"@tests"}, "what was said to be done is recorded", printed, said)
    expect(said.times == sorted(said.times), "the journal's clock does not go back", said.times)
    check_readers(small, zygote)
    ran = small.ran()
    if scenario.removes and (not small.run.is_dir() or said.status == "abandoned"):
        small.clear()
        return
    again = zygote.run(small.folder, "build", "--resume")
    expect(again.calm and again.code == 0, "the resume comes to its end", again)
    # What a failed sync has cost was said to be lost, and what needs it runs again too.
    said.completed -= small.downstream(lines(done, "RESET"))
    check_resumed(small, zygote, said, ran, again)


def check_resumed(small: Small, zygote: Zygote, said: Said, ran: dict[str, int], again: Done) -> None:
    """After a resume: everything is done, and what `said` recorded and `ran` counted before it was not done again."""
    kept = said.completed - (CHANGED if said.plan_hash != small.plan_hash() else set()) - {"@tests"}
    kept &= small.tasks()
    expect(not kept & lines(again, "START"), "what was recorded is not started again", kept, again)
    after = small.ran()
    for task in kept:
        expect(after[task] == ran.get(task, 0), f"{task} left one mark", ran, after)
    for task in small.tasks():
        most = 4 if task in CHANGED else 2
        expect(1 <= after[task] <= most, f"{task} ran, and twice at most", after)
    final = small.said()
    expect(final.completed >= small.tasks(), "everything is done", final)
    expect(final.times == sorted(final.times), "the journal's clock does not go back", final.times)
    valid = zygote.run(small.folder, "checkpoint", "validate", "--last")
    expect(valid.code == 0 and valid.calm, "the checkpoint is valid in the end", valid)


def litter_of(small: Small) -> list[str]:
    """Return what was left behind by what was cut short."""
    return small.litter()


def at(base: Path, name: str) -> Small:
    """Return a small build in a folder of its own."""
    folder = base / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    return Small(folder)
