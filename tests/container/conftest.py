"""A container engine of the tests' own: its own data, its own socket, no network, and images made here."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

IMAGE = "tool:1"
_WORDS = "cat dd env false grep head id kill ls mkdir ps pwd rm sh sleep tail test touch tr true wc yes"
_APPLETS = tuple(_WORDS.split(" "))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start dockerd and import an image; the environment that leads clients to it. Ended with the tests."""
    lacking = [name for name in ("dockerd", "docker", "busybox") if shutil.which(name) is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if lacking:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI runs the container tests, and this is missing: {', '.join(lacking)}")
        pytest.skip(f"a container engine of the tests' own needs {', '.join(lacking)}")
    base = tmp_path_factory.mktemp("engine")
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
        _import_image(base, environment)
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
            pytest.fail(f"the container engine did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _import_image(base: Path, environment: dict[str, str]) -> None:
    root = base / "root"
    for folder in ("bin", "tmp", "workspace", "proc", "dev", "sys", "etc"):
        (root / folder).mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, root / "bin" / "busybox")
    for applet in _APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    archive = subprocess.run(["tar", "-C", str(root), "-c", "."], capture_output=True, check=True).stdout
    subprocess.run(
        ["docker", "import", "--change", "ENV PATH=/bin", "-", IMAGE],
        input=archive,
        env=environment,
        capture_output=True,
        check=True,
    )
