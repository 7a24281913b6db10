"""Unpack a tarball that strangers made: one top folder, plain members only, caps on count, size and ratio, a deadline."""

from __future__ import annotations

import errno
import sys
from typing import IO, TYPE_CHECKING, Any, cast

from pytest_ovirt_release.checks.expand import BROKEN, PIECE, Bounded, Caps, expanded
from pytest_ovirt_release.errors import CheckFailed, ReleaseError

if TYPE_CHECKING or sys.version_info >= (3, 11, 4):
    import tarfile
else:
    # PEP 706's extraction filters came to 3.11 with 3.11.4; Debian 12 ships 3.11.2.
    from backports import tarfile

if TYPE_CHECKING:
    from pathlib import Path

CAPS = Caps(largest=2 * 1024**3, ratio=200)
LARGEST_COUNT = 200_000
"""Most members of a tarball; oVirt's largest has about 12,000."""

LONGEST_PATH, LONGEST_NAME = 1024, 255
_LATEST = 2**32
_OUR_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})


def unpack(tarball: Path, folder: Path, top_folder: str, deadline: float, caps: Caps = CAPS) -> Path:
    """Unpack a tarball (tar, gz, xz, bz2, zst) below `folder`; return the path of its one top folder.

    Raises:
        CheckFailed: `tarball-broken`, `expands-too-far`, `too-many-members`, `unsafe-member`,
            `duplicate-member`, `wrong-top-folder`, `tarball-empty`.
        Unproven: it took more than `deadline` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with expanded(tarball, caps, deadline) as stream:
            # A plain TarFile on a forward-only stream: it reads headers and members in the file's order.
            with tarfile.TarFile(fileobj=cast("IO[bytes]", stream), mode="r") as archive:
                files = _Unpacking(tarball.name, top_folder).extract(archive, folder)
            _must_end_here(stream, tarball.name)
    except (tarfile.TarError, *BROKEN, OverflowError, RecursionError, LookupError) as error:
        if isinstance(error, OSError) and error.errno in _OUR_DISK:
            raise ReleaseError(f"{folder} cannot be written: {error.strerror}") from error
        raise CheckFailed("tarball-broken", f"{tarball.name} cannot be unpacked: {error}") from error
    if files == 0:
        raise CheckFailed("tarball-empty", f"{tarball.name} holds no file")
    return folder / top_folder


def _must_end_here(stream: Bounded, name: str) -> None:
    """An archive ends with zeros; `tarfile` also stops, without a word, at a header that it cannot read."""
    data = stream.last
    while not data.strip(b"\0"):
        data = stream.read(PIECE)
        if not data:
            return
    raise CheckFailed("tarball-broken", f"{name} goes on after a broken header or after its end")


def _plain(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    mtime = int(member.mtime) if 0 <= member.mtime < _LATEST else 0
    return tarfile.data_filter(member.replace(mtime=mtime, deep=False), folder)


class _Unpacking:
    """What was seen of one archive so far."""

    def __init__(self, name: str, top_folder: str) -> None:
        self._name = name
        self._top = top_folder
        self._seen: set[str] = set()
        self._links: set[str] = set()

    def extract(self, archive: tarfile.TarFile, folder: Path) -> int:
        """Extract every member in order; return how many are files."""
        files = count = 0
        while (member := archive.next()) is not None:
            cast("Any", archive).members.clear()  # else the archive keeps every header it has read
            count += 1
            if count > LARGEST_COUNT:
                raise CheckFailed("too-many-members", f"{self._name} has more than {LARGEST_COUNT} members")
            self._check(member)
            try:
                archive.extract(member, folder, filter=_plain)
            except tarfile.FilterError as error:
                raise CheckFailed("unsafe-member", f"{self._name}: {error}") from error
            files += not member.isdir()
        return files

    def _check(self, member: tarfile.TarInfo) -> None:
        name = member.name.removeprefix("./")
        parts = name.split("/")
        where = f"{self._name}: member {member.name[:200]!r}"
        if not (member.isreg() or member.isdir() or member.issym()) or member.issparse():
            raise CheckFailed("unsafe-member", f"{where} is neither file, folder nor symbolic link")
        if name.startswith("/") or ".." in parts or "" in parts or _is_odd(name):
            raise CheckFailed("unsafe-member", f"{where} has a path that leads elsewhere")
        if parts[0] != self._top:
            raise CheckFailed("wrong-top-folder", f"{where} is not below {self._top}/")
        if len(parts) == 1 and not member.isdir():
            raise CheckFailed("wrong-top-folder", f"{where} should be a folder")
        if any("/".join(parts[:depth]) in self._links for depth in range(1, len(parts))):
            raise CheckFailed("unsafe-member", f"{where} goes through a symbolic link")
        if name in self._seen and not (member.isdir() and name not in self._links):
            raise CheckFailed("duplicate-member", f"{where} is there twice")
        self._seen.add(name)
        if member.issym():
            self._links.add(name)


def _is_odd(name: str) -> bool:
    longest = max(len(part.encode("utf-8", "surrogateescape")) for part in name.split("/"))
    return len(name) > LONGEST_PATH or longest > LONGEST_NAME or "\\" in name or "\0" in name
