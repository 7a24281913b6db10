"""Publishes package repositories of real packages, made by dpkg-deb and rpmbuild, for the cases of the corpus."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.packages import check_distribution
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.page import Distribution
from pytest_ovirt_release.release.resolved import DistributionUnderTest
from tests.corpus.workshop import DEADLINE

if TYPE_CHECKING:
    from datetime import datetime

    from tests.corpus.frame import Check
    from tests.corpus.workshop import Workshop

Edit = Callable[[str], str]
VERSIONS = {"deb": "4.9.3-1", "rpm": "4.9.3-1.fc16"}
ARCHITECTURES = {"deb": "amd64", "rpm": "noarch"}
SUITE = "ovirt-3.0"
SPEC = """Name: {name}
Version: {version}
Release: {release}
Summary: node agent
License: GPL
BuildArch: noarch
%description
node agent
%install
mkdir -p %{{buildroot}}/opt
echo hello > %{{buildroot}}/opt/{name}
%files
/opt/{name}
"""


def run(*command: str) -> None:
    """Run a packaging tool."""
    subprocess.run(command, check=True, capture_output=True, timeout=120)


@cache
def real_deb(name: str = "vdsm", version: str = VERSIONS["deb"], architecture: str = "amd64") -> bytes:
    """Return a package that dpkg-deb made."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, out = Path(scratch) / "tree", Path(scratch) / "out.deb"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
            "Maintainer: x <x@example.org>\nDescription: node agent\n",
            encoding="utf-8",
        )
        run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(out))
        return out.read_bytes()


@cache
def real_rpm(name: str = "vdsm", version: str = VERSIONS["rpm"]) -> bytes:
    """Return a package that rpmbuild made."""
    with tempfile.TemporaryDirectory() as scratch:
        spec = Path(scratch) / "package.spec"
        number, _, release = version.partition("-")
        spec.write_text(SPEC.format(name=name, version=number, release=release), encoding="utf-8")
        run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {scratch}/top", str(spec))
        return next(Path(scratch).rglob("*.rpm")).read_bytes()


def signed_rpm(shop: Workshop, signer: str, *options: str) -> bytes:
    """Return the package with a signature by rpmsign."""
    path = shop.folder / "package.rpm"
    path.write_bytes(real_rpm())
    values = {"_gpg_name": signer, "_gpg_path": str(shop.room.home), "__gpg": shutil.which("gpg") or "gpg"}
    defines = [word for name, value in values.items() for word in ("--define", f"{name} {value}")]
    run("rpmsign", "--addsign", *defines, *options, str(path))
    return path.read_bytes()


@dataclass(frozen=True)
class Repository:
    """What is published; each field is what one case changes. `extra` files replace what was written, at the end."""

    kind: str
    package: bytes = b""
    index: Edit = str
    metadata: Edit = str
    signer: str | None = ""
    extra: dict[str, bytes] = field(default_factory=dict)
    dated: timedelta = timedelta()
    valid: timedelta = timedelta(days=3)
    own_signature: bool = False
    pinned: str | None = None
    fresh_days: int | None = None
    pack: Callable[[bytes], bytes] = gzip.compress

    def publish(self, shop: Workshop) -> Check:
        """Write and sign the repository, and return the check of it."""
        package = self.package or (real_deb() if self.kind == "deb" else real_rpm())
        write = _deb if self.kind == "deb" else _rpm
        write(replace(self, package=package), shop, shop.now + self.dated)
        for place, content in self.extra.items():
            shop.web.put(f"repo/{place}", content)
        return _check(self, shop)


def _check(repository: Repository, shop: Workshop) -> Check:
    kind, architecture = repository.kind, ARCHITECTURES[repository.kind]
    page = Distribution(
        name="it",
        kind=kind,
        url="u",
        architecture=architecture,
        packages=("vdsm",),
        fresh_days=repository.fresh_days,
    )
    package = CandidatePackage(
        distribution="it",
        name="vdsm",
        version=VERSIONS[kind],
        architecture=architecture,
        sha256=repository.pinned,
    )
    under_test = DistributionUnderTest(
        "it", kind, f"{shop.web.url}/repo/", SUITE, "main", architecture, (package,), page
    )
    policy, own = shop.policy(), shop.policy() if repository.own_signature else None

    def check() -> None:
        check_distribution(
            under_test, policy, shop.folder / "scratch", now=shop.now, deadline=DEADLINE, package_policy=own
        )

    return check


def _deb(repository: Repository, shop: Workshop, dated: datetime) -> None:
    data = repository.package
    index = repository.index(
        f"Package: vdsm\nVersion: {VERSIONS['deb']}\nArchitecture: amd64\nFilename: pool/vdsm.deb\n"
        f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
    )
    packed = gzip.compress(index.encode())
    shop.web.put("repo/pool/vdsm.deb", data)
    shop.web.put(f"repo/dists/{SUITE}/main/binary-amd64/Packages.gz", packed)
    until = shop.now + repository.valid
    text = repository.metadata(
        f"Suite: {SUITE}\nCodename: {SUITE}\nDate: {_date(dated)}\nValid-Until: {_date(until)}\n"
        f"Architectures: amd64\nComponents: main\nSHA256:\n"
        f" {hashlib.sha256(packed).hexdigest()} {len(packed)} main/binary-amd64/Packages.gz\n"
    )
    shop.web.put(f"repo/dists/{SUITE}/Release", text.encode())
    release = shop.web.root / f"repo/dists/{SUITE}/Release"
    if repository.signer is not None:
        shop.room.clearsign(release, repository.signer or shop.signer, release.with_name("InRelease"))


def _rpm(repository: Repository, shop: Workshop, dated: datetime) -> None:
    data = repository.package
    version, _, release = VERSIONS["rpm"].partition("-")
    index = repository.index(
        '<metadata xmlns="http://linux.duke.edu/metadata/common" packages="1"><package type="rpm">'
        f'<name>vdsm</name><arch>noarch</arch><version epoch="0" ver="{version}" rel="{release}"/>'
        f'<checksum type="sha256" pkgid="YES">{hashlib.sha256(data).hexdigest()}</checksum>'
        f'<size package="{len(data)}"/><location href="Packages/vdsm.rpm"/></package></metadata>'
    ).encode()
    packed = repository.pack(index)
    shop.web.put("repo/Packages/vdsm.rpm", data)
    shop.web.put("repo/repodata/primary.xml.gz", packed)
    text = repository.metadata(
        f'<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>{int(dated.timestamp())}</revision>'
        f'<data type="primary"><checksum type="sha256">{hashlib.sha256(packed).hexdigest()}</checksum>'
        f'<open-checksum type="sha256">{hashlib.sha256(index).hexdigest()}</open-checksum>'
        f'<location href="repodata/primary.xml.gz"/><size>{len(packed)}</size></data></repomd>'
    )
    shop.web.put("repo/repodata/repomd.xml", text.encode())
    repomd = shop.web.root / "repo/repodata/repomd.xml"
    if repository.signer is not None:
        made = shop.room.sign(repomd, repository.signer or shop.signer, armor=True)
        made.rename(repomd.with_name("repomd.xml.asc"))


def _date(moment: datetime) -> str:
    return format_datetime(moment).replace("+0000", "UTC")
