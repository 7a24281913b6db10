"""Detached signatures that must not be accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.openpgp import judge
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.signers import SignerPolicy


def tarball(shop: Workshop, name: str = "vdsm-4.9.3.tar.gz") -> Path:
    """Make a file to sign."""
    path = shop.folder / name
    path.write_bytes(b"the released bytes of " + name.encode() * 50)
    return path


def judging(shop: Workshop, signature: Path, data: Path, policy: SignerPolicy | None = None) -> Check:
    """Return the check: this signature must be accepted for these bytes."""
    wanted = policy or shop.policy()

    def check() -> None:
        judge(signature, data, wanted, now=shop.now, deadline=DEADLINE).must_be_accepted(data.name)

    return check


@case("openpgp", "bad-signature")
def one_byte_of_the_tarball_changed(shop: Workshop, *, bad: bool) -> Check:
    """A byte of the tarball was changed after it was signed."""
    data = tarball(shop)
    signature = shop.room.sign(data, shop.signer)
    if bad:
        data.write_bytes(data.read_bytes()[:-1] + b"X")
    return judging(shop, signature, data)


@case("openpgp", "weak-digest")
def signed_over_sha1(shop: Workshop, *, bad: bool) -> Check:
    """The signature is over SHA-1, which gpg calls good."""
    data = tarball(shop)
    options = ["--digest-algo", "SHA1" if bad else "SHA512"]
    return judging(shop, shop.room.sign(data, shop.signer, options=options), data)
