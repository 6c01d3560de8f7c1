"""Every file of a run, changed at every byte: the check names it, and nothing ever raises."""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specular_tui.errors import SpecularError
from specular_tui.store import checkpoint, layout
from specular_tui.store.checks.check import check
from specular_tui.store.keeping.compress import compress
from specular_tui.store.repairs.repair import repair
from tests import recorded
from tests.recorded import RUN, Recorded

POLICY = b"checkpoints: {}\n"
#: In the suite some bytes stand for all: every so many. `SPECULAR_TEST_STRIDE=1 pytest --timeout 0 …` takes every one.
STRIDE = int(os.environ.get("SPECULAR_TEST_STRIDE", "97"))

CHANGES: dict[str, Callable[[bytearray, int], None]] = {
    "flipped": lambda data, at: data.__setitem__(at, data[at] ^ 1 << at % 8),
    "doubled": lambda data, at: data.insert(at, data[at]),
    "zeroed": lambda data, at: data.__setitem__(at, 0),
    "set": lambda data, at: data.__setitem__(at, 0xFF),
    "dropped": lambda data, at: data.__delitem__(at),
    "cut": lambda data, at: data.__delitem__(slice(at, None)),
}


def files(run: Recorded) -> list[Path]:
    return sorted(p for p in run.path.rglob("*") if p.is_file() and p.name not in (layout.LOCK, layout.RESERVE))


def harmless(path: Path, good: bytes, bad: bytearray) -> bool:
    """Tell whether the plain bytes are the same: gzip tells of time and system too, and pads its last byte."""
    if path.suffix == ".gz":
        with contextlib.suppress(OSError, EOFError, zlib.error):
            return gzip.decompress(bad) == gzip.decompress(good)
    return bad == good


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("packed", [False, True])
def test_the_check_names_the_file(tmp_path: Path, kind: str, packed: bool) -> None:
    run = recorded.completed(tmp_path, policy=POLICY)
    if packed:
        compress(tmp_path, RUN)
    for path in files(run):
        good = path.read_bytes()
        name = str(path.relative_to(run.path)).removesuffix(".gz")
        for at in range(0, len(good), STRIDE):
            bad = bytearray(good)
            CHANGES[kind](bad, at)
            if harmless(path, good, bad):
                continue
            path.write_bytes(bad)
            found = check(tmp_path, RUN)
            said = [line for _, _, lines in found.checks for line in lines] + list(found.notes)
            assert any(name in line for line in said), (name, at)
        path.write_bytes(good)
    assert check(tmp_path, RUN).ok


@pytest.mark.parametrize("make", [recorded.completed, recorded.killed])
def test_a_repair_leaves_a_valid_run_or_says_that_it_cannot(
    tmp_path: Path, make: Callable[..., Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.no_sync(monkeypatch)
    run = make(tmp_path, policy=POLICY)
    everything = {path: path.read_bytes() for path in files(run)}
    for path, good in everything.items():
        for at in range(0, len(good), STRIDE * 3):
            for kind in ("flipped", "cut"):
                bad = bytearray(good)
                CHANGES[kind](bad, at)
                path.write_bytes(bad)
                _repair(tmp_path, run, first_record=path.name == layout.JOURNAL and b"\n" not in good[:at])
                for left in files(run):
                    if left not in everything:
                        left.unlink()
                for other, data in everything.items():
                    other.write_bytes(data)


def _repair(root: Path, run: Recorded, *, first_record: bool) -> None:
    report = check(root, RUN)
    if report.ok:
        return
    try:
        repair(root, RUN, report, 1, copies=lambda state: [run.plan, POLICY])
    except SpecularError:
        assert first_record
        return
    found = check(root, RUN)
    assert found.ok, found
    checkpoint.load(root, RUN)


@given(
    name=st.sampled_from([layout.METADATA, layout.STATE, layout.PROGRESS, layout.PLAN, "outputs/fetch.json"]),
    content=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["tasks", "gates", "journal_seq", "run_id", "status", "fetch", "completed", "output_hash"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    ).map(lambda value: __import__("json").dumps(value).encode()),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_no_content_of_a_file_raises(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> None:
    root = tmp_path_factory.mktemp("root")
    run = recorded.paused(root)
    good = (run.path / name).read_bytes()
    (run.path / name).write_bytes(content)
    found = check(root, RUN)
    assert not found.ok or content == good
    checkpoint.summaries(root)
    with contextlib.suppress(SpecularError):
        checkpoint.load(root, RUN)
