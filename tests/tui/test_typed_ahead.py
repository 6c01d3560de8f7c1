"""Keys that are typed before what they are meant for is on the screen reach it all the same, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui import recorded
from tests.tui.terminal import Terminal


@pytest.mark.parametrize(
    ("burst", "shown"),
    [
        ("bzebra.json", b"not found: zebra.json"),
        ("/:failed", b"1 of 18"),
        ("\t/socket\r", b"1/1"),
        ("2jezebra.tgz", b"zebra.tgz"),
        ("?j\x1b", b""),
    ],
)
def test_a_burst_of_keys(tmp_path: Path, burst: str, shown: bytes) -> None:
    root = tmp_path / ".specular" / "checkpoints"
    recorded.finished(root, "build-a", at=recorded.START)
    run = recorded.half_way(root, "build-b", at=recorded.START + 9_000_000)
    run.recorder.flush()
    with Terminal([], tmp_path) as terminal:
        terminal.until(b"compile/plugins")
        terminal.press("n")
        terminal.until(b"tls_handshake")
        terminal.read(0.3)
        terminal.output = b""
        terminal.press(burst)
        terminal.until(shown)
        terminal.press("\x1b" * 3)
        terminal.read(0.3)
        terminal.process.kill()
    run.vanish()
