"""Whose a connection on this machine is: what takes the place of a token on the loopback address.

Every user of a machine can connect to its loopback address, and the application runs builds with the rights of whoever
serves it. Linux lists each connection with the user who opened it; elsewhere a token is needed.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Final

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
#: The state of a connection that both ends hold open. One that its owner has closed is listed as root's.
_ESTABLISHED: Final = "01"

Address = tuple[str, int]


def can_tell() -> bool:
    """Tell whether this system says whose a connection is."""
    return _TABLES[0].is_file()


def is_ours(peer: Address, here: Address) -> bool:
    """Tell whether the other end, `peer`, of a connection to `here` belongs to this process's user, or to root."""
    owner = owner_of(peer, here)
    return owner is not None and owner in (os.geteuid(), 0)


def owner_of(peer: Address, here: Address) -> int | None:
    """Return the id of the user who holds the end `peer` of a connection to `here`; None where it is not listed."""
    wanted = {(_listed(peer, wide), _listed(here, wide)) for wide in (False, True)}
    for table in _TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if (fields[1], fields[2]) in wanted and fields[3] == _ESTABLISHED:
                return int(fields[7])
    return None


def _listed(address: Address, wide: bool) -> str:
    """Return an address as the kernel lists it: words of four bytes in the machine's order, in hexadecimal.

    `wide`: as a socket of IPv6 has it, which may speak IPv4 too.
    """
    host = ipaddress.ip_address(address[0].partition("%")[0])
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    packed = host.packed
    if wide and len(packed) == 4:
        packed = bytes(10) + b"\xff\xff" + packed
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return "".join(f"{word:08X}" for word in words) + f":{address[1]:04X}"
