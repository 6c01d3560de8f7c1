"""A headless Chromium, steered through chromedriver by the WebDriver protocol."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
)

#: Notes what the page's websocket brings, and which addresses the page asks for.
_SPY: Final = """
window.painted = "";
const Original = window.WebSocket;
window.WebSocket = class extends Original {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", (event) => {
      if (typeof event.data !== "string") window.painted += new TextDecoder().decode(event.data);
    });
  }
};
"""


class WebDriverError(Exception):
    """What chromedriver refuses."""


class Chromium:
    """One window."""

    def __init__(self, browser: str, driver: str, profile: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._base = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._driver = subprocess.Popen(
            [driver, f"--port={self._base.rpartition(':')[2]}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._session = ""
        try:
            self._wait_for_driver()
            options = {"binary": browser, "args": [*FLAGS, f"--user-data-dir={profile}"]}
            wanted = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL"}}}
            self._session = f"/session/{self._call('POST', '/session', {'capabilities': wanted})['sessionId']}"
            self._do("/goog/cdp/execute", cmd="Page.addScriptToEvaluateOnNewDocument", params={"source": _SPY})
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            if self._session:
                self._call("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=20)

    def open(self, address: str) -> None:
        """Go to an address."""
        self._do("/url", url=address)

    def run(self, script: str) -> Any:
        """Run a script in the page and return what it returns."""
        return self._do("/execute/sync", script=script, args=[])

    def press(self, key: str) -> None:
        """Press and release a key."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._do("/actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def painted(self) -> str:
        """Return the words that the application has painted since the page was opened."""
        return re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07)", "", self.run("return window.painted"))

    def body(self) -> str:
        """Return the visible text of the page."""
        return str(self.run("return document.body.innerText"))

    def screenshot(self) -> bytes:
        """Return a PNG of what is to be seen."""
        return base64.b64decode(self._call("GET", f"{self._session}/screenshot"))

    def requested(self) -> set[str]:
        """Return every address that was asked for since the last time."""
        found = set()
        for entry in self._do("/se/log", type="performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.add(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                found.add(message["params"]["url"])
        return found

    def until(self, wanted: Callable[[], object], seconds: float = 20) -> None:
        """Wait until something is so; fail where it does not come to be."""
        deadline = time.monotonic() + seconds
        while not wanted():
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come to be; the page says: {self.body()!r}")
            time.sleep(0.05)

    def _do(self, path: str, **data: Any) -> Any:
        return self._call("POST", self._session + path, data)

    def _call(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            self._base + path, method=method, data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise WebDriverError(error.read().decode()[:400]) from None

    def _wait_for_driver(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self._call("GET", "/status")
                return
            except (OSError, WebDriverError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
