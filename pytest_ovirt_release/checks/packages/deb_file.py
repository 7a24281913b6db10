"""Read a .deb: an ar archive whose control.tar holds the package's name, version and architecture.

By ourselves and not by `dpkg-deb`, which not every distribution has; a test compares the two.
"""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, cast

from debian.deb822 import Deb822

from pytest_ovirt_release.checks.expand import BROKEN, Caps, expanded
from pytest_ovirt_release.checks.packages.package_file import PackageFile, broken
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING or sys.version_info >= (3, 11, 4):
    import tarfile
else:
    from backports import tarfile

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"!<arch>\n"
HEAD = 60
LARGEST_CONTROL = 16 * 1024 * 1024
"""Bytes of a packed control.tar; maintainer scripts are small."""
LARGEST_FIELDS = 512 * 1024
LARGEST_COUNT = 5000
CAPS = Caps(largest=64 * 1024 * 1024, ratio=200)
DEADLINE = 60.0
"""Seconds; all of it is expanded in one."""


def read_deb(path: Path) -> PackageFile:
    """Return what a .deb says of itself.

    Raises:
        CheckFailed: `package-broken`, or `expands-too-far` when its control part is a bomb.
    """
    packed = path.with_name(path.name + ".control")
    try:
        packed.write_bytes(_control_member(path))
        fields = Deb822(_control_text(packed).split("\n"))
        found = [str(fields.get(name, "")) for name in ("Package", "Version", "Architecture")]
    except (tarfile.TarError, *BROKEN, OverflowError, RecursionError, LookupError, MemoryError) as error:
        raise broken(path, error) from error
    finally:
        packed.unlink(missing_ok=True)
    if not all(found):
        raise broken(path, "its control file lacks Package, Version or Architecture")
    name, version, architecture = found
    return PackageFile(name, (version,), architecture)


def _control_member(path: Path) -> bytes:
    """Return the bytes of control.tar.*, which dpkg wants as the second member."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise broken(path, "it is no ar archive")
        name, size = _head(path, file.read(HEAD))
        content = file.read(min(size, 16))
        if name != "debian-binary" or not content.startswith(b"2."):
            raise broken(path, "it does not begin with debian-binary 2")
        file.seek(len(MAGIC) + HEAD + size + size % 2)
        name, size = _head(path, file.read(HEAD))
        if not name.startswith("control.tar") or size > LARGEST_CONTROL:
            raise broken(path, f"its second member is {name[:40]!r} of {size} bytes, not a control.tar")
        content = file.read(size)
    if len(content) != size:
        raise broken(path, "it ends in its control.tar")
    return content


def _head(path: Path, head: bytes) -> tuple[str, int]:
    size = head[48:58].rstrip(b" ")
    if len(head) != HEAD or head[58:] != b"`\n" or not size.isdigit():
        raise broken(path, "an ar member's head is damaged")
    return head[:16].decode("latin-1").rstrip(" ").removesuffix("/"), int(size)


def _control_text(packed: Path) -> str:
    with (
        expanded(packed, CAPS, DEADLINE) as stream,
        tarfile.TarFile(fileobj=cast("IO[bytes]", stream), mode="r") as archive,
    ):
        for count, member in enumerate(archive):
            if count > LARGEST_COUNT:
                break
            if member.name.removeprefix("./") != "control":
                continue
            file = archive.extractfile(member) if member.isreg() and member.size <= LARGEST_FIELDS else None
            if file is None:
                break
            return file.read().decode("utf-8")
    raise CheckFailed("package-broken", f"{packed.name} holds no plain control file")
