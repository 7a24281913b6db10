"""Package repositories that must not be accepted: what signs them, how old they are, where they lead."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta

from tests.corpus.frame import Check, case
from tests.corpus.repositories import SUITE, Repository, real_deb, real_rpm, signed_rpm
from tests.corpus.workshop import Workshop

RPM = ("rpmbuild",)
SIGNED_RPM = ("rpmbuild", "rpmsign")


@case("deb", "signature-missing", "dpkg-deb")
def nobody_signed_the_repository(shop: Workshop, *, bad: bool) -> Check:
    """There is a Release file and neither InRelease nor Release.gpg."""
    return Repository("deb", signer=None if bad else "").publish(shop)


@case("deb", "unknown-signer", "dpkg-deb")
def a_stranger_signed_the_repository(shop: Workshop, *, bad: bool) -> Check:
    """InRelease is signed by a key that holds no role."""
    return Repository("deb", signer=shop.stranger if bad else "").publish(shop)


@case("deb", "not-clearsigned", "dpkg-deb")
def fields_before_the_signed_text(shop: Workshop, *, bad: bool) -> Check:
    """Fields stand before the signed text, where parsers read them and no signature covers them."""
    check = Repository("deb").publish(shop)
    if bad:
        release = shop.web.root / f"repo/dists/{SUITE}/InRelease"
        release.write_bytes(b"Suite: evil\n\n" + release.read_bytes())
    return check


@case("deb", "metadata-expired", "dpkg-deb")
def the_release_file_has_expired(shop: Workshop, *, bad: bool) -> Check:
    """An old, rightly signed copy is served for ever."""
    return Repository("deb", valid=timedelta(days=-1 if bad else 1)).publish(shop)


@case("deb", "metadata-future-dated", "dpkg-deb")
def the_release_file_is_of_tomorrow(shop: Workshop, *, bad: bool) -> Check:
    """The release file is dated in the future."""
    return Repository("deb", dated=timedelta(days=1 if bad else -1)).publish(shop)


@case("deb", "wrong-suite", "dpkg-deb")
def another_suites_release_file(shop: Workshop, *, bad: bool) -> Check:
    """The signed release file of another suite is served in this one's place."""
    edit = (lambda text: text.replace(SUITE, "ovirt-2.0")) if bad else str
    return Repository("deb", metadata=edit).publish(shop)


@case("deb", "weak-digest", "dpkg-deb")
def only_sha1_sums(shop: Workshop, *, bad: bool) -> Check:
    """The release file gives SHA-1 sums only."""
    edit = (lambda text: text.replace("SHA256:", "SHA1:")) if bad else str
    return Repository("deb", metadata=edit).publish(shop)


@case("deb", "index-differs", "dpkg-deb")
def the_index_was_exchanged(shop: Workshop, *, bad: bool) -> Check:
    """The index of packages is another than the release file says."""
    place = f"dists/{SUITE}/main/binary-amd64/Packages.gz"
    return Repository("deb", extra={place: b"x"} if bad else {}).publish(shop)


@case("deb", "package-differs", "dpkg-deb")
def the_package_was_exchanged(shop: Workshop, *, bad: bool) -> Check:
    """One byte of the package file was changed."""
    changed = real_deb()[:-1] + b"X"
    return Repository("deb", extra={"pool/vdsm.deb": changed} if bad else {}).publish(shop)


@case("deb", "package-missing", "dpkg-deb")
def the_package_is_not_there(shop: Workshop, *, bad: bool) -> Check:
    """The index lists a file that cannot be downloaded."""
    edit = (lambda text: text.replace("pool/vdsm.deb", "pool/gone.deb")) if bad else str
    return Repository("deb", index=edit).publish(shop)


@case("deb", "package-other-version", "dpkg-deb")
def an_older_build_is_offered(shop: Workshop, *, bad: bool) -> Check:
    """The repository was never updated: it lists an older build."""
    edit = (lambda text: text.replace("4.9.3-1", "4.9.2-1")) if bad else str
    return Repository("deb", index=edit).publish(shop)


@case("deb", "package-is-another", "dpkg-deb")
def an_old_build_under_the_new_name(shop: Workshop, *, bad: bool) -> Check:
    """Index, checksums and signature are right, and the file behind them is an older build."""
    return Repository("deb", package=real_deb(version="4.9.2-1") if bad else b"").publish(shop)


