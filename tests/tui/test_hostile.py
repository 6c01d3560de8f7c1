"""What tasks print, names, paths and messages are text and nothing else: on a real terminal, everywhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.model import event as ev
from tests.tui import recorded
from tests.tui.terminal import Terminal

#: Titles that would be set, clipboards that would be filled, links, device controls, moves, C1 controls, bidi
#: controls, invisible letters, and markup; each with a mark that is text and must be seen.
EVIL = (
    "\x1b]0;title\x07\x1b]2;title\x1b\\\x1b]52;c;RVZJTA==\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\"
    "\x1bP1$r0m\x1b\\\x1b_app\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\\x1b[2J\x1b[5;5H\x1b[?1049l\x1b[6n\x1bc\x1b7\x1b8\x1b(0"
    "\x9b2J\x9d0;c1\x9c\x90q\x9c\x85\x84\x08\x7f\x0e\x0f\x0b\x0c\u202eRTL\u202c\u2066iso\u2069\u200b\u200f\ufeff\u2028"
    "[/x][red]MARK[/red][@click=app.quit]quit[/][link=http://evil.example]l[/link]"
)
SHORT = "\x1b[2J\u202e\x9b5m[/x][red]MARK[@click=app.quit]"

#: What the application itself sends.
_OWN = re.compile(
    r"\x1b\[[0-9;]*m|\x1b\[[0-9;]*H|\x1b\[\?[0-9;]+(?:[hl]|\$p)|\x1b\[[<>][0-9]*u|\x1b\[[0-9]* q"
    r"|\x1b\]22;[a-z-]*(?:\x07|\x1b\\)|\x1b\]52;c;[A-Za-z0-9+/=]*\x07|\x1b\](?:9|777);[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\)|\x07"
)
_STRANGE = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


def strange(output: bytes) -> list[str]:
    """Return what is in the output besides text and the sequences that an application sends."""
    text = _OWN.sub("", output.decode("utf-8", "replace"))
    return [repr(text[max(0, found.start() - 30) : found.end() + 30]) for found in _STRANGE.finditer(text)]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder whose every text is hostile: a live build, runs that ended, damaged ones, and names of folders."""
    root = tmp_path / "here \x1b]0;path\x07\u202e[/x]" / ".specular" / "checkpoints"
    root.mkdir(parents=True)
    steps = tuple((task_id, f"{title} {SHORT}", needs, took) for task_id, title, needs, took in recorded.STEPS)
    ended = recorded.RecordedRun(root, "build-a", name=f"plan {SHORT}", steps=steps, gates=("@lint",))
    ended.begin()
    ended.start("deps/install")
    ended.end("deps/install", "failed", exit_code=None, signal=SHORT, reason=EVIL, log=EVIL + "\n")
    ended.start("@lint")
    ended.end("@lint", "failed", exit_code=1, log=EVIL)
    ended.finish("failed", EVIL)
    (root / "build-a" / "outputs" / f"strange {SHORT.replace('/', '_')}").write_text(EVIL)
    damaged = root / "build-b"
    damaged.mkdir()
    (damaged / "journal.jsonl").write_text(f'{{"{EVIL}": 1}}\n')
    (damaged / "metadata.json").write_text('{"run_id": "build-b", "plan_name": "\\u001b[2J\\u202e[/x]MARK"}')
    for name in ("folder \x1b[2J\u202e[x]", "folder \x9b2J"):
        (root / name).mkdir()
        (root / name / "journal.jsonl").write_text("x\n")
    live = recorded.RecordedRun(root, "build-c", at=recorded.START + 9_000_000, name=f"plan {SHORT}", steps=steps)
    live.begin()
    live.start("deps/install", "deps/fetch", "gen/version")
    live.write("deps/install", EVIL + "\n" + "progress 1\rprogress 2\r" + EVIL)
    live.wait(4)
    live.end("deps/fetch", "failed", exit_code=3, reason=EVIL, log=f"{EVIL}\n{EVIL}\n")
    live.end("gen/version", "failed", exit_code=None, signal=SHORT)
    live.add(ev.TaskSkipped(at=live.now, task="gen/version", reason=EVIL))
    live.add(ev.Frozen(at=live.now))
    live.recorder.flush()
    yield root.parents[1]
    live.vanish()


#: Through every mode, dialog, list and box; each is looked at for a moment.
WALK = (
    *("n", "\r", "/", "MARK", "\r", "n", "y", "w", "f", "\x1b", "\x1b", "G", "/", ":failed", "\r", "\x1b", "y"),
    *("t", "R", "s", "\x1b", "x", "\x1b", "X", "\x1b", "?", "\x1b", "\x10", "MARK", "\x1b", "\x10", "build", "\x1b"),
    *(
        "p",
        "r",
        "P",
        "4",
        "n",
        "c",
        "l",
        "\r",
        "2",
        "j",
        "?",
        "\x1b",
        "d",
        "\x1b",
        "v",
        "j",
        "?",
        "\x1b",
        "2",
        "j",
        "j",
    ),
    *("r", "\x1b", "\x1b", "e", "\x1b", "i", "\x1b", "z", "\x1b", "a", "\x1b", "o", "\x1b", "c", "\x1b", " ", "d"),
    *("\x1b", "2", "G", "d", "\x1b", "k", "\r", "3", "v", "\t", "\r", "1", "G", "v", "b", "\x1b", "2", "g", "j", "\r"),
)


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
def test_hostile_texts_are_inert_everywhere(project: Path, size: tuple[int, int]) -> None:
    with Terminal([], project, size=size, env={"PAGER": "true", "EDITOR": "true"}) as terminal:
        terminal.until(b"[red]MARK")
        for keys in WALK:
            terminal.press(keys)
            terminal.read(0.15 if keys == "\x1b" else 0.08)
            assert terminal.process.poll() is None, f"ended by {keys!r}: {terminal.last_words}"
        # Where a busy machine was slower than the keys, a box or a dialog may still be open.
        for keys in ("\x1b", "\x1b", "q", "d") * 5:
            if terminal.process.poll() is None:
                terminal.press(keys)
                terminal.read(0.3)
        assert terminal.end() == 0, terminal.last_words
        assert terminal.left_on == set()
    assert strange(terminal.output) == []
    copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", terminal.output)
    assert copied, "the walk has copied something"
    assert b"RVZJTA==" not in copied, "nothing that is printed reaches the clipboard by itself"
    assert strange(b"".join(base64.b64decode(text) for text in copied)) == []
    for literal in (b"[/x]", b"[red]MARK", b"[@click=app.quit]"):
        assert terminal.output.count(literal), "markup is text"
