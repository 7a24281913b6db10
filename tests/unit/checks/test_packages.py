"""Package repositories: each broken link of the chain has its own code; the unbroken chain holds."""

from __future__ import annotations

import gzip
import hashlib
import lzma
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
import zstandard

from pytest_ovirt_release.checks.openpgp import SignerPolicy, SignerUnassigned
from pytest_ovirt_release.checks.packages import check_distribution
from pytest_ovirt_release.checks.packages.common import Repository
from pytest_ovirt_release.errors import CheckFailed, Unproven, Unreachable
from pytest_ovirt_release.lab.release import deb as deb_format
from pytest_ovirt_release.lab.release import rpm as rpm_format
from pytest_ovirt_release.lab.release.packages import Package, files_of
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.page import Distribution
from pytest_ovirt_release.release.resolved import DistributionUnderTest
from tests.unit.checks.signing import KeyRoom
from tests.unit.checks.web import Web, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.packages.common import Chain

NOW = datetime.now(UTC)
VDSM = Package("vdsm", "4.9.3", "1", "amd64", "vdsm", NOW, files_of("vdsm", "4.9.3"))
FEDORA_VDSM = replace(VDSM, release="1.fc16", architecture="x86_64")


@pytest.fixture(scope="module")
def room() -> Iterator[KeyRoom]:
    made = KeyRoom()
    yield made
    made.close()


@pytest.fixture(scope="module")
def signer(room: KeyRoom) -> str:
    return room.make_key("Repository Signer")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "site").mkdir()
    yield from running(tmp_path / "site")


@dataclass
class Publisher:
    """Writes a repository; a test changes what it writes, and signs at the end."""

    web: Web
    room: KeyRoom
    signer: str
    policy: SignerPolicy
    scratch: Path
    kind: str
    text: str = ""

    def put(self, place: str, content: bytes) -> None:
        self.web.put(f"repo/{place}", content)

    def check(self, **changes: object) -> Chain:
        name, architecture, version = ("debian-7", "amd64", "4.9.3-1") if self.kind == "deb" else (
            "fedora-16", "x86_64", "4.9.3-1.fc16")  # fmt: skip
        page = Distribution(name=name, kind=self.kind, url="u", architecture=architecture, packages=("vdsm",))
        package = CandidatePackage(distribution=name, name="vdsm", version=version, architecture=architecture)
        under_test = DistributionUnderTest(
            name=name, kind=self.kind, url=f"{self.web.url}/repo/", suite="ovirt-3.0", section="main",
            architecture=architecture, packages=(package,), page=page,
        )  # fmt: skip
        under_test = replace(under_test, **changes)  # type: ignore[arg-type] # any field
        return check_distribution(under_test, self.policy, self.scratch, now=datetime.now(UTC), deadline=20)

    def code(self, **changes: object) -> str:
        with pytest.raises(CheckFailed) as caught:
            self.check(**changes)
        return caught.value.code


@pytest.fixture
def policy(room: KeyRoom, signer: str, tmp_path: Path) -> SignerPolicy:
    return room.policy(tmp_path, signer)


# ---- Debian ------------------------------------------------------------------------------------------------


