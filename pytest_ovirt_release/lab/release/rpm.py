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
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.lab.release.packages import Package

MAGIC = bytes.fromhex("8eade80100000000")
INT16, INT32, STRING, BIN, STRINGS, I18N = 3, 4, 6, 7, 8, 9
"""Types of rpm's header entries."""

SIGNATURES, IMMUTABLE = 62, 63
"""Tags of the regions that a header's digest covers."""


class Tag(IntEnum):
    """Tags of a package's header, in rpm's numbers."""

    I18N_TABLE = 100
    NAME = 1000
    VERSION = 1001
    RELEASE = 1002
    SUMMARY = 1004
    DESCRIPTION = 1005
    BUILD_TIME = 1006
    BUILD_HOST = 1007
    SIZE = 1009
    LICENSE = 1014
    GROUP = 1016
    OS = 1021
    ARCHITECTURE = 1022
    FILE_SIZES = 1028
    FILE_MODES = 1030
    FILE_DEVICES = 1033
    FILE_TIMES = 1034
    FILE_DIGESTS = 1035
    FILE_LINKS = 1036
    FILE_FLAGS = 1037
    FILE_OWNERS = 1039
    FILE_GROUPS = 1040
    SOURCE_RPM = 1044
    PROVIDE_NAMES = 1047
    RPM_VERSION = 1064
    FILE_FILESYSTEMS = 1095
    FILE_INODES = 1096
    FILE_LANGUAGES = 1097
    PROVIDE_FLAGS = 1112
    PROVIDE_VERSIONS = 1113
    FILE_FOLDERS = 1116
    FILE_NAMES = 1117
    FOLDERS = 1118
    PAYLOAD_FORMAT = 1124
    PAYLOAD_COMPRESSOR = 1125
    PAYLOAD_FLAGS = 1126
    FILE_DIGEST_ALGORITHM = 5011
    PAYLOAD_DIGESTS = 5092
    PAYLOAD_DIGEST_ALGORITHM = 5093
    PAYLOAD_DIGESTS_UNPACKED = 5097


class SignatureTag(IntEnum):
    """Tags of the header before it: digests of the header, and of everything below."""

    SHA1 = 269
    SHA256 = 273
    SIZE_BELOW = 1000
    MD5_BELOW = 1004
    PAYLOAD_SIZE = 1007


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
    header = header_block((*_identity(package), *_files(package), *_payload(payload, compressed)), IMMUTABLE)
    body = header + compressed
    signature = header_block(
        (
            Entry(SignatureTag.SHA1, STRING, hashlib.sha1(header, usedforsecurity=False).hexdigest()),
            Entry(SignatureTag.SHA256, STRING, hashlib.sha256(header).hexdigest()),
            Entry(SignatureTag.SIZE_BELOW, INT32, (len(body),)),
            Entry(SignatureTag.MD5_BELOW, BIN, hashlib.md5(body, usedforsecurity=False).digest()),
            Entry(SignatureTag.PAYLOAD_SIZE, INT32, (len(payload),)),
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


def _identity(package: Package) -> tuple[Entry, ...]:
    return (
        Entry(Tag.I18N_TABLE, STRINGS, ("C",)),
        Entry(Tag.NAME, STRING, package.name),
        Entry(Tag.VERSION, STRING, package.version),
        Entry(Tag.RELEASE, STRING, package.release),
        Entry(Tag.SUMMARY, I18N, (package.summary,)),
        Entry(Tag.DESCRIPTION, I18N, (package.summary,)),
        Entry(Tag.BUILD_TIME, INT32, (int(package.built.timestamp()),)),
        Entry(Tag.BUILD_HOST, STRING, "lab.ovirt.invalid"),
        Entry(Tag.LICENSE, STRING, "Apache-2.0"),
        Entry(Tag.GROUP, I18N, ("System Environment/Base",)),
        Entry(Tag.OS, STRING, "linux"),
        Entry(Tag.ARCHITECTURE, STRING, package.architecture),
        Entry(Tag.SOURCE_RPM, STRING, f"{package.name}-{package.full_version}.src.rpm"),
        Entry(Tag.PROVIDE_NAMES, STRINGS, (package.name,)),
        Entry(Tag.RPM_VERSION, STRING, "4.18.0"),
        Entry(Tag.PROVIDE_FLAGS, INT32, (8,)),
        Entry(Tag.PROVIDE_VERSIONS, STRINGS, (package.full_version,)),
    )


def _files(package: Package) -> tuple[Entry, ...]:
    files = sorted(package.files.items())
    when = int(package.built.timestamp())
    folders = sorted({f"/{path.rpartition('/')[0]}/" for path, _content in files})
    count = len(files)
    return (
        Entry(Tag.SIZE, INT32, (sum(len(content) for _path, (content, _mode) in files),)),
        Entry(Tag.FILE_SIZES, INT32, [len(content) for _path, (content, _mode) in files]),
        Entry(Tag.FILE_MODES, INT16, [0o100000 | mode for _path, (_content, mode) in files]),
        Entry(Tag.FILE_DEVICES, INT16, [0] * count),
        Entry(Tag.FILE_TIMES, INT32, [when] * count),
        Entry(
            Tag.FILE_DIGESTS,
            STRINGS,
            [hashlib.sha256(content).hexdigest() for _path, (content, _mode) in files],
        ),
        Entry(Tag.FILE_LINKS, STRINGS, [""] * count),
        Entry(Tag.FILE_FLAGS, INT32, [0] * count),
        Entry(Tag.FILE_OWNERS, STRINGS, ["root"] * count),
        Entry(Tag.FILE_GROUPS, STRINGS, ["root"] * count),
        Entry(Tag.FILE_FILESYSTEMS, INT32, [1] * count),
        Entry(Tag.FILE_INODES, INT32, range(1, count + 1)),
        Entry(Tag.FILE_LANGUAGES, STRINGS, [""] * count),
        Entry(
            Tag.FILE_FOLDERS,
            INT32,
            [folders.index(f"/{path.rpartition('/')[0]}/") for path, _content in files],
        ),
        Entry(Tag.FILE_NAMES, STRINGS, [path.rpartition("/")[2] for path, _content in files]),
        Entry(Tag.FOLDERS, STRINGS, folders),
        Entry(Tag.FILE_DIGEST_ALGORITHM, INT32, (8,)),
    )


def _payload(payload: bytes, compressed: bytes) -> tuple[Entry, ...]:
    return (
        Entry(Tag.PAYLOAD_FORMAT, STRING, "cpio"),
        Entry(Tag.PAYLOAD_COMPRESSOR, STRING, "gzip"),
        Entry(Tag.PAYLOAD_FLAGS, STRING, "9"),
        Entry(Tag.PAYLOAD_DIGESTS, STRINGS, (hashlib.sha256(compressed).hexdigest(),)),
        Entry(Tag.PAYLOAD_DIGEST_ALGORITHM, INT32, (8,)),
        Entry(Tag.PAYLOAD_DIGESTS_UNPACKED, STRINGS, (hashlib.sha256(payload).hexdigest(),)),
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
