"""Every file of tests/data/hostile, made by hand or found by fuzzing, is refused by whoever reads it, and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.errors import PlanError, SettingsError, SpecularError
from specular_tui.spec.plan_file import parse_plan
from specular_tui.spec.policy_file import parse_policy
from specular_tui.store import checkpoint, layout
from specular_tui.store.checks.check import check
from tests import recorded
from tests.property import fuzz
from tests.property.test_archive import outcome
from tests.recorded import RUN


def files(target: str) -> list[object]:
    return [pytest.param(path, id=path.stem) for path in sorted((fuzz.HOSTILE / target).iterdir())]


@pytest.mark.parametrize("path", files("archive"))
def test_archives(path: Path) -> None:
    assert not outcome(path.read_bytes())


@pytest.mark.parametrize("path", files("journal"))
def test_journals(path: Path, tmp_path: Path) -> None:
    fuzz.read_journal(path.read_bytes())
    recorded.completed(tmp_path)
    (tmp_path / RUN / layout.JOURNAL).write_bytes(path.read_bytes())
    assert not check(tmp_path, RUN).ok
    with pytest.raises(SpecularError):
        checkpoint.load(tmp_path, RUN)


@pytest.mark.parametrize("path", files("plan"))
def test_plans(path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        parse_plan(path.read_bytes(), file=path.name, folder=Path("/home/ada"), yaml=path.suffix == ".yaml")
    assert all(line.isprintable() for line in (caught.value.message, *caught.value.details))


@pytest.mark.parametrize("path", files("policy"))
def test_policies(path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_policy(path.read_bytes(), file=path.name)
    assert all(line.isprintable() for line in (caught.value.message, *caught.value.details))


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_a_moment_of_fuzzing(target: str) -> None:
    assert fuzz.find(target, 1.0, seed=3)[1] == 0
