"""`specular serve`, in a real browser and from the shell."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from specular_tui.serve.access import TOKEN
from tests.browser.chromium import Chromium
from tests.tui import recorded

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
SECRET = "correct-horse-battery-staple"
SPECULAR = Path(sys.executable).with_name("specular")

in_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium and chromedriver here")


class Serving:
    """`specular serve` in a folder, on a free port."""

    def __init__(self, folder: Path, *options: str, **env: str) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SPECULAR_")}
        with (folder / "stderr").open("w") as errors:
            self.process = subprocess.Popen(
                [SPECULAR, "serve", "--port", "0", *options],
                cwd=folder,
                env=self.environment | env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self._folder = folder

    @property
    def told(self) -> str:
        """What it has said on stderr."""
        return (self._folder / "stderr").read_text()

    @property
    def pages(self) -> list[int]:
        """The processes that it has started."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it as Ctrl+C does and return what the shell is answered."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a stored run that failed."""
    recorded.finished(tmp_path / ".specular" / "checkpoints", "build-a", at=recorded.START, fail="test/unit")
    return tmp_path


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    assert BROWSER is not None
    assert DRIVER is not None
    window = Chromium(BROWSER, DRIVER, tmp_path_factory.mktemp("chromium"))
    yield window
    window.close()


def status_of(address: str, **headers: str) -> int:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def gone(pid: int) -> bool:
    for _ in range(500):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@in_browser
@pytest.mark.xdist_group("chromium")
def test_the_application_in_a_browser(folder: Path, window: Chromium) -> None:
    serving = Serving(folder)
    try:
        window.requested()
        window.open(serving.address)
        window.until(lambda: "build-a" in window.painted() and "exit 1" in window.painted())
        (page,) = serving.pages
        before = window.screenshot()

        window.press("3")
        window.until(lambda: "Hashes match" in window.painted())
        window.until(lambda: window.screenshot() != before)
        assert "-closed" not in window.run("return document.body.className")

        own = re.compile(rf"(?:http|ws)://127\.0\.0\.1:{serving.address.rpartition(':')[2].strip('/')}/|data:,")
        asked = window.requested()
        assert any("/ws?" in address for address in asked)
        assert not [address for address in asked if not own.match(address)], "nothing is loaded from elsewhere"

        window.press("q")
        window.until(lambda: "The application has ended; builds go on." in window.body())
        assert gone(page)
        window.run("document.getElementById('again').click()")
        window.until(lambda: "build-a" in window.painted())
        (page,) = serving.pages
        window.open("about:blank")
        assert gone(page), "a page that is closed ends its process"
    finally:
        code = serving.end()
    assert code == 0
    assert "exit code" not in serving.told


@in_browser
@pytest.mark.xdist_group("chromium")
def test_a_browser_needs_the_token(folder: Path, window: Chromium) -> None:
    serving = Serving(folder, **{TOKEN: SECRET})
    try:
        assert SECRET not in serving.address, "only a token that nobody knows yet is printed"
        window.open(serving.address + "#token=wrong-horse-battery")
        window.until(lambda: "That is not the token." in window.body())
        assert not serving.pages

        window.open("about:blank")
        window.open(serving.address + f"#token={SECRET}")
        window.until(lambda: "build-a" in window.painted())
        assert window.run("return location.href") == serving.address, "the address bar and the history are rid of it"
        assert SECRET not in window.run("return document.documentElement.outerHTML + document.cookie")
        window.open("about:blank")
    finally:
        serving.end()
    assert SECRET not in serving.told


@in_browser
@pytest.mark.xdist_group("chromium")
def test_another_sites_page_gets_nothing(folder: Path, window: Chromium) -> None:
    serving = Serving(folder)
    knock = f"""
    return new Promise((done) => {{
      const socket = new WebSocket("{serving.address.replace("http:", "ws:")}ws?width=80&height=24");
      socket.onopen = () => done("open");
      socket.onerror = () => done("refused");
    }});
    """
    try:
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
            threading.Thread(target=other.serve_forever, daemon=True).start()
            window.open(f"http://localhost:{other.server_port}/")
            assert window.run(knock) == "refused"
            other.shutdown()
        window.open(serving.address)
        window.until(lambda: "build-a" in window.painted())
        assert window.run(knock) == "open"
        window.open("about:blank")
    finally:
        serving.end()


def test_a_new_token_is_part_of_the_address_where_others_can_reach_it(folder: Path) -> None:
    serving = Serving(folder, "--host", "0.0.0.0")
    try:
        address, _, token = serving.address.partition("#token=")
        port = address.rpartition(":")[2].strip("/")
        assert re.fullmatch(r"[\w-]{43}", token)
        assert status_of(f"http://127.0.0.1:{port}/") == 401
        assert status_of(f"http://127.0.0.1:{port}/", Host="rebound.example") == 403
    finally:
        assert serving.end(signal.SIGTERM) == 0
    assert token not in serving.told
    assert "not encrypted" in serving.told


def test_on_loopback_this_user_needs_no_token(folder: Path) -> None:
    serving = Serving(folder)
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", serving.address)
        assert status_of(serving.address) == 200
        assert status_of(serving.address, Host="rebound.example") == 403
        assert status_of(serving.address, Origin="http://rebound.example") == 403
    finally:
        serving.end()


def test_a_page_that_outlives_its_server_ends(folder: Path) -> None:
    page = subprocess.Popen(
        [sys.executable, "-P", "-m", "specular_tui.tui.browser", str(folder / ".specular" / "checkpoints"), "80x24"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert page.stdout is not None
    assert page.stdout.readline() == b"__GANGLION__\n"
    # As when the server is killed: nobody types any more, and nobody reads.
    _, words = page.communicate(timeout=20)
    assert words == b""
    assert page.returncode == 0


def run(folder: Path, *args: str, **env: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPECULAR_")}
    done = subprocess.run(
        [SPECULAR, "serve", *args],
        cwd=folder,
        env=environment | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, told = run(tmp_path, "--port", str(port))
    assert code == 1
    assert f"port {port} of 127.0.0.1 is in use" in told
    assert f"--port {port + 1}" in told


@pytest.mark.parametrize(
    ("args", "words", "wanted"),
    [
        (["--host", "192.0.2.1"], "192.0.2.1 is no address of this machine", 1),
        (["--port", "70000"], "'70000' is not a whole number from 0 to 65535", 2),
        (["--token-file", "none"], "no such file or directory: none", 1),
    ],
)
def test_what_cannot_be_served_is_told(tmp_path: Path, args: list[str], words: str, wanted: int) -> None:
    code, told = run(tmp_path, *args)
    assert code == wanted
    assert words in told


def test_a_bad_token_is_told_and_not_printed(tmp_path: Path) -> None:
    code, told = run(tmp_path, **{TOKEN: "hunter2"})
    assert code == 2
    assert TOKEN in told
    assert "hunter2" not in told


def test_without_its_packages_it_says_how_to_get_them(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['textual_serve'] = None\n"
        "from specular_tui.cli.main import run\n"
        "sys.exit(run(lambda *_: 0, ['serve']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "pip install 'specular-tui[serve]'" in done.stderr
