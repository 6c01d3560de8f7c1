"""A container engine of one's own: its own data, its own socket, no network, and images made here."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

IMAGE = "tool:1"
_WORDS = "cat dd env false grep head id kill ls mkdir ps pwd rm sh sleep tail test touch tr true wc yes"
_APPLETS = tuple(_WORDS.split(" "))


class EngineError(Exception):
    """The engine does not start; the text says why."""


def lacking() -> list[str]:
    """Return what is missing here to start an engine."""
    found = [name for name in ("dockerd", "docker", "busybox") if shutil.which(name) is None]
    return found if os.geteuid() == 0 else [*found, "root"]


@contextlib.contextmanager
def running(base: Path) -> Iterator[dict[str, str]]:
    """Start dockerd in `base` and import the images; yield the environment that leads clients to it."""
    socket = f"unix://{base}/docker.sock"
    log = (base / "log").open("wb")
    daemon = subprocess.Popen(
        [
            "dockerd",
            *("--data-root", f"{base}/data", "--exec-root", f"{base}/exec", "--pidfile", f"{base}/dockerd.pid"),
            *("-H", socket, "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"),
            *("--ip-masq=false", "--exec-opt", "native.cgroupdriver=cgroupfs"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    environment = {**os.environ, "DOCKER_HOST": socket}
    try:
        _wait_until_it_answers(daemon, environment, base / "log")
        _import_images(base, environment)
        yield environment
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        log.close()


def _wait_until_it_answers(daemon: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + 60
    while subprocess.run(["docker", "version"], env=environment, capture_output=True, check=False).returncode != 0:
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise EngineError(f"the container engine did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _import_images(base: Path, environment: dict[str, str]) -> None:
    """Make `tool:1`, with a shell; `entry:1`, the same with an entry point; and `bare:1`, without a shell."""
    root = base / "root"
    for folder in ("bin", "tmp", "workspace", "proc", "dev", "sys", "etc"):
        (root / folder).mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, root / "bin" / "busybox")
    for applet in _APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    _import(root, IMAGE, environment)
    _import(root, "entry:1", environment, 'ENTRYPOINT ["/bin/false"]')
    for path in (root / "bin").iterdir():
        if path.is_symlink():
            path.unlink()
    (root / "bin" / "busybox").rename(root / "busybox")
    _import(root, "bare:1", environment)


def _import(root: Path, image: str, environment: dict[str, str], *changes: str) -> None:
    archive = subprocess.run(["tar", "-C", str(root), "-c", "."], capture_output=True, check=True).stdout
    options = [option for change in ("ENV PATH=/bin", *changes) for option in ("--change", change)]
    subprocess.run(
        ["docker", "import", *options, "-", image], input=archive, env=environment, capture_output=True, check=True
    )
