"""An RPM package, written without rpm: lead, signature header, header and a cpio payload.

What it is: version 3/4 layout with immutable regions, digests of header and payload (SHA-256, and the MD5 of
both that old rpm wants), compressed with gzip. What it is not: signed inside (the repository's metadata is),
and it carries no scripts, no dependencies beyond what it provides, no file colours or capabilities. rpm 4.18
queries it, finds all of its digests right and installs it.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.lab.release.packages import Package

MAGIC = bytes.fromhex("8eade80100000000")
INT16, INT32, STRING, BIN, STRINGS, I18N = 3, 4, 6, 7, 8, 9
"""Types of rpm's header entries."""

SIGNATURES, IMMUTABLE = 62, 63
"""Tags of the regions that a header's digest covers."""


@dataclass(frozen=True)
class Entry:
    """One entry of a header: tag, type, value."""

    tag: int
    kind: int
    value: str | bytes | Sequence[str] | Sequence[int]


def build(package: Package) -> bytes:
    """Return the package's bytes."""
    payload = _cpio(package)
    compressed = gzip.compress(payload, mtime=0)
    header = header_block(_entries(package, payload, compressed), IMMUTABLE)
    body = header + compressed
    signature = header_block(
        (
            Entry(269, STRING, hashlib.sha1(header, usedforsecurity=False).hexdigest()),
            Entry(273, STRING, hashlib.sha256(header).hexdigest()),
            Entry(1000, INT32, (len(body),)),
            Entry(1004, BIN, hashlib.md5(body, usedforsecurity=False).digest()),
            Entry(1007, INT32, (len(payload),)),
        ),
        SIGNATURES,
    )
    return _lead(package) + signature + bytes(-len(signature) % 8) + body


def header_block(entries: Sequence[Entry], region: int) -> bytes:
    """Return a header: magic, counts, index (region first, then by tag), store (region's trailer last)."""
    index, store = [], b""
    for entry in sorted(entries, key=lambda e: e.tag):
        align = {INT16: 2, INT32: 4}.get(entry.kind, 1)
        store += bytes(-len(store) % align)
        content, count = _encode(entry)
        index.append(struct.pack(">4I", entry.tag, entry.kind, len(store), count))
        store += content
    total = len(index) + 1
    trailer = struct.pack(">IIiI", region, BIN, -16 * total, 16)
    index.insert(0, struct.pack(">4I", region, BIN, len(store), 16))
    store += trailer
    return MAGIC + struct.pack(">II", total, len(store)) + b"".join(index) + store


def _encode(entry: Entry) -> tuple[bytes, int]:
    value = entry.value
    if isinstance(value, bytes):
        return value, len(value)
    if isinstance(value, str):
        return value.encode() + b"\0", 1
    if entry.kind in {STRINGS, I18N}:
        return b"".join(str(v).encode() + b"\0" for v in value), len(value)
    form = {INT16: ">H", INT32: ">I"}[entry.kind]
    return b"".join(struct.pack(form, v) for v in value), len(value)


def _lead(package: Package) -> bytes:
    name = f"{package.name}-{package.full_version}".encode()[:65]
    return struct.pack(">4sBBHH66sHH16s", b"\xed\xab\xee\xdb", 3, 0, 0, 1, name, 1, 5, b"")


def _entries(package: Package, payload: bytes, compressed: bytes) -> tuple[Entry, ...]:
    files = sorted(package.files.items())
    when = int(package.built.timestamp())
    folders = sorted({f"/{path.rpartition('/')[0]}/" for path, _content in files})
    count = len(files)
    return (
        Entry(100, STRINGS, ("C",)),
        Entry(1000, STRING, package.name),
        Entry(1001, STRING, package.version),
        Entry(1002, STRING, package.release),
        Entry(1004, I18N, (package.summary,)),
        Entry(1005, I18N, (package.summary,)),
        Entry(1006, INT32, (when,)),
        Entry(1007, STRING, "lab.ovirt.invalid"),
        Entry(1009, INT32, (sum(len(content) for _path, (content, _mode) in files),)),
        Entry(1014, STRING, "Apache-2.0"),
        Entry(1016, I18N, ("System Environment/Base",)),
        Entry(1021, STRING, "linux"),
        Entry(1022, STRING, package.architecture),
        Entry(1028, INT32, [len(content) for _path, (content, _mode) in files]),
        Entry(1030, INT16, [0o100000 | mode for _path, (_content, mode) in files]),
        Entry(1033, INT16, [0] * count),
        Entry(1034, INT32, [when] * count),
        Entry(1035, STRINGS, [hashlib.sha256(content).hexdigest() for _path, (content, _mode) in files]),
        Entry(1036, STRINGS, [""] * count),
        Entry(1037, INT32, [0] * count),
        Entry(1039, STRINGS, ["root"] * count),
        Entry(1040, STRINGS, ["root"] * count),
        Entry(1044, STRING, f"{package.name}-{package.full_version}.src.rpm"),
        Entry(1047, STRINGS, (package.name,)),
        Entry(1064, STRING, "4.18.0"),
        Entry(1095, INT32, [1] * count),
        Entry(1096, INT32, range(1, count + 1)),
        Entry(1097, STRINGS, [""] * count),
        Entry(1112, INT32, (8,)),
        Entry(1113, STRINGS, (package.full_version,)),
        Entry(1116, INT32, [folders.index(f"/{path.rpartition('/')[0]}/") for path, _content in files]),
        Entry(1117, STRINGS, [path.rpartition("/")[2] for path, _content in files]),
        Entry(1118, STRINGS, folders),
        Entry(1124, STRING, "cpio"),
        Entry(1125, STRING, "gzip"),
        Entry(1126, STRING, "9"),
        Entry(5011, INT32, (8,)),
        Entry(5092, STRINGS, (hashlib.sha256(compressed).hexdigest(),)),
        Entry(5093, INT32, (8,)),
        Entry(5097, STRINGS, (hashlib.sha256(payload).hexdigest(),)),
    )


def _cpio(package: Package) -> bytes:
    when = int(package.built.timestamp())
    parts = [
        _member(f"./{path}", content, 0o100000 | mode, when, inode)
        for inode, (path, (content, mode)) in enumerate(sorted(package.files.items()), start=1)
    ]
    return b"".join([*parts, _member("TRAILER!!!", b"", 0, 0, 0)])


def _member(name: str, content: bytes, mode: int, when: int, inode: int) -> bytes:
    fields = (inode, mode, 0, 0, 1, when, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
