"""ISO images that must not be accepted: whose bytes they are, who vouches for them, which volume they hold."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycdlib import PyCdlib

from pytest_ovirt_release.checks.packages import check_distribution
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.page import Distribution
from pytest_ovirt_release.release.resolved import DistributionUnderTest
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ovirt-node-3.0.iso"
VOLUME = "OVIRT_NODE_3_0"


def image(volume: str = VOLUME) -> bytes:
    """Return a small image."""
    made, out = PyCdlib(), io.BytesIO()
    made.new(vol_ident=volume, interchange_level=3)
    made.add_fp(io.BytesIO(b"kernel" * 1000), 6000, "/VMLINUZ.;1")
    made.write_fp(out)
    made.close()
    return out.getvalue()


@dataclass(frozen=True)
class Image:
    """What is published; each field is what one case changes."""

    content: bytes = b""
    served: bytes | None = None
    pinned: str | None = None
    sums: str | None = None
    form: str = "detached"
    signer: str = ""
    vouched: bool = True

    def publish(self, shop: Workshop) -> Check:
        """Write image, checksums and signatures, and return the check of them."""
        content = self.content or image()
        digest = hashlib.sha256(content).hexdigest()
        shop.web.put(f"iso/{NAME}", content)
        shop.web.put("iso/SHA256SUMS", (self.sums or f"{digest}  {NAME}\n").encode())
        self._sign(shop, shop.web.root / "iso")
        if self.served is not None:
            shop.web.put(f"iso/{NAME}", self.served)
        return self._check(shop, self.pinned or digest)

    def _sign(self, shop: Workshop, folder: Path) -> None:
        signer = self.signer or shop.signer
        sums = folder / "SHA256SUMS"
        if self.form == "detached":
            shop.room.sign(folder / NAME, signer)
        elif self.form == "sums":
            shop.room.sign(sums, signer)
        elif self.form == "clear":
            shop.room.clearsign(sums, signer, folder / "signed")
            (folder / "signed").replace(sums)

    def _check(self, shop: Workshop, pinned: str) -> Check:
        base, by_sums = f"{shop.web.url}/iso", self.form != "detached"
        page = Distribution(name="node", kind="iso", url="u", architecture="x86_64", packages=("ovirt-node",))
        wanted = CandidatePackage(
            distribution="node", name="ovirt-node", version="3.0", architecture="x86_64", sha256=pinned
        )
        under_test = DistributionUnderTest(
            "node", "iso", f"{base}/{NAME}", None, "main", "x86_64", (wanted,), page,
            signature=f"{base}/{NAME}.sig" if not by_sums and self.vouched else None,
            checksums=f"{base}/SHA256SUMS" if by_sums else None,
            checksums_signature=f"{base}/SHA256SUMS.sig" if self.form == "sums" else None,
            volume_id=VOLUME,
        )  # fmt: skip
        policy = shop.policy()

        def check() -> None:
            check_distribution(under_test, policy, shop.folder / "scratch", now=shop.now, deadline=DEADLINE)

        return check


@case("iso", "digest-differs")
def not_the_image_of_the_candidate(shop: Workshop, *, bad: bool) -> Check:
    """A rightly signed image is another than the candidate's."""
    return Image(pinned="0" * 64 if bad else None).publish(shop)


@case("iso", "unknown-signer")
def an_image_signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """The signature is by a key that holds no role."""
    return Image(signer=shop.stranger if bad else "").publish(shop)


@case("iso", "bad-signature")
def the_signature_of_another_image(shop: Workshop, *, bad: bool) -> Check:
    """The image was made anew after it was signed, and the candidate written down from the new one."""
    new = image() + bytes(2048)
    pinned = hashlib.sha256(new).hexdigest()
    return (Image(served=new, pinned=pinned) if bad else Image()).publish(shop)


@case("iso", "unproven")
def nobody_vouches_for_the_image(shop: Workshop, *, bad: bool) -> Check:
    """The page names neither a signature nor a signed checksum file: not disproven, and not proven either."""
    return Image(vouched=not bad).publish(shop)


@case("iso", "signature-missing")
def a_checksum_file_that_nobody_signed(shop: Workshop, *, bad: bool) -> Check:
    """Whoever can exchange the image can exchange an unsigned checksum file."""
    return Image(form="plain" if bad else "clear").publish(shop)


@case("iso", "unknown-signer")
def checksums_signed_by_a_stranger(shop: Workshop, *, bad: bool) -> Check:
    """The clearsigned checksum file is by a key that holds no role."""
    return Image(form="clear", signer=shop.stranger if bad else "").publish(shop)


@case("iso", "checksum-differs")
def signed_checksums_of_an_older_image(shop: Workshop, *, bad: bool) -> Check:
    """The checksum file is signed beside, and says another digest."""
    sums = f"{'0' * 64}  {NAME}\n" if bad else None
    return Image(form="sums", sums=sums).publish(shop)


@case("iso", "checksum-missing")
def signed_checksums_without_the_image(shop: Workshop, *, bad: bool) -> Check:
    """The signed checksum file does not list the image."""
    return Image(form="clear", sums=f"{'0' * 64}  other.iso\n" if bad else None).publish(shop)


@case("iso", "wrong-volume-id")
def the_image_of_another_release(shop: Workshop, *, bad: bool) -> Check:
    """The volume id is that of another release: a kernel line that names it would not boot."""
    return Image(content=image("OVIRT_NODE_2_9") if bad else b"").publish(shop)


@case("iso", "image-broken")
def an_image_that_is_none(shop: Workshop, *, bad: bool) -> Check:
    """What is rightly signed and in the candidate is an error page."""
    return Image(content=b"<html>404</html>" * 5000 if bad else b"").publish(shop)


@case("iso", "image-truncated")
def an_image_that_ends_early(shop: Workshop, *, bad: bool) -> Check:
    """The last blocks are missing; digest and signature were made of the cut file."""
    return Image(content=image()[:-4096] if bad else b"").publish(shop)
