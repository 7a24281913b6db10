"""Checksum files, and signatures of them, that must not be accepted."""

from __future__ import annotations

import hashlib

from tests.corpus.frame import Check, case
from tests.corpus.released import NAME, Release
from tests.corpus.workshop import Workshop


@case("checksums", "checksums-missing")
def no_checksum_file(shop: Workshop, *, bad: bool) -> Check:
    """The page names a checksum file that is not there."""
    release = Release(shop)
    if bad:
        release.remove("SHA256SUMS")
    return release.check()


@case("checksums", "checksum-missing")
def a_checksum_file_of_others(shop: Workshop, *, bad: bool) -> Check:
    """The list does not name the tarball."""
    release = Release(shop)
    release.sums(f"{release.digest}  {'vdsm-4.9.2.tar.gz' if bad else NAME}\n")
    return release.check()


@case("checksums", "checksum-differs")
def a_checksum_of_the_last_candidate(shop: Workshop, *, bad: bool) -> Check:
    """Nobody made the list anew."""
    release = Release(shop)
    release.sums(f"{'0' * 64 if bad else release.digest}  {NAME}\n")
    return release.check()


@case("checksums", "checksum-differs")
def two_checksums_for_one_name(shop: Workshop, *, bad: bool) -> Check:
    """A tool would take the first, or the last."""
    release = Release(shop)
    release.sums(f"{release.digest}  {NAME}\n" + (f"{'0' * 64}  {NAME}\n" if bad else ""))
    return release.check()


@case("checksums", "checksum-missing")
def checksums_of_another_kind(shop: Workshop, *, bad: bool) -> Check:
    """MD5 proves nothing."""
    release = Release(shop)
    weak = hashlib.md5(release.data, usedforsecurity=False).hexdigest()
    release.sums(f"{weak if bad else release.digest}  {NAME}\n")
    return release.check()


@case("checksums", "bad-signature")
def a_checksum_file_that_was_changed(shop: Workshop, *, bad: bool) -> Check:
    """The list fits the tarball, and is not what was signed."""
    release = Release(shop)
    if bad:
        shop.web.put("SHA256SUMS", f"# mended by hand\n{release.digest}  {NAME}\n".encode())
    return release.check()


@case("checksums", "unknown-signer")
def a_checksum_file_signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """Anybody can sign a list."""
    release = Release(shop)
    release.sign(shop.stranger if bad else shop.signer, "SHA256SUMS")
    return release.check()


@case("checksums", "signature-missing")
def a_checksum_file_without_its_signature(shop: Workshop, *, bad: bool) -> Check:
    """The page names a signature of the list."""
    release = Release(shop)
    if bad:
        release.remove("SHA256SUMS.sig")
    return release.check()
