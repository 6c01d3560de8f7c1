"""Reading a tar.gz of strangers: member by member, from a stream, with nothing believed.

Only what `checkpoint export` writes, and what tar programs make of the same files, is understood: regular files and
folders, in the ustar, pax and GNU dialects. Everything else is refused: links, devices, sparse files, names that are
not plain, sums that are wrong, and more bytes than the bounds allow. The standard library's reader is not used: it
follows headers that this has no use for, and its bounds are memory and patience.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import IO, Final

from msgspec import Struct

from specular_tui.model.quote import quote

_BLOCK: Final = 512
_SLICE: Final = 1 << 20
#: A pax header or a GNU long name may be so long.
_LONGEST_HEADER: Final = 64 << 10
#: So much may come out of any archive; beyond it, what comes out is compared with what went in.
_FREE: Final = 256 << 20


class BadArchive(ValueError):
    """Why an archive is refused, as the end of `the archive …`."""


class Bounds(Struct, frozen=True):
    """How much an archive may hold."""

    #: Bytes in all, unpacked.
    total: int = 16 << 30
    members: int = 500_000
    #: Bytes unpacked for each byte packed.
    ratio: int = 250


class Member(Struct, frozen=True):
    """A file or folder in an archive."""

    name: str
    size: int
    is_folder: bool


class TarStream:
    """The members of a tar.gz, one after the other. Everything raises `BadArchive` for what is not as it should be."""

    def __init__(self, file: IO[bytes], bounds: Bounds, on_read: Callable[[int], None] = lambda count: None) -> None:
        """Read from `file`; `on_read` is told the packed bytes of each slice, and what it raises ends the reading."""
        self._file = file
        self._bounds = bounds
        self._on_read = on_read
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._packed = b""
        self._ready = bytearray()
        self._read = 0
        self._unpacked = 0
        self._left = 0
        self._padding = 0

    def members(self) -> Iterator[Member]:
        """Yield the members; the content of one is read by `content` before the next one is asked for, or skipped."""
        count = 0
        long_name: str | None = None
        pax: dict[str, str] = {}
        while (header := self._next_header()) is not None:
            count += 1
            if count > self._bounds.members:
                raise BadArchive(f"has more than {self._bounds.members} members")
            kind, name, size = _parse(header)
            if kind in (b"x", b"g", b"L"):
                text = self._small(size)
                if kind == b"L":
                    long_name = _text(text.rstrip(b"\0"))
                elif kind == b"x":
                    pax = _pax(text)
                else:
                    _pax(text)
                continue
            name = pax.get("path", long_name if long_name is not None else name)
            if "size" in pax:
                size = _decimal(pax["size"])
            long_name, pax = None, {}
            if kind == b"5":
                if size:
                    raise BadArchive(f"has a folder with content: {quote(name)}")
                yield Member(name.removesuffix("/"), 0, True)
            elif kind in (b"0", b"\0"):
                self._begin(size)
                yield Member(name, size, False)
                for _ in self.content():
                    pass
            else:
                raise BadArchive(f"has a member that is {_KINDS.get(kind, 'of an unknown kind')}: {quote(name)}")
        self._prove_end()

    def content(self) -> Iterator[bytes]:
        """Yield the content of the present member, slice by slice."""
        while self._left:
            data = self._take(min(self._left, _SLICE))
            self._left -= len(data)
            yield data
        if self._padding:
            self._take(self._padding)
            self._padding = 0

    def _begin(self, size: int) -> None:
        if size > self._bounds.total:
            raise BadArchive(f"has a file of {size} bytes, and holds no more than {self._bounds.total} in all")
        self._left, self._padding = size, -size % _BLOCK

    def _small(self, size: int) -> bytes:
        if size > _LONGEST_HEADER:
            raise BadArchive("has a header that is too long")
        self._begin(size)
        return b"".join(self.content())

    def _next_header(self) -> bytes | None:
        header = self._take(_BLOCK)
        if header.strip(b"\0"):
            return header
        if self._take(_BLOCK).strip(b"\0"):
            raise BadArchive("is damaged: an empty header stands in the middle")
        return None

    def _prove_end(self) -> None:
        """Behind the two empty headers there is nothing but zeros, and behind the packed data nothing at all."""
        while self._fill(1):
            if self._ready.strip(b"\0"):
                raise BadArchive("has something behind its end")
            self._ready.clear()
        if self._inflate.unused_data or self._packed or self._file.read(1):
            raise BadArchive("has something behind its end")

    def _take(self, count: int) -> bytes:
        if not self._fill(count):
            raise BadArchive("is cut off")
        data = bytes(self._ready[:count])
        del self._ready[:count]
        return data

    def _fill(self, count: int) -> bool:
        """Unpack until `count` bytes are ready; False where the packed data ends before that."""
        while len(self._ready) < count:
            if self._inflate.eof:
                return False
            if not self._packed:
                self._packed = self._file.read(_SLICE)
                self._read += len(self._packed)
                self._on_read(len(self._packed))
                if not self._packed:
                    raise BadArchive("is cut off" if self._read else "is empty")
            try:
                data = self._inflate.decompress(self._packed, _SLICE)
            except zlib.error as error:
                # The first two bytes of every gzip file; what is behind them is damaged.
                why = "is damaged" if self._unpacked or self._packed.startswith(b"\x1f\x8b") else "is no gzip file"
                raise BadArchive(why) from error
            self._packed = self._inflate.unconsumed_tail
            self._unpacked += len(data)
            if self._unpacked > self._bounds.total:
                raise BadArchive(f"holds more than {self._bounds.total} bytes")
            if self._unpacked > _FREE and self._unpacked > self._read * self._bounds.ratio:
                raise BadArchive("unpacks to far more than it should: it looks like a bomb")
            self._ready += data
        return True


_KINDS: Final = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"K": "a link with a long name",
}


def _parse(header: bytes) -> tuple[bytes, str, int]:
    """Return (kind, name, size) of a header."""
    expected = _octal(header[148:156])
    if expected != sum(header[:148]) + 8 * 0x20 + sum(header[156:]):
        raise BadArchive("is damaged: a header does not match its sum")
    if header[257:262] != b"ustar":
        raise BadArchive("is not a tar archive of a kind that Specular reads")
    mode = _octal(header[100:108])
    name = header[:100].split(b"\0")[0]
    if header[257:265] == b"ustar\x0000" and header[345]:
        name = header[345:500].split(b"\0")[0] + b"/" + name
    kind = header[156:157]
    if mode & 0o7000 and kind in (b"0", b"\0", b"5"):
        raise BadArchive(f"has a member with special rights: {quote(_text(name))}")
    return kind, _text(name), _octal(header[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if not all(0x30 <= digit < 0x38 for digit in digits):
        raise BadArchive("is damaged: a header holds what is no number")
    return int(digits, 8)


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadArchive("is damaged: a header holds what is no number")
    return int(text)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadArchive("has a name that is not UTF-8") from None


def _pax(data: bytes) -> dict[str, str]:
    """Return the fields of a pax header that matter here."""
    found: dict[str, str] = {}
    while data:
        length, space, _ = data.partition(b" ")
        if not space or not length.isdigit() or len(length) > 6 or data[int(length) - 1 : int(length)] != b"\n":
            raise BadArchive("is damaged: a pax header is not as it should be")
        key, equals, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        data = data[int(length) :]
        name = _text(key)
        if not equals or name in found or name == "linkpath" or name.startswith("GNU.sparse"):
            raise BadArchive(f"has a pax field that has no place in it: {quote(name)}")
        if name in ("path", "size"):
            found[name] = _text(value)
    return found
