"""The running Python's standard library, divided into the parts that the demo packages.

Every top-level package is a part of its own. The top-level modules are grouped by subject, roughly as the
chapters of the Library Reference have them; a module that no group names goes to `misc`.
"""

from __future__ import annotations

import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: The library's own tests (some of them broken on purpose) and what is no package to anyone.
SKIPPED: Final = frozenset({"__phello__", "idle_test", "test", "tests"})

OTHERS: Final = "misc"
GROUPS: Final[dict[str, str]] = {
    "archives": "_compression bz2 gzip lzma tarfile zipapp zipfile zipimport",
    "data-types": "_collections_abc _pydatetime _strptime _weakrefset abc bisect calendar copy copyreg datetime "
    "enum graphlib heapq pprint reprlib types weakref",
    "files": "_pyio filecmp fileinput fnmatch genericpath glob io linecache ntpath nturl2path os pathlib "
    "posixpath shutil stat tempfile",
    "formats": "_compat_pickle base64 binhex configparser csv netrc pickle pickletools plistlib quopri shelve "
    "struct uu xdrlib",
    "internet": "_markupbase asynchat asyncore cgi cgitb ftplib imaplib ipaddress mailbox mailcap mimetypes "
    "nntplib poplib smtpd smtplib socket socketserver ssl telnetlib uuid webbrowser",
    "language": "__future__ ast contextlib contextvars dataclasses dis functools inspect keyword opcode operator "
    "symtable token tokenize traceback typing warnings",
    "numeric": "_pydecimal colorsys decimal fractions hashlib hmac numbers random secrets statistics",
    "system": "_aix_support _osx_support _sitebuiltins _threading_local argparse crypt getopt getpass optparse "
    "platform pty queue sched selectors signal site subprocess sysconfig threading tty",
    "text": "codecs difflib gettext locale shlex sre_compile sre_constants sre_parse string stringprep textwrap",
    "tools": "bdb cProfile cmd code codeop compileall doctest modulefinder pdb pkgutil profile pstats py_compile "
    "pyclbr pydoc rlcompleter runpy tabnanny timeit trace tracemalloc",
}

#: Modules whose docstrings hold examples that are tests: they pass, without a network or a terminal, on
#: CPython 3.11 to 3.14. In others (ftplib, pdb, ...) `>>>` only illustrates.
DOCTESTED: Final = frozenset(
    {
        "_threading_local",
        "collections",
        "difflib",
        "distutils.versionpredicate",
        "doctest",
        "enum",
        "hashlib",
        "heapq",
        "http.cookiejar",
        "http.cookies",
        "importlib.metadata._collections",
        "importlib.metadata._functools",
        "importlib.metadata._itertools",
        "importlib.metadata._text",
        "importlib.resources._common",
        "importlib.resources._itertools",
        "json",
        "json.encoder",
        "pickle",
        "pickletools",
        "shutil",
        "statistics",
        "typing",
        "uuid",
        "zipfile",
        "zipfile._path.glob",
    }
)


@dataclass(frozen=True)
class Part:
    """Something that is compiled, tested, packed and hashed as one."""

    name: str
    title: str
    #: Source files, relative to the library, sorted.
    files: tuple[str, ...]
    #: Bytes of all of them.
    size: int
    #: Modules of this part whose docstrings are tests.
    doctests: tuple[str, ...]


def library() -> Path:
    """Return the folder of the running Python's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def survey(root: Path) -> list[Part]:
    """Return the parts of the library at `root`: its packages, then the groups of its modules.

    Raises:
        FileNotFoundError: no sources are there, as in a Python that keeps its library in an archive.
    """
    group_of = {module: group for group, modules in GROUPS.items() for module in modules.split()}
    parts: list[Part] = []
    grouped: dict[str, list[Path]] = {}
    for entry in sorted(root.iterdir()):
        if entry.is_dir():
            if entry.name.isidentifier() and entry.name not in SKIPPED and (entry / "__init__.py").is_file():
                parts.append(_part(root, entry.name.lstrip("_"), f"package {entry.name}", _sources(entry)))
        elif entry.suffix == ".py" and entry.is_file():
            grouped.setdefault(group_of.get(entry.stem, OTHERS), []).append(entry)
    if not parts or not grouped:
        raise FileNotFoundError(f"no standard library with sources in {root}")
    parts += [_part(root, name, f"{name} modules", files) for name, files in sorted(grouped.items())]
    return parts


def _sources(package: Path) -> list[Path]:
    files: list[Path] = []
    for folder, names, found in os.walk(package):
        names[:] = [name for name in names if name not in SKIPPED]
        files += [Path(folder, name) for name in found if name.endswith(".py")]
    return files


def _part(root: Path, name: str, title: str, files: list[Path]) -> Part:
    by_name = {file.relative_to(root).as_posix(): file for file in files}
    return Part(
        name=name,
        title=title,
        files=tuple(sorted(by_name)),
        size=sum(file.stat().st_size for file in files),
        doctests=tuple(sorted(module for module, file in _modules(by_name) if _has_examples(module, file))),
    )


def _modules(files: dict[str, Path]) -> list[tuple[str, Path]]:
    return [
        (name.removesuffix(".py").removesuffix("/__init__").replace("/", "."), file) for name, file in files.items()
    ]


def _has_examples(module: str, file: Path) -> bool:
    return module in DOCTESTED and b">>> " in file.read_bytes()