class Deb(Publisher):
    package = deb_format.build(VDSM)
    digest = hashlib.sha256(package).hexdigest()
    index = f"""Package: vdsm
Version: 4.9.3-1
Architecture: amd64
Filename: pool/main/v/vdsm.deb
Size: {len(package)}
SHA256: {digest}

Package: other
Version: 1
Architecture: amd64
Filename: pool/other.deb
Size: 1
SHA256: {"0" * 64}
"""

    def publish(
        self,
        *,
        index: str | None = None,
        ending: str = ".gz",
        pack: Callable[[bytes], bytes] = gzip.compress,
        form: str = "inline",
        edit: Callable[[str], str] = str,
    ) -> Deb:
        opened = (index or self.index).encode()
        packed = pack(opened)
        self.put("pool/main/v/vdsm.deb", self.package)
        self.put(f"dists/ovirt-3.0/main/binary-amd64/Packages{ending}", packed)
        sums = "".join(
            f" {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-amd64/Packages{end}\n"
            for data, end in ((opened, ""), (packed, ending))
        )
        self.text = edit(
            f"Suite: ovirt-3.0\nCodename: ovirt-3.0\nDate: {_date(NOW)}\nValid-Until: {_date(NOW + timedelta(days=3))}\n"
            f"Architectures: amd64\nComponents: main\nMD5Sum:\n {'0' * 32} 1 x\nSHA256:\n{sums}"
        )
        self.put("dists/ovirt-3.0/Release", self.text.encode())
        release = self.web.root / "repo/dists/ovirt-3.0/Release"
        if form == "inline":
            self.room.clearsign(release, self.signer, release.with_name("InRelease"))
        elif form == "detached":
            self.room.sign(release, self.signer, armor=True).rename(release.with_name("Release.gpg"))
        return self


def _date(moment: datetime) -> str:
    return format_datetime(moment).replace("+0000", "UTC")


@pytest.fixture
def deb(web: Web, room: KeyRoom, signer: str, policy: SignerPolicy, tmp_path: Path) -> Deb:
    return Deb(web, room, signer, policy, tmp_path / "scratch", "deb")


@pytest.mark.parametrize("form", ["inline", "detached"])
@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_a_good_debian_repository_leads_to_the_package(
    deb: Deb, signer: str, form: str, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    chain = deb.publish(form=form, ending=ending, pack=pack).check()
    assert chain.verdict.signer == signer
    assert [(p.name, p.sha256) for p in chain.packages] == [("vdsm", Deb.digest)]
    assert chain.metadata[0].place == f"dists/ovirt-3.0/main/binary-amd64/Packages{ending}"
    assert chain.valid_until is not None


DEB_EDITS = {
    "stale": (
        lambda t: t.replace(_date(NOW + timedelta(days=3)), _date(NOW - timedelta(days=1))),
        "metadata-expired",
    ),
    "future": (lambda t: t.replace(_date(NOW), _date(NOW + timedelta(days=1))), "metadata-future-dated"),
    "undated": (lambda t: t.replace("Date:", "Dates:", 1), "metadata-undated"),
    "no date": (lambda t: t.replace(_date(NOW), "yesterday"), "metadata-undated"),
    "suite": (lambda t: t.replace("ovirt-3.0", "ovirt-2.0"), "wrong-suite"),
    "architecture": (
        lambda t: t.replace("Architectures: amd64", "Architectures: i386"),
        "wrong-architecture",
    ),
    "section": (lambda t: t.replace("Components: main", "Components: contrib"), "wrong-section"),
    "weak": (lambda t: t.replace("SHA256:", "SHA1:"), "weak-digest"),
    "index unlisted": (lambda t: t.replace("main/binary-amd64/", "main/binary-i386/"), "index-missing"),
}


@pytest.mark.parametrize("case", DEB_EDITS)
def test_signed_but_wrong_release_files(deb: Deb, case: str) -> None:
    edit, code = DEB_EDITS[case]
    assert deb.publish(edit=edit).code() == code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Version: 4.9.3-1", "Version: 4.9.4-1", "package-other-version"),
        ("Architecture: amd64", "Architecture: i386", "package-other-version"),
        ("Package: vdsm", "Package: vdsm2", "package-unlisted"),
        # By name: what is built anew in every process has another digest in each.
        pytest.param(f"SHA256: {Deb.digest}", "MD5sum: 00", "weak-digest", id="only MD5"),
        pytest.param(f"SHA256: {Deb.digest}", f"SHA256: {'0' * 64}", "package-differs", id="another digest"),
        ("pool/main/v/vdsm.deb", "pool/gone.deb", "package-missing"),
        ("pool/main/v/vdsm.deb", "../../etc/passwd", "unsafe-location"),
        ("pool/main/v/vdsm.deb", "pool/%2e%2e/x", "unsafe-location"),
        ("pool/main/v/vdsm.deb", "http://127.0.0.1/x.deb", "unsafe-location"),
        ("pool/main/v/vdsm.deb", "/etc/passwd", "unsafe-location"),
        pytest.param(f"Size: {len(Deb.package)}", "Size: 3", "package-differs", id="size"),
    ],
)
def test_debian_indexes_that_do_not_lead_to_the_package(deb: Deb, old: str, new: str, code: str) -> None:
    assert deb.publish(index=deb.index.replace(old, new)).code() == code


