"""An RPM repository's metadata: repomd.xml and what it names, written without createrepo."""

from __future__ import annotations

import gzip
import hashlib
import time
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from pytest_ovirt_release.lab.release import rpm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ovirt_release.lab.release.packages import Package

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
COMMON = "http://linux.duke.edu/metadata/common"
RPM = "http://linux.duke.edu/metadata/rpm"
REPO = "http://linux.duke.edu/metadata/repo"
OTHER = "http://linux.duke.edu/metadata/other"
FILELISTS = "http://linux.duke.edu/metadata/filelists"


def write(root: Path, packages: Sequence[Package]) -> Path:
    """Write an unsigned repository below `root`; return its repomd.xml.

    Layout: Packages/L/NAME-VERSION.ARCH.rpm and repodata/{repomd.xml,DIGEST-primary.xml.gz,…}.
    """
    entries, lists, changes = [], [], []
    for package in packages:
        content = rpm.build(package)
        place = f"Packages/{package.name[0]}/{package.name}-{package.full_version}.{package.architecture}.rpm"
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        entries.append(_primary(package, place, digest, len(content)))
        lists.append(
            _other(package, digest, "".join(f"<file>/{escape(f)}</file>" for f in sorted(package.files)))
        )
        changes.append(_other(package, digest, ""))
    repodata = root / "repodata"
    repodata.mkdir(parents=True)
    count = f'packages="{len(packages)}"'
    data = (
        _data(
            repodata,
            "primary",
            f'<metadata xmlns="{COMMON}" xmlns:rpm="{RPM}" {count}>',
            entries,
            "</metadata>",
        ),
        _data(repodata, "filelists", f'<filelists xmlns="{FILELISTS}" {count}>', lists, "</filelists>"),
        _data(repodata, "other", f'<otherdata xmlns="{OTHER}" {count}>', changes, "</otherdata>"),
    )
    repomd = repodata / "repomd.xml"
    repomd.write_text(
        f'{DECLARATION}<repomd xmlns="{REPO}" xmlns:rpm="{RPM}">\n  <revision>{int(time.time())}</revision>\n'
        + "".join(data)
        + "</repomd>\n",
        encoding="utf-8",
    )
    return repomd


def _data(repodata: Path, kind: str, start: str, entries: Sequence[str], end: str) -> str:
    opened = (DECLARATION + start + "\n" + "".join(entries) + end + "\n").encode()
    packed = gzip.compress(opened, mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    name = f"{digest}-{kind}.xml.gz"
    (repodata / name).write_bytes(packed)
    return (
        f'  <data type="{kind}">\n    <checksum type="sha256">{digest}</checksum>\n'
        f'    <open-checksum type="sha256">{hashlib.sha256(opened).hexdigest()}</open-checksum>\n'
        f'    <location href="repodata/{name}"/>\n    <timestamp>{int(time.time())}</timestamp>\n'
        f"    <size>{len(packed)}</size>\n    <open-size>{len(opened)}</open-size>\n  </data>\n"
    )


def _primary(package: Package, place: str, digest: str, size: int) -> str:
    when = int(package.built.timestamp())
    version = _version(package)
    installed = sum(len(content) for content, _mode in package.files.values())
    return f"""<package type="rpm">
  <name>{escape(package.name)}</name>
  <arch>{escape(package.architecture)}</arch>
  {version}
  <checksum type="sha256" pkgid="YES">{digest}</checksum>
  <summary>{escape(package.summary)}</summary>
  <description>{escape(package.summary)}</description>
  <packager>oVirt lab</packager>
  <url>https://www.ovirt.org</url>
  <time file="{when}" build="{when}"/>
  <size package="{size}" installed="{installed}" archive="{installed}"/>
  <location href={quoteattr(place)}/>
  <format>
    <rpm:license>Apache-2.0</rpm:license>
    <rpm:provides>
      <rpm:entry name={quoteattr(package.name)} flags="EQ" epoch="0" ver={quoteattr(package.version)} rel={quoteattr(package.release)}/>
    </rpm:provides>
  </format>
</package>
"""


def _other(package: Package, digest: str, inner: str) -> str:
    return (
        f'<package pkgid="{digest}" name={quoteattr(package.name)} arch={quoteattr(package.architecture)}>'
        f"{_version(package)}{inner}</package>\n"
    )


def _version(package: Package) -> str:
    return f'<version epoch="0" ver={quoteattr(package.version)} rel={quoteattr(package.release)}/>'
