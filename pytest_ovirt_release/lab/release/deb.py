"""A Debian repository: packages, Packages, Release and its signatures, written without Debian's tools."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.release import tarballs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ovirt_release.lab.release.packages import Package

VALID_DAYS = 7
"""Days for which the Release file says that it is valid."""


def write(
    root: Path, suite: str, section: str, packages: Sequence[Package], *, expired: bool = False
) -> Path:
    """Write an unsigned repository below `root`; return its Release file. `expired`: it is a month too old.

    Layout: pool/SECTION/…/NAME_VERSION_ARCH.deb and dists/SUITE/{Release,SECTION/binary-ARCH/Packages[.gz]}.
    """
    dist = root / "dists" / suite
    for architecture in sorted({p.architecture for p in packages}):
        stanzas = [_publish(root, section, p) for p in packages if p.architecture == architecture]
        index = dist / section / f"binary-{architecture}" / "Packages"
        index.parent.mkdir(parents=True)
        index.write_text("\n".join(stanzas), encoding="utf-8")
        index.with_suffix(".gz").write_bytes(gzip.compress(index.read_bytes(), mtime=0))
    release = dist / "Release"
    made = datetime.now(UTC).replace(microsecond=0) - timedelta(days=VALID_DAYS + 30 if expired else 0)
    release.write_text(_release(dist, suite, section, packages, made), encoding="utf-8")
    return release


def build(package: Package) -> bytes:
    """Return a .deb: an ar archive of debian-binary, control.tar.gz and data.tar.gz."""
    control = {
        "control": (_control(package).encode(), 0o644),
        "md5sums": (_md5sums(package).encode(), 0o644),
    }
    members = (
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", tarballs.pack("", control, package.built)),
        ("data.tar.gz", tarballs.pack("", package.files, package.built)),
    )
    when = int(package.built.timestamp())
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(f"{name:<16}{when:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode("ascii"))
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


def _publish(root: Path, section: str, package: Package) -> str:
    content = build(package)
    name = f"{package.name}_{package.full_version}_{package.architecture}.deb"
    path = f"pool/{section}/{package.name[0]}/{package.name}/{name}"
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return f"{_control(package)}Filename: {path}\nSize: {len(content)}\nSHA256: {digest}\n"


def _control(package: Package) -> str:
    size = max(1, sum(len(content) for content, _mode in package.files.values()) // 1024)
    return (
        f"Package: {package.name}\nVersion: {package.full_version}\nArchitecture: {package.architecture}\n"
        f"Maintainer: oVirt lab <lab@ovirt.invalid>\nInstalled-Size: {size}\nSection: admin\n"
        f"Priority: optional\nDescription: {package.summary}\n"
    )


def _md5sums(package: Package) -> str:
    # dpkg's format wants MD5 here; nothing is decided by it.
    return "".join(
        f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {path}\n"
        for path, (content, _mode) in sorted(package.files.items())
    )


def _release(dist: Path, suite: str, section: str, packages: Sequence[Package], made: datetime) -> str:
    listed = sorted(p for p in dist.rglob("Packages*") if p.is_file())
    sums = "".join(
        f" {hashlib.sha256(p.read_bytes()).hexdigest()} {p.stat().st_size:>8} {p.relative_to(dist)}\n"
        for p in listed
    )
    architectures = " ".join(sorted({p.architecture for p in packages}))
    return (
        f"Origin: oVirt lab\nLabel: oVirt lab\nSuite: {suite}\nCodename: {suite}\n"
        f"Date: {_date(made)}\nValid-Until: {_date(made + timedelta(days=VALID_DAYS))}\n"
        f"Architectures: {architectures}\nComponents: {section}\n"
        f"Description: what the lab publishes as Debian packages\nSHA256:\n{sums}"
    )


def _date(moment: datetime) -> str:
    return format_datetime(moment).replace("+0000", "UTC")