def test_tampering_with_a_debian_repository(deb: Deb) -> None:
    deb.publish(form="none")
    assert deb.code() == "signature-missing"
    deb.publish()
    deb.put("pool/main/v/vdsm.deb", Deb.package[:-1] + b"X")
    assert deb.code() == "package-differs"
    deb.put("dists/ovirt-3.0/main/binary-amd64/Packages.gz", gzip.compress(b"Package: vdsm\n"))
    assert deb.code() == "index-differs"
    release = deb.web.root / "repo/dists/ovirt-3.0/InRelease"
    good = release.read_bytes()
    release.write_bytes(b"Suite: evil\n\n" + good)
    assert deb.code() == "not-clearsigned"
    release.write_bytes(good.replace(b"Components: main", b"Components: mail"))
    assert deb.code() == "bad-signature"
    deb.room.clearsign(release.with_name("Release"), deb.room.make_key("Stranger"), release)
    assert deb.code() == "unknown-signer"


def test_an_index_that_expands_to_something_else(deb: Deb) -> None:
    opened = hashlib.sha256(deb.index.encode()).hexdigest()
    assert deb.publish(edit=lambda t: t.replace(opened, "0" * 64)).code() == "index-differs"


def test_no_repository_at_all(deb: Deb) -> None:
    assert deb.code() == "repository-missing"
    deb.web.close()
    with pytest.raises(Unreachable):
        deb.check()


def test_a_bomb_as_index_stops_at_the_cap(deb: Deb) -> None:
    assert deb.publish(index="Package: vdsm\nDescription: " + "x" * 30_000_000).code() == "expands-too-far"


def test_what_nobody_said_is_unproven(deb: Deb) -> None:
    deb.publish()
    with pytest.raises(Unproven, match="names no version of vdsm"):
        deb.check(packages=())
    deb.policy = SignerPolicy("repository-signer", (), (), page="ovirt-3.0")
    with pytest.raises(SignerUnassigned):
        deb.check()


# ---- RPM ---------------------------------------------------------------------------------------------------


class Rpm(Publisher):
    package = rpm_format.build(FEDORA_VDSM)
    digest = hashlib.sha256(package).hexdigest()
    primary = f"""<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" packages="1">
<package type="rpm"><name>vdsm</name><arch>x86_64</arch><version epoch="0" ver="4.9.3" rel="1.fc16"/>
<checksum type="sha256" pkgid="YES">{digest}</checksum><size package="{len(package)}"/>
<location href="Packages/v/vdsm.rpm"/></package>
</metadata>
"""

    def publish(
        self,
        *,
        primary: str | None = None,
        pack: Callable[[bytes], bytes] = gzip.compress,
        edit: Callable[[str], str] = str,
        signed: bool = True,
    ) -> Rpm:
        opened = (primary or self.primary).encode()
        packed = pack(opened)
        self.put("Packages/v/vdsm.rpm", self.package)
        self.put("repodata/primary.xml.gz", packed)
        self.text = edit(
            f"""<?xml version="1.0"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>{int(NOW.timestamp())}</revision>
<data type="primary"><checksum type="sha256">{hashlib.sha256(packed).hexdigest()}</checksum>
<open-checksum type="sha256">{hashlib.sha256(opened).hexdigest()}</open-checksum>
<location href="repodata/primary.xml.gz"/><size>{len(packed)}</size></data></repomd>"""
        )
        self.put("repodata/repomd.xml", self.text.encode())
        repomd = self.web.root / "repo/repodata/repomd.xml"
        if signed:
            self.room.sign(repomd, self.signer, armor=True).rename(repomd.with_name("repomd.xml.asc"))
        return self


