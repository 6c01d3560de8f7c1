"""The archive reader under any bytes: a run comes in as it was, or nothing does."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specular_tui.errors import CheckpointError
from specular_tui.store import checkpoint
from specular_tui.store.archive import Bounds, export_run, import_run
from specular_tui.store.archive.tarstream import BadArchive, TarStream
from specular_tui.store.checks.check import check
from tests import recorded
from tests.recorded import RUN

BOUNDS = Bounds(total=8 << 20, members=100)


@cache
def archive() -> bytes:
    """Return the plain tar of a recorded run."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        recorded.paused(root)
        export_run(root, RUN, root / "out")
        return gzip.decompress((root / "out").read_bytes())


def headers() -> list[int]:
    """Return where the headers are in the plain tar."""
    data, at, found = archive(), 0, []
    while data[at : at + 512].strip(b"\0"):
        found.append(at)
        size = int(data[at + 124 : at + 135], 8)
        at += 512 + size + -size % 512
    return found


def with_sum(header: bytes) -> bytes:
    """Return a header whose sum is right."""
    total = sum(header[:148]) + 8 * 32 + sum(header[156:])
    return header[:148] + b"%06o\0 " % total + header[156:]


def outcome(data: bytes) -> bool:
    """Import `data`; tell whether it came in. It is whole then; otherwise nothing of it is left."""
    with tempfile.TemporaryDirectory() as folder:
        path, root = Path(folder, "in"), Path(folder, "root")
        path.write_bytes(data)
        try:
            run_id = import_run(root, path, bounds=BOUNDS)
        except CheckpointError as error:
            left = sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))
            message = error.message
        else:
            left, message = [], ""
        if message:
            assert message.isprintable()
            assert left in (["in"], ["in", "root"])
            return False
        assert os.listdir(root) == [run_id]
        assert check(root, run_id).ok
        assert checkpoint.load(root, run_id).state.imported
        return True


def test_the_archive_itself_comes_in() -> None:
    assert outcome(gzip.compress(archive()))


@given(st.binary(max_size=3000))
def test_any_bytes(data: bytes) -> None:
    assert not outcome(data)
    assert not outcome(gzip.compress(data))


@given(st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_headers_of_any_content(data: st.DataObject) -> None:
    plain = bytearray(archive())
    at = data.draw(st.sampled_from(headers()))
    start = data.draw(st.integers(0, 511))
    piece = data.draw(st.binary(min_size=1, max_size=40))[: 512 - start]
    plain[at + start : at + start + len(piece)] = piece
    plain[at : at + 512] = with_sum(bytes(plain[at : at + 512]))
    outcome(gzip.compress(bytes(plain), 1))


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_changed_bytes(changes: list[tuple[int, int]]) -> None:
    plain = bytearray(archive())
    for at, value in changes:
        plain[at % len(plain)] = value
    outcome(gzip.compress(bytes(plain), 1))


@given(st.permutations(range(6)), st.lists(st.integers(0, 12), max_size=4))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_members_in_any_order_left_out_or_doubled(order: list[int], doubled: list[int]) -> None:
    data = archive()
    starts = headers()
    ends = [*starts[1:], starts[-1] + 512 + (-(-int(data[starts[-1] + 124 : starts[-1] + 135], 8) // 512)) * 512]
    members = [data[a:b] for a, b in zip(starts, ends, strict=True)]
    whole = [members[i] for i in order] + members[6:]
    tail = bytes(10240)
    assert outcome(gzip.compress(b"".join(whole) + tail, 1))
    again = [members[i % len(members)] for i in doubled]
    assert not outcome(gzip.compress(b"".join(whole + again) + tail, 1)) or not again


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_a_cut_archive(at: int) -> None:
    packed = gzip.compress(archive(), 1)
    assert not outcome(packed[: at % len(packed)])


@given(st.binary(max_size=2000))
@settings(deadline=None)
def test_the_stream_reader_raises_nothing_else(data: bytes) -> None:
    packed = gzip.compress(data)
    for content in (data, packed, packed[:-1]):
        stream = TarStream(io.BytesIO(content), BOUNDS)
        with pytest.raises(BadArchive):
            list(stream.members())
