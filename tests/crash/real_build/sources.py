"""Fetches the sources of Lua once, into the checkout's ignored `build/`.

The archive is the one of Debian's source package lua5.4 and of lua.org, byte for byte. It is taken from the
pool of a Debian mirror over HTTP; the system's package lists and sources are neither needed nor touched.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NAME: Final = "lua-5.4.4"
SHA256: Final = "164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61"
POOL: Final = "pool/main/l/lua5.4/lua5.4_5.4.4.orig.tar.gz"
CACHE: Final = Path(__file__).resolve().parents[3] / "build" / "real_build"
TIMEOUT: Final = 20.0


class SourcesUnavailableError(Exception):
    """No mirror gave the sources."""


def fetch() -> Path:
    """Return the archive, from the cache or from the first mirror that has it.

    Raises:
        SourcesUnavailableError: with what each mirror answered.
    """
    archive = CACHE / f"{NAME}.tar.gz"
    if archive.exists():
        return archive
    answers: list[str] = []
    for url in _urls():
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
                content: bytes = response.read()
        except (OSError, ValueError) as error:
            answers.append(f"{url}: {error}")
            continue
        if hashlib.sha256(content).hexdigest() != SHA256:
            answers.append(f"{url}: not the expected file")
            continue
        CACHE.mkdir(parents=True, exist_ok=True)
        beside = archive.with_name(f"{archive.name}.{id(content)}")
        beside.write_bytes(content)
        beside.replace(archive)
        return archive
    raise SourcesUnavailableError("; ".join(answers))


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the C sources into `folder`/src and return that."""
    target = folder / "src"
    target.mkdir(parents=True)
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            source = opened.extractfile(member) if member.name.startswith(f"{NAME}/src/") else None
            if source is not None:
                (target / Path(member.name).name).write_bytes(source.read())
    return target


def _urls() -> Iterator[str]:
    mirror = _configured_mirror()
    if mirror:
        yield f"{mirror}/{POOL}"
    yield f"http://deb.debian.org/debian/{POOL}"
    yield f"https://www.lua.org/ftp/{NAME}.tar.gz"


def _configured_mirror() -> str | None:
    """Return the mirror that this machine's apt would use, where there is an apt with lists."""
    if not shutil.which("apt-get"):
        return None
    asked = subprocess.run(
        ["apt-get", "--print-uris", "download", "base-files"], capture_output=True, text=True, timeout=TIMEOUT
    )
    mirror, pool, _ = asked.stdout.lstrip("'").partition("/pool/")
    return mirror if pool and mirror.startswith("http") else None


if __name__ == "__main__":
    sys.stdout.write(f"{fetch()}\n")