@pytest.fixture
def rpm(web: Web, room: KeyRoom, signer: str, policy: SignerPolicy, tmp_path: Path) -> Rpm:
    return Rpm(web, room, signer, policy, tmp_path / "scratch", "rpm")


@pytest.mark.parametrize(
    "pack", [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress], ids=["gz", "xz", "zst"]
)
def test_a_good_rpm_repository_leads_to_the_package(
    rpm: Rpm, signer: str, pack: Callable[[bytes], bytes]
) -> None:
    chain = rpm.publish(pack=pack).check()
    assert chain.verdict.signer == signer
    assert [(p.name, p.version, p.sha256) for p in chain.packages] == [("vdsm", "4.9.3-1.fc16", Rpm.digest)]


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
RPM_EDITS = {
    "future": (
        lambda t: t.replace(str(int(NOW.timestamp())), str(int(NOW.timestamp()) + 90_000)),
        "metadata-future-dated",
    ),
    "undated": (lambda t: t.replace("revision>", "revised>"), "metadata-undated"),
    "weak index": (lambda t: t.replace('<checksum type="sha256">', '<checksum type="sha">'), "weak-digest"),
    "weak open": (
        lambda t: t.replace('<open-checksum type="sha256">', '<open-checksum type="md5">'),
        "weak-digest",
    ),
    "no primary": (lambda t: t.replace('type="primary"', 'type="other"'), "index-missing"),
    "gone": (lambda t: t.replace("primary.xml.gz", "gone.xml.gz"), "index-missing"),
    "outside": (lambda t: t.replace("repodata/primary", "../../primary"), "unsafe-location"),
    "base": (lambda t: t.replace("<location ", '<location xml:base="file:///etc" '), "unsafe-location"),
    "no xml": (lambda _: "not xml", "metadata-broken"),
    "other xml": (lambda _: "<x/>", "metadata-broken"),
    "entities": (lambda _: BOMB, "metadata-broken"),
    "encoding": (lambda t: t.replace('"1.0"?', '"1.0" encoding="none-such"?'), "metadata-broken"),
}


@pytest.mark.parametrize("case", RPM_EDITS)
def test_signed_but_wrong_repomd_files(rpm: Rpm, case: str) -> None:
    edit, code = RPM_EDITS[case]
    assert rpm.publish(edit=edit).code() == code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('ver="4.9.3"', 'ver="4.9.4"', "package-other-version"),
        ("<arch>x86_64", "<arch>i686", "package-other-version"),
        ("<name>vdsm<", "<name>vdsm2<", "package-unlisted"),
        ('<checksum type="sha256"', '<checksum type="sha"', "weak-digest"),
        pytest.param(Rpm.digest, "0" * 64, "package-differs", id="digest"),
        ("Packages/v/vdsm.rpm", "Packages/gone.rpm", "package-missing"),
        ("Packages/v/vdsm.rpm", "../../../../etc/passwd", "unsafe-location"),
        ("<location ", '<location xml:base="file:///etc" ', "unsafe-location"),
        ("</metadata>", "", "metadata-broken"),
        ("<package ", "<!DOCTYPE x><package ", "metadata-broken"),
    ],
)
def test_rpm_indexes_that_do_not_lead_to_the_package(rpm: Rpm, old: str, new: str, code: str) -> None:
    assert rpm.publish(primary=rpm.primary.replace(old, new)).code() == code