@case("deb", "package-is-another", "dpkg-deb")
def a_package_of_another_architecture(shop: Workshop, *, bad: bool) -> Check:
    """The index says amd64, the file is for arm64."""
    return Repository("deb", package=real_deb(architecture="arm64") if bad else b"").publish(shop)


@case("deb", "package-broken", "dpkg-deb")
def the_package_is_no_package(shop: Workshop, *, bad: bool) -> Check:
    """What is rightly listed and signed is an error page."""
    return Repository("deb", package=b"<html>404</html>" if bad else b"").publish(shop)


@case("deb", "package-broken", "dpkg-deb")
def the_package_ends_early(shop: Workshop, *, bad: bool) -> Check:
    """The file was cut while it was published, and its digest taken afterwards."""
    return Repository("deb", package=real_deb()[:150] if bad else b"").publish(shop)


@case("deb", "unsafe-location", "dpkg-deb")
def the_index_leads_out_of_the_repository(shop: Workshop, *, bad: bool) -> Check:
    """A file name climbs out of the repository."""
    edit = (lambda text: text.replace("pool/", "../../")) if bad else str
    return Repository("deb", index=edit).publish(shop)


@case("deb", "digest-differs", "dpkg-deb")
def not_the_package_of_the_candidate(shop: Workshop, *, bad: bool) -> Check:
    """The package was built again after the candidate was written down."""
    digest = hashlib.sha256(real_deb()).hexdigest()
    return Repository("deb", pinned="0" * 64 if bad else digest).publish(shop)


@case("rpm", "signature-missing", *RPM)
def repomd_without_signature(shop: Workshop, *, bad: bool) -> Check:
    """There is no repomd.xml.asc."""
    return Repository("rpm", signer=None if bad else "").publish(shop)


@case("rpm", "unknown-signer", *RPM)
def repomd_signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """repomd.xml is signed by a key that holds no role."""
    return Repository("rpm", signer=shop.stranger if bad else "").publish(shop)


@case("rpm", "bad-signature", *RPM)
def repomd_changed_after_signing(shop: Workshop, *, bad: bool) -> Check:
    """A blank was added to repomd.xml after it was signed."""
    check = Repository("rpm").publish(shop)
    if bad:
        repomd = shop.web.root / "repo/repodata/repomd.xml"
        repomd.write_bytes(repomd.read_bytes() + b" ")
    return check


@case("rpm", "weak-digest", *RPM)
def repomd_with_sha1(shop: Workshop, *, bad: bool) -> Check:
    """repomd.xml names its files by SHA-1."""
    edit = (lambda text: text.replace('<checksum type="sha256"', '<checksum type="sha"')) if bad else str
    return Repository("rpm", metadata=edit).publish(shop)


@case("rpm", "metadata-broken", *RPM)
def primary_with_entities(shop: Workshop, *, bad: bool) -> Check:
    """The index declares entities, with which a few lines become gigabytes."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    return Repository("rpm", index=(lambda text: bomb + text) if bad else str).publish(shop)


@case("rpm", "unsafe-location", *RPM)
def packages_on_another_host(shop: Workshop, *, bad: bool) -> Check:
    """An xml:base sends the download elsewhere."""
    edit = (lambda text: text.replace("<location ", '<location xml:base="file:///etc" ')) if bad else str
    return Repository("rpm", index=edit).publish(shop)


@case("rpm", "package-is-another", *RPM)
def an_older_rpm_under_the_new_name(shop: Workshop, *, bad: bool) -> Check:
    """Index, checksums and signature are right, and the file behind them is an older build."""
    return Repository("rpm", package=real_rpm(version="4.9.2-1.fc16") if bad else b"").publish(shop)


@case("rpm", "package-ambiguous", *RPM)
def two_files_for_one_package(shop: Workshop, *, bad: bool) -> Check:
    """The index lists the same package twice, with two files."""

    def twice(text: str) -> str:
        entry = text[text.index("<package ") : text.index("</metadata>")]
        return text.replace(entry, entry + entry.replace("Packages/vdsm.rpm", "Packages/other.rpm"))

    return Repository("rpm", index=twice if bad else str).publish(shop)


@case("rpm", "package-unsigned", *SIGNED_RPM)
def an_rpm_without_its_own_signature(shop: Workshop, *, bad: bool) -> Check:
    """The page asks for signed packages; rpmkeys by itself would call this one good."""
    package = real_rpm() if bad else signed_rpm(shop, shop.signer)
    return Repository("rpm", package=package, own_signature=True).publish(shop)


@case("rpm", "unknown-signer", *SIGNED_RPM)
def an_rpm_signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """The package's own signature is by a key that holds no role."""
    package = signed_rpm(shop, shop.stranger if bad else shop.signer)
    return Repository("rpm", package=package, own_signature=True).publish(shop)


