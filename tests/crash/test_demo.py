"""The demo, started, interrupted, killed and resumed: what it leaves is complete, and nothing was done twice."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest
from blake3 import blake3

from tests.crash.session import Session


@pytest.mark.timeout(300)
def test_the_demo_goes_on_after_an_interruption_and_after_a_kill(tmp_path: Path) -> None:
    first = Session(tmp_path, "demo")
    assert first.follow(until_done=20, then=signal.SIGINT) == 130, first.output
    (folder,) = tmp_path.glob("specular-demo*")
    second = Session(folder, "build", "--resume")
    assert second.follow(until_done=40, then=signal.SIGKILL) == -signal.SIGKILL, second.output
    third = Session(folder, "build", "--resume")
    assert third.follow() == 0, third.output

    tasks = {task["id"] for task in json.loads((folder / "plan.json").read_bytes())["tasks"]}
    assert {*first.done, *second.done, *third.done} == tasks
    assert not set(first.done) & {*second.started, *third.started}
    assert not set(second.done) & set(third.started)

    # Every step adds its line as its last act. A step may have added it and been killed before its end was
    # recorded; then it has run again.
    built = Counter(line.replace(" ", ":") for line in (folder / "built.log").read_text().splitlines())
    assert set(built) == tasks
    assert not {task for task, times in built.items() if times > 1} & {*first.done, *second.done}

    for entry in json.loads((folder / "index.json").read_bytes())["packs"]:
        assert blake3((folder / entry["pack"]).read_bytes()).hexdigest() == entry["blake3"]