def test_tampering_with_an_rpm_repository(rpm: Rpm) -> None:
    rpm.publish(signed=False)
    assert rpm.code() == "signature-missing"
    rpm.publish()
    rpm.put("Packages/v/vdsm.rpm", Rpm.package[:-1] + b"X")
    assert rpm.code() == "package-differs"
    rpm.put("repodata/primary.xml.gz", b"x")
    assert rpm.code() == "index-differs"
    rpm.put("repodata/repomd.xml", rpm.text.replace("primary", "filelists").encode())
    assert rpm.code() == "bad-signature"
    rpm.put("repodata/repomd.xml.asc", b"<html>404</html>")
    assert rpm.code() == "signature-is-web-page"


def test_two_entries_for_one_package_are_ambiguous(rpm: Rpm) -> None:
    entry = rpm.primary[rpm.primary.index("<package ") : rpm.primary.index("</metadata>")]
    twice = rpm.primary.replace(entry, entry + entry.replace(Rpm.digest, "0" * 64))
    assert rpm.publish(primary=twice).code() == "package-ambiguous"


def test_the_candidate_may_write_the_epoch(rpm: Rpm) -> None:
    package = CandidatePackage(
        distribution="fedora-16", name="vdsm", version="0:4.9.3-1.fc16", architecture="x86_64"
    )
    assert rpm.publish().check(packages=(package,)).packages[0].version == "0:4.9.3-1.fc16"


def test_a_file_of_another_epoch_than_the_index_says(rpm: Rpm) -> None:
    rpm.publish(primary=rpm.primary.replace('epoch="0"', 'epoch="2"'))
    package = CandidatePackage(
        distribution="fedora-16", name="vdsm", version="2:4.9.3-1.fc16", architecture="x86_64"
    )
    assert rpm.code(packages=(package,)) == "package-is-another"


def test_an_old_copy_is_stale_where_the_page_says_how_old_it_may_be(rpm: Rpm) -> None:
    old = str(int(NOW.timestamp()) - 40 * 86_400)
    rpm.publish(edit=lambda t: t.replace(str(int(NOW.timestamp())), old))
    rpm.check()
    page = Distribution(
        name="fedora-16", kind="rpm", url="u", architecture="x86_64", packages=("vdsm",), fresh_days=30
    )
    assert rpm.code(page=page) == "metadata-stale"


@pytest.mark.parametrize("kind", ["sha384", "sha512"])
def test_other_strong_digests_of_rpm_repositories(rpm: Rpm, kind: str) -> None:
    digest = hashlib.new(kind, Rpm.package).hexdigest()
    strong = f'<checksum type="{kind}" pkgid="YES">{digest}'
    entry = f'<checksum type="sha256" pkgid="YES">{Rpm.digest}'
    assert len(rpm.publish(primary=rpm.primary.replace(entry, strong)).check().packages) == 1
    wrong = strong.replace(digest[-8:], "0" * 8)
    assert rpm.publish(primary=rpm.primary.replace(entry, wrong)).code() == "package-differs"
    short = strong.replace(digest, digest[:64])
    assert rpm.publish(primary=rpm.primary.replace(entry, short)).code() == "weak-digest"


@pytest.mark.parametrize(
    "place", ["", "/x", "a//b", "a/../b", "./a", "a\\b", "a?b", "a#b", "x:y", "a\nb", "%2fetc", "a/%2e%2e/b"]
)
def test_places_that_lead_elsewhere(rpm: Rpm, tmp_path: Path, place: str) -> None:
    page = Distribution(name="f", kind="rpm", url="u", architecture="a", packages=())
    under_test = DistributionUnderTest("f", "rpm", "http://127.0.0.1/r", None, "main", "a", (), page)
    repository = Repository(under_test, rpm.policy, tmp_path, datetime.now(UTC), 5)
    with pytest.raises(CheckFailed) as caught:
        repository.url(place)
    assert caught.value.code == "unsafe-location"
    assert repository.url("a/b+c~1:2.rpm") == "http://127.0.0.1/r/a/b+c~1:2.rpm"