@case("rpm", "bad-signature", *SIGNED_RPM)
def an_rpm_changed_after_signing(shop: Workshop, *, bad: bool) -> Check:
    """The summary in a signed package was changed, and the repository made anew."""
    package = signed_rpm(shop, shop.signer)
    changed = package.replace(b"node agent\0", b"node agenT\0", 1) if bad else package
    return Repository("rpm", package=changed, own_signature=True).publish(shop)


@case("rpm", "package-payload-differs", *SIGNED_RPM)
def an_rpm_with_another_payload(shop: Workshop, *, bad: bool) -> Check:
    """The signed header is whole; the payload behind it was exchanged, and the repository made anew."""
    package = signed_rpm(shop, shop.signer)
    return Repository("rpm", package=package[:-1] + b"X" if bad else package, own_signature=True).publish(
        shop
    )


@case("deb", "metadata-undated", "dpkg-deb")
def a_release_file_without_a_date(shop: Workshop, *, bad: bool) -> Check:
    """Without a date an old copy cannot be told from a new one."""
    edit = (lambda text: text.replace("\nDate:", "\nDates:")) if bad else str
    return Repository("deb", metadata=edit).publish(shop)


@case("deb", "wrong-architecture", "dpkg-deb")
def a_repository_of_another_architecture(shop: Workshop, *, bad: bool) -> Check:
    """The release file does not list the architecture that the page wants."""
    edit = (lambda text: text.replace("Architectures: amd64", "Architectures: i386")) if bad else str
    return Repository("deb", metadata=edit).publish(shop)


@case("deb", "wrong-section", "dpkg-deb")
def a_repository_without_the_section(shop: Workshop, *, bad: bool) -> Check:
    """The release file does not list the section that the page wants."""
    edit = (lambda text: text.replace("Components: main", "Components: contrib")) if bad else str
    return Repository("deb", metadata=edit).publish(shop)


@case("deb", "index-missing", "dpkg-deb")
def a_release_file_without_the_index(shop: Workshop, *, bad: bool) -> Check:
    """The release file lists no index of the architecture."""
    edit = (lambda text: text.replace("binary-amd64", "binary-i386")) if bad else str
    return Repository("deb", metadata=edit).publish(shop)


@case("deb", "package-unlisted", "dpkg-deb")
def an_index_without_the_package(shop: Workshop, *, bad: bool) -> Check:
    """The index does not list the package at all."""
    edit = (lambda text: text.replace("Package: vdsm", "Package: vdsm-hooks")) if bad else str
    return Repository("deb", index=edit).publish(shop)


@case("deb", "repository-missing", "dpkg-deb")
def no_repository_at_all(shop: Workshop, *, bad: bool) -> Check:
    """There is neither InRelease nor Release."""
    check = Repository("deb").publish(shop)
    if bad:
        for name in ("InRelease", "Release"):
            (shop.web.root / f"repo/dists/{SUITE}" / name).unlink()
    return check


@case("rpm", "expands-too-far", *RPM)
def an_index_that_is_a_bomb(shop: Workshop, *, bad: bool) -> Check:
    """A small, rightly signed index expands to many megabytes."""
    bomb = (lambda text: text.replace("<package ", " " * 40_000_000 + "<package ")) if bad else str
    return Repository("rpm", index=bomb).publish(shop)


@case("rpm", "file-broken", *RPM)
def an_index_that_was_cut_before_it_was_signed(shop: Workshop, *, bad: bool) -> Check:
    """The compressed index ends early, and its digest was taken afterwards."""
    return Repository("rpm", pack=(lambda data: gzip.compress(data)[:-10]) if bad else gzip.compress).publish(
        shop
    )


@case("rpm", "index-missing", *RPM)
def repomd_without_primary(shop: Workshop, *, bad: bool) -> Check:
    """repomd.xml names no primary file."""
    edit = (lambda text: text.replace('type="primary"', 'type="other"')) if bad else str
    return Repository("rpm", metadata=edit).publish(shop)


@case("rpm", "metadata-stale", *RPM)
def an_rpm_repository_of_last_year(shop: Workshop, *, bad: bool) -> Check:
    """The page wants metadata of the last month, and rpm has no date of expiry of its own."""
    return Repository("rpm", dated=timedelta(days=-365 if bad else -3), fresh_days=30).publish(shop)
