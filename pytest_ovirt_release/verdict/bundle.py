"""Bundles: one archive of what a run left, to be handed to the release manager; read as if an enemy had sent it.

A bundle is a gzipped tar. Its first file is the manifest, which names every other file with size and digest;
nothing is ever unpacked to disk. The same run always gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import tarfile
import zlib
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.verdict.contents import (
    CHUNK,
    EVIDENCE,
    INPUTS,
    JOURNAL,
    LARGEST_EVIDENCE,
    LARGEST_INPUT,
    LARGEST_JOURNAL,
    MOST_FILES,
    Contents,
    FileFact,
    Manifest,
    fact_of,
)

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"
SUFFIX = ".bundle.tar.gz"
LARGEST_BUNDLE = 256 * 1024 * 1024
"""Bytes of a bundle that are read at most, as a file."""
LARGEST_UNPACKED = 512 * 1024 * 1024
"""Bytes that may come out of one bundle; a few KiB can hold a thousand times as much."""
LARGEST_KEPT = 128 * 1024 * 1024
"""Bytes of journals and inputs together, which are held in memory."""
SCHEMA = "ovirt-release-bundle/1"


class Altered(ReleaseError):  # noqa: N818 - reads as what happened
    """A bundle that is not as it was written."""


class _Limited(io.RawIOBase):
    """A stream that refuses to give more than LARGEST_UNPACKED bytes."""

    def __init__(self, inner: io.BufferedIOBase, name: str) -> None:
        super().__init__()
        self._inner, self._left, self._name = inner, LARGEST_UNPACKED, name

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._inner.read(min(CHUNK, size) if size >= 0 else CHUNK)
        self._left -= len(data)
        if self._left < 0:
            raise Altered(f"{self._name}: more than {LARGEST_UNPACKED // 1024**2} MiB come out of it")
        return data


class _PlainFile(tarfile.TarInfo):
    """A member of a bundle; refuses links, devices, and every kind of header that `pack` does not write.

    Long names, pax headers and sparse files would let a few bytes unfold to any size before anybody could look.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the member whose header this is; Altered when it is not a regular file."""
        member = super().frombuf(buf, encoding, errors)
        if member.type != tarfile.REGTYPE:
            raise Altered(f"{member.name[:80]!a} is not a regular file")
        return member


def pack(contents: Contents, folder: Path) -> bytes:
    """Return a bundle of the contents of a run's folder.

    Raises:
        ReleaseError: a file of evidence changed meanwhile.
    """
    facts = contents.facts()
    manifest = Manifest(files=facts).model_dump(by_alias=True)
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        _add(tar, MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
        for name, fact in facts.items():
            data = contents.files[name] if name in contents.files else (folder / name).read_bytes()
            if fact_of(data) != fact:
                raise ReleaseError(f"{contents.name}/{name} changed while it was bundled; run this again")
            _add(tar, name, data)
    return packed.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))


def read_bundle(path: Path) -> Contents:
    """Return the contents of a bundle, each file held against the manifest.

    Raises:
        Altered: it is no bundle, was changed, or holds what no bundle does (links, paths, too much).
    """
    name = str(path)
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Altered(f"{name}: is not a regular file; name the bundle itself")
    if found.st_size > LARGEST_BUNDLE:
        raise Altered(f"{name}: is larger than {LARGEST_BUNDLE // 1024**2} MiB")
    try:
        with path.open("rb") as file, gzip.open(file) as zipped:
            stream = _Limited(zipped, name)
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_PlainFile) as tar:
                contents = _read(tar, name)
            while rest := stream.read(CHUNK):
                if rest.strip(b"\0"):
                    raise Altered(f"{name}: goes on after its end")
            return contents
    except (
        tarfile.TarError,
        EOFError,
        OSError,
        zlib.error,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:
        raise Altered(
            f"{name}: is no bundle, or is damaged: {error}; `ovirt-release bundle RUN` makes one"
        ) from error


def _read(tar: tarfile.TarFile, name: str) -> Contents:
    first = tar.next()
    if first is None or first.name != MANIFEST or first.size > LARGEST_INPUT:
        raise Altered(f"{name}: is no bundle: its first file is not {MANIFEST}")
    manifest = _manifest(_bytes(tar, first), name)
    files: dict[str, bytes] = {}
    evidence: dict[str, FileFact] = {}
    while member := tar.next():
        fact = _wanted(member, manifest, name)
        if member.name in files or member.name in evidence:
            raise Altered(f"{name}: {member.name} is in it twice")
        if EVIDENCE.fullmatch(member.name):
            evidence[member.name] = _hashed(tar, member)
            got = evidence[member.name]
        else:
            files[member.name] = _bytes(tar, member)
            got = fact_of(files[member.name])
        if got != fact:
            raise Altered(f"{name}: {member.name} was altered: its digest is not the manifest's")
    if missing := sorted(manifest.files.keys() - files.keys() - evidence.keys()):
        raise Altered(f"{name}: is cut short, or was altered: {', '.join(missing[:3])} is not in it")
    if not any(JOURNAL.fullmatch(n) for n in files):
        raise Altered(f"{name}: holds no journal")
    return Contents(name, files, evidence)


def _manifest(data: bytes, name: str) -> Manifest:
    try:
        given = json.loads(data)
        schema = str(given.get("schema")) if isinstance(given, dict) else ""
        kind, _, major = schema.partition("/")
        if kind == SCHEMA.partition("/")[0] and major.isdecimal() and int(major) > 1:
            raise Altered(
                f"{name}: {schema} was written by a newer version; this one reads {SCHEMA}; upgrade"
            )
        manifest = Manifest.model_validate(given)
    except (ValueError, ValidationError, RecursionError) as error:
        raise Altered(f"{name}: its {MANIFEST} is broken: {str(error).splitlines()[0]}") from error
    if len(manifest.files) > MOST_FILES:
        raise Altered(f"{name}: holds more than {MOST_FILES} files")
    if sum(f.size for f in manifest.files.values()) > LARGEST_UNPACKED:
        raise Altered(f"{name}: more than {LARGEST_UNPACKED // 1024**2} MiB would come out of it")
    kept = sum(f.size for n, f in manifest.files.items() if not EVIDENCE.fullmatch(n))
    if kept > LARGEST_KEPT:
        raise Altered(f"{name}: its journals are larger than {LARGEST_KEPT // 1024**2} MiB")
    return manifest


def _wanted(member: tarfile.TarInfo, manifest: Manifest, name: str) -> FileFact:
    """Return what the manifest says of a member, if it may be in a bundle at all."""
    fact = manifest.files.get(member.name)
    is_input = member.name in INPUTS
    largest = LARGEST_INPUT if is_input else LARGEST_JOURNAL
    if EVIDENCE.fullmatch(member.name):
        largest = LARGEST_EVIDENCE
    elif not is_input and not JOURNAL.fullmatch(member.name):
        raise Altered(f"{name}: {member.name!a} is no file of a run")
    if fact is None or member.size != fact.size or member.size > largest:
        raise Altered(f"{name}: {member.name} is not what the manifest says, or larger than {largest} bytes")
    return fact


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = tar.extractfile(member)
    return opened.read() if opened else b""


def _hashed(tar: tarfile.TarFile, member: tarfile.TarInfo) -> FileFact:
    total, size = hashlib.sha256(), 0
    opened = tar.extractfile(member)
    while opened and (data := opened.read(CHUNK)):
        total.update(data)
        size += len(data)
    return FileFact(sha256=total.hexdigest(), size=size)
