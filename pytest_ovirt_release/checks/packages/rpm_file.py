"""Read an .rpm: lead, signature header, header, payload; what it says of itself and what was signed of it.

By ourselves and not by `rpm`: `rpmkeys` calls an unsigned package good and names signers by short key ids, and not
every distribution has it. The layout is rpm's own (docs/manual/format_*.md); a test compares with rpmbuild's packages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pytest_ovirt_release.checks.packages.package_file import PackageFile, broken

if TYPE_CHECKING:
    from pathlib import Path

LEAD, LEAD_MAGIC = 96, b"\xed\xab\xee\xdb"
MAGIC = bytes.fromhex("8eade80100000000")
PREAMBLE, ENTRY = 16, 16
LARGEST_ENTRIES, LARGEST_STORE = 65_536, 64 * 1024 * 1024
LARGEST_TEXT = 16 * 1024
INT32, STRING, BIN, STRINGS = 4, 6, 7, 8
REGION = 63
"""The entry that says which part of the header digests and signatures cover."""
NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE, SOURCE_RPM = 1000, 1001, 1002, 1003, 1022, 1044
PAYLOAD_DIGEST, PAYLOAD_ALGORITHM = 5092, 5093
OPENPGP, RSA, DSA = 278, 268, 267
"""Signatures over the header; EdDSA keys sign under DSA, rpm 6 writes base64 under OPENPGP."""
SHA256 = 8
PIECE = 1024 * 1024


@dataclass(frozen=True)
class _Header:
    raw: bytes
    entries: dict[int, tuple[int, int, int]]
    store: int

    def text(self, tag: int) -> str:
        """Return a text or the first of a list of texts; empty when it is not there."""
        kind, offset, count = self.entries.get(tag, (0, 0, 0))
        if kind not in {STRING, STRINGS} or not count:
            return ""
        start = self.store + offset
        end = self.raw.find(b"\0", start, start + LARGEST_TEXT)
        return self.raw[start:end].decode("utf-8", "replace") if end >= 0 else ""

    def number(self, tag: int) -> int | None:
        """Return a 32-bit number, or nothing."""
        kind, offset, count = self.entries.get(tag, (0, 0, 0))
        data = self.raw[self.store + offset : self.store + offset + 4]
        return int.from_bytes(data, "big") if kind == INT32 and count and len(data) == 4 else None  # noqa: PLR2004 - 32 bits

    def binary(self, tag: int) -> bytes:
        """Return bytes; empty when they are not there."""
        kind, offset, count = self.entries.get(tag, (0, 0, 0))
        return self.raw[self.store + offset : self.store + offset + count] if kind == BIN else b""


@dataclass(frozen=True)
class RpmFile:
    """One package file: `facts` as its header gives them, the header's own bytes, and the signature over them.

    `payload_sha256` is what the header says of the payload, `payload_fits` whether that is so.
    """

    facts: PackageFile
    header: bytes
    signature: bytes
    payload_sha256: str
    payload_fits: bool


def read_rpm(path: Path) -> RpmFile:
    """Return what an .rpm says of itself; CheckFailed(`package-broken`) when its layout is damaged."""
    with path.open("rb") as file:
        if file.read(LEAD)[:4] != LEAD_MAGIC:
            raise broken(path, "it does not begin as an rpm")
        signatures = _header(path, file)
        file.read(-len(signatures.raw) % 8)
        header = _header(path, file)
        # What stands outside of the region is covered by no digest and no signature.
        if header.binary(REGION) != struct.pack(">IIiI", REGION, BIN, -ENTRY * len(header.entries), ENTRY):
            raise broken(path, "its header has entries outside of what a signature covers")
        digest = hashlib.sha256()
        while data := file.read(PIECE):
            digest.update(data)
    said = header.text(PAYLOAD_DIGEST).lower() if header.number(PAYLOAD_ALGORITHM) in {SHA256, None} else ""
    return RpmFile(_facts(path, header), header.raw, _signature(signatures), said, said == digest.hexdigest())


def _header(path: Path, file: IO[bytes]) -> _Header:
    start = file.read(PREAMBLE)
    if len(start) != PREAMBLE or not start.startswith(MAGIC):
        raise broken(path, "a header is missing")
    count, size = struct.unpack(">II", start[8:])
    if not 0 < count <= LARGEST_ENTRIES or size > LARGEST_STORE:
        raise broken(path, f"a header of {count} entries and {size} bytes")
    raw = start + file.read(count * ENTRY + size)
    store = PREAMBLE + count * ENTRY
    if len(raw) != store + size:
        raise broken(path, "it ends in a header")
    entries = {}
    for tag, kind, offset, number in struct.iter_unpack(">4I", raw[PREAMBLE:store]):
        if offset > size or tag in entries:
            raise broken(path, f"header entry {tag} stands twice or points outside")
        entries[tag] = (kind, offset, number)
    return _Header(raw, entries, store)


def _facts(path: Path, header: _Header) -> PackageFile:
    name, version, release = (header.text(tag) for tag in (NAME, VERSION, RELEASE))
    if not (name and version and release):
        raise broken(path, "its header lacks name, version or release")
    plain = f"{version}-{release}"
    with_epoch = f"{header.number(EPOCH) or 0}:{plain}"
    # A source package has no source package of its own.
    architecture = header.text(ARCHITECTURE) if SOURCE_RPM in header.entries else "src"
    return PackageFile(name, (with_epoch, plain), architecture)


def _signature(signatures: _Header) -> bytes:
    """Return the signature over the header; several of rpm 6 stand one after the other, the first one counts."""
    return signatures.binary(RSA) or signatures.binary(DSA) or _decoded(signatures.text(OPENPGP))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
